"""The command ``facetable preset new``: a first record of a foreign network."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

from foundation.command_line import EXIT_DONE, Command, write_json

if TYPE_CHECKING:
    from embedder.choosing.try_on import TryOn, Way
    from embedder.networks.preset import Preset


def _add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("network", type=Path, metavar="NETWORK", help="the network's file, .onnx or .tflite")
    parser.add_argument(
        "-o", "--out", type=Path, metavar="FILE", help="the record, beside the network (default: its name with .json)"
    )
    parser.add_argument(
        "--try-on",
        type=Path,
        metavar="PHOTOS",
        help="a folder of photos, a sub-folder a person: ask the network how it wants its faces",
    )
    parser.add_argument("--output", default="", metavar="NAME", help="which output is the vector, if there are several")
    parser.add_argument("--name", default="", metavar="NAME", help="what to call the preset (default: the file's name)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the record and all that was measured as JSON")


def _run(arguments: argparse.Namespace) -> int:
    from dataclasses import replace

    from embedder.choosing.first_record import GUESSED, check_record_path, first_preset, write_record

    out = arguments.network.with_suffix(".json") if arguments.out is None else arguments.out
    check_record_path(out, arguments.network)
    preset = first_preset(arguments.network, name=arguments.name, output=arguments.output)
    found = None
    if arguments.try_on is not None:
        found = _try_on(preset, arguments.try_on)
        preset = replace(found.best.preset, accuracy=_accuracy(found, arguments.try_on))
        print("\n".join(_table(found)))
    write_record(out, preset)
    print(f"{out}: written; use it with --preset {out}")
    if found is None:
        print(
            f"guessed, for no file tells it: {', '.join(GUESSED)}; wrong ones raise no error, they only make vectors "
            "worse: ask the network with --try-on PHOTOS, a folder of photos with a sub-folder a person"
        )
    if arguments.json is not None:
        write_json(arguments.json, _as_json(out, preset, found))
    return EXIT_DONE


def _try_on(preset: "Preset", photos: Path) -> "TryOn":
    from tqdm import tqdm

    from embedder.choosing.sample import read_sample
    from embedder.choosing.try_on import crop_rules, try_on
    from embedder.networks.encoder import FaceEncoder
    from embedder.networks.face_embedder import FaceEmbedder

    embedder = FaceEmbedder(preset)
    sample = read_sample(photos, crop_rules(preset), detector=FaceEncoder(embedder=embedder).detector, progress=True)
    with tqdm(desc="ways tried", unit="way", disable=None) as bar:
        return try_on(embedder, sample, on_tried=bar.update)


def _table(found: "TryOn") -> list[str]:
    lines = [
        f"measured on {found.n_faces:,} faces of {found.n_people:,} people: d' (how far apart the scores of one person "
        "and of two lie) with its 95 % interval, and the equal error rate",
        f"  {'channels':<9} {'pixels':<19} {'crop':<25} {'mirrored':<9} {'d-prime':<22} EER",
    ]
    unclear = {id(way) for way in found.not_clearly_worse}
    lines.append(_line("*", found.best))
    lines += [_line("~" if id(way) in unclear else " ", way) for way in found.others]
    lines.append("*: taken; the others differ from it in one thing each")
    if unclear:
        lines.append("~: not clearly worse on these faces; more people of two photos tell more")
    return lines


def _line(mark: str, way: "Way") -> str:
    from embedder.choosing.first_record import describe_cut, describe_pixels

    preset, measured = way.preset, way.separation
    result = f"{measured.value:.2f} ({measured.low:.2f} to {measured.high:.2f})"
    error = f"{100 * measured.equal_error_rate:.1f} %"
    if measured.value == float("-inf"):
        result, error = "not finite", "-"
    mirrored = "yes" if preset.mirrored_copy else "no"
    return (
        f"{mark} {preset.channel_order:<9} {describe_pixels(preset):<19} {describe_cut(preset):<25} {mirrored:<9} "
        f"{result:<22} {error}"
    )


def _accuracy(found: "TryOn", photos: Path) -> str:
    measured = found.best.separation
    return (
        f"d' {measured.value:.2f} ({measured.low:.2f} to {measured.high:.2f}), equal error rate "
        f"{100 * measured.equal_error_rate:.1f} % on {found.n_faces} faces of {found.n_people} people of "
        f"{photos.resolve().name}, on which the way to prepare faces was chosen, too"
    )


def _as_json(out: Path, preset: "Preset", found: "TryOn | None") -> dict[str, Any]:
    from embedder.choosing.first_record import GUESSED

    if found is None:
        return {"record": str(out), "name": preset.name, "guessed": list(GUESSED)}
    clear = found.not_clearly_worse
    return {
        "record": str(out),
        "name": preset.name,
        "guessed": [],
        "n_faces": found.n_faces,
        "n_people": found.n_people,
        "best": found.best.to_json(),
        "others": [
            {**way.to_json(), "clearly_worse": all(way is not other for other in clear)} for way in found.others
        ],
    }


NEW = Command("new", "Write a first record of a network of your own.", _add_arguments, _run)
