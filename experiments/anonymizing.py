"""How surely faces are hidden by ``--anonymize``: found, blurred, blurred for nothing, and the time it costs.

    python -m experiments.anonymizing --wider WIDER --groups GROUPS [--faces N] [--json FILE]

WIDER FACE: faces found as `experiments.detection` counts them, by the plain detector and with the closer look, without
CenterFace and (where it is at hand) with it, and faces of which 80 % and more are blurred. A blur that meets less than
30 % of any face, or of the box, is idle. GROUPS: faces that the plain detector finds, cut off by a new edge through
them, so that a third, half or two thirds are left.
"""

import argparse
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from embedder import MTCNN, read_image
from embedder.detection.boxes import pairwise_overlap
from embedder.detection.centerface import is_at_hand
from embedder.detection.thorough import COPIES, REFLECTED_COPY, ThoroughDetector
from embedder.images.listing import list_images
from experiments.detection import Detections, Quality, counted_faces, quality, read_ground_truth
from foundation.command_line import EXIT_DONE, run_script, write_json
from recognition.outputs.anonymize import hidden_area

HIDDEN_SHARE = 0.8
"""Share of a face that must be blurred: eyes, nose and mouth lie in the middle three quarters of a box."""

IDLE_OVERLAP = 0.3
SHARES_LEFT = (0.35, 0.5, 0.7)
SIDES = 4
_REACH = 3
"""Face sizes around a face that a cut photo keeps."""

Detect = Callable[[np.ndarray], np.ndarray]


@dataclass(frozen=True)
class Hiding:
    """How many of `n_faces` faces are hidden by `n_boxes` blurs, of which `n_idle` meet no face."""

    n_faces: int
    n_hidden: int
    n_boxes: int
    n_idle: int


def share_hidden(boxes: np.ndarray, face: np.ndarray, size_hw: tuple[int, int]) -> float:
    """Return the share of a face's box, (4,), that is blurred where `boxes`, (n, 4), are hidden."""
    mask = np.zeros(size_hw, bool)
    for box in boxes:
        low, high = hidden_area(box, size_hw)
        mask[low[1] : high[1], low[0] : high[0]] = True
    x_min, y_min, x_max, y_max = np.round(np.clip(face, 0, [*size_hw[::-1], *size_hw[::-1]])).astype(int)
    part = mask[y_min:y_max, x_min:x_max]
    return float(part.mean()) if part.size else 1.0


def hiding(found: Detections, truth: dict[str, np.ndarray], sizes: dict[str, tuple[int, int]]) -> Hiding:
    """Hold what is blurred against WIDER's ground truth, rows of `read_ground_truth`."""
    n_faces = n_hidden = n_boxes = n_idle = 0
    for name, boxes in found.items():
        faces, counts = counted_faces(truth[name])
        n_faces += int(counts.sum())
        n_hidden += sum(share_hidden(boxes, face, sizes[name]) >= HIDDEN_SHARE for face in faces[counts])
        n_boxes += len(boxes)
        n_idle += int((pairwise_overlap(boxes, faces, measure="minimum").max(axis=1, initial=0) < IDLE_OVERLAP).sum())
    return Hiding(n_faces, n_hidden, n_boxes, n_idle)


def cut_photos(image: np.ndarray, box: np.ndarray, share: float) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Yield photos whose left, upper, right or lower edge leaves `share` of the face in `box`, and the rest's box."""
    width, height = box[2] - box[0], box[3] - box[1]
    reach = _REACH * np.array([width, height])
    limits = np.concatenate([np.maximum(box[:2] - reach, 0), np.minimum(box[2:] + reach, image.shape[1::-1])])
    edges = (box[2] - share * width, box[3] - share * height, box[0] + share * width, box[1] + share * height)
    for side in range(SIDES):
        kept = limits.copy()
        kept[side] = edges[side]
        left, top, right, bottom = kept.astype(int)
        photo = np.ascontiguousarray(image[top:bottom, left:right])
        corner = np.array([left, top, left, top])
        yield photo, np.clip(box - corner, 0, [right - left, bottom - top, right - left, bottom - top])


def measure_cuts(images: list[np.ndarray], detectors: dict[str, Detect], *, faces_a_photo: int) -> dict[str, Any]:
    """Return for each share left how many of the first detector's faces, cut, are hidden by each detector."""
    plain = next(iter(detectors.values()))
    figures: dict[str, Any] = {}
    for share in SHARES_LEFT:
        counts = np.zeros(1 + len(detectors), int)
        for image in images:
            boxes = plain(image)
            for row in np.unique(np.linspace(0, len(boxes) - 1, min(faces_a_photo, len(boxes))).astype(int)):
                for photo, face in cut_photos(image, boxes[row], share):
                    size_hw = (photo.shape[0], photo.shape[1])
                    hidden = [share_hidden(find(photo), face, size_hw) >= HIDDEN_SHARE for find in detectors.values()]
                    counts += np.array([1, *hidden])
        figures[f"{share:g}"] = dict(zip(("n_faces", *detectors), counts.tolist(), strict=True))
        print(f"cut faces, {share:.0%} left: {figures[f'{share:g}']}")
    return figures


def measure_wider(folder: Path, detectors: dict[str, Detect]) -> dict[str, Any]:
    """Return what each detector finds and hides on WIDER's photos."""
    truth = read_ground_truth(folder / "ground_truth.txt")
    images = {name: read_image(folder / "images" / name) for name in truth}
    sizes = {name: (image.shape[0], image.shape[1]) for name, image in images.items()}
    figures: dict[str, Any] = {}
    for label, detect in detectors.items():
        started_s = time.process_time()
        found: Detections = {name: detect(image).astype(np.float64) for name, image in images.items()}
        seconds = time.process_time() - started_s
        counted, hidden = quality(found, truth), hiding(found, truth, sizes)
        figures[label] = {**asdict(counted), **asdict(hidden), "seconds": round(seconds, 1)}
        _print_wider(label, counted, hidden, seconds)
    return figures


def _print_wider(label: str, counted: Quality, hidden: Hiding, seconds: float) -> None:
    print(
        f"WIDER, {label}: recall {counted.recall:.4f} of {counted.n_faces} faces, precision {counted.precision:.4f} of "
        f"{counted.n_boxes} boxes; hidden {hidden.n_hidden / hidden.n_faces:.4f}, idle blurs "
        f"{hidden.n_idle / hidden.n_boxes:.4f}; {seconds:.1f} s of processor time"
    )


def _add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--wider", type=Path, required=True, metavar="DIR", help="WIDER's images and ground_truth.txt")
    parser.add_argument("--groups", type=Path, required=True, metavar="DIR", help="group photos")
    parser.add_argument("--faces", type=int, default=6, metavar="N", help="faces a group photo that are cut off (6)")
    parser.add_argument("--json", type=Path, metavar="FILE")


def _run(arguments: argparse.Namespace) -> int:
    detector = MTCNN()

    def plain(image: np.ndarray) -> np.ndarray:
        return detector.detect(image).boxes

    def closer(thorough: ThoroughDetector, image: np.ndarray) -> np.ndarray:
        known = detector.detect(image).boxes
        return np.concatenate([known, thorough.find_others(image, known).boxes])

    detectors: dict[str, Detect] = {
        "plain": plain,
        "closer look": partial(closer, ThoroughDetector(detector, copies=COPIES)),
    }
    if is_at_hand():
        detectors["closer look with CenterFace"] = partial(
            closer, ThoroughDetector(detector, copies=(*COPIES, REFLECTED_COPY))
        )
    figures = {"wider": measure_wider(arguments.wider, detectors)}
    images = [read_image(arguments.groups / path) for path in list_images(arguments.groups).paths]
    figures["cut"] = measure_cuts(images, detectors, faces_a_photo=arguments.faces)
    if arguments.json:
        write_json(arguments.json, figures)
    return EXIT_DONE


if __name__ == "__main__":
    sys.exit(
        run_script("python -m experiments.anonymizing", "Measure what is hidden.", _add_arguments, _run, argv=None)
    )
