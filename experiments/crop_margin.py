"""What the margin that scales with the face changes: accuracy on pairs, and vectors of an enlarged photo.

    python -m experiments.crop_margin TABLE --pairs pairs.txt --images DIR

The boxes come from the table; crops are cut with the scaled and with the absolute margin of 32, and embedded afresh.
Then photos are enlarged fourfold, faces found anew, and the vectors compared with those of the photos as they are.
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np

from embedder import MTCNN, EmbeddingTable, FaceEmbedder, read_image
from embedder.detection.alignment import MarginMode, crop_faces
from embedder.verification.lfw import Pairs, read_pairs
from embedder.verification.metrics import cross_validate
from foundation.command_line import EXIT_DONE, run_script

MODES: tuple[MarginMode, ...] = ("scaled", "absolute")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the script."""
    parser.add_argument("table", type=Path, metavar="TABLE", help="embedding table of the pairs' photos")
    parser.add_argument("--pairs", type=Path, required=True, metavar="FILE")
    parser.add_argument("--images", type=Path, required=True, metavar="DIR")
    parser.add_argument("--enlarged", type=int, default=100, metavar="N", help="photos to enlarge (100)")


def accuracy(pairs: Pairs, vectors: dict[str, np.ndarray], length: int) -> tuple[float, float]:
    """Return mean and standard deviation of the ten-fold accuracy; a pair without both vectors is an error."""
    enrolled = np.array([all(photo in vectors for photo in pair) for pair in pairs.photos])
    nothing = np.zeros(length, np.float32)
    left, right = (np.array([vectors.get(photo, nothing) for photo in pairs.photos[:, side]]) for side in (0, 1))
    folds = cross_validate(left, right, pairs.genuine, folds=pairs.folds, enrolled=enrolled)
    return float(folds.accuracies.mean()), float(folds.accuracies.std())


def enlarged_cosines(paths: Sequence[Path], mode: MarginMode, embedder: FaceEmbedder) -> np.ndarray:
    """Return the cosine between the main face of each photo and of its fourfold enlargement."""
    detector, cosines = MTCNN("auto"), []
    for path in paths:
        image = read_image(path)
        large = cv2.resize(image, None, fx=4, fy=4, interpolation=cv2.INTER_CUBIC)
        crops = []
        for photo in (image, large):
            faces = detector.detect(photo)
            if len(faces):
                main = faces[[faces.primary((photo.shape[0], photo.shape[1]))]]
                crops.append(main.crop(photo, margin_mode=mode)[0])
        if len(crops) == 2:
            cosines.append(float(np.prod(embedder.embed(np.stack(crops)), axis=0).sum()))
    return np.array(cosines)


def run(arguments: argparse.Namespace) -> int:
    """Measure and print both."""
    pairs = read_pairs(arguments.pairs)
    table, embedder = EmbeddingTable.read(arguments.table), FaceEmbedder()
    wanted = set(pairs.photos.ravel().tolist())
    row_of = {
        Path(path).with_suffix("").as_posix(): row for row, path in enumerate(table.paths) if table.identities[row]
    }
    rows = {photo: row_of[photo] for photo in sorted(wanted) if photo in row_of}
    for mode in MODES:
        crops = np.concatenate(
            [
                crop_faces(
                    read_image(arguments.images / table.paths[row]),
                    table.boxes[[row]],
                    table.landmarks[[row]],
                    margin_mode=mode,
                )
                for row in rows.values()
            ]
        )
        vectors = dict(zip(rows, embedder.embed(crops), strict=True))
        mean, deviation = accuracy(pairs, vectors, table.embeddings.shape[1])
        print(f"margin {mode}: accuracy {mean:.4f} ± {deviation:.4f} on {len(pairs)} pairs, no mirrored copies")
    step = max(1, len(table.images.path) // arguments.enlarged)
    photos = [arguments.images / path for path in table.images.path[::step][: arguments.enlarged]]
    for mode in MODES:
        cosines = enlarged_cosines(photos, mode, embedder)
        print(
            f"margin {mode}: cosine of {len(cosines)} photos to their fourfold enlargement: median "
            f"{np.median(cosines):.4f}, least {cosines.min():.4f}"
        )
    return EXIT_DONE


def main(argv: Sequence[str] | None = None) -> int:
    """Run the script and return the exit code."""
    return run_script("python -m experiments.crop_margin", "Compare margin rules.", add_arguments, run, argv=argv)


if __name__ == "__main__":
    sys.exit(main())
