"""The command ``facetable preset calibrate``: measure on many people what heads and groups must know of a network."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

from foundation.command_line import EXIT_DONE, Command, write_json

if TYPE_CHECKING:
    from embedder.networks.joined import JoinedPreset
    from embedder.networks.preset import Preset

_BESIDE = ".calibration"
"""Between the name of a preset's record and the suffixes of what was measured for it."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of ``facetable preset calibrate``."""
    parser.add_argument("preset", metavar="PRESET", help="a built-in preset, joined ones (A+B), or a preset's record")
    parser.add_argument(
        "tables",
        type=Path,
        nargs="*",
        metavar="TABLE",
        help="tables of at least 1,000 people made with it (for joined presets, of each network will do); without any, "
        "what was measured elsewhere and lies beside the record is taken into use here",
    )
    parser.add_argument("--name", help="what the photos are, as it is told to users (default: the tables' names)")
    parser.add_argument(
        "-o", "--out", type=Path, metavar="FOLDER", help="write the files there, named by the network, and nowhere else"
    )
    parser.add_argument("--photos-file", metavar="NAME", help=argparse.SUPPRESS)
    parser.add_argument("--seed", type=int, default=0, metavar="N", help="of all random draws (default: 0)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures as JSON")


def run(arguments: argparse.Namespace) -> int:
    """Measure a preset on tables, or take into use what lies beside its record."""
    from embedder.networks.joined import find_preset

    preset = find_preset(arguments.preset)
    record = _record_of(arguments.preset)
    if not arguments.tables:
        return _take_into_use(preset, record)
    from classifiers.presets.calibrate import calibrate, describe
    from classifiers.presets.joining import gallery_of_tables
    from embedder.tables.table import EmbeddingTable

    tables = [EmbeddingTable.read(path) for path in arguments.tables]
    names = [str(path) for path in arguments.tables]
    gallery = gallery_of_tables(tables, space_of(preset), names=names)
    name = arguments.name or ", ".join(path.stem for path in arguments.tables)
    result = calibrate(gallery, {"space": space_of(preset)}, name=name, seed=arguments.seed)
    print("\n".join(describe(result)))
    for stem in [arguments.out / preset.weights_sha256[:12]] if arguments.out else _stems(preset, record):
        for path in result.write(stem, photos_file=arguments.photos_file):
            print(f"{path}: written, {path.stat().st_size / 1000:.0f} KB")
    if record is not None and arguments.out is None:
        _write_distance(record, result.record["verification"]["distance"])
    if arguments.json is not None:
        write_json(arguments.json, result.record)
    return EXIT_DONE


CALIBRATE = Command(
    "calibrate", "Measure on 1,000 people or more what heads and groups need to know of a network.", add_arguments, run
)


def space_of(preset: "Preset | JoinedPreset") -> dict[str, Any]:
    """Return the space of tables made with a preset as it is."""
    return {**preset.space, **preset.crop_rule.space}


def _record_of(preset: str) -> Path | None:
    """Return the JSON file of a preset that is no built-in one."""
    from embedder.networks.preset_file import PRESET_FILE

    path = Path(preset) / PRESET_FILE if Path(preset).is_dir() else Path(preset)
    return path if path.suffix == ".json" and path.is_file() else None


def _stems(preset: "Preset | JoinedPreset", record: Path | None) -> list[Path]:
    """Return folder and beginning of the names of what is written: beside the record, and for this user."""
    from classifiers.scores.preset_files import own_folder, own_name

    own = own_folder() / own_name({"space": space_of(preset)})
    return [own] if record is None else [record.with_name(record.stem + _BESIDE), own]


def _take_into_use(preset: "Preset | JoinedPreset", record: Path | None) -> int:
    """Copy what lies beside a preset's record to where heads and groups look for it."""
    import json

    from classifiers.errors import BackgroundError
    from classifiers.presets.calibrate import read_calibration
    from classifiers.scores.preset_files import RECORD_SUFFIX

    if record is None:
        raise BackgroundError(
            f"{preset.name}: expected tables to calibrate it on, got none; embed photos of at least 1,000 people with "
            "it and give the table"
        )
    beside, own = _stems(preset, record)
    calibration = read_calibration(beside, {"space": space_of(preset)})
    calibration.write(own)
    print(
        f"{beside.name}{RECORD_SUFFIX}: taken into use for {preset.name}, measured on "
        f"{calibration.record['measured_on']}, {calibration.record.get('n_people', 0):,} people"
    )
    distance = json.loads(record.read_text("utf-8")).get("verification_threshold")
    if distance is None:
        _write_distance(record, calibration.record["verification"]["distance"])
    return EXIT_DONE


def _write_distance(record: Path, distance: float) -> None:
    """Write the measured verification threshold into a preset's record."""
    import json

    from embedder.networks.preset_file import read_record
    from foundation.atomic import write_bytes_atomically

    content = {**read_record(record), "verification_threshold": distance}
    write_bytes_atomically(record, (json.dumps(content, indent=2, ensure_ascii=False) + "\n").encode("utf-8"))
    print(f"{record}: verification_threshold {distance:g}")
