"""Gather photos in a folder, as copies or links: nothing that is there is replaced, the photos stay as they are."""

import filecmp
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from foundation.atomic import PartialFile
from foundation.errors import InputError
from foundation.paths import display_path


@dataclass
class GatheringReport:
    """What was gathered.

    Attributes
    ----------
    placed : dict
        Path of a photo to its name in the folder.
    n_there : int
        Photos that were in the folder already.
    failures : dict
        Path of a photo to why it was not placed.
    """

    placed: dict[str, str] = field(default_factory=dict)
    n_there: int = 0
    failures: dict[str, str] = field(default_factory=dict)


def gather(paths: Sequence[str], roots: Sequence[Path], folder: Path, *, as_links: bool) -> GatheringReport:
    """Place photos in a folder, with their sub-folders; where a name is taken, by another: ``party-2.jpg``.

    Parameters
    ----------
    paths : sequence of str
        Below the photo folders.
    roots : sequence of Path
        The photo folders.
    folder : Path
        Made where it is not there.
    as_links : bool
        Links to the photos instead of copies.

    Raises
    ------
    ValueError
        If the folder lies within a photo folder, where the next scan would take copies for photos.
    OSError
        If the folder cannot be made.
    """
    for root in roots:
        if folder.resolve().is_relative_to(root.resolve()):
            raise InputError(
                f"{display_path(folder)}: lies within the photo folder {display_path(root)}, where copies would be "
                "taken for photos; name a folder elsewhere"
            )
    folder.mkdir(parents=True, exist_ok=True)
    report = GatheringReport()
    for path in paths:
        try:
            _place(path, roots, folder, as_links=as_links, report=report)
        except (InputError, OSError) as error:
            reason = getattr(error, "strerror", None) or str(error)
            report.failures[path] = reason if path in reason else f"{path}: {reason}"
    return report


def _place(path: str, roots: Sequence[Path], folder: Path, *, as_links: bool, report: GatheringReport) -> None:
    source = next((root / path for root in roots if (root / path).is_file()), None)
    if source is None:
        raise InputError(f"{path}: expected the photo, found nothing; scan again, with --prune if it was deleted")
    wanted = folder / path
    wanted.parent.mkdir(parents=True, exist_ok=True)
    if not wanted.parent.resolve().is_relative_to(folder.resolve()):
        raise InputError(f"{path}: expected a place below {display_path(folder)}, found a link that leads elsewhere")
    for target in _names(wanted):
        if target.is_symlink() or target.exists():
            if _is_same(target, source, as_link=as_links):
                report.n_there += 1
                return
            continue
        if as_links:
            target.symlink_to(source.resolve())
        else:
            _copy(source, target)
        report.placed[path] = display_path(target.relative_to(folder))
        return


def _names(wanted: Path) -> Iterator[Path]:
    yield wanted
    number = 2
    while True:
        yield wanted.with_name(f"{wanted.stem}-{number}{wanted.suffix}")
        number += 1


def _is_same(target: Path, source: Path, *, as_link: bool) -> bool:
    if as_link or target.is_symlink():
        return as_link and target.is_symlink() and target.resolve() == source.resolve()
    return target.is_file() and filecmp.cmp(target, source, shallow=False)


def _copy(source: Path, target: Path) -> None:
    """Copy a photo with its times; it is whole or not there, whenever the process ends."""
    partial = PartialFile(target)
    try:
        shutil.copyfile(source, partial.path)
        shutil.copystat(source, partial.path)
        partial.finish()
    except BaseException:
        partial.discard()
        raise
