"""Choose the looks of a track that a person is known by: at most three, apart in time, the best ones."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from classifiers.members.enrolment import quality_reasons
from classifiers.members.face_samples import FaceSample, PhotoFaces
from embedder.detection.quality import measure_pose, measure_sharpness
from embedder.networks.encoder import FaceEncoder
from embedder.videos.looks import N_LOOKS, choose_apart, seconds_apart
from foundation.paths import path_at
from recognition.tracking.embedding_queue import ProbeCrop


def best_looks(crops: Sequence[ProbeCrop], encoder: FaceEncoder, path: str, *, image_sha256: str) -> list[FaceSample]:
    """Return the best looks of a track in the order of time, at least one.

    Those that a person may be enrolled by (see `classifiers.members.enrolment`) come before those that are not, whole
    faces before faces cut off by the frame, then quality counts. If none may be enrolled, the best one is returned, so
    that it can be said why.

    Parameters
    ----------
    crops : sequence of ProbeCrop
        Of one track, at least one.
    encoder : FaceEncoder
        Embeds the looks.
    path : str
        The clip, as a head stores it.
    image_sha256 : str
        Of the clip's bytes.
    """
    judged = [(crop, _sample(crop, path, image_sha256)) for crop in crops]
    good = [(crop, sample) for crop, sample in judged if crop.is_whole and not _is_bad(sample)]
    ranked = sorted(good or judged, key=lambda pair: (-pair[0].is_whole, -pair[0].quality))
    apart_s = seconds_apart([crop.time_s for crop in crops])
    apart = choose_apart([crop.time_s for crop, _ in ranked], N_LOOKS if good else 1, apart_s=apart_s)
    chosen = [ranked[i] for i in apart]
    chosen.sort(key=lambda pair: pair[0].time_s)
    vectors = encoder.embed(np.stack([crop.image for crop, _ in chosen]))
    return [replace(sample, vector=vector) for (_, sample), vector in zip(chosen, vectors, strict=True)]


def _sample(crop: ProbeCrop, path: str, image_sha256: str) -> FaceSample:
    """Return a crop as a sample without its vector."""
    return FaceSample(
        path_at(path, crop.time_s),
        image_sha256,
        np.empty(0, np.float32),
        crop.box,
        crop.landmarks,
        measure_sharpness(crop.image),
        *measure_pose(crop.landmarks),
    )


def _is_bad(sample: FaceSample) -> bool:
    return bool(quality_reasons(PhotoFaces([sample], 0)))
