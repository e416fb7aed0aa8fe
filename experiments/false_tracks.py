"""How many tracks are of no face, and what the rules against them cost in tracks of real faces.

    python -m experiments.false_tracks WIDER [--photos N] [--json FILE]

Each photo of WIDER FACE becomes five frames of a camera that pans, tilts and zooms a little, with noise and JPEG
compression, 0.12 s apart as in a video of 25 frames a second with detection on every third. The tracker sees what MTCNN
finds on them, with and without the rule that nothing on the head of a larger face begins a track. A track is real if
one of the boxes drawn by people overlaps it by 0.35 when it is confirmed; the boxes of people and of MTCNN differ in
height.
"""

import argparse
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

import cv2
import numpy as np

from embedder import MTCNN, read_image
from embedder.detection.boxes import pairwise_overlap
from embedder.detection.faces import Faces
from experiments.detection import read_ground_truth
from foundation.command_line import EXIT_DONE, run_script, write_json
from recognition.tracking.motion import BoxMotion
from recognition.tracking.tracker import FrameTime, State, Tracker, TrackerSettings

SIZES = (0, 28, 40, 80)
"""Lower limits of the groups of faces, in pixels: root of width times height."""

_LONGEST_SIDE = 960
_N_LOOKS = 5
_EVERY, _RATE = 3, 25.0
_REAL_OVERLAP = 0.35
_INVALID = 7
RULES = {"without": TrackerSettings(max_size_on_head=0.0), "with": TrackerSettings()}


def frames_of(image: np.ndarray, rng: np.random.Generator) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Yield frames, uint8 (h, w, 3), and where each point of the photo lies on them, float64 (2, 3)."""
    scale = min(1.0, _LONGEST_SIDE / max(image.shape[:2]))
    height, width = (int(side * scale) for side in image.shape[:2])
    shift, tilt, zoom = rng.uniform(-4, 4, 2), rng.uniform(-1, 1), rng.uniform(0.985, 1.015)
    noise, quality = rng.normal(0, 4, (height, width, 3)).astype(np.float32), int(rng.integers(55, 90))
    middle = np.array(image.shape[1::-1]) / 2
    for look in range(_N_LOOKS):
        place = np.asarray(cv2.getRotationMatrix2D(tuple(middle), tilt * look, scale * zoom**look), np.float64)
        place[:, 2] += np.array([width, height]) / 2 - middle + shift * look
        frame = cv2.warpAffine(image, place, (width, height), flags=cv2.INTER_AREA, borderMode=cv2.BORDER_REFLECT)
        noisy = frame.astype(np.float32) + np.roll(noise, tuple(rng.integers(0, 200, 2)), axis=(0, 1))
        _, data = cv2.imencode(".jpg", np.clip(noisy, 0, 255).astype(np.uint8), [cv2.IMWRITE_JPEG_QUALITY, quality])
        yield np.asarray(cv2.imdecode(data, cv2.IMREAD_COLOR)), place


def moved(boxes: np.ndarray, place: np.ndarray) -> np.ndarray:
    """Return the boxes, (n, 4), around where an affine map, (2, 3), takes the corners of `boxes`."""
    corners = boxes[:, [[0, 1], [2, 1], [0, 3], [2, 3]]] @ place[:, :2].T + place[:, 2]
    return np.concatenate([corners.min(axis=1), corners.max(axis=1)], axis=1).reshape(-1, 4)


def count_tracks(
    looks: Sequence[tuple[Faces, np.ndarray]], truth: np.ndarray, size_hw: tuple[int, int], settings: TrackerSettings
) -> Counter[tuple[int, bool]]:
    """Return how many confirmed tracks there are, by the lower limit of their size and whether they are real.

    Parameters
    ----------
    looks : sequence of (Faces, numpy.ndarray)
        What was found on each frame, and where the photo lies on it.
    truth : numpy.ndarray
        (n, 4), boxes of the faces on the photo.
    size_hw : tuple of int
    settings : TrackerSettings
    """
    tracker, counts, counted = Tracker(settings), Counter[tuple[int, bool]](), set()
    before = None
    for look, (faces, place) in enumerate(looks):
        now = FrameTime(_EVERY * look, _EVERY * look / _RATE)
        if before is not None:
            step = (np.vstack([place, [0, 0, 1]]) @ np.linalg.inv(np.vstack([before, [0, 0, 1]])))[:2]
            tracker.move([_motion(track.box, step) for track in tracker.visible], now)
        before = place
        tracker.match(faces, now, size_hw)
        for track in tracker.visible:
            if track.state is State.CONFIRMED and id(track) not in counted:
                counted.add(id(track))
                overlap = pairwise_overlap(track.box[None], moved(truth, place)).max(initial=0.0)
                size = float(np.sqrt(np.prod(track.box[2:] - track.box[:2])))
                counts[max(limit for limit in SIZES if limit <= size), bool(overlap >= _REAL_OVERLAP)] += 1
    return counts


def _motion(box: np.ndarray, step: np.ndarray) -> BoxMotion:
    there = moved(box[None], step)[0]
    return BoxMotion(there, 1.0, (there[:2] + there[2:] - box[:2] - box[2:]) / 2)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the script."""
    parser.add_argument("wider", type=Path, metavar="WIDER", help="folder with images and ground_truth.txt")
    parser.add_argument("--photos", type=int, metavar="N", help="the first N photos (all)")
    parser.add_argument("--json", type=Path, metavar="FILE")


def run(arguments: argparse.Namespace) -> int:
    """Measure and print."""
    detector, counts = MTCNN(), {rule: Counter[tuple[int, bool]]() for rule in RULES}
    truth = sorted(read_ground_truth(arguments.wider / "ground_truth.txt").items())
    for number, (name, rows) in enumerate(truth[: arguments.photos]):
        frames = [*frames_of(read_image(arguments.wider / "images" / name), np.random.default_rng(number))]
        looks = [(detector.detect(frame), place) for frame, place in frames]
        valid = rows[rows[:, _INVALID] == 0]
        boxes = np.hstack([valid[:, :2], valid[:, :2] + valid[:, 2:4]])
        for rule, settings in RULES.items():
            counts[rule] += count_tracks(looks, boxes, frames[0][0].shape[:2], settings)
    for rule, of_rule in counts.items():
        sizes = ", ".join(f"from {limit} pixels {of_rule[limit, True]} and {of_rule[limit, False]}" for limit in SIZES)
        print(f"{rule} the rule, tracks of real faces and of none: {sizes}")
    if arguments.json is not None:
        figures = [
            {"rule": rule, "from_pixels": limit, "real": of_rule[limit, True], "false": of_rule[limit, False]}
            for rule, of_rule in counts.items()
            for limit in SIZES
        ]
        write_json(arguments.json, figures)
    return EXIT_DONE


def main(argv: Sequence[str] | None = None) -> int:
    """Run the script and return the exit code."""
    return run_script("python -m experiments.false_tracks", "Tracks of no face.", add_arguments, run, argv=argv)


if __name__ == "__main__":
    sys.exit(main())
