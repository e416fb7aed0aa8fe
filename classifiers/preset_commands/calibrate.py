"""The command ``facetable preset calibrate``: measure on many people what heads and groups must know of a network."""

import argparse
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from foundation.command_line import EXIT_DONE, Command, write_json
from foundation.errors import InputError

if TYPE_CHECKING:
    from classifiers.presets.calibrate import Calibration
    from embedder.networks.joined import JoinedPreset
    from embedder.networks.preset import Preset
    from foundation.fingerprint import Space

_BESIDE = ".calibration"
"""Between the name of a preset's record and the suffixes of what was measured for it."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of ``facetable preset calibrate``."""
    parser.add_argument(
        "preset",
        metavar="PRESET",
        help="a built-in preset, joined ones (A+B), or a preset's record; vectors of another program have none: "
        "give their table alone",
    )
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
    """Measure a preset on tables, or other programs' vectors, or take into use what lies beside a preset's record."""
    from embedder.networks.joined import find_preset

    _check_folder(arguments.out)
    if _is_table(arguments.preset):
        return _measure_other_vectors(arguments)
    preset = find_preset(arguments.preset)
    record = _record_of(arguments.preset)
    if not arguments.tables:
        return _take_into_use(preset, record)
    stems = [arguments.out / preset.weights_sha256[:12]] if arguments.out else _stems(preset, record)
    result = _measure(arguments, arguments.tables, space_of(preset), stems=stems)
    if record is not None and arguments.out is None:
        _write_distance(record, result.record["verification"]["distance"])
    return EXIT_DONE


def _measure_other_vectors(arguments: argparse.Namespace) -> int:
    """Measure on tables of vectors that no preset has made; where the files are found tells the vectors' space."""
    from classifiers.scores.preset_files import own_folder, own_name
    from embedder.tables.table import EmbeddingTable

    paths = [Path(arguments.preset), *arguments.tables]
    fingerprint = EmbeddingTable.read(paths[0]).fingerprint
    _check_is_named(paths[0], fingerprint.space)
    stem = (arguments.out or own_folder()) / own_name(fingerprint)
    _measure(arguments, paths, fingerprint.space, stems=[stem])
    return EXIT_DONE


def _measure(
    arguments: argparse.Namespace, paths: list[Path], space: Mapping[str, Any], *, stems: list[Path]
) -> "Calibration":
    """Measure on the tables at `paths` what is to be known of the vectors of `space`, print it and write it."""
    from classifiers.presets.calibrate import calibrate, describe
    from classifiers.presets.joining import gallery_of_tables
    from embedder.tables.table import EmbeddingTable

    tables = [EmbeddingTable.read(path) for path in paths]
    gallery = gallery_of_tables(tables, space, names=[str(path) for path in paths])
    name = arguments.name or ", ".join(path.stem for path in paths)
    result = calibrate(gallery, {"space": space}, name=name, seed=arguments.seed)
    print("\n".join(describe(result)))
    for stem in stems:
        for path in result.write(stem, photos_file=arguments.photos_file):
            print(f"{path}: written, {path.stat().st_size / 1000:.0f} KB")
    if arguments.json is not None:
        write_json(arguments.json, result.record)
    return result


CALIBRATE = Command(
    "calibrate", "Measure on 1,000 people or more what heads and groups need to know of a network.", add_arguments, run
)


def space_of(preset: "Preset | JoinedPreset") -> dict[str, Any]:
    """Return the space of tables made with a preset as it is."""
    return {**preset.space, **preset.crop_rule.space}


def _check_folder(path: Path | None) -> None:
    """Refuse to write into a file, before minutes of measuring.

    Raises
    ------
    InputError
        If `path` is a file.
    """
    from foundation.formats import describe_kind

    if path is not None and path.is_file():
        raise InputError(f"{path}: expected a folder to write into, found {describe_kind(path)}; name a folder (-o)")


def _is_table(preset: str) -> bool:
    """Return whether a table stands where a preset is expected."""
    from foundation.formats import HDF5_DATA, describe_kind

    path = Path(preset)
    return path.is_file() and describe_kind(path) == HDF5_DATA


def _check_is_named(path: Path, space: "Space") -> None:
    """Refuse a table whose space a preset decides, or nobody has named.

    Raises
    ------
    InputError
        If so; the message says what to give instead.
    """
    if space.weights_sha256 or "joined" in space:
        raise InputError(
            f"{path}: expected a preset, or a table of another program's vectors, found a table of a preset alone; "
            f"give the preset before it: facetable preset calibrate PRESET {path}"
        )
    if not space.is_named:
        raise InputError(
            f"{path}: expected vectors whose space has a name, found an unnamed one: what is measured would be taken "
            "for all unnamed vectors of this length; make the table again with "
            'EmbeddingTable.from_arrays(..., space="...")'
        )


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
