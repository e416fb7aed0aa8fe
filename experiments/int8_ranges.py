"""Measure the activation ranges that int8 networks are built from.

``python -m experiments.int8_ranges PHOTOS --preset NAME|RUN``: the largest face of each of some photos, evenly spaced
in path order, goes through the fp32 network. For a built-in preset the file is the one this project ships; for a
training run it lies in the run's folder, where ``--precision int8`` finds it.
"""

import argparse
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from tqdm import tqdm

from embedder.detection.alignment import CropRule
from foundation.command_line import EXIT_DONE, run_script

_BATCH = 8


def real_crops(root: Path, paths: Sequence[Path], *, rule: CropRule) -> Iterator[np.ndarray]:
    """Yield one crop, uint8 ``(1, size, size, 3)`` cut out by `rule`, of every photo in which a face is found."""
    from embedder import MTCNN, read_image

    detector = MTCNN()
    for path in tqdm(paths, desc="finding faces", disable=None):
        image = read_image(root / path)
        faces = detector.detect(image)
        if len(faces) > 0:
            chosen = faces.primary(image.shape[:2])
            face = faces[chosen : chosen + 1]
            yield rule.crop(image, face.boxes, face.landmarks)


def photos_of_others(paths: Sequence[Path], pairs: Path | None) -> list[Path]:
    """Return the `paths`, without those whose folder is a person named in `pairs`, a file of LFW's pairs protocol."""
    if pairs is None:
        return list(paths)
    words = {word for line in pairs.read_text(encoding="utf-8").splitlines() for word in line.split()}
    return [path for path in paths if path.parts[0] not in words]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add this script's flags."""
    parser.add_argument("photos", type=Path, metavar="PHOTOS")
    parser.add_argument("--preset", default=None, metavar="NAME|RUN", help="checkpoint (default: the default preset)")
    parser.add_argument("--weights", type=Path, metavar="FILE", help="the preset's weights, if no package carries them")
    parser.add_argument("--crops", type=int, default=512, metavar="N", help="photos to use (default: 512)")
    parser.add_argument(
        "--without-pairs",
        type=Path,
        metavar="FILE",
        help="leave out the people of this pairs file, so that it can measure the result",
    )
    parser.add_argument("--measured-on", required=True, metavar="TEXT", help="a description of PHOTOS, for the file")


def run(arguments: argparse.Namespace) -> int:
    """Measure and write the ranges."""
    from embedder.images.listing import list_images
    from embedder.networks.presets import DEFAULT_PRESET, PRESETS, get_preset
    from embedder.runtime.activation_ranges import RUN_RANGES_FILE, SHIPPED_RANGES, measure_ranges, write_ranges
    from embedder.runtime.conversion import NetworkSource, convert

    preset = get_preset(DEFAULT_PRESET if arguments.preset is None else arguments.preset)
    weights = preset.find_weights(arguments.weights)
    network = convert(NetworkSource(preset.name, weights, preset.weights_sha256, preset.builder))
    listing = list_images(arguments.photos)
    paths = photos_of_others(listing.paths, arguments.without_pairs)
    paths = paths[:: max(1, len(paths) // arguments.crops)][: arguments.crops]
    crops = np.concatenate(list(real_crops(listing.root, paths, rule=preset.crop_rule)))
    batches = (preset.standardize(crops[start : start + _BATCH]) for start in range(0, len(crops), _BATCH))
    if preset.name in PRESETS:
        target = SHIPPED_RANGES / f"{preset.weights_sha256[:12]}.json"
    else:
        target = weights.with_name(RUN_RANGES_FILE)
    target.parent.mkdir(exist_ok=True)
    write_ranges(target, measure_ranges(network, batches), measured_on=f"{len(crops)} faces of {arguments.measured_on}")
    print(f"{target}: ranges measured on {len(crops)} faces")
    return EXIT_DONE


def main(argv: Sequence[str] | None = None) -> int:
    """Run the script and return its exit code."""
    description = "Measure the activation ranges that int8 networks are built from."
    return run_script("python -m experiments.int8_ranges", description, add_arguments, run, argv=argv)


if __name__ == "__main__":
    sys.exit(main())
