"""Tables of the photos of pairs, kept in the cache, and a check of the network's standardization on them."""

import hashlib
import json
import logging
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from foundation.fingerprint import UPRIGHT
from foundation.paths import display_path

if TYPE_CHECKING:
    from embedder.networks.joined import JoinedPreset
    from embedder.networks.preset import Preset
    from embedder.tables.table import EmbeddingTable
    from embedder.verification.lfw import Pairs
    from foundation.fingerprint import Fingerprint

logger = logging.getLogger(__name__)


N_STANDARDIZATION_PAIRS = 200
"""Genuine pairs on whose photos the other standardization is tried."""


_CLEARLY_BETTER = 0.975


def embed_pairs(
    images: Path,
    pairs: "Pairs",
    preset: "Preset | JoinedPreset",
    *,
    weights: Path | None = None,
    precision: str = "fp32",
    crop: dict[str, Any] | None = None,
    n_jobs: int = 1,
    keep: bool = True,
) -> "EmbeddingTable":
    """Return a table of the photos of `pairs`, embeddings followed by those of the mirrored crops.

    It is kept in the cache folder, without people's names, but with the paths of the photos, by which it is found that
    a photo is embedded already; the log says where.

    Parameters
    ----------
    images : Path
        Folder of the photos.
    crop : dict, optional
        `margin`, `margin_mode` and `alignment`, if they are not the defaults.
    keep : bool
        Keep the table; otherwise nothing is read from the cache folder or left in it.

    Raises
    ------
    ValueError
        If none of the photos is there, or as `embedder.FaceEmbedder` does.
    OSError
        If `images` cannot be read or the cache not be written.
    """
    from embedder.networks.joined import load_embedder
    from embedder.networks.mirrored import MirroredEmbedder
    from embedder.pipeline.runner import expected_fingerprint, update_table
    from embedder.pipeline.settings import EmbedSettings
    from embedder.tables.table import EmbeddingTable
    from embedder.verification.lfw import find_photos

    photos = find_photos(images, pairs)
    embedder = MirroredEmbedder(load_embedder(preset, weights=weights, precision=precision))
    settings = EmbedSettings(faces="one", min_face_size="auto", identity_from="none", upright="exif", **(crop or {}))
    with ExitStack() as stack:
        if keep:
            out = _cache_folder() / _table_name(images, expected_fingerprint(settings, embedder=embedder))
            logger.info("embeddings and paths of the photos are kept in %s; --no-cache keeps none", display_path(out))
        else:
            out = Path(stack.enter_context(TemporaryDirectory(prefix="facetable-"))) / "pairs.h5"
        update_table(images, out, settings, n_jobs=n_jobs, progress=True, embedder=embedder, only=set(photos.values()))
        return EmbeddingTable.read(out)


def _table_name(images: Path, fingerprint: "Fingerprint") -> str:
    """Return the name of a kept table, which follows from all that decides its vectors."""
    decisive = fingerprint.to_json()
    # A later version that detects otherwise keeps a table of its own, one that does not goes on with this one.
    del decisive["provenance"]["versions"]
    del decisive["provenance"][UPRIGHT]  # the same for all of them, and absent from those of before
    # Tables of before held names; under their old name they are found, and lose them.
    decisive["provenance"]["identity_from"] = "folder"
    key = json.dumps([str(images.resolve()), decisive], sort_keys=True)
    return f"{hashlib.sha256(key.encode()).hexdigest()[:24]}.h5"


def standardization_warning(
    images: Path,
    pairs: "Pairs",
    table: "EmbeddingTable",
    *,
    preset: "Preset",
    weights: Path | None = None,
    keep: bool = True,
) -> str | None:
    """Return a warning if the other standardization tells people clearly better apart than that of `table`.

    It is tried on the photos of a sample of the pairs, all of them compared with each other.

    Parameters
    ----------
    preset : Preset
        The checkpoint the table was made with, whatever its standardization.
    keep : bool
        As in `embed_pairs`.

    Raises
    ------
    ValueError
        As `embed_pairs` does.
    """
    from embedder.networks.presets import STANDARDIZATIONS
    from embedder.verification.lfw import compare_tables, sample_genuine

    space = table.fingerprint.space
    used = space["standardization"]
    other = next(name for name in STANDARDIZATIONS if name != used)
    sample = sample_genuine(pairs, N_STANDARDIZATION_PAIRS)
    crop = {"margin": space["margin"]["value"], "margin_mode": space["margin"]["mode"], "alignment": space["alignment"]}
    tried = embed_pairs(images, sample, replace(preset, standardization=other), weights=weights, crop=crop, keep=keep)
    result = compare_tables(sample, table, tried)
    logger.info(
        "standardization %s separates people by %.2f spreads, %s by %.2f, on a sample of the pairs",
        used,
        result.first,
        other,
        result.second,
    )
    if result.second_better < _CLEARLY_BETTER:
        return None
    return (
        f"the standardization {used!r} looks wrong for these weights: on a sample of the pairs {other!r} separates "
        f"people by {result.second:.2f} spreads, {used!r} by {result.first:.2f}; set it in the preset"
    )


def _cache_folder() -> Path:
    from embedder.runtime.cache import open_cache_folder

    return open_cache_folder() / "verification"
