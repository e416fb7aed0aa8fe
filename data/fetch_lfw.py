"""Fetch Labeled Faces in the Wild for ``verify``: ``python -m data.fetch_lfw``.

scikit-learn's own fetcher downloads the funneled photos (240 MB) and the lists of pairs, and checks their SHA-256.
Where there is no network, ``--from FOLDER`` takes ``lfw-funneled.tgz`` (or its unpacked folder ``lfw_funneled``) and
``pairs.txt`` from a folder. Where everything came from is in `data/README.md`.
"""

import argparse
import shutil
import sys
import tarfile
import warnings
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from foundation.command_line import EXIT_DONE, run_script
from foundation.errors import FacetableError
from foundation.formats import hash_file

DATA = Path(__file__).resolve().parent
PHOTOS = "lfw_funneled"
ARCHIVE = "lfw-funneled.tgz"
PAIRS = "pairs.txt"

_SHA256 = {
    ARCHIVE: "b47c8422c8cded889dc5a13418c4bc2abbda121092b3533a83306f90d900100a",
    PAIRS: "ea42330c62c92989f9d7c03237ed5d591365e89b3e649747777b70e692dc1592",
}


class LfwError(FacetableError, ValueError):
    """LFW cannot be had, or is not the one expected."""


@dataclass(frozen=True)
class Expected:
    """What LFW is: checksums as scikit-learn has them, and how many photos."""

    sha256: Mapping[str, str] = field(default_factory=lambda: dict(_SHA256))
    n_photos: int = 13_233


@dataclass(frozen=True)
class Lfw:
    """Where the photos and the list of ten-fold pairs are."""

    photos: Path
    pairs: Path


def fetch_lfw(folder: Path, *, source: Path | None = None, expected: Expected | None = None) -> Lfw:
    """Make sure that LFW is in ``folder/lfw_home``; what is there already stays.

    Parameters
    ----------
    folder : Path
        Gets ``lfw_home/lfw_funneled/NAME/NAME_0001.jpg`` and ``lfw_home/pairs.txt``, as scikit-learn lays them out.
    source : Path, optional
        Folder with ``pairs.txt`` and ``lfw-funneled.tgz`` or ``lfw_funneled``; nothing is downloaded then.
    expected : Expected, optional
        What to check; by default LFW itself.

    Raises
    ------
    LfwError
        If the files cannot be had, or are not those expected.
    OSError
        If a file cannot be read or written.
    """
    wanted = Expected() if expected is None else expected
    home = folder / "lfw_home"
    lfw = Lfw(home / PHOTOS, home / PAIRS)
    if not (lfw.photos.is_dir() and lfw.pairs.is_file()):
        if source is None:
            _download(folder)
        else:
            _take(source, home, wanted)
    _check_sha256(lfw.pairs, wanted)
    n_photos = sum(1 for _ in lfw.photos.glob("*/*.jpg"))
    if n_photos != wanted.n_photos:
        raise LfwError(
            f"{lfw.photos}: expected {wanted.n_photos:,} photos, found {n_photos:,}; remove the folder and run again"
        )
    return lfw


def _download(folder: Path) -> None:
    from sklearn.datasets import fetch_lfw_pairs

    try:
        with warnings.catch_warnings():
            # scikit-learn warns before each further try; the error below says what came of it.
            warnings.simplefilter("ignore")
            # The smallest of the lists: the fetcher downloads everything, then loads the photos of one list.
            fetch_lfw_pairs(subset="test", data_home=folder, funneled=True, resize=0.2)
    except (OSError, EOFError, tarfile.TarError, zlib.error) as error:
        # What scikit-learn unpacks halfway it would take for whole the next time.
        shutil.rmtree(folder / "lfw_home" / PHOTOS, ignore_errors=True)
        raise LfwError(
            f"LFW (240 MB): scikit-learn could not download it ({error}); check the network connection, or "
            f"get {ARCHIVE} and {PAIRS} elsewhere and give their folder with --from FOLDER"
        ) from error
    finally:
        shutil.rmtree(folder / "lfw_home" / "joblib", ignore_errors=True)


def _take(source: Path, home: Path, expected: Expected) -> None:
    archive, photos, pairs = source / ARCHIVE, source / PHOTOS, source / PAIRS
    if not pairs.is_file() or not (archive.is_file() or photos.is_dir()):
        raise LfwError(
            f"{source}: expected {PAIRS} and {ARCHIVE} (or its unpacked folder {PHOTOS}) in it, found not "
            "all; put them there"
        )
    _check_sha256(pairs, expected)
    home.mkdir(parents=True, exist_ok=True)
    unfinished = home / f"{PHOTOS}.unfinished"
    shutil.rmtree(unfinished, ignore_errors=True)
    try:
        if archive.is_file():
            _check_sha256(archive, expected)
            with tarfile.open(archive, "r:gz") as packed:
                # The data filter refuses members that would be written outside of the folder.
                packed.extractall(unfinished, filter="data")
            unpacked = unfinished / PHOTOS
        else:
            shutil.copytree(photos, unfinished)
            unpacked = unfinished
        if not (home / PHOTOS).exists():
            unpacked.rename(home / PHOTOS)
    except tarfile.TarError as error:
        raise LfwError(
            f"{archive}: expected an archive of photos in {PHOTOS}, got another ({error}); get it again"
        ) from error
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)
    shutil.copyfile(pairs, home / PAIRS)


def _check_sha256(path: Path, expected: Expected) -> None:
    found = hash_file(path)
    if found != expected.sha256[path.name]:
        raise LfwError(
            f"{path}: expected SHA-256 {expected.sha256[path.name]}, found {found}; remove it and get it again"
        )


def _add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--to", type=Path, default=DATA / "lfw", metavar="FOLDER", help="default: data/lfw")
    parser.add_argument(
        "--from",
        dest="source",
        type=Path,
        metavar="FOLDER",
        help=f"take {ARCHIVE} (or {PHOTOS}) and {PAIRS} from here instead of downloading",
    )


def _run(arguments: argparse.Namespace) -> int:
    lfw = fetch_lfw(arguments.to, source=arguments.source)
    print(
        f"photos: {lfw.photos}\npairs: {lfw.pairs}\n"
        f"next: python -m embedder verify --pairs {lfw.pairs} --images {lfw.photos} --plot roc.png"
    )
    return EXIT_DONE


def main(argv: Sequence[str] | None = None) -> int:
    """Run ``python -m data.fetch_lfw`` with `argv` (default: the process's arguments) and return the exit code."""
    return run_script(
        "python -m data.fetch_lfw",
        "Fetch Labeled Faces in the Wild, a public research benchmark.",
        _add_arguments,
        _run,
        argv=argv,
    )


if __name__ == "__main__":
    sys.exit(main())
