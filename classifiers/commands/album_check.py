"""Whether a table's identities are people or album folders."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from classifiers.errors import IdentityError

if TYPE_CHECKING:
    import numpy as np

    from embedder.tables.table import EmbeddingTable


def find_album_identities(table: "EmbeddingTable") -> list[str]:
    """Return the identities that are rather albums, by their names or by faces unlike each other, sorted."""
    from embedder.tables.album_names import find_albums

    return sorted({*find_albums(set(table.identities)), *_unlike(table, table.identities)})


def refuse_albums(
    table: "EmbeddingTable", *, wanted: Sequence[str] | None = None, min_photos: int = 1, source: str = "the table"
) -> list[str]:
    """Refuse people to be enrolled whose photos do not hang together; return those whose names are albums'.

    Parameters
    ----------
    table : EmbeddingTable
        With the identities that its folders or files gave.
    wanted, min_photos
        Who is enrolled; see `classifiers.training.train.train_head`.
    source : str
        Where the table comes from, for the message.

    Raises
    ------
    IdentityError
        If there are such people; they are named.
    """
    import numpy as np

    from embedder.tables.album_names import find_albums, list_names
    from foundation.text import pluralize

    names, codes, counts = np.unique(table.identities.astype(str), return_inverse=True, return_counts=True)
    enrolled = (counts >= min_photos) & (np.isin(names, list(wanted)) if wanted is not None else names != "")
    identities = np.where(enrolled[codes], table.identities, "")
    unlike = _unlike(table, identities)
    if unlike:
        raise IdentityError(
            f"{source}: expected one person under each name, found photos mostly unlike each other under "
            f"{pluralize(len(unlike), 'name')}: {list_names(unlike)}; if these are albums, run embed again with "
            "--identity-from none, which embeds no photo again, and group the faces with facetable cluster; if they "
            "are people, add --trust-folders"
        )
    return find_albums(set(identities))


def _unlike(table: "EmbeddingTable", identities: "np.ndarray") -> list[str]:
    from embedder.networks.presets import alike_similarity
    from embedder.tables.coherence import find_incoherent

    alike = alike_similarity(table.fingerprint)
    return [] if alike is None else find_incoherent(identities, table.embeddings.__getitem__, alike=alike)
