"""Measure which faces are too poor to be told apart: ``python -m experiments.poor_faces TABLE --photos LFW``.

Photos of LFW people are blurred and made smaller, found again and embedded as the table's were. On one half of the
people the direction of `classifiers.scores.clarity` is fitted; on the other half: which share of good faces falls below
the threshold, which share of made blurs, how large the groups of blurs of different people are before and after, and
BCubed of the good faces. ``--write`` fits on all people and writes the file that is shipped.
"""

import argparse
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from classifiers.groups.clustering import cluster_faces
from classifiers.groups.metrics import bcubed
from classifiers.groups.similarity import SimilaritySpace, normalized_space
from classifiers.people_files.cannot_links import POOR
from classifiers.scores.clarity import Clarity
from classifiers.scores.normalization import BACKGROUND_FOLDER, Background, find_background
from embedder.images.reading import read_image
from embedder.networks.encoder import EncoderOptions, FaceEncoder
from embedder.tables.table import EmbeddingTable
from foundation.command_line import EXIT_DONE, run_script, write_json

N_PHOTOS = 250
"""Photos of each kind of blur, each of another person."""

GOOD_LOST = 0.0005
"""Share of the good faces of the fit that may fall below the threshold: BCubed of LFW stays what it was."""

FACE_SIDE = 108
"""Pixels of a face in LFW's photos, which the sizes below refer to."""

BLURS: Mapping[str, tuple[str, float]] = {
    **{f"{side} pixels": ("small", side) for side in (8, 10, 12, 14, 18, 24)},
    **{f"sigma {sigma}": ("gauss", sigma) for sigma in (3, 4, 5, 6, 8)},
    **{f"moved {length}": ("motion", length) for length in (15, 25, 35)},
}
"""Kinds of blur: made so small and large again, Gaussian, moved by so many pixels."""

RECOGNIZABLE = frozenset({"18 pixels", "24 pixels", "sigma 3", "moved 15"})
"""Kinds at which a third and more of the people are still found among 4,038; for the fit they count as good."""


class Blurs:
    """Vectors `(n, d)` of blurred faces, with the kind of blur and the person of each."""

    def __init__(self, vectors: NDArray[np.float32], kinds: NDArray[np.str_], people: NDArray[np.str_]) -> None:
        self.vectors, self.kinds, self.people = vectors, kinds, people

    def of(self, rows: NDArray[np.bool_]) -> "Blurs":
        """Return some of them."""
        return Blurs(self.vectors[rows], self.kinds[rows], self.people[rows])


def blur(image: NDArray[np.uint8], kind: str, angle: float) -> NDArray[np.uint8]:
    """Return `image` (h, w, 3) blurred, of the same size; `angle` is the direction of a motion, in radians."""
    import cv2

    how, amount = BLURS[kind]
    height, width = image.shape[:2]
    if how == "small":
        size = round(width * amount / FACE_SIDE), round(height * amount / FACE_SIDE)
        small = cv2.resize(image, size, interpolation=cv2.INTER_AREA)
        return np.asarray(cv2.resize(small, (width, height), interpolation=cv2.INTER_CUBIC), np.uint8)
    if how == "gauss":
        return np.asarray(cv2.GaussianBlur(image, (0, 0), amount), np.uint8)
    side = int(amount)
    kernel, middle = np.zeros((side, side), np.float32), (side - 1) / 2
    x, y = middle * np.cos(angle), middle * np.sin(angle)
    cv2.line(kernel, (round(middle - x), round(middle - y)), (round(middle + x), round(middle + y)), 1.0)
    return np.asarray(cv2.filter2D(image, -1, kernel / kernel.sum()), np.uint8)


def embed_blurs(table: EmbeddingTable, photos: Path, encoder: FaceEncoder, *, n_photos: int, seed: int = 0) -> Blurs:
    """Return the largest face of blurred photos, each of another person as long as there are people."""
    rng = np.random.default_rng(seed)
    people = rng.permutation(np.unique(table.identities.astype(str)))
    first = dict(zip(table.identities[::-1], table.paths[::-1], strict=True))
    found = list(_encode_blurs([(name, photos / first[name]) for name in people], encoder, n_photos, rng))
    vectors, kinds, who = zip(*found, strict=True)
    return Blurs(np.stack(vectors), np.asarray(kinds), np.asarray(who))


def _encode_blurs(
    people: Sequence[tuple[str, Path]], encoder: FaceEncoder, n_photos: int, rng: np.random.Generator
) -> Iterator[tuple[NDArray[np.float32], str, str]]:
    for number, kind in enumerate(BLURS):
        for at in range(number * n_photos, (number + 1) * n_photos):
            name, photo = people[at % len(people)]
            encoded = encoder.encode(blur(read_image(photo), kind, rng.uniform(0, np.pi)))
            if len(encoded):
                yield encoded.embeddings[int(np.argmax(encoded.quality.sizes))], kind, name


def fit(good: NDArray[np.float32], blurs: Blurs) -> tuple[NDArray[np.float32], NDArray[np.float64]]:
    """Return the direction ``(d,)``, of unit length, and the scores of `good` on it."""
    from sklearn.discriminant_analysis import LinearDiscriminantAnalysis

    clear = np.isin(blurs.kinds, sorted(RECOGNIZABLE))
    vectors = np.concatenate([good, blurs.vectors])
    is_good = np.concatenate([np.ones(len(good), bool), clear])
    model = LinearDiscriminantAnalysis(solver="lsqr", shrinkage="auto").fit(vectors, is_good)
    direction = (model.coef_[0] / np.linalg.norm(model.coef_[0])).astype(np.float32)
    return direction, (good @ direction).astype(np.float64)


def measure(table: EmbeddingTable, blurs: Blurs, background: Background, *, seed: int = 0) -> dict[str, Any]:
    """Return the figures on the half of the people that the direction was not fitted on."""
    # Another order than that in which people are given to the kinds of blur.
    people = np.random.default_rng(seed + 1).permutation(np.unique(table.identities.astype(str)))
    known = people[: len(people) // 2]
    mine, theirs = (np.isin(of, known) for of in (table.identities.astype(str), blurs.people))
    direction, scores = fit(table.embeddings[mine], blurs.of(theirs))
    clarity = Clarity(direction, float(np.quantile(scores, GOOD_LOST)), "")
    good, made = table.embeddings[~mine], blurs.of(~theirs)
    poor = clarity.are_poor(good)
    truth = np.unique(table.identities[~mine].astype(str), return_inverse=True)[1]
    space = normalized_space(good, background)
    kinds = {}
    for kind in BLURS:
        of_kind = made.of(made.kinds == kind)
        is_poor = clarity.are_poor(of_kind.vectors)
        kinds[kind] = {
            "n_faces": len(of_kind.vectors),
            "poor": float(is_poor.mean()),
            "largest_group_before": _largest_group(of_kind.vectors, background),
            "largest_group": _largest_group(of_kind.vectors[~is_poor], background),
        }
    return {
        "n_good": len(good),
        "good_lost": float(poor.mean()),
        "bcubed_before": bcubed(truth, cluster_faces(good, space=space).labels)._asdict(),
        "bcubed": bcubed(truth, lone_labels(cluster_faces(good, space=space, poor=poor).labels))._asdict(),
        "mixed": _mixed(clarity, (good, truth), made, background),
        "kinds": kinds,
    }


def lone_labels(labels: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return `labels` (n,) with a number of its own for every face too poor to be told apart."""
    poor = labels == POOR
    result = labels.copy()
    result[poor] = labels.max(initial=0) + 1 + np.arange(poor.sum())
    return result


def _mixed(
    clarity: Clarity, good: tuple[NDArray[np.float32], NDArray[np.int64]], made: Blurs, background: Background
) -> dict[str, Any]:
    """Cluster good faces and one blurred photo of each of other people together."""
    strangers = np.unique(made.people, return_index=True)[1]
    vectors = np.concatenate([good[0], made.vectors[strangers]])
    truth = np.concatenate([good[1], good[1].max() + 1 + np.arange(len(strangers))])
    space: SimilaritySpace = normalized_space(vectors, background)
    poor = clarity.are_poor(vectors)
    before, after = cluster_faces(vectors, space=space), cluster_faces(vectors, space=space, poor=poor)
    is_blur = np.arange(len(vectors)) >= len(good[0])
    return {
        "n_good": len(good[0]),
        "n_blurs": len(strangers),
        "bcubed_before": bcubed(truth, before.labels)._asdict(),
        "bcubed": bcubed(truth, lone_labels(after.labels))._asdict(),
        "largest_of_blurs_before": _most(before.labels[is_blur]),
        "largest_of_blurs": _most(after.labels[is_blur & (after.labels != POOR)]),
    }


def _largest_group(vectors: NDArray[np.float32], background: Background) -> int:
    return _most(cluster_faces(vectors, space=normalized_space(vectors, background)).labels)


def _most(labels: NDArray[np.int64]) -> int:
    return int(np.unique(labels, return_counts=True)[1].max(initial=0))


def _add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("table", type=Path, metavar="TABLE", help="table of LFW's photos, one face a photo")
    parser.add_argument("--photos", type=Path, required=True, metavar="DIR", help="LFW's photos, a folder a person")
    parser.add_argument("--weights", type=Path, metavar="FILE", help="the preset's weights, where no package has them")
    parser.add_argument("--n-photos", type=int, default=N_PHOTOS, metavar="N", help="photos of each kind of blur")
    parser.add_argument("--write", action="store_true", help="fit on all people and write the file that is shipped")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures as JSON")


def _run(arguments: argparse.Namespace) -> int:
    table = EmbeddingTable.read(arguments.table)
    table = table.select(table.identities != "")
    background = find_background(table.fingerprint)
    assert background is not None, "LFW's table is of a built-in preset"
    encoder = FaceEncoder.for_fingerprint(table.fingerprint, EncoderOptions(weights=arguments.weights))
    blurs = embed_blurs(table, arguments.photos, encoder, n_photos=arguments.n_photos)
    result = measure(table, blurs, background)
    for kind, figures in result["kinds"].items():
        print(
            f"{kind:10} {figures['poor']:6.1%} of {figures['n_faces']} too poor; largest group of unrelated faces "
            f"{figures['largest_group_before']} before, {figures['largest_group']} among the others"
        )
    print(
        f"good faces lost: {result['good_lost']:.2%} of {result['n_good']}; BCubed F "
        f"{result['bcubed_before']['f']:.4f} before, {result['bcubed']['f']:.4f} now\nwith the blurs among them: "
        f"{result['mixed']}"
    )
    if arguments.write:
        _write(table, blurs, n_photos=arguments.n_photos)
    if arguments.json is not None:
        write_json(arguments.json, result)
    return EXIT_DONE


def _write(table: EmbeddingTable, blurs: Blurs, *, n_photos: int) -> None:
    direction, scores = fit(table.embeddings, blurs)
    weights = table.fingerprint.space.weights_sha256
    record = {
        "weights_sha256": weights,
        "measured_on": "LFW View 1 training people (deep-funneled), blurred",
        "recipe": f"experiments/poor_faces.py --n-photos {n_photos}",
        "good_faces_lost": GOOD_LOST,
        "threshold": round(float(np.quantile(scores, GOOD_LOST)), 5),
        "direction": [round(float(value), 5) for value in direction],
    }
    write_json(BACKGROUND_FOLDER / f"{weights[:12]}.clarity.json", record)


def main(argv: Sequence[str] | None = None) -> int:
    """Run ``python -m experiments.poor_faces`` with `argv` and return the exit code."""
    return run_script(
        "python -m experiments.poor_faces",
        "Measure which faces are too poor to be told apart.",
        _add_arguments,
        _run,
        argv=argv,
    )


if __name__ == "__main__":
    sys.exit(main())
