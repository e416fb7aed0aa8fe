"""What a run says about itself: what it is trained on, what it leaves out, and its settings for the next start."""

import json
import logging
import subprocess
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from embedder.training.data.dataset import TrainingFaces
from embedder.training.run.folder import CONFIG_FILE, RUN_FORMAT, RunFolder, RunFolderError
from embedder.training.settings import TrainingSettings
from foundation.text import pluralize

logger = logging.getLogger(__name__)


def say_what_is_left_out(faces: TrainingFaces, settings: TrainingSettings) -> None:
    """Log how much there is to train on and what is not used."""
    logger.info(
        "%s: %s of %s to train on, %s held back for validation",
        faces.root,
        pluralize(len(faces.paths), "face"),
        pluralize(len(faces.identities), "identity", "identities"),
        pluralize(len(faces.validation_paths), "face"),
    )
    if faces.skipped:
        logger.warning(
            "%s left out, for example %s (%s); all are listed in left_out.tsv",
            pluralize(len(faces.skipped), "file"),
            *faces.skipped[0],
        )
    if faces.dropped:
        logger.warning(
            "%s with fewer than %s dropped, for example %s (%d); all are listed in left_out.tsv",
            pluralize(len(faces.dropped), "identity", "identities"),
            pluralize(settings.min_images, "face"),
            *faces.dropped[0],
        )
    if faces.n_resized:
        logger.warning(
            "%s resized to %dx%d pixels; align with --size %d to have no other size",
            pluralize(faces.n_resized, "face"),
            settings.source_size,
            settings.source_size,
            settings.source_size,
        )


def check_same_run(config: dict[str, Any], settings: TrainingSettings, faces: TrainingFaces, out: Path) -> None:
    """Refuse to go on with a run on other settings or other faces.

    Raises
    ------
    RunFolderError
        If anything differs that would change the run's result; the message names it.
    """
    differences = settings.differences(config["settings"])
    if differences:
        raise RunFolderError(
            f"{out}: this run was started with other settings: {'; '.join(differences)}; "
            "use the same ones, or another -o"
        )
    if faces.sha256 != config["data_sha256"]:
        raise RunFolderError(
            f"{out}: this run was started on other faces: now {len(faces.paths)} of {len(faces.identities)} identities "
            f"in {faces.root}, then {config.get('n_faces')} of {config.get('n_identities')} in {config.get('folder')}; "
            "restore the folder, or use another -o"
        )


def write_description(
    folder: RunFolder, settings: TrainingSettings, faces: TrainingFaces, earlier: dict[str, Any] | None
) -> None:
    """Write settings, classes and what is left out; of a run that goes on, the commit it was started with stays.

    Raises
    ------
    OSError
        If a file cannot be written.
    """
    folder.write_text("identities.txt", "".join(f"{name}\n" for name in faces.identities))
    rows = [f"file\t{path}\t{reason}\n" for path, reason in faces.skipped]
    rows += [f"identity\t{name}\t{pluralize(count, 'face')}\n" for name, count in faces.dropped]
    folder.write_text("left_out.tsv", "".join(["kind\tname\treason\n", *rows]))
    config = {
        "format": RUN_FORMAT,
        "version": 1,
        "settings": settings.to_dict(),
        "folder": str(faces.root.absolute()),
        "data_sha256": faces.sha256,
        "n_faces": len(faces.paths),
        "n_identities": len(faces.identities),
        "n_validation_faces": len(faces.validation_paths),
        "git_commit": _git_commit(),
        "versions": {"tensorflow": tf.__version__, "keras": keras.__version__, "numpy": np.__version__},
    }
    if earlier is not None:
        config["git_commit"] = earlier.get("git_commit", config["git_commit"])
    folder.write_text(CONFIG_FILE, json.dumps(config, indent=2, ensure_ascii=False) + "\n")


def _git_commit() -> str | None:
    """Return the commit of the code that runs, None outside a checkout."""
    try:
        found = subprocess.run(
            ["git", "rev-parse", "HEAD"],
            cwd=Path(__file__).parent,
            capture_output=True,
            text=True,
            check=True,
            timeout=10,
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return found.stdout.strip()
