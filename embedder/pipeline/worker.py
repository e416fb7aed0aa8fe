"""Embed photos into part files: reader -> mapper -> writer, in this process or in a worker of any kind."""

import errno
import socket
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass
from functools import lru_cache, partial
from pathlib import Path
from typing import Literal, TypeVar

from embedder.detection.detector import Detector, load_detector
from embedder.engines.engine import exit_with_parent
from embedder.finding.finder import in_batches
from embedder.images.listing import PhotoFile
from embedder.images.photo import FAILED_STATUSES, Photo, read_photo
from embedder.images.reading import read_picture
from embedder.networks.embedder import Embedder, default_crop_rule
from embedder.networks.encoder import FaceEncoder
from embedder.networks.joined import load_embedder
from embedder.pipeline.mapper import FaceMapper, PhotoResult
from embedder.pipeline.settings import EmbedSettings
from embedder.pipeline.stored_faces import StoredFacesReader
from embedder.pipeline.writer import PartWriter
from embedder.tables.file import Header
from foundation.errors import FingerprintError
from foundation.fingerprint import Fingerprint, setting_differences, version_differences
from foundation.prefetch import prefetch

_PHOTOS_AHEAD = 64

_Input = TypeVar("_Input")
_Output = TypeVar("_Output")


STAGES = ("reading", "detecting", "embedding", "writing")
"""What a photo goes through; detecting includes cutting out."""


@dataclass(frozen=True)
class Progress:
    """What a piece of work adds to the counts.

    Attributes
    ----------
    n_photos, n_faces, n_failed : int
        Photos, faces, and photos that failed.
    seconds : tuple of float
        Time spent in each of `STAGES`, added up over the threads and processes that work at the same time.
    """

    n_photos: int = 0
    n_faces: int = 0
    n_failed: int = 0
    seconds: tuple[float, ...] = (0.0,) * len(STAGES)

    def __add__(self, other: "Progress") -> "Progress":
        return Progress(
            self.n_photos + other.n_photos,
            self.n_faces + other.n_faces,
            self.n_failed + other.n_failed,
            tuple(a + b for a, b in zip(self.seconds, other.seconds, strict=True)),
        )


class StageClock:
    """Adds up the seconds that threads spend in each of `STAGES`."""

    def __init__(self) -> None:
        self._seconds = dict.fromkeys(STAGES, 0.0)
        self._lock = threading.Lock()

    def timed(self, stage: str, function: Callable[[_Input], _Output]) -> Callable[[_Input], _Output]:
        """Return `function`, its time counted for `stage`."""

        def call(argument: _Input) -> _Output:
            begun = time.perf_counter()
            try:
                return function(argument)
            finally:
                with self._lock:
                    self._seconds[stage] += time.perf_counter() - begun

        return call

    def take(self) -> tuple[float, ...]:
        """Return the seconds of each stage since the last call."""
        with self._lock:
            taken = tuple(self._seconds.values())
            self._seconds = dict.fromkeys(STAGES, 0.0)
        return taken


@dataclass(frozen=True)
class EmbedJob:
    """What all photos of a run have in common; worker processes get a pickled copy.

    Attributes
    ----------
    roots : tuple of Path
        Where photos come from.
    parts_folder : Path
        Where part files go to.
    header : Header
        Of the part files; its fingerprint is what a worker must be able to do.
    settings : EmbedSettings
    detector, embedder : optional
        Stand-ins for the networks of `settings`.
    """

    roots: tuple[Path, ...]
    parts_folder: Path
    header: Header
    settings: EmbedSettings
    detector: Detector | None = None
    embedder: Embedder | None = None


def embed_photos(
    job: EmbedJob,
    photos: Iterable[PhotoFile],
    encoder: FaceEncoder,
    *,
    threads: int,
    on_progress: Callable[[Progress], object],
) -> None:
    """Embed photos, then videos, into part files: reader -> mapper -> writer.

    Photos are decoded by `threads` threads ahead of time, and faces are looked for in the next batch while those of
    this one are embedded. Whatever happens, photos that are done get written.

    Parameters
    ----------
    job : EmbedJob
    photos : iterable of PhotoFile
    encoder : FaceEncoder
    threads : int
        Threads that decode.
    on_progress : callable
        Called with what each batch adds.
    """
    with ExitStack() as opened:
        table = job.settings.faces_from
        stored = None if table is None else opened.enter_context(StoredFacesReader(Path(table)))
        _embed_photos(job, photos, FaceMapper(encoder, job.settings, stored), threads=threads, on_progress=on_progress)


def _embed_photos(
    job: EmbedJob,
    photos: Iterable[PhotoFile],
    mapper: FaceMapper,
    *,
    threads: int,
    on_progress: Callable[[Progress], object],
) -> None:
    writer = PartWriter(job.parts_folder, job.header)
    files = list(photos)
    videos, photos = [file for file in files if file.is_video], [file for file in files if not file.is_video]
    read = partial(read_photo, read_picture=partial(read_picture, max_pixels=job.settings.max_pixels))
    clock = StageClock()
    embed, write = clock.timed("embedding", mapper.embed), clock.timed("writing", writer.add)
    reading = prefetch(clock.timed("reading", read), photos, threads=threads, depth=_PHOTOS_AHEAD, n_bytes=_pixel_bytes)
    # The thread that finds faces works on one batch while the caller's embeds and writes the one before.
    finding = prefetch(clock.timed("detecting", mapper.find), in_batches(reading), threads=1, depth=2)
    try:
        with closing(reading), closing(finding):
            for found in finding:
                results = embed(found)
                write(results)
                on_progress(_count(results, clock.take()))
        find = clock.timed("detecting", mapper.find_in_video)
        for video in videos:  # one after the other, for each may take minutes and is kept as soon as it is done
            results = embed([find(video)])
            write(results)
            writer.flush()
            on_progress(_count(results, clock.take()))
    finally:
        writer.flush()


def embed_shard(job: EmbedJob, photos: Sequence[PhotoFile], *, threads: int, parent: int | None) -> Progress:
    """Embed `photos` in a worker process; doing it again gives the same part files."""
    if parent is not None:
        exit_with_parent(parent)
    encoder = load_encoder(job.settings, threads, job.detector, job.embedder)
    _check_worker(job, job.settings.fingerprint(encoder))
    done: list[Progress] = []
    embed_photos(job, photos, encoder, threads=threads, on_progress=done.append)
    return sum(done, Progress())


def load_encoder(
    settings: EmbedSettings, threads: int, detector: Detector | None, embedder: Embedder | None
) -> FaceEncoder:
    """Return the encoder that `settings` describe, with stand-ins for its networks where they are given."""
    if detector is None:
        detector = _load_detector(settings.detector, settings.min_face_size, settings.thresholds, threads)
    if embedder is None:
        embedder = _load_embedder(settings.preset, settings.weights, settings.precision, threads)
    return FaceEncoder(detector, embedder, settings.crop_rule(default_crop_rule(embedder)))


# A worker process makes its networks once, not for every shard.
@lru_cache(maxsize=1)
def _load_detector(
    name: str, min_face_size: int | Literal["auto"], thresholds: tuple[float, ...] | None, threads: int
) -> Detector:
    return load_detector(name, min_face_size=min_face_size, thresholds=thresholds, threads=threads)


@lru_cache(maxsize=1)
def _load_embedder(preset: str, weights: str | None, precision: str, threads: int) -> Embedder:
    return load_embedder(preset, weights=weights, precision=precision, threads=threads)


def _check_worker(job: EmbedJob, fingerprint: Fingerprint) -> None:
    """Refuse to work where the result would be another one than elsewhere in the same run."""
    host = socket.gethostname()
    before = job.header.fingerprint
    differences = setting_differences(before, fingerprint) + version_differences(before, fingerprint)
    if differences:
        raise FingerprintError(
            f"worker on {host}: expected the run's networks and packages, found other ones: "
            f"{'; '.join(differences)}; install the same ones everywhere"
        )
    for folder in (*job.roots, job.parts_folder):
        if not folder.is_dir():
            raise FileNotFoundError(
                errno.ENOENT,
                f"worker on {host}: expected this folder as the run sees it, found "
                "nothing; use storage that all workers mount at the same path",
                str(folder),
            )


def _pixel_bytes(photo: Photo) -> int:
    return 0 if photo.image is None else photo.image.nbytes


def _count(results: Sequence[PhotoResult], seconds: tuple[float, ...]) -> Progress:
    return Progress(
        len(results),
        sum(len(result.faces) for result in results),
        sum(result.photo.status in FAILED_STATUSES for result in results),
        seconds,
    )
