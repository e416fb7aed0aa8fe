"""Are album folders told from people's folders? Whom the rule of `embedder.tables.coherence` finds, whom it troubles.

    python -m experiments.album_folders TABLE [--also TABLE ...] [--rounds 300] [--json FILE]

TABLE holds people's folders, one person each (LFW): every name found there is a false alarm. Albums are made of its
faces: so many faces of so many people, the others' shares equal, the largest person's as stated. Folders of one person
with a share of other people's faces say how much disorder a true person's folder may have.
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from embedder.networks.presets import alike_similarity
from embedder.tables.coherence import find_incoherent
from embedder.tables.table import EmbeddingTable
from foundation.command_line import EXIT_DONE, run_script, write_json
from foundation.errors import InputError

ALBUM_SIZES = (3, 5, 10, 30)
LARGEST_SHARES = (0.1, 0.2, 0.3, 0.4, 0.6, 0.7, 0.8, 0.9)
_MIN_PHOTOS = 27
"""Photos of a person who may make up the largest share of an album of thirty faces."""


def false_alarms(table: EmbeddingTable, alike: float) -> dict[str, Any]:
    """Return how many of a table's people there are by number of photos, and which of them are taken for albums."""
    names, counts = np.unique(table.identities[table.identities != ""].astype(str), return_counts=True)
    return {
        "people": len(names),
        "people_of_2_photos": int((counts == 2).sum()),
        "people_of_3_and_more": int((counts > 2).sum()),
        "taken_for_albums": find_incoherent(table.identities, table.embeddings.__getitem__, alike=alike),
    }


def found_albums(table: EmbeddingTable, alike: float, *, rounds: int, seed: int = 0) -> dict[str, dict[str, float]]:
    """Return for each album size and share of its largest person the rate of made albums that are found."""
    rng = np.random.default_rng(seed)
    names, codes, counts = np.unique(table.identities.astype(str), return_inverse=True, return_counts=True)
    rows = np.split(np.argsort(codes, kind="stable"), np.cumsum(counts)[:-1])
    large = [one for name, one in zip(names, rows, strict=True) if name and len(one) >= _MIN_PHOTOS]
    first = np.array([one[0] for name, one in zip(names, rows, strict=True) if name])
    if not large:
        raise InputError(f"expected a person with at least {_MIN_PHOTOS} photos in the table, found none; take LFW")
    rates: dict[str, dict[str, float]] = {}
    for size in ALBUM_SIZES:
        rates[str(size)] = {}
        for share in LARGEST_SHARES:
            n_own = max(1, round(share * size))
            albums = np.empty(rounds * size, object)
            chosen = np.empty(rounds * size, int)
            for number in range(rounds):
                own = rng.choice(large[rng.integers(len(large))], n_own, replace=False)
                others = rng.choice(first, size - n_own, replace=False)
                part = slice(number * size, (number + 1) * size)
                albums[part], chosen[part] = f"album {number}", [*own, *others]
            vectors = table.embeddings[chosen]
            found = find_incoherent(albums, vectors.__getitem__, alike=alike)
            rates[str(size)][f"{n_own / size:.2f}"] = len(found) / rounds
    return rates


def run(arguments: argparse.Namespace) -> int:
    """Measure, print and write the rates."""
    result: dict[str, Any] = {"false_alarms": {}}
    for path in (arguments.table, *arguments.also):
        table = EmbeddingTable.read(path)
        alike = alike_similarity(table.fingerprint)
        if alike is None:
            raise InputError(f"{path}: expected vectors of a preset with a measured threshold, found others")
        alarms = false_alarms(table, alike)
        result["false_alarms"][str(path)] = alarms
        print(
            f"{path}: {alarms['people_of_2_photos']:,} people with two photos, {alarms['people_of_3_and_more']:,} with "
            f"more; taken for albums: {len(alarms['taken_for_albums'])} {alarms['taken_for_albums'][:5]}"
        )
        if path == arguments.table:
            result["found"] = found_albums(table, alike, rounds=arguments.rounds)
    for size, rates in result["found"].items():
        line = ", ".join(f"{share}: {rate:.3f}" for share, rate in rates.items())
        print(f"albums of {size} faces found, by the share of the largest person: {line}")
    if arguments.json is not None:
        write_json(arguments.json, result)
    return EXIT_DONE


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the study."""
    parser.add_argument("table", type=Path, metavar="TABLE", help="table of people's folders, such as LFW's")
    parser.add_argument("--also", type=Path, nargs="*", default=[], metavar="TABLE", help="more tables of true people")
    parser.add_argument("--rounds", type=int, default=300, metavar="N", help="albums made of each kind (300)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures as JSON")


def main(argv: Sequence[str] | None = None) -> int:
    """Run the study."""
    return run_script("python -m experiments.album_folders", __doc__ or "", add_arguments, run, argv=argv)


if __name__ == "__main__":
    sys.exit(main())
