"""The command ``python -m embedder compare``."""

import argparse
import sys
from pathlib import Path

from embedder.commands.arguments import add_max_pixels_argument, add_network_arguments
from foundation.command_line import EXIT_DONE, EXIT_SOME_INPUTS_FAILED, Command, write_json


def _add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("photos", type=Path, nargs="+", metavar="PHOTO", help="photos; the main face of each counts")
    add_network_arguments(parser)
    add_max_pixels_argument(parser)
    parser.add_argument("--plot", type=Path, metavar="FILE", help="draw the distances as a heat map with the faces")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write faces, distances and verdicts as JSON")


def _run(arguments: argparse.Namespace) -> int:
    from embedder.images.reading import DEFAULT_MAX_PIXELS
    from embedder.networks.encoder import FaceEncoder
    from embedder.networks.joined import load_embedder
    from embedder.networks.presets import DEFAULT_PRESET
    from embedder.verification.comparison import compare_photos, save_heat_map
    from foundation.formats import check_output

    check_output(arguments.plot, "--plot", kind="picture", inputs=arguments.photos)
    embedder = load_embedder(
        DEFAULT_PRESET if arguments.preset is None else arguments.preset, weights=arguments.weights
    )
    comparison = compare_photos(
        arguments.photos,
        FaceEncoder(embedder=embedder),
        threshold=embedder.preset.verification_threshold,
        max_pixels=DEFAULT_MAX_PIXELS if arguments.max_pixels is None else arguments.max_pixels,
    )
    for path, message in comparison.failures:
        print(f"{path}: {message}", file=sys.stderr)
    text = comparison.to_text()
    if text:
        print(text)
    if arguments.json is not None:
        write_json(arguments.json, {"preset": embedder.preset.name, **comparison.to_json()})
    if arguments.plot is not None:
        if comparison.faces:
            save_heat_map(comparison, arguments.plot)
        else:
            print(f"{arguments.plot}: not drawn, no face was found", file=sys.stderr)
    return EXIT_SOME_INPUTS_FAILED if comparison.failures else EXIT_DONE


COMPARE = Command("compare", "Compare the faces of photos: the same person or not.", _add_arguments, _run)
