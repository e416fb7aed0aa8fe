"""The LFW pairs protocol: which pairs, in which folds, and what embeddings score on them.

Huang, Ramesh, Berg and Learned-Miller, "Labeled Faces in the Wild", UMass TR 07-49, 2007. Photos are named
``NAME/NAME_0001.jpg``.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from embedder.images.kinds import IMAGE_SUFFIXES
from embedder.networks.mirrored import MIRRORED_COPY
from embedder.verification.bootstrap import SeparationComparison, TarEstimate, compare_separation, tar_intervals
from embedder.verification.metrics import FALSE_ACCEPT_RATES, Roc, area_under, cross_validate, equal_error_rate, roc
from foundation.errors import InputError
from foundation.fingerprint import Fingerprint
from foundation.formats import describe_kind

if TYPE_CHECKING:
    from embedder.tables.table import EmbeddingTable

N_FOLDS = 10
"""LFW's View 2 has ten folds; a pairs file without folds is cut into as many."""

# Numbers of photos and pairs, as far as a list can have them.
_MOST_DIGITS = 9


@dataclass(frozen=True)
class Pairs:
    """Pairs of photos; parallel arrays.

    Attributes
    ----------
    photos : (n, 2) str
        The two photos as ``NAME/NAME_0001``, without suffix.
    identities : (n, 2) str
        The people they show.
    folds : (n,) int
    """

    photos: NDArray[np.str_]
    identities: NDArray[np.str_]
    folds: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.photos)

    @property
    def genuine(self) -> NDArray[np.bool_]:
        """Which pairs show one person twice, (n,)."""
        return self.identities[:, 0] == self.identities[:, 1]


@dataclass(frozen=True)
class Verification:
    """How embeddings did on pairs.

    Attributes
    ----------
    pairs : Pairs
    scores : (n,) float
        Score of each pair in its fold; ``-inf`` (genuine) or ``inf`` (impostor) where a photo failed to enrol.
    accuracies : (n_folds,) float
    threshold : float
        Median of the folds' thresholds.
    curve : Roc
    tar_at_far : dict of float to TarEstimate
    failures : dict of str to str
        Photos that failed to enrol, and why.
    fingerprint : dict
        Of the table the embeddings come from.
    """

    pairs: Pairs
    scores: NDArray[np.float64]
    accuracies: NDArray[np.float64]
    threshold: float
    curve: Roc
    tar_at_far: Mapping[float, TarEstimate]
    failures: Mapping[str, str]
    fingerprint: Fingerprint

    @property
    def auc(self) -> float:
        """Area under the ROC curve."""
        return area_under(self.curve)

    @property
    def eer(self) -> float:
        """Equal error rate."""
        return equal_error_rate(self.curve)

    @property
    def n_people(self) -> int:
        """How many people the pairs show."""
        return len(np.unique(self.pairs.identities))

    @property
    def failed_pairs(self) -> NDArray[np.bool_]:
        """Which pairs hold a photo that failed to enrol, (n,)."""
        return ~np.isfinite(self.scores)

    def to_json(self) -> dict[str, Any]:
        """Return the figures as plain numbers, ready for JSON."""
        return {
            "n_pairs": len(self.pairs),
            "n_genuine": int(self.pairs.genuine.sum()),
            "n_failures_to_enrol": len(self.failures),
            "accuracy_mean": float(self.accuracies.mean()),
            "accuracy_std": float(self.accuracies.std()),
            "auc": self.auc,
            "eer": self.eer,
            "tar_at_far": {f"{far:g}": estimate._asdict() for far, estimate in self.tar_at_far.items()},
            "fingerprint": self.fingerprint.to_json(),
        }


def read_pairs(path: str | Path) -> Pairs:
    """Read a pairs file in either of LFW's layouts.

    ``pairs.txt`` begins with the number of folds and of pairs of each kind in a fold; ``pairsDevTrain.txt`` with the
    number of pairs of each kind alone, and is cut here into ten folds in the order of the file. Genuine lines are
    ``name n1 n2``, impostor lines ``name1 n1 name2 n2``.

    Raises
    ------
    ValueError
        If the file is not such a list; the line is named.
    OSError
        If the file cannot be read.
    """
    try:
        lines = [_words(line) for line in Path(path).read_text(encoding="utf-8").splitlines() if line.strip()]
    except UnicodeDecodeError:
        raise InputError(
            f"{path}: expected a text file of pairs such as LFW's pairs.txt, found "
            f"{describe_kind(Path(path))}; name such a file"
        ) from None
    n_folds, n_each = _read_header(path, lines[0] if lines else [])
    n_expected = 2 * n_each * (n_folds or 1)
    if len(lines) - 1 != n_expected:
        raise InputError(
            f"{path}: expected {n_expected} pairs after the first line, as it says, got {len(lines) - 1}; "
            "get the file again"
        )
    photos, identities, folds = [], [], []
    for i, words in enumerate(lines[1:]):
        fold, row = divmod(i, 2 * n_each)  # row of the pair in its fold, the genuine ones first
        is_genuine = row < n_each
        photo, people = _read_pair(f"{path}: pair {i + 1}", words, is_genuine=is_genuine)
        photos.append(photo)
        identities.append(people)
        folds.append(fold if n_folds else row % n_each * min(N_FOLDS, n_each) // n_each)
    if len(set(folds)) < 2:
        raise InputError(
            f"{path}: expected two folds or more, each threshold being chosen on the others, got 1 of {n_each} genuine "
            "pairs; give more pairs, or in the first line the number of genuine pairs alone, such as '300'"
        )
    return Pairs(np.asarray(photos), np.asarray(identities), np.asarray(folds))


def find_photos(root: str | Path, pairs: Pairs) -> dict[str, str]:
    """Return each photo of `pairs` that is under `root` with its path relative to it, whatever its suffix.

    Raises
    ------
    ValueError
        If none is there.
    """
    found = {}
    for photo in np.unique(pairs.photos).tolist():
        suffix = next((suffix for suffix in _SPELLINGS if Path(root, photo + suffix).is_file()), None)
        if suffix is not None:
            found[photo] = photo + suffix
    if not found:
        raise InputError(
            f"{root}: expected the photos of the pairs such as {pairs.photos[0, 0]}.jpg, found none of "
            f"{len(np.unique(pairs.photos))}; give the folder that holds one folder a person"
        )
    return found


def verify(
    pairs: Pairs, table: "EmbeddingTable", *, flip: bool = True, subtract_mean: bool = True, metric: str = "cosine"
) -> Verification:
    """Return how the embeddings of `table` do on `pairs`, by LFW's protocol.

    Parameters
    ----------
    pairs : Pairs
    table : EmbeddingTable
        Of the pairs' photos. Of several faces in a photo the largest, weighted to the centre, counts.
    flip : bool
        Score embeddings followed by those of the mirrored crops, where the table has them (`MirroredEmbedder`).
    subtract_mean, metric
        See `embedder.verification.metrics.cross_validate`.

    Raises
    ------
    ValueError
        If the table has no photo of the pairs, or as `cross_validate` says.
    """
    row_of = _primary_rows(table)
    rows, enrolled = _rows_of_pairs(pairs, table, row_of)
    vectors = _vectors(table, flip=flip)
    folds = cross_validate(
        vectors[rows[:, 0]],
        vectors[rows[:, 1]],
        pairs.genuine,
        folds=pairs.folds,
        enrolled=enrolled,
        metric=metric,
        subtract_mean=subtract_mean,
    )
    return Verification(
        pairs=pairs,
        scores=folds.scores,
        accuracies=folds.accuracies,
        threshold=float(np.median(folds.thresholds)),
        curve=roc(folds.scores, pairs.genuine),
        failures=_failures(pairs, table, row_of),
        tar_at_far=tar_intervals(folds.scores, pairs.genuine, pairs.identities, fars=FALSE_ACCEPT_RATES),
        fingerprint=table.fingerprint,
    )


def compare_tables(pairs: Pairs, table: "EmbeddingTable", other: "EmbeddingTable") -> SeparationComparison:
    """Return how well two tables of the photos of `pairs` tell people apart, over all pairs of photos in both.

    Raises
    ------
    ValueError
        If they have no two photos of one person and no two people in common.
    """
    identity_of = dict(zip(pairs.photos.flat, pairs.identities.flat, strict=True))
    one, two = _primary_rows(table), _primary_rows(other)
    photos = [photo for photo in identity_of if photo in one and photo in two]
    return compare_separation(
        _vectors(table, flip=False)[[one[photo] for photo in photos]],
        _vectors(other, flip=False)[[two[photo] for photo in photos]],
        np.asarray([identity_of[photo] for photo in photos]),
    )


def sample_genuine(pairs: Pairs, n: int, *, seed: int = 0) -> Pairs:
    """Return at most `n` genuine pairs, drawn at random, in the order of `pairs`."""
    rows = np.sort(np.random.default_rng(seed).permutation(np.flatnonzero(pairs.genuine))[:n])
    return Pairs(pairs.photos[rows], pairs.identities[rows], pairs.folds[rows])


_SPELLINGS = sorted({*IMAGE_SUFFIXES, *map(str.upper, IMAGE_SUFFIXES)}, key=lambda suffix: (suffix != ".jpg", suffix))


def _words(line: str) -> list[str]:
    # LFW separates by tabs; names with spaces are then whole.
    return line.strip().split("\t") if "\t" in line else line.split()


def _is_number(word: str) -> bool:
    return word.isdecimal() and len(word) <= _MOST_DIGITS


def _read_header(path: str | Path, words: Sequence[str]) -> tuple[int, int]:
    """Return the number of folds (0 where the layout has none) and of pairs of each kind in a fold."""
    numbers = [int(word) for word in words if _is_number(word)]
    if len(words) not in (1, 2) or len(numbers) != len(words) or min(numbers) < 1:
        raise InputError(
            f"{path}: expected in the first line the number of folds and of pairs, such as '10 300', or "
            f"of pairs alone, got {' '.join(words)[:60]!r}"
        )
    return (0, numbers[0]) if len(numbers) == 1 else (numbers[0], numbers[1])


def _read_pair(where: str, words: Sequence[str], *, is_genuine: bool) -> tuple[tuple[str, str], tuple[str, str]]:
    form = "name n1 n2" if is_genuine else "name1 n1 name2 n2"
    numbers = words[1:3] if is_genuine else words[1::2]
    if len(words) != len(form.split()) or not all(map(_is_number, numbers)):
        raise InputError(f"{where}: expected {form!r}, got {' '.join(words)[:60]!r}")
    people = (words[0], words[0] if is_genuine else words[2])
    if not is_genuine and people[0] == people[1]:
        raise InputError(f"{where}: expected two people, got {people[0]!r} twice; genuine pairs come first in a fold")
    one, two = (f"{name}/{name}_{int(number):04d}" for name, number in zip(people, numbers, strict=True))
    return (one, two), people


def _vectors(table: "EmbeddingTable", *, flip: bool) -> NDArray[np.float32]:
    vectors = table.embeddings
    if table.fingerprint.space.get(MIRRORED_COPY) and not flip:
        # Rows are two unit vectors side by side, scaled by the root of one half.
        vectors = vectors[:, : vectors.shape[1] // 2] * np.float32(np.sqrt(2))
    return vectors


def _rows_of_pairs(
    pairs: Pairs, table: "EmbeddingTable", row_of: Mapping[str, int]
) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """Rows of the two photos of each pair, -1 for none, and whether both have one."""
    rows = np.asarray([[row_of.get(photo, -1) for photo in pair] for pair in pairs.photos.tolist()])
    if (rows < 0).all():
        raise InputError(
            f"`table` must hold the photos of the pairs such as {pairs.photos[0, 0]}.jpg, got none of "
            f"them; it was made from {table.photo_root}"
        )
    return rows, np.all(rows >= 0, axis=1)


def _primary_rows(table: "EmbeddingTable") -> dict[str, int]:
    """Row of the face that counts, for each photo (path without suffix) of the table."""
    from embedder.detection.faces import Faces

    ends = np.cumsum(table.images.n_faces)
    row_of = {}
    for path, n, end, height, width in zip(
        table.images.path.tolist(),
        table.images.n_faces.tolist(),
        ends.tolist(),
        table.images.height.tolist(),
        table.images.width.tolist(),
        strict=True,
    ):
        if n:
            rows = slice(end - n, end)
            faces = Faces(table.boxes[rows], table.landmarks[rows], table.detection_scores[rows])
            row_of[_without_suffix(path)] = end - n + (faces.primary((height, width)) if n > 1 else 0)
    return row_of


def _failures(pairs: Pairs, table: "EmbeddingTable", row_of: Mapping[str, int]) -> dict[str, str]:
    why = {
        _without_suffix(path): f"{status}: {message}" if message else status
        for path, status, message in zip(
            table.images.path.tolist(), table.images.status.tolist(), table.images.message.tolist(), strict=True
        )
    }
    return {photo: why.get(photo, "missing") for photo in np.unique(pairs.photos).tolist() if photo not in row_of}


def _without_suffix(path: str) -> str:
    stem, dot, suffix = path.rpartition(".")
    return stem if f"{dot}{suffix.lower()}" in IMAGE_SUFFIXES else path
