"""How often the camera loop names a stranger, and how soon it names who is enrolled.

    python -m experiments.camera_names TABLE --images DIR [--people 30] [--photos 3] [--strangers 600] [--seed 0]

Some people of the table are enrolled with their first photos; their other photos, and up to three photos of each of the
strangers, become clips (see `experiments.moving_photos`), which the loop sees as a video file, looking for faces on
every third frame. Threshold curve and background model come from the people who are neither.

First the rule itself, on vectors alone: how often the score of `recognition.tracking.evidence` for 1, 2, 4 and 8
photos of one person reaches the threshold. `--no-clips` ends there. `--fusion-gain` and `--mean-vector-margin` try
another rule.
"""

import argparse
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from tqdm import tqdm

from classifiers.heads.head import Head
from classifiers.heads.open_set import build_head
from classifiers.heads.registry import make_head
from classifiers.presets.mixture import fit_background, one_photo_each
from classifiers.scores.gallery import UNKNOWN, Gallery
from classifiers.scores.matcher import Matcher
from embedder.images.reading import read_image
from embedder.networks.encoder import EncoderOptions, FaceEncoder
from experiments.moving_photos import FRAMES_PER_SECOND, FacePhoto, clip_of, is_shown
from experiments.name_people import draw_people, threshold_from
from foundation.command_line import EXIT_DONE, run_script, write_json
from recognition.runs.options import DEFAULT_DETECT_EVERY
from recognition.tracking.evidence import Evidence, EvidenceSettings, Scorer
from recognition.tracking.loop import FaceLoop, LoopSettings

if TYPE_CHECKING:
    from embedder.tables.table import EmbeddingTable

PHOTOS_OF_A_CLIP = 3
LOOKS = (1, 2, 4, 8)
DEFAULT_RULE = EvidenceSettings()
_DRAWS = 20
_DEADLINES_S = (0.5, 1.0, 2.0)


@dataclass(frozen=True)
class ClipResult:
    """What the loop said about one clip.

    Attributes
    ----------
    person : str
        Who is to be seen.
    is_enrolled : bool
    shown_s : float
        How long a face is to be seen.
    n_tracks : int
    named_rightly_s : float or None
        Seconds from the first frame with a face until it was named rightly; None if it never was.
    n_false_names : int
        Times a track was given the name of somebody else.
    n_false_looks : int
        Times that would have happened if each look had spoken for itself.
    n_changes : int
        Times a track's label changed once it had been named.
    """

    person: str
    is_enrolled: bool
    shown_s: float
    n_tracks: int
    named_rightly_s: float | None
    n_false_names: int
    n_false_looks: int
    n_changes: int


class ListeningEncoder(FaceEncoder):
    """A reader that keeps the vectors it makes."""

    def __init__(self, encoder: FaceEncoder) -> None:
        self.__dict__.update(encoder.__dict__)
        self.vectors: list[np.ndarray] = []

    def embed(self, crops: np.ndarray) -> np.ndarray:
        """Return and keep the vectors of `crops`."""
        self.vectors += [*super().embed(crops)]
        return np.stack(self.vectors[-len(crops) :])

    def embed_mirrored(self, crops: np.ndarray) -> np.ndarray:
        """Return and keep the vectors of `crops` and their mirror images."""
        self.vectors += [*super().embed_mirrored(crops)]
        return np.stack(self.vectors[-len(crops) :])


def watch(
    photos: Sequence[FacePhoto],
    person: str,
    encoder: ListeningEncoder,
    head: Scorer,
    *,
    rng: np.random.Generator,
    rule: EvidenceSettings = DEFAULT_RULE,
) -> ClipResult:
    """Run the loop over a clip of one person and return what it said."""
    loop = FaceLoop(encoder, head, person, settings=LoopSettings(evidence=rule))
    events, encoder.vectors = [], []
    n_frames = n_shown = 0
    for frame, faces in loop.prefetch_detections(clip_of(photos, rng), DEFAULT_DETECT_EVERY):
        events += loop.process(frame, detect=False, faces=faces).events
        n_frames, n_shown = n_frames + 1, n_shown + is_shown(frame.index)
    events += loop.finish()
    first_s = next(index for index in range(n_frames) if is_shown(index)) / FRAMES_PER_SECOND
    naming = [event for event in events if event.event in ("identified", "changed") and event.accepted]
    right = [event.time_s - first_s for event in naming if event.identity == person and event.time_s is not None]
    alone: list[str] = []
    if encoder.vectors:
        identities, scores, _ = head.match(np.stack(encoder.vectors))
        alone = np.where(scores >= head.threshold, identities, UNKNOWN).tolist()
    return ClipResult(
        person,
        person in head.labels,
        n_shown / FRAMES_PER_SECOND,
        n_tracks=sum(event.event == "started" for event in events),
        named_rightly_s=min(right, default=None),
        n_false_names=sum(event.identity != person for event in naming),
        n_false_looks=sum(now not in (before, person, UNKNOWN) for before, now in pairwise([UNKNOWN, *alone])),
        n_changes=sum(event.event == "changed" for event in events),
    )


def rates_of_rule(
    gallery: Gallery, head: Scorer, rng: np.random.Generator, rule: EvidenceSettings = DEFAULT_RULE
) -> Iterator[dict[str, float]]:
    """Yield how often the score for n photos of one person of `gallery` reaches the threshold, for each n of `LOOKS`.

    People with as many photos as the largest n, drawn several times each, in equal shares.
    """
    n_photos = np.bincount(gallery.codes)
    people = np.flatnonzero(n_photos >= max(LOOKS))
    reached: dict[int, list[bool]] = {n: [] for n in LOOKS}
    for person in np.repeat(people, _DRAWS):
        evidence = Evidence(settings=rule)
        rows = rng.choice(np.flatnonzero(gallery.codes == person), max(LOOKS), replace=False)
        for n_looks, vector in enumerate(gallery.vectors[rows], 1):
            verdict = evidence.add(vector, 1.0, head)
            if n_looks in reached:
                reached[n_looks].append(verdict.score >= head.threshold)
    for n_looks, hits in reached.items():
        if hits:
            yield {"photos": n_looks, "n_people": len(people), "rate": float(np.mean(hits))}


def summarize(results: Sequence[ClipResult]) -> dict[str, Any]:
    """Return rates over clips of strangers, or of enrolled people."""
    hours = sum(result.shown_s for result in results) / 3600
    n_false, n_alone = (sum(getattr(result, name) for result in results) for name in ("n_false_names", "n_false_looks"))
    times = np.array([np.inf if result.named_rightly_s is None else result.named_rightly_s for result in results])
    named = times[np.isfinite(times)]
    return {
        "clips": len(results),
        "people": len({result.person for result in results}),
        "hours": hours,
        "tracks": sum(result.n_tracks for result in results),
        "false_names": n_false,
        "false_names_per_hour": per_hour(n_false, hours),
        "false_looks_per_hour": per_hour(n_alone, hours),
        "clips_with_false_name": float(np.mean([result.n_false_names > 0 for result in results])),
        "changes": sum(result.n_changes for result in results),
        "named": float(np.mean(np.isfinite(times))),
        "named_within": {f"{limit_s:g} s": float(np.mean(times <= limit_s)) for limit_s in _DEADLINES_S},
        "median_s": float(np.median(named)) if len(named) else None,
        "p90_s": float(np.percentile(named, 90)) if len(named) else None,
    }


def per_hour(n_events: int, hours: float) -> dict[str, float]:
    """Return a rate and its exact 95 % interval, for events that come independently of each other (Garwood, 1936)."""
    from scipy.stats import chi2

    low = chi2.ppf(0.025, 2 * n_events) / 2 if n_events else 0.0
    return {"value": n_events / hours, "low": low / hours, "high": chi2.ppf(0.975, 2 * n_events + 2) / 2 / hours}


def draw_head(gallery: Gallery, arguments: argparse.Namespace, *, score: str) -> tuple[Head, Gallery, Gallery]:
    """Return a head, the further photos of its people, and the photos of the strangers."""
    enrolled, strangers = draw_people(gallery, arguments, np.random.default_rng(arguments.seed))
    order = np.lexsort((gallery.paths, gallery.codes))
    rank = np.empty(len(gallery), int)
    rank[order] = np.arange(len(gallery)) - np.searchsorted(gallery.codes[order], gallery.codes[order])
    is_enrolled = np.isin(gallery.codes, enrolled)
    exemplars = gallery.selected(is_enrolled & (rank < arguments.photos))
    others = gallery.selected(~np.isin(gallery.codes, [*enrolled, *strangers]))
    background = None
    if score == "normalized":
        background = fit_background(others.vectors[one_photo_each(others)], seed=arguments.seed)
    threshold = threshold_from(others, len(exemplars), kind=score, repeats=arguments.repeats, seed=arguments.seed)
    head = build_head(Matcher(exemplars, background), make_head("gallery"), threshold=threshold)
    return (
        head,
        gallery.selected(is_enrolled & (rank >= arguments.photos)),
        gallery.selected(np.isin(gallery.codes, strangers)),
    )


def watch_all(
    gallery: Gallery,
    images: Path,
    encoder: ListeningEncoder,
    head: Scorer,
    *,
    seed: int,
    n_clips: int,
    rule: EvidenceSettings,
) -> list[ClipResult]:
    """Return the results of clips of all people of `gallery`, at most `n_clips` of each."""
    results = []
    for code in tqdm(np.unique(gallery.codes), disable=None):
        rows = np.flatnonzero(gallery.codes == code)
        for number, first in enumerate(range(0, len(rows), PHOTOS_OF_A_CLIP)[:n_clips]):
            photos = [
                FacePhoto(read_image(images / gallery.paths[row]), gallery.boxes[row])
                for row in rows[first : first + PHOTOS_OF_A_CLIP]
            ]
            rng = np.random.default_rng([seed, int(code), number])
            results.append(watch(photos, str(gallery.labels[code]), encoder, head, rng=rng, rule=rule))
    return results


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the script."""
    parser.add_argument("table", metavar="TABLE", help="embedding table of many people")
    parser.add_argument("--images", type=Path, required=True, metavar="DIR", help="the table's photos")
    parser.add_argument("--people", type=int, default=30, metavar="N", help="enrolled people (30)")
    parser.add_argument("--photos", type=int, default=3, metavar="N", help="photos each (3)")
    parser.add_argument("--strangers", type=int, default=600, metavar="N", help="strangers, one clip each (600)")
    parser.add_argument("--clips", type=int, default=4, metavar="N", help="clips of each enrolled person at most (4)")
    parser.add_argument("--score", choices=("normalized", "cosine"), default="normalized")
    parser.add_argument("--repeats", type=int, default=20, metavar="N", help="draws for each point of the curve (20)")
    parser.add_argument("--fusion-gain", type=float, metavar="G", help="of the rule (its default)")
    parser.add_argument("--mean-vector-margin", type=float, metavar="M", help="of the rule (its default)")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--no-clips", action="store_true", help="only the rule, on vectors alone")
    parser.add_argument("--json", type=Path, metavar="FILE")


def read_rule(arguments: argparse.Namespace, fingerprint: Mapping[str, Any]) -> EvidenceSettings:
    """Return the rule of a network, as far as the command line does not ask for another."""
    named = {"fusion_gain": arguments.fusion_gain, "mean_vector_margin": arguments.mean_vector_margin}
    changes: dict[str, Any] = {name: {arguments.score: value} for name, value in named.items() if value is not None}
    return replace(EvidenceSettings.for_network(fingerprint), **changes)


def read_gallery(table: "EmbeddingTable") -> Gallery:
    """Return the named rows of a table, with their boxes."""
    return Gallery.build(table.embeddings, table.identities, paths=table.paths, boxes=table.boxes)


def run(arguments: argparse.Namespace) -> int:
    """Measure and print."""
    from embedder.tables.table import EmbeddingTable

    table = EmbeddingTable.read(arguments.table)
    head, mated, strange = draw_head(read_gallery(table), arguments, score=arguments.score)
    print(
        f"{len(head.labels)} people, {arguments.photos} photos each, {head.score_kind}, threshold {head.threshold:.3f}"
    )
    rule = read_rule(arguments, table.fingerprint)
    report: dict[str, Any] = {"threshold": head.threshold}
    for name, gallery in (("strangers", strange), ("enrolled", mated)):
        rates = report[f"rule_{name}"] = list(rates_of_rule(gallery, head, np.random.default_rng(arguments.seed), rule))
        print(
            f"{name}, score reaches the threshold: "
            + ", ".join(f"{row['photos']} photos {row['rate']:.3f}" for row in rates)
            + f" ({rates[0]['n_people'] if rates else 0} people with as many)"
        )
    if not arguments.no_clips:
        encoder = ListeningEncoder(FaceEncoder.for_fingerprint(table.fingerprint, EncoderOptions(detector_threads=1)))
        for name, gallery, n_clips in (("strangers", strange, 1), ("enrolled", mated, arguments.clips)):
            results = watch_all(
                gallery, arguments.images, encoder, head, seed=arguments.seed, n_clips=n_clips, rule=rule
            )
            report[name] = {**summarize(results), "results": [asdict(result) for result in results]}
            print_summary(name, report[name])
    if arguments.json is not None:
        write_json(arguments.json, report)
    return EXIT_DONE


def print_summary(name: str, summary: dict[str, Any]) -> None:
    """Print the rates of one kind of people."""

    def rate(estimate: dict[str, float]) -> str:
        return f"{estimate['value']:.1f} [{estimate['low']:.1f}, {estimate['high']:.1f}]"

    print(
        f"{name}: {summary['people']} people, {summary['clips']} clips, {summary['hours']:.2f} hours in view, "
        f"{summary['tracks']} tracks; false names an hour {rate(summary['false_names_per_hour'])}, in "
        f"{summary['clips_with_false_name']:.1%} of clips; each look for itself "
        f"{rate(summary['false_looks_per_hour'])}; labels changed {summary['changes']} times"
    )
    if summary["median_s"] is not None and name == "enrolled":
        within = ", ".join(f"{share:.1%} within {limit}" for limit, share in summary["named_within"].items())
        print(
            f"{name}: named rightly in {summary['named']:.1%} of clips, {within}; first right label after "
            f"{summary['median_s']:.2f} s (median), {summary['p90_s']:.2f} s (90 %)"
        )


def main(argv: Sequence[str] | None = None) -> int:
    """Run the script and return the exit code."""
    return run_script("python -m experiments.camera_names", "Names on moving faces.", add_arguments, run, argv=argv)


if __name__ == "__main__":
    sys.exit(main())
