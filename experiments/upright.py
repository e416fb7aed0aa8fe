"""Photos that lie on their side: how many are turned the right way up, what it costs, what tilted heads gain.

    python -m experiments.upright --photos DIR [DIR ...] [--n N] [--tilted N] [--json FILE]

Of N photos drawn from the folders each is turned by 90, 180 and 270 degrees. A turned photo is right if the same faces
are found as on the upright one, those of at least 40 pixels with a score of 0.99 or more, each with a cosine of 0.95 or
more. Upright photos that are turned are counted as false. Times are summed over all photos, the two ways in turn.

Heads are tilted by turning whole photos by so many degrees; the cosine is that to the upright photo's vector, of the
face cut out by its box and of the one that was first turned back by its eye line.
"""

import argparse
import random
import sys
import time
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from embedder import MTCNN, FaceEmbedder, read_image
from embedder.detection.boxes import pairwise_overlap
from embedder.finding.quarter_turns import turn_back, turn_image
from embedder.finding.upright import detect_any_way_up
from embedder.images.listing import list_images
from foundation.command_line import EXIT_DONE, run_script, write_json

WAYS = (0, 90, 180, 270)
ALIKE = 0.95
TILTS = (15, 30, 45, -15, -30, -45)

_SAME_IOU = 0.5
_LEAST_SCORE = 0.99
_LEAST_SIDE = 40


def sample(folders: Sequence[Path], n: int) -> list[Path]:
    """Return n photos of the folders together, always the same ones."""
    photos = [listing.root / path for listing in map(list_images, folders) for path in listing.paths]
    return sorted(random.Random(1).sample(photos, min(n, len(photos))))


def study_turns(photos: Sequence[Path]) -> dict[str, Any]:
    """Return how many photos come out right, by the way they were turned, and the seconds spent."""
    detector, embedder = MTCNN(threads=1), FaceEmbedder(threads=1)
    counts: dict[str, int] = defaultdict(int)
    seconds: dict[str, float] = defaultdict(float)
    for photo in photos:
        image = read_image(photo)
        truth = detector.detect(image)
        vectors = embedder.embed(truth.crop(image))
        sides = np.minimum(truth.boxes[:, 2] - truth.boxes[:, 0], truth.boxes[:, 3] - truth.boxes[:, 1])
        sure = (truth.scores >= _LEAST_SCORE) & (sides >= _LEAST_SIDE)
        kind = "with a face" if len(truth) else "without"
        seconds[f"exif, {kind}"] += _seconds_of(lambda image=image: detector.detect(image))
        seconds[f"auto, {kind}"] += _seconds_of(lambda image=image: detect_any_way_up(detector, image))
        counts[kind] += 1
        counts["with a sure face"] += bool(sure.any())
        for way in WAYS:
            turned = turn_image(image, way)
            found = detect_any_way_up(detector, turned)
            back = (way + found.turned) % 360
            counts[f"{way}: turned right"] += bool(sure.any()) and back == 0
            counts[f"{way}: turned wrong"] += back not in (0, way)
            if not sure.any() or back:
                continue
            crops = found.faces.crop(turn_image(turned, found.turned))
            cosines = vectors[sure] @ embedder.embed(crops).T if len(crops) else np.zeros((int(sure.sum()), 1))
            places = turn_back(found.faces, found.turned, (turned.shape[0], turned.shape[1]))
            upright = turn_back(places, way, (image.shape[0], image.shape[1]))
            same = pairwise_overlap(truth.boxes[sure], upright.boxes) > _SAME_IOU
            counts[f"{way}: same faces"] += bool((same & (cosines >= ALIKE)).any(axis=1).all())
    return {"counts": dict(counts), "seconds": dict(seconds)}


def study_tilts(photos: Sequence[Path]) -> dict[str, dict[str, float]]:
    """Return the mean cosines of tilted heads to upright ones, by the tilt in degrees."""
    detector, embedder = MTCNN(threads=1), FaceEmbedder(threads=1)
    cosines: dict[str, dict[str, list[float]]] = {str(tilt): defaultdict(list) for tilt in TILTS}
    for photo in photos:
        image = read_image(photo)
        size_hw = (image.shape[0], image.shape[1])
        truth = detector.detect(image)
        if not len(truth):
            continue
        upright = embedder.embed(truth[truth.primary(size_hw)].crop(image))[0]
        for tilt in TILTS:
            of_tilt = cosines[str(tilt)]
            tilted = rotate(image, tilt)
            faces = detector.detect(tilted)
            of_tilt["found"].append(float(len(faces) > 0))
            if not len(faces):
                continue
            face = faces[faces.primary(size_hw)]
            of_tilt["box"].append(float(upright @ embedder.embed(face.crop(tilted))[0]))
            eyes = face.landmarks[0, 1] - face.landmarks[0, 0]
            level = rotate(tilted, float(np.degrees(np.arctan2(eyes[1], eyes[0]))))
            again = detector.detect(level)
            if len(again):
                cut = again[again.primary(size_hw)].crop(level)
                of_tilt["levelled and found again"].append(float(upright @ embedder.embed(cut)[0]))
    return {tilt: {name: float(np.mean(values)) for name, values in rows.items()} for tilt, rows in cosines.items()}


def rotate(image: np.ndarray, degrees: float) -> np.ndarray:
    """Return `image` turned counter-clockwise about its middle, as large as before."""
    height, width = image.shape[:2]
    matrix = cv2.getRotationMatrix2D((width / 2, height / 2), degrees, 1)
    return cv2.warpAffine(image, matrix, (width, height))


def _seconds_of(work: Any) -> float:
    begun = time.process_time()
    work()
    return time.process_time() - begun


def _add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--photos", type=Path, nargs="+", required=True, metavar="DIR")
    parser.add_argument("--n", type=int, default=500, metavar="N", help="photos that are turned (500)")
    parser.add_argument("--tilted", type=int, default=0, metavar="N", help="photos whose heads are tilted (0)")
    parser.add_argument("--json", type=Path, metavar="FILE")


def _run(arguments: argparse.Namespace) -> int:
    photos = sample(arguments.photos, arguments.n)
    result: dict[str, Any] = {"n_photos": len(photos), **study_turns(photos)}
    if arguments.tilted:
        result["tilts"] = study_tilts(sample(arguments.photos, arguments.tilted))
    for part in ("counts", "seconds", "tilts"):
        for name, value in result.get(part, {}).items():
            print(f"{name}: {value}")
    if arguments.json is not None:
        write_json(arguments.json, result)
    return EXIT_DONE


def main(argv: Sequence[str] | None = None) -> int:
    """Run ``python -m experiments.upright`` and return the exit code."""
    return run_script(
        "python -m experiments.upright", "Study photos that lie on their side.", _add_arguments, _run, argv=argv
    )


if __name__ == "__main__":
    sys.exit(main())
