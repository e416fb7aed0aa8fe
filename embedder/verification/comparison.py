"""Compare the main faces of any number of photos: distances, verdicts, a heat map."""

import io
import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np

from embedder.errors import ImageError
from embedder.images.photo import failure_reason
from embedder.images.reading import DEFAULT_MAX_PIXELS, read_image
from embedder.networks.encoder import FaceEncoder
from foundation.atomic import write_bytes_atomically
from foundation.errors import InputError
from foundation.paths import display_path
from foundation.text import pluralize

logger = logging.getLogger(__name__)

_CELL_INCHES = 0.9
_LARGEST_SIDE_INCHES = 40.0
_GAP = ((8, 8), (8, 8), (0, 0))
_MOST_NUMBERS = 30
"""Photos up to which the heat map's cells carry their distance; in more they could not be read."""


@dataclass(frozen=True)
class ComparedFace:
    """The main face of a photo.

    Attributes
    ----------
    path : str
        The photo, as given.
    box : numpy.ndarray
        float32 (4,), pixels.
    n_faces : int
        Faces found in the photo; the largest, weighted to the centre, is the one compared.
    crop : numpy.ndarray
        uint8 (s, s, 3).
    """

    path: str
    box: np.ndarray
    n_faces: int
    crop: np.ndarray


@dataclass(frozen=True)
class Comparison:
    """Distances between the main faces of photos.

    Attributes
    ----------
    faces : tuple of ComparedFace
        In the order of the photos; photos without one are left out.
    distances : numpy.ndarray
        float64 (n, n): Euclidean distances of unit vectors, 0..2.
    threshold : float or None
        Distance below which two faces are taken for the same person; None if it was never measured.
    without_face : tuple of str
        Photos in which no face was found.
    failures : tuple of (str, str)
        Photos that could not be read, and why.
    """

    faces: tuple[ComparedFace, ...]
    distances: np.ndarray
    threshold: float | None
    without_face: tuple[str, ...] = ()
    failures: tuple[tuple[str, str], ...] = ()

    def pairs(self) -> Iterator[tuple[int, int, float, bool | None]]:
        """Yield index, index, distance and whether that is the same person (None without a threshold) of each pair."""
        for i, j in combinations(range(len(self.faces)), 2):
            distance = float(self.distances[i, j])
            yield i, j, distance, None if self.threshold is None else distance < self.threshold

    def to_text(self) -> str:
        """Return photos, distances and verdicts as lines for a terminal."""
        width = len(str(len(self.faces)))
        lines = [
            f"{i + 1:>{width}}  {face.path}  (the main one of {face.n_faces} faces)"
            if face.n_faces > 1
            else f"{i + 1:>{width}}  {face.path}"
            for i, face in enumerate(self.faces)
        ]
        lines += [f"{path}: no face" for path in self.without_face]
        if len(self.faces) == 1:
            lines += ["", "one face alone; name a second photo to compare it with"]
        elif self.faces:
            lines += ["", " " * width + "".join(f"{i + 1:>8}" for i in range(len(self.faces)))]
            lines += [
                f"{i + 1:>{width}}" + "".join(f"{distance:8.3f}" for distance in row)
                for i, row in enumerate(self.distances)
            ]
        verdicts = {True: "same person", False: "different people", None: ""}
        pairs = [
            f"{i + 1:>{width}} - {j + 1:<{width}}  {distance:.3f}  {verdicts[same]}".rstrip()
            for i, j, distance, same in self.pairs()
        ]
        if pairs:
            rule = (
                "no threshold was ever measured for these weights"
                if self.threshold is None
                else f"same person below {self.threshold:.3f}"
            )
            lines += ["", f"distances of unit vectors, {rule}:", *pairs]
        return "\n".join(lines)

    def to_json(self) -> dict[str, Any]:
        """Return the comparison as what JSON can hold."""
        return {
            "threshold": self.threshold,
            "faces": [
                {"path": face.path, "box": [float(side) for side in face.box], "n_faces": face.n_faces}
                for face in self.faces
            ],
            "distances": [[float(distance) for distance in row] for row in self.distances],
            "pairs": [
                {"a": self.faces[i].path, "b": self.faces[j].path, "distance": distance, "same": same}
                for i, j, distance, same in self.pairs()
            ],
            "without_face": list(self.without_face),
            "failures": [{"path": path, "message": message} for path, message in self.failures],
        }


def compare_photos(
    photos: Sequence[str | Path],
    encoder: FaceEncoder,
    *,
    threshold: float | None = None,
    max_pixels: int = DEFAULT_MAX_PIXELS,
) -> Comparison:
    """Find the main face of each photo and measure the distances between all of them.

    Parameters
    ----------
    photos : sequence of path
        Image files.
    encoder : FaceEncoder
    threshold : float, optional
        Distance below which two faces are the same person, such as the preset's `verification_threshold`.
    max_pixels : int
        Larger photos count as failed.

    Raises
    ------
    ValueError
        If `photos` is empty or `max_pixels` is less than 1.
    """
    if not photos:
        raise InputError("`photos` must name at least one photo, got none")
    if max_pixels < 1:
        raise InputError(f"`max_pixels` must be at least 1, got {max_pixels}; leave it out for {DEFAULT_MAX_PIXELS:,}")
    faces: list[ComparedFace] = []
    without_face: list[str] = []
    failures: list[tuple[str, str]] = []
    for photo in photos:
        path = display_path(photo)
        try:
            image = read_image(photo, max_pixels=max_pixels)
        except (ImageError, OSError) as error:
            failures.append((path, failure_reason(error, photo)))
            continue
        face = _main_face(path, image, encoder)
        if face is None:
            without_face.append(path)
        else:
            faces.append(face)
    embeddings = encoder.embed(np.stack([face.crop for face in faces])) if faces else np.empty((0, 1))
    distances = measure_distances(embeddings)
    return Comparison(tuple(faces), distances, threshold, tuple(without_face), tuple(failures))


def measure_distances(embeddings: np.ndarray) -> np.ndarray:
    """Return the Euclidean distances, float64 (n, n), between all rows of `embeddings` (n, d).

    >>> measure_distances(np.array([[1.0, 0.0], [0.0, 1.0]])).round(3).tolist()
    [[0.0, 1.414], [1.414, 0.0]]
    """
    vectors = embeddings.astype(np.float64)
    n = len(vectors)
    return np.array([np.linalg.norm(vectors - vector, axis=1) for vector in vectors]).reshape(n, n)


def save_heat_map(comparison: Comparison, path: str | Path) -> None:
    """Draw the distances as a heat map with the faces beside its rows and above its columns.

    Parameters
    ----------
    path : path
        File to write; its suffix (png, jpg, pdf, svg) chooses the format, without one it is PNG.

    Raises
    ------
    ValueError
        If there is no face to draw, or the suffix is unknown.
    OSError
        If the file cannot be written.
    """
    from matplotlib.figure import Figure

    n_faces = len(comparison.faces)
    if not n_faces:
        raise InputError("`comparison` must hold at least one face to be drawn, got none; give photos with faces")
    target = Path(path)
    file_format = target.suffix.removeprefix(".").lower() or "png"
    side = min(_CELL_INCHES * (n_faces + 2), _LARGEST_SIDE_INCHES)
    figure = Figure(figsize=(side + 1, side), layout="constrained")
    if file_format not in figure.canvas.get_supported_filetypes():
        raise InputError(f"`path` must end in .png, .jpg, .pdf or .svg, got {display_path(target)}")
    _draw(figure, comparison)
    encoded = io.BytesIO()
    figure.savefig(encoded, format=file_format, bbox_inches="tight")
    target.parent.mkdir(parents=True, exist_ok=True)
    write_bytes_atomically(target, encoded.getvalue())


def _main_face(path: str, image: np.ndarray, encoder: FaceEncoder) -> ComparedFace | None:
    found = encoder.detect(image)
    if not len(found):
        return None
    face = found[found.primary((image.shape[0], image.shape[1]))]
    return ComparedFace(path, face.boxes[0], len(found), encoder.view(encoder.crop(image, face))[0])


def _draw(figure: Any, comparison: Comparison) -> None:
    n_faces = len(comparison.faces)
    axes = figure.add_subplot()
    brightest = max(1.5, comparison.distances.max())
    picture = axes.imshow(comparison.distances, cmap="viridis", vmin=0, vmax=brightest)
    numbers = [str(i + 1) for i in range(n_faces)]
    axes.set_xticks(range(n_faces), numbers)
    axes.set_yticks(range(n_faces), numbers)
    axes.xaxis.tick_top()
    title = "Distance"
    if comparison.threshold is not None:
        title += f" (same person below {comparison.threshold:.3f}: framed)"
    title += f"; {pluralize(n_faces, 'face')}, {pluralize(n_faces * (n_faces - 1) // 2, 'pair')}"
    figure.colorbar(picture, ax=axes, shrink=0.7, label=title)
    axes.spines[:].set_visible(False)
    # The faces go before the first row and column, in the cells' own units.
    crops = [np.pad(face.crop, _GAP, constant_values=255) for face in comparison.faces]
    first, last = -0.5, n_faces - 0.5
    axes.imshow(np.concatenate(crops), extent=(-1.6, -0.6, last, first), aspect="equal")
    axes.imshow(np.concatenate(crops, axis=1), extent=(first, last, -0.6, -1.6), aspect="equal")
    axes.set_xlim(-1.6, last)
    axes.set_ylim(last, -1.6)
    if n_faces <= _MOST_NUMBERS:
        for i, j in np.ndindex(n_faces, n_faces):
            distance = comparison.distances[i, j]
            colour = "black" if distance > 0.6 * brightest else "white"
            axes.text(j, i, f"{distance:.2f}", ha="center", va="center", color=colour, fontsize=9)
    _frame_same(axes, comparison)


def _frame_same(axes: Any, comparison: Comparison) -> None:
    from matplotlib.patches import Rectangle

    for i, j, _, same in comparison.pairs():
        if same:
            for x, y in ((i, j), (j, i)):
                axes.add_patch(Rectangle((x - 0.47, y - 0.47), 0.94, 0.94, fill=False, edgecolor="red", linewidth=2))
