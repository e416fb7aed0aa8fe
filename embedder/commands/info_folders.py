"""What a folder is: a training run, finished or not, or the part files of a table that is being made."""

import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from embedder.errors import TableError
from embedder.networks.joined import find_preset
from embedder.networks.presets import PRESET_FILE
from embedder.training.run.folder import CHECKPOINT_NAME, CONFIG_FILE, RUN_FORMAT

_PARTS_SUFFIX = ".parts"


def describe_folder(folder: Path) -> dict[str, Any]:
    """Return what a folder holds, ready for JSON: ``kind`` is ``preset``, ``unfinished run`` or ``unfinished table``.

    Raises
    ------
    TableError
        If it is none of these.
    WeightsError
        If the record of a run is damaged.
    OSError
        If it cannot be read.
    """
    run = _describe_run(folder)
    if (folder / PRESET_FILE).is_file():
        return {"kind": "preset", "file": str(folder), **asdict(find_preset(folder)), **run}
    if run:
        return {
            "kind": "unfinished run",
            "file": str(folder),
            **run,
            "next": "run the same train command to go on; --preset takes this folder from the first checkpoint on",
        }
    if folder.name.endswith(_PARTS_SUFFIX):
        return _describe_parts(folder)
    raise TableError(
        f"{folder}: expected the folder of a training run ({CONFIG_FILE}, {PRESET_FILE}) or a table's "
        f"{_PARTS_SUFFIX} folder, found another one; name a file in it, or one of these folders"
    )


def _describe_run(folder: Path) -> dict[str, Any]:
    """Return what a run's settings and checkpoints say, nothing if there are none."""
    try:
        config = json.loads((folder / CONFIG_FILE).read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except (ValueError, RecursionError) as error:
        raise TableError(
            f"{folder / CONFIG_FILE}: expected the settings of a run, found a damaged file ({error}); "
            "restore it, or train again in another folder"
        ) from None
    if not isinstance(config, Mapping) or config.get("format") != RUN_FORMAT:
        return {}
    names = (path.name for path in (folder / "checkpoints").glob("step-*"))
    steps = [int(found[1]) for found in map(CHECKPOINT_NAME.fullmatch, names) if found]
    known = {name: config[name] for name in ("n_faces", "n_identities", "n_validation_faces") if name in config}
    return {
        "trained_on": config.get("folder"),
        **known,
        "steps_kept": max(steps, default=0),
        "settings": config.get("settings", {}),
        "versions": config.get("versions", {}),
    }


def _describe_parts(folder: Path) -> dict[str, Any]:
    """Return what part files hold together; those that are damaged are listed."""
    from embedder.images.photo import FAILED_STATUSES
    from embedder.tables.assembly import Entry, read_entries

    entries: dict[str, Entry] = {}
    damaged, header = [], None
    for part in sorted(folder.glob("*.h5")):
        try:
            header, found = read_entries(part)
        except TableError as error:
            damaged.append(str(error))
            continue
        entries |= {entry.path: entry for entry in found}
    failed = [entry for entry in entries.values() if entry.status in FAILED_STATUSES]
    known = {} if header is None else {"photo_root": header.photo_root}
    return {
        "kind": "unfinished table",
        "file": str(folder),
        **known,
        "photos": len(entries),
        "faces": sum(entry.n_faces for entry in entries.values()),
        "photos_by_status": dict(Counter(entry.status for entry in entries.values()).most_common()),
        "failures": [f"{entry.path}: {entry.status}: {entry.message}" for entry in failed],
        "damaged_parts": damaged,
        **({} if header is None else {"fingerprint": header.fingerprint.to_json()}),
        "next": f"run the same embed command to go on and make {folder.name.removesuffix(_PARTS_SUFFIX)}",
    }
