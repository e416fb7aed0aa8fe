"""Cluster a million synthetic faces: ``python -m experiments.cluster_scale TABLE [--faces N] [--people K]``.

The vectors are drawn to the within- and between-person cosines of the table's people: a person is a draw from a
Gaussian mixture of people (k-means parts that share one covariance, so that some people look like many others), a face
is the person plus a draw from the pooled within-person covariance, its length log-normal, so that some photos are bad.
Both distributions are printed beside the real ones.
"""

import argparse
import resource
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from classifiers.groups.clustering import METHODS, Method, cluster_faces
from classifiers.groups.metrics import bcubed, corrections, pairwise
from classifiers.groups.similarity import normalized_space
from classifiers.presets.mixture import fit_background
from embedder.tables.table import EmbeddingTable
from experiments.clustering import Faces
from foundation.command_line import EXIT_DONE, run_script, write_json
from foundation.threads import thread_count

N_PARTS = 300
BAD_PHOTOS = 0.35
"""Standard deviation of the logarithm of a photo's deviation from its person."""

QUANTILES = (0.001, 0.01, 0.1, 0.5, 0.9, 0.99, 0.999, 0.9999)

_BLOCK = 50_000
_N_IMPOSTORS = 1_000_000
_N_GENUINE_A_PERSON = 3


class SyntheticPeople:
    """Draws people and faces like those of a table.

    Parameters
    ----------
    faces : Faces
        Real vectors, several photos of at least some people.
    """

    def __init__(self, faces: Faces, *, seed: int = 0) -> None:
        from sklearn.cluster import KMeans

        one_each = faces.one_each()
        total = np.cov(one_each.T)
        within = _within_covariance(faces)
        parts = KMeans(min(N_PARTS, len(one_each) // 10), n_init=1, random_state=seed).fit(one_each)
        self.shares = np.bincount(parts.labels_) / len(one_each)
        self.centers = parts.cluster_centers_.astype(np.float32)
        deviations = self.centers - one_each.mean(axis=0)
        self.of_people = _factor(total - within - (deviations * self.shares[:, None]).T @ deviations)
        self.of_photos = _factor(within)

    def draw(self, n_faces: int, n_people: int, *, seed: int) -> Faces:
        """Return `n_faces` unit vectors of about `n_people` people, each face's person drawn at random."""
        rng = np.random.default_rng(seed)
        length = self.centers.shape[1]
        people = self.centers[rng.choice(len(self.shares), n_people, p=self.shares)]
        people += rng.standard_normal((n_people, length), dtype=np.float32) @ self.of_people
        who = rng.integers(n_people, size=n_faces)
        vectors = np.empty((n_faces, length), np.float32)
        for begin in range(0, n_faces, _BLOCK):
            block = slice(begin, min(begin + _BLOCK, n_faces))
            rows = rng.standard_normal((block.stop - begin, length), dtype=np.float32) @ self.of_photos
            # Scaled so that the mean square stays that of the covariance.
            rows *= np.exp(BAD_PHOTOS * rng.standard_normal((len(rows), 1), dtype=np.float32) - BAD_PHOTOS**2)
            rows += people[who[block]]
            vectors[block] = rows / np.linalg.norm(rows, axis=1, keepdims=True)
        return Faces(vectors, who)


def cosine_quantiles(faces: Faces, *, seed: int = 0) -> dict[str, list[float]]:
    """Return `QUANTILES` of the cosines of pairs of one person, each person counted alike, and of two people."""
    rng = np.random.default_rng(seed)
    one, two = rng.integers(len(faces.people), size=(2, _N_IMPOSTORS))
    differ = faces.people[one] != faces.people[two]
    order = np.argsort(faces.people, kind="stable")
    starts = np.flatnonzero(np.diff(faces.people[order], prepend=-1))
    counts = np.diff(np.append(starts, len(order)))
    starts, counts = (np.repeat(values[counts > 1], _N_GENUINE_A_PERSON) for values in (starts, counts))
    first = rng.integers(counts)
    second = (first + rng.integers(1, counts)) % counts
    return {
        "genuine": _quantiles(faces.vectors, order[starts + first], order[starts + second]),
        "impostor": _quantiles(faces.vectors, one[differ], two[differ]),
    }


def run(faces: Faces, synthetic: Faces, *, method: Method = "auto", with_background: bool = True) -> dict[str, Any]:
    """Cluster `synthetic` and return time, memory of the whole process and quality."""
    begun = time.perf_counter()
    space = None
    if with_background:
        space = normalized_space(synthetic.vectors, fit_background(faces.one_each()))
    groups = cluster_faces(synthetic.vectors, method=method, space=space, threads=thread_count())
    seconds = time.perf_counter() - begun
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    return {
        "n_faces": len(synthetic.people),
        "n_people": len(np.unique(synthetic.people)),
        "threads": thread_count(),
        "method": groups.method,
        "threshold": groups.threshold,
        "normalized": groups.normalized,
        "n_groups": int(groups.labels.max()) + 1,
        "seconds": seconds,
        "peak_gigabytes": peak / 1e9,
        "bcubed": bcubed(synthetic.people, groups.labels)._asdict(),
        "pairwise": pairwise(synthetic.people, groups.labels)._asdict(),
        "corrections": corrections(synthetic.people, groups.labels)._asdict(),
    }


def _quantiles(vectors: NDArray[np.float32], one: NDArray[np.int64], two: NDArray[np.int64]) -> list[float]:
    cosines = np.concatenate(
        [
            np.einsum("ij,ij->i", vectors[one[begin : begin + _BLOCK]], vectors[two[begin : begin + _BLOCK]])
            for begin in range(0, len(one), _BLOCK)
        ]
    )
    return [round(float(value), 3) for value in np.quantile(cosines, QUANTILES)]


def _within_covariance(faces: Faces) -> NDArray[np.float64]:
    """Covariance of faces around their person, every person with several photos counted alike."""
    from scipy.sparse import csr_array

    person = np.unique(faces.people, return_inverse=True)[1]
    counts = np.bincount(person)
    n = len(person)
    members = csr_array((np.ones(n, np.float32), (person, np.arange(n))), shape=(len(counts), n))
    means = (members @ faces.vectors) / counts[:, None]
    several = counts[person] > 1
    count = counts[person[several]]
    rows = (faces.vectors[several] - means[person[several]]) * np.sqrt(count / (count - 1))[:, None]
    return (rows / count[:, None]).T @ rows / np.sum(1 / count)


def _factor(covariance: NDArray[np.float64]) -> NDArray[np.float32]:
    """A matrix that turns rows of standard normal numbers into draws of `covariance`, directions below 0 left out."""
    values, directions = np.linalg.eigh(covariance)
    return (np.sqrt(np.maximum(values, 0)) * directions).T.astype(np.float32)


def _add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("table", type=Path, metavar="TABLE", help="embedding table of LFW's photos")
    parser.add_argument("--faces", type=int, default=1_000_000, metavar="N", help="default: 1,000,000")
    parser.add_argument("--people", type=int, metavar="K", help="default: a twentieth of the faces")
    parser.add_argument("--method", choices=METHODS, default="auto", help="default: auto")
    parser.add_argument("--no-background", action="store_true", help="compare by plain cosine")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures as JSON")


def _run(arguments: argparse.Namespace) -> int:
    table = EmbeddingTable.read(arguments.table)
    known = table.identities != ""
    faces = Faces(table.embeddings[known], np.unique(table.identities[known], return_inverse=True)[1])
    begun = time.perf_counter()
    n_people = max(1, arguments.faces // 20) if arguments.people is None else arguments.people
    synthetic = SyntheticPeople(faces, seed=arguments.seed).draw(arguments.faces, n_people, seed=arguments.seed)
    print(f"drawn in {time.perf_counter() - begun:.0f} s; quantiles of cosines at {QUANTILES}:")
    real, drawn = cosine_quantiles(faces), cosine_quantiles(synthetic)
    for kind in real:
        print(f"  {kind:8} real {real[kind]}\n  {'':8} drawn {drawn[kind]}", flush=True)
    result = run(faces, synthetic, method=arguments.method, with_background=not arguments.no_background)
    print(
        f"{result['n_faces']:,} faces of {result['n_people']:,} people by {result['method']}: "
        f"{result['seconds'] / 60:.1f} min on {result['threads']} threads, {result['peak_gigabytes']:.2f} GB at "
        f"most, {result['n_groups']:,} groups, BCubed precision {result['bcubed']['precision']:.4f}, recall "
        f"{result['bcubed']['recall']:.4f}, F {result['bcubed']['f']:.4f}"
    )
    if arguments.json is not None:
        write_json(arguments.json, {**result, "quantiles": {"at": QUANTILES, "real": real, "drawn": drawn}})
    return EXIT_DONE


def main(argv: Sequence[str] | None = None) -> int:
    """Run ``python -m experiments.cluster_scale`` with `argv` and return the exit code."""
    return run_script(
        "python -m experiments.cluster_scale", "Cluster very many synthetic faces.", _add_arguments, _run, argv=argv
    )


if __name__ == "__main__":
    sys.exit(main())
