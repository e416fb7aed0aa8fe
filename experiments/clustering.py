"""Measure how well unknown faces are grouped: ``python -m experiments.clustering TABLE``.

Five random halves of the people: background model and thresholds from one half, BCubed on the other. Then, on the whole
table, every method's time, whether names survive when a fifth more photos are added, and the threshold curves that
`classifiers.groups.similarity` ships (``--curves`` alone for these).
"""

import argparse
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from classifiers.groups.candidate_pairs import ClusteringLimits
from classifiers.groups.clustering import cluster_faces
from classifiers.groups.grouping import FaceTable, cluster_table, face_keys, read_known_people
from classifiers.groups.metrics import bcubed
from classifiers.groups.similarity import SimilaritySpace, normalized_space
from classifiers.people_files.carry_over import keep_numbers
from classifiers.people_files.known_people import KnownPeople
from classifiers.people_files.people_file import write_people
from classifiers.presets.cluster_curve import Faces, f_by_threshold, measure_curve, measure_normalized_curve, plain
from classifiers.presets.mixture import MIN_IDENTITIES_PER_COMPONENT, fit_background
from classifiers.scores.normalization import find_background
from embedder.tables.table import EmbeddingTable
from foundation.command_line import EXIT_DONE, run_script, write_json

N_HALVES = 5
NEW_PHOTOS = 0.2

_COLUMNS = ("embeddings", "identities", "paths", "face_indices", "boxes")
_STEP = 0.01
_HIGHEST = 0.9


def measure_half(faces: Faces, *, seed: int, **settings: Any) -> dict[str, Any]:
    """Return BCubed on a random half of the people, all thresholds from the other half.

    The `settings` are those of `classifiers.presets.mixture.fit_background`.
    """
    halves = np.array_split(np.random.default_rng(seed).permutation(np.unique(faces.people)), 2)
    known, unknown = faces.of(halves[0]), faces.of(halves[1])
    if "n_components" in settings:
        # A quarter of the people fits the model of the curve.
        most = len(halves[0]) // 2 // MIN_IDENTITIES_PER_COMPONENT
        settings["n_components"] = min(settings["n_components"], most)
    cosine_curve = measure_curve(plain(known), known.people, lowest=0.4, seed=seed)
    normalized_curve = measure_normalized_curve(known, seed=seed, **settings)
    normalized = normalized_space(unknown.vectors, fit_background(known.one_each(), **settings))
    result: dict[str, Any] = {"seed": seed, "n_photos": len(unknown.people), "n_people": len(halves[1])}
    for name, space in (
        ("cosine", plain(unknown, cosine_curve)),
        ("normalized", SimilaritySpace(normalized.vectors, normalized.offsets, normalized_curve)),
    ):
        groups = cluster_faces(unknown.vectors, space=space)
        best = f_by_threshold(space, unknown.people, np.arange(_HIGHEST, 0.2, -_STEP)).max()
        result[name] = {
            **bcubed(unknown.people, groups.labels)._asdict(),
            "threshold": groups.threshold,
            "best_f": float(best),
        }
    return result


def measure_methods(faces: Faces, space: SimilaritySpace) -> dict[str, Any]:
    """Return time and BCubed F of every method on all faces."""
    result = {}
    for method in ("average", "graph", "dbscan", "hdbscan"):
        limit = ClusteringLimits().max_faces(method)
        if limit is None or len(faces.people) <= limit:
            begun = time.perf_counter()
            groups = cluster_faces(faces.vectors, method=method, space=space)
            result[method] = {
                "seconds": time.perf_counter() - begun,
                "threshold": groups.threshold,
                **bcubed(faces.people, groups.labels)._asdict(),
            }
    return result


def measure_names(table: FaceTable, space: SimilaritySpace, *, seed: int) -> dict[str, Any]:
    """Return how many names stay on their faces when a fifth more photos are added, and the groups are found anew.

    Every group of several faces gets a name, filled in for one of its faces in the people file, as a user would. `kept`
    is the share of the groups' faces that have it after the program has read the file and clustered all photos; they
    keep it even where their group falls apart. `same_group` is harder: names are not heeded, a face counts if its group
    is the one that has most faces of its former group.
    """
    rng = np.random.default_rng(seed)
    photos = np.unique(table.paths.astype(str))
    first_photos = rng.permutation(photos)[: round(len(photos) / (1 + NEW_PHOTOS))]
    rows = np.flatnonzero(np.isin(table.paths.astype(str), first_photos))
    first = SimpleNamespace(**{name: getattr(table, name)[rows] for name in _COLUMNS})
    before = cluster_table(first, space=_part(space, rows))
    sizes = np.bincount(before.labels)
    given = np.where(sizes[before.labels] > 1, [f"person {label}" for label in before.labels], "").astype(object)
    filled_in = np.full(len(rows), "", object)
    one_of_each = np.unique(before.labels, return_index=True)[1]
    filled_in[one_of_each] = given[one_of_each]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "people.csv"
        write_people(path, face_keys(first), before.labels, names=filled_in, scores=before.clustering.scores)
        after = cluster_table(table, before=read_known_people(table, names=path, out=path), space=space)
    named = given != ""
    alone = cluster_table(table, space=space)
    numbers = np.full(len(table.paths), -1)
    numbers[rows] = before.labels
    known = KnownPeople(numbers, np.empty(0, object), 0, int(before.labels.max()) + 1)
    return {
        "seed": seed,
        "n_named_faces": int(named.sum()),
        "kept": float((after.names[rows] == given)[named].mean()),
        "same_group": float((keep_numbers(alone.labels, known)[rows] == before.labels)[named].mean()),
    }


def _part(space: SimilaritySpace, rows: NDArray[np.int64]) -> SimilaritySpace:
    return SimilaritySpace(space.vectors[rows], space.offsets[rows], space.curve)


def _add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("table", type=Path, metavar="TABLE", help="embedding table of LFW's photos")
    parser.add_argument("--curves", action="store_true", help="only measure the threshold curves, on all people")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures as JSON")


def _run(arguments: argparse.Namespace) -> int:
    table = EmbeddingTable.read(arguments.table)
    identified = table.identities != ""
    faces = Faces(table.embeddings[identified], np.unique(table.identities[identified], return_inverse=True)[1])
    result: dict[str, Any] = {"n_faces": len(faces.people), "n_people": len(np.unique(faces.people))}
    if arguments.curves:
        result |= {
            "cosine_curve": measure_curve(plain(faces), faces.people, lowest=0.4),
            "normalized_curve": measure_normalized_curve(faces),
        }
        print(f"COSINE_CURVE {result['cosine_curve']}\nNORMALIZED_CURVE {result['normalized_curve']}")
    else:
        result |= _study(table, faces)
    if arguments.json is not None:
        write_json(arguments.json, result)
    return EXIT_DONE


def _study(table: EmbeddingTable, faces: Faces) -> dict[str, Any]:
    halves = []
    for seed in range(N_HALVES):
        halves.append(measure_half(faces, seed=seed))
        print(
            f"half {seed}: {halves[-1]['n_photos']} photos of {halves[-1]['n_people']} people, "
            + ", ".join(
                f"{kind} F {halves[-1][kind]['f']:.4f} (best {halves[-1][kind]['best_f']:.4f})"
                for kind in ("cosine", "normalized")
            ),
            flush=True,
        )
    means = {kind: float(np.mean([half[kind]["f"] for half in halves])) for kind in ("cosine", "normalized")}
    print(f"mean of {N_HALVES} halves: " + ", ".join(f"{kind} F {value:.4f}" for kind, value in means.items()))
    background = find_background(table.fingerprint)
    space = plain(faces) if background is None else normalized_space(faces.vectors, background)
    methods = measure_methods(faces, space)
    for name, figures in methods.items():
        print(f"{name:8} {figures['seconds']:6.1f} s, F {figures['f']:.4f} (settings from these people)", flush=True)
    begun = time.perf_counter()
    all_faces = plain(Faces(table.embeddings, np.zeros(0, np.int64)))
    if background is not None:
        all_faces = normalized_space(table.embeddings, background)
    groups = cluster_faces(table.embeddings, space=all_faces)
    seconds = time.perf_counter() - begun
    print(f"all {len(table)} faces of {len(table.images)} photos: {seconds:.1f} s ({groups.method})", flush=True)
    names = [measure_names(table, all_faces, seed=seed) for seed in range(3)]
    for figures in names:
        print(
            f"names kept on their faces: {figures['kept']:.4f} of {figures['n_named_faces']}; still in the same "
            f"group if names were not heeded: {figures['same_group']:.4f}",
            flush=True,
        )
    return {
        "halves": halves,
        "mean_f": means,
        "methods": methods,
        "names": names,
        "all_faces": {"n": len(table), "seconds": seconds, "method": groups.method},
    }


def main(argv: Sequence[str] | None = None) -> int:
    """Run ``python -m experiments.clustering`` with `argv` and return the exit code."""
    return run_script(
        "python -m experiments.clustering",
        "Measure how well unknown faces are grouped.",
        _add_arguments,
        _run,
        argv=argv,
    )


if __name__ == "__main__":
    sys.exit(main())
