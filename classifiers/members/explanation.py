"""Explain why a head says what it says about a face: its nearest photos, the next person, the photo that decides."""

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from classifiers.heads.decision_rules import BalancedVotingRule, NearestRule, VotingRule
from classifiers.heads.head import Head
from classifiers.members.editing import refit_decision_rule
from classifiers.scores.gallery import UNKNOWN
from classifiers.scores.person_means import NEAREST
from foundation.errors import InputError
from foundation.head_files.description import LOWEST_SCORE

# How many enrolled photos are left out one by one where each means fitting a classifier again.
_MOST_REFITS = 12


@dataclass(frozen=True)
class NearestExemplar:
    """Enrolled photo near the face.

    Attributes
    ----------
    row : int
        Its row in the head's gallery.
    identity, path : str
    box : tuple of float
        The face on that photo, pixels; NaN where unknown.
    score : float
        Similarity to the face in question.
    """

    row: int
    identity: str
    path: str
    box: tuple[float, ...]
    score: float


@dataclass(frozen=True)
class DecisiveExemplar:
    """Enrolled photo without which the answer would be another.

    Attributes
    ----------
    row : int
    identity, path : str
    answer : str
        What the head would say then.
    """

    row: int
    identity: str
    path: str
    answer: str


@dataclass(frozen=True)
class Explanation:
    """Answer of a head about one face, and the reasons.

    Attributes
    ----------
    identity : str
        The answer, ``unknown`` below the threshold.
    choice : str
        The person the head chose before the threshold.
    score, threshold : float
    neighbors : tuple of Neighbor
        The nearest enrolled photos, nearest first.
    next_identity : str or None
        The most similar other person; None where there is none.
    margin : float or None
        By how much the choice is more similar than that person; below 0 where the head did not choose the most similar.
    ruled_out : tuple of str
        People the face would be taken for but for a face that was rejected as them.
    decisive : tuple of Decisive
        Photos each of which, left out alone, would change the answer (the threshold staying the same).
    n_tried : int
        How many photos were left out to find that; where no means are scored, the answer of a gallery depends on one
        photo only.
    n_in_mean : int
        Of how many photos of the choice the mean gave the score; 0 where the nearest photo did.
    """

    identity: str
    choice: str
    score: float
    threshold: float
    neighbors: tuple[NearestExemplar, ...]
    next_identity: str | None
    margin: float | None
    ruled_out: tuple[str, ...]
    decisive: tuple[DecisiveExemplar, ...]
    n_tried: int
    n_in_mean: int = 0

    @property
    def answer_text(self) -> str:
        """The answer as a line."""
        relation = "at least" if self.score >= self.threshold else "below"
        nearest = f", most like {self.choice}" if self.identity == UNKNOWN else ""
        return f"{self.identity}{nearest}: score {self.score:.3f}, {relation} the threshold {self.threshold:.3f}"

    def to_lines(self) -> list[str]:
        """Return the explanation as lines of text."""
        lines = [self.answer_text, "  nearest photos:"]
        lines += [f"    {one.score:6.3f}  {one.identity}  {one.path}".rstrip() for one in self.neighbors]
        if self.n_in_mean:
            lines.append(f"  more like the mean of {self.choice}'s {self.n_in_mean} photos: {self.score:.3f}")
        if self.next_identity is None:
            lines.append("  nobody else is enrolled")
        else:
            lines.append(f"  next person: {self.next_identity}, margin {self.margin:.3f}")
        lines += [f"  not {name}: it is more like a face rejected as {name}" for name in self.ruled_out]
        lines += [
            f"  decided by {one.path or f'row {one.row}'} ({one.identity}): without it, {one.answer}"
            for one in self.decisive
        ]
        if not self.decisive:
            lines.append(
                "  no single enrolled photo, left out, changes the answer"
                if self.n_tried == 1
                else f"  none of the {self.n_tried} nearest photos, left out alone, changes the answer"
            )
        return lines

    def to_json(self) -> dict[str, Any]:
        """Return a JSON-able record."""
        record = asdict(self)
        for neighbor in record["neighbors"]:
            box = neighbor["box"]
            neighbor["box"] = list(box) if np.isfinite(box).all() else None
        return record


def explain_face(head: Head, vector: NDArray[np.floating], *, n_neighbors: int = 6) -> Explanation:
    """Explain what `head` says about a face.

    Parameters
    ----------
    head : Head
    vector : (d,) array
    n_neighbors : int
        How many of the nearest enrolled photos to name, at least 1.

    Raises
    ------
    ValueError
        If `n_neighbors` is below 1, or the vector is not finite or not of the exemplars' length.
    """
    if n_neighbors < 1:
        raise InputError(f"`n_neighbors` must be at least 1, got {n_neighbors}")
    probe = np.asarray(vector)[None]
    match = head.match(probe)
    choice, score = str(match.identities[0]), float(match.scores[0])
    found = head.matcher.nearest(head.matcher.prepare(probe), min(n_neighbors, len(head.gallery)))
    similarities = head.similarity(probe)[0]
    chosen = head.labels.index(choice)
    others = np.where(np.arange(len(similarities)) == chosen, -np.inf, similarities)
    following = int(np.argmax(others)) if len(others) > 1 else None
    candidates = _candidates(head, probe, int(match.exemplars[0]))
    return Explanation(
        identity=_answer(head, probe),
        choice=choice,
        score=score,
        threshold=head.threshold,
        neighbors=tuple(
            _nearest_exemplar(head, int(row), float(similarity))
            for row, similarity in zip(found.indices[0], found.similarities[0], strict=True)
        ),
        next_identity=None if following is None else head.labels[following],
        margin=None if following is None else float(similarities[chosen] - similarities[following]),
        ruled_out=_ruled_out(head, probe, choice, score),
        decisive=_decisive(head, probe, candidates),
        n_tried=len(candidates),
        n_in_mean=_n_in_mean(head, probe, int(match.exemplars[0]), score),
    )


def _nearest_exemplar(head: Head, row: int, score: float) -> NearestExemplar:
    gallery = head.gallery
    box = tuple(float(side) for side in gallery.boxes[row])
    return NearestExemplar(row, str(gallery.identities[row]), str(gallery.paths[row]), box, score)


def _n_in_mean(head: Head, probe: NDArray[np.floating], exemplar: int, score: float) -> int:
    """Return how many photos' mean gave `score`, 0 where `exemplar`, the nearest photo of that person, did."""
    matcher = head.matcher
    code = matcher.codes[exemplar]
    if code not in matcher.means.codes:
        return 0
    by_photo = matcher.scored_by(NEAREST).nearest_of(matcher.prepare(probe), np.array([code])).similarities[0, 0]
    return int(np.sum(matcher.codes == code)) if np.float32(by_photo) < np.float32(score) else 0


def _answer(head: Head, probe: NDArray[np.floating]) -> str:
    return str(head.identify(probe)[0][0])


def _ruled_out(head: Head, probe: NDArray[np.floating], choice: str, score: float) -> tuple[str, ...]:
    """Return whom the head would choose if nothing had been rejected, if that is somebody else."""
    if not len(head.rejections):
        return ()
    nothing = head.rejections.selected(np.zeros(len(head.rejections), bool))
    before = str(head.replaced(rejections=nothing).match(probe).identities[0])
    return () if before == choice and score > LOWEST_SCORE else (before,)


def _candidates(head: Head, probe: NDArray[np.floating], exemplar: int) -> list[int]:
    """Return the rows that could change the answer when left out; of those that are many, the most likely ones."""
    if isinstance(head.decision_rule, NearestRule) and not len(head.matcher.means.codes):
        return [exemplar]
    n_nearest, rule = _MOST_REFITS, head.decision_rule
    if isinstance(rule, VotingRule):
        n_nearest = rule.n_neighbors
    elif isinstance(rule, BalancedVotingRule):
        # Beyond its voters too: with a photo less, a person's votes are a larger share.
        n_nearest = max(_MOST_REFITS, rule.n_neighbors)
    units = head.matcher.prepare(probe).units
    nearest = np.argsort(-(head.matcher.units @ units[0]), kind="stable")[:n_nearest].tolist()
    return nearest if exemplar in nearest else [exemplar, *nearest]


def _decisive(head: Head, probe: NDArray[np.floating], rows: list[int]) -> tuple[DecisiveExemplar, ...]:
    gallery, answer = head.gallery, _answer(head, probe)
    found = []
    for row in rows:
        without = _answer_without(head, probe, row)
        if without != answer:
            found.append(DecisiveExemplar(row, str(gallery.identities[row]), str(gallery.paths[row]), without))
    return tuple(found)


def _answer_without(head: Head, probe: NDArray[np.floating], row: int) -> str:
    if len(head.gallery) == 1:
        return UNKNOWN
    matcher = head.matcher.selected(np.arange(len(head.gallery)) != row)
    return _answer(head.replaced(matcher=matcher, decision_rule=refit_decision_rule(head, matcher)), probe)
