"""Turn a folder of photos of any format into upright 8-bit RGB files that every program reads."""

import errno
import io
import json
import logging
import os
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import IO, Any

import cv2
import numpy as np
from PIL import Image, PngImagePlugin
from tqdm import tqdm

from embedder.errors import ImageError
from embedder.images.listing import list_images
from embedder.images.photo import failure_reason
from embedder.images.reading import DEFAULT_MAX_PIXELS, read_image
from foundation.atomic import write_atomically
from foundation.errors import InputError
from foundation.paths import display_path
from foundation.text import pluralize
from foundation.threads import thread_count

logger = logging.getLogger(__name__)

FORMATS = ("jpg", "png")
JPEG_QUALITY = 95

_LONGEST_JPEG_SIDE = 65_500
"""libjpeg's own limit, JPEG_MAX_DIMENSION of jmorecfg.h."""

_STAMP = b"facetable convert "
_STAMP_WITHIN = 16_384
"""The comment stands before the pixels, after at most a few dozen bytes, and a path has at most 4,096."""


@dataclass(frozen=True)
class Conversion:
    """What became of one photo: `status` is ``"written"``, ``"up to date"`` or ``"failed"``."""

    source: Path
    output: Path
    status: str
    message: str = ""


@dataclass(frozen=True)
class ConversionSummary:
    """What `convert_images` did, in path order, and what it left out.

    `n_hidden`, `n_other`, `n_by_kind` and `unreadable_folders` are those of `embedder.images.listing.ImageListing`;
    `left_out` is its `left_out_lines`.
    """

    conversions: tuple[Conversion, ...]
    n_hidden: int
    n_other: int
    n_by_kind: Mapping[str, int]
    left_out: Sequence[str]
    unreadable_folders: tuple[Path, ...]

    def with_status(self, status: str) -> list[Conversion]:
        """Return the conversions that ended with `status`."""
        return [conversion for conversion in self.conversions if conversion.status == status]

    def to_json(self) -> dict[str, Any]:
        """Return the summary as what JSON can hold."""
        return {
            "written": len(self.with_status("written")),
            "up_to_date": len(self.with_status("up to date")),
            "failed": len(self.with_status("failed")),
            "hidden": self.n_hidden,
            "other": self.n_other,
            "by_kind": dict(self.n_by_kind),
            "left_out": list(self.left_out),
            "unreadable_folders": [display_path(folder) for folder in self.unreadable_folders],
            "files": [
                {
                    "source": display_path(one.source),
                    "output": display_path(one.output),
                    "status": one.status,
                    "message": one.message,
                }
                for one in self.conversions
            ],
        }


@dataclass(frozen=True)
class _Settings:
    file_format: str
    max_side: int | None
    max_pixels: int


def convert_images(
    photos: str | os.PathLike[str],
    out: str | os.PathLike[str],
    *,
    file_format: str = "jpg",
    max_side: int | None = None,
    max_pixels: int = DEFAULT_MAX_PIXELS,
    progress: bool = False,
    exclude: Sequence[str] = (),
) -> ConversionSummary:
    """Write every readable photo of a folder as an upright RGB file into the same folders under `out`.

    Each output says in its comment which photo, of which size and time, it was made from and how; it is made again
    only when that has changed. A file in `out` without such a comment is somebody's own and is never replaced: its
    photo counts as failed. Other metadata (place, date) is not copied.

    Parameters
    ----------
    photos : path
        Folder of photos, read as by `embedder.images.listing.list_images`; `out` may lie inside and is left out then.
    out : path
        Folder to write to, made if need be; not `photos` itself.
    file_format : {"jpg", "png"}
        JPEG of quality 95, or PNG.
    max_side : int, optional
        Longest side in pixels; larger photos are reduced, smaller ones stay as they are.
    max_pixels : int
        Larger photos fail, see `embedder.images.reading.read_image`.
    progress : bool
        Show a progress bar on standard error, if that is a terminal.
    exclude : sequence of str
        What to leave out, see `embedder.images.listing.list_images`.

    Raises
    ------
    ValueError
        If an option is not one of those above, or `out` is `photos`.
    OSError
        If `photos` cannot be listed or holds no photo, or an output cannot be written.
    """
    if file_format not in FORMATS:
        raise InputError(f"`file_format` must be one of {', '.join(FORMATS)}, got {file_format!r}")
    if max_side is not None and max_side < 1:
        raise InputError(f"`max_side` must be at least 1 pixel, got {max_side}; leave it out to keep every size")
    if max_pixels < 1:
        raise InputError(f"`max_pixels` must be at least 1, got {max_pixels}; leave it out for {DEFAULT_MAX_PIXELS:,}")
    source_root, target_root = Path(photos), Path(out)
    if target_root.exists() and not target_root.is_dir():
        raise NotADirectoryError(
            errno.ENOTDIR, "expected a folder to write to, found a file; name a folder", str(target_root)
        )
    listing = list_images(source_root, exclude=exclude)
    if source_root.resolve() == target_root.resolve():
        raise InputError(f"`out` must be another folder than the photos', got {out} for both; name a new folder")
    sources = _outside(source_root, listing.paths, target_root)
    if not sources and not listing.unreadable_folders:
        raise listing.no_photos(source_root)
    outputs = name_outputs(sources, f".{file_format}")
    convert = partial(_convert_one, source_root, target_root, _Settings(file_format, max_side, max_pixels))
    conversions = _convert_all(convert, sources, outputs, progress=progress)
    return ConversionSummary(
        conversions,
        n_hidden=listing.n_hidden,
        n_other=listing.n_other,
        n_by_kind=listing.n_by_kind,
        left_out=listing.left_out_lines,
        unreadable_folders=listing.unreadable_folders,
    )


def name_outputs(sources: Sequence[Path], suffix: str) -> list[Path]:
    """Return one output path per source path, all different even where letter case does not count.

    ``a.heic`` becomes ``a.jpg``. Where several photos would become the same file, the one that has the name already
    keeps it, else the first; the others keep their suffix and, at need, get a number.

    >>> [p.as_posix() for p in name_outputs([Path("a.heic"), Path("a.jpg"), Path("a.png"), Path("b")], ".jpg")]
    ['a.heic.jpg', 'a.jpg', 'a.png.jpg', 'b.jpg']
    """
    outputs: dict[Path, Path] = {}
    taken: set[str] = set()
    keep_their_name = [source for source in sources if source.suffix == suffix]
    for source in [*keep_their_name, *sources]:
        if source in outputs:
            continue
        output, number = source.with_suffix(suffix), 1
        while display_path(output).casefold() in taken:
            numbered = source.name if number == 1 else f"{source.name}.{number}"
            output, number = source.with_name(numbered + suffix), number + 1
        outputs[source] = output
        taken.add(display_path(output).casefold())
    return [outputs[source] for source in sources]


def _outside(source_root: Path, paths: Sequence[Path], target_root: Path) -> list[Path]:
    """Leave out the photos that lie in the target folder: outputs are not converted again."""
    target = target_root.resolve()
    if not target.is_relative_to(source_root.resolve()):
        return list(paths)
    outside = [path for path in paths if not (source_root / path).parent.resolve().is_relative_to(target)]
    if len(outside) < len(paths):
        logger.info(
            "%s lies inside %s: left out there: %s",
            target_root,
            source_root,
            pluralize(len(paths) - len(outside), "photo"),
        )
    return outside


def _convert_all(
    convert: partial[Conversion], sources: Sequence[Path], outputs: Sequence[Path], *, progress: bool
) -> tuple[Conversion, ...]:
    # Decoding, resizing and encoding release the interpreter lock, so threads are enough.
    executor = ThreadPoolExecutor(thread_count())
    try:
        running = executor.map(convert, sources, outputs)
        # tqdm's None: shown on a terminal only.
        return tuple(tqdm(running, total=len(sources), unit="photo", disable=None if progress else True))
    finally:
        executor.shutdown(cancel_futures=True)


def _convert_one(source_root: Path, target_root: Path, settings: _Settings, source: Path, output: Path) -> Conversion:
    file, target = source_root / source, target_root / output
    try:
        stamp = _stamp(file, source, settings)
        found = _first_bytes(target)
        if stamp in found:
            return Conversion(source, output, "up to date")
        if target.exists() and _STAMP not in found:
            raise ImageError(
                f"expected no file or one written by convert at {display_path(target)}, found another; "
                "move it or convert into another folder"
            )
        image = _reduce(read_image(file, max_pixels=settings.max_pixels), settings.max_side)
        if settings.file_format == "jpg" and max(image.shape) > _LONGEST_JPEG_SIDE:
            raise ImageError(
                f"expected sides of at most {_LONGEST_JPEG_SIDE:,} pixels for JPEG, found "
                f"{max(image.shape):,}; use --format png or --max-side"
            )
    except (ImageError, OSError) as error:
        return Conversion(source, output, "failed", failure_reason(error, file))
    target.parent.mkdir(parents=True, exist_ok=True)
    write_atomically(target, partial(_encode, image, stamp, settings.file_format))
    return Conversion(source, output, "written")


def _stamp(path: Path, source: Path, settings: _Settings) -> bytes:
    """Return what decides whether an output is up to date, as the ASCII text that stands in its comment."""
    status = path.stat()
    return (
        _STAMP
        + json.dumps(
            {
                "source": display_path(source),
                "size": status.st_size,
                "mtime_ns": status.st_mtime_ns,
                "format": settings.file_format,
                "max_side": settings.max_side,
            }
        ).encode()
    )


def _first_bytes(target: Path) -> bytes:
    try:
        with target.open("rb") as stream:
            return stream.read(_STAMP_WITHIN)
    except (FileNotFoundError, IsADirectoryError):
        return b""


def _reduce(image: np.ndarray, max_side: int | None) -> np.ndarray:
    longest = max(image.shape[:2])
    if max_side is None or longest <= max_side:
        return image
    height, width = (max(1, round(side * max_side / longest)) for side in image.shape[:2])
    return cv2.resize(image, (width, height), interpolation=cv2.INTER_AREA)


def _encode(image: np.ndarray, stamp: bytes, file_format: str, stream: IO[bytes]) -> None:
    encoded = io.BytesIO()  # Pillow would look for the file behind `stream` and write past what counts its length
    if file_format == "jpg":
        Image.fromarray(image).save(encoded, "JPEG", quality=JPEG_QUALITY, comment=stamp)
    else:
        comment = PngImagePlugin.PngInfo()
        comment.add_text("comment", stamp.decode())
        Image.fromarray(image).save(encoded, "PNG", pnginfo=comment)
    stream.write(encoded.getbuffer())
