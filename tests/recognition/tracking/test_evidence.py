import json
from itertools import pairwise

import numpy as np
import pytest

from classifiers.scores.preset_files import SHIPPED_FOLDER
from recognition.tracking.evidence import Evidence, EvidenceSettings
from tests.recognition.fakes import FakeHead, FakeMatch

LENGTH = 64
SETTINGS = EvidenceSettings()


class Head(FakeHead):
    """People are directions; a look at cosine c to Ann scores c for her."""

    def __init__(self, threshold: float = 0.6, names: tuple[str, ...] = ("ann", "bob")) -> None:
        super().__init__(dict.fromkeys(names, (1, 2, 3)), threshold)
        self._exemplars = np.eye(LENGTH, dtype=np.float32)[: len(names)]


class Embeddings:
    """Makes looks of given cosines to the people, otherwise at random."""

    def __init__(self, seed: int = 0) -> None:
        self._random = np.random.default_rng(seed)

    def at(self, *cosines: float) -> np.ndarray:
        vector = np.zeros(LENGTH)
        vector[: len(cosines)] = cosines
        rest = self._random.normal(size=LENGTH - len(cosines))
        vector[len(cosines) :] = rest / np.linalg.norm(rest) * np.sqrt(1 - np.sum(np.square(cosines)))
        return vector.astype(np.float32)


def identities(head: Head, vectors: list[np.ndarray], quality: float = 1.0) -> list[str]:
    evidence = Evidence()
    return [evidence.add(vector, quality, head).identity for vector in vectors]


def test_a_name_appears_after_three_looks_and_stays() -> None:
    vectors = Embeddings()
    assert identities(Head(), [vectors.at(0.7, 0.1) for _ in range(6)]) == ["unknown"] * 2 + ["ann"] * 4


def test_a_stranger_stays_unknown() -> None:
    vectors = Embeddings()
    assert identities(Head(), [vectors.at(0.5, 0.4) for _ in range(30)]) == ["unknown"] * 30


def test_single_looks_above_the_threshold_name_nobody() -> None:
    vectors = Embeddings()
    scores = [0.66, 0.4, 0.62, 0.4, 0.4, 0.66] * 3
    assert set(identities(Head(), [vectors.at(score, 0.1) for score in scores])) == {"unknown"}


def test_no_label_blinks_around_the_threshold() -> None:
    vectors = Embeddings()
    scores = [0.62, 0.62, 0.62, 0.56, 0.64, 0.54, 0.63, 0.55, 0.61, 0.57] * 3
    given = identities(Head(), [vectors.at(score, 0.1) for score in scores])
    assert given[2:] == ["ann"] * (len(scores) - 2)


def test_a_name_is_given_up_when_the_evidence_turns() -> None:
    vectors = Embeddings()
    given = identities(Head(), [vectors.at(0.7, 0.1) for _ in range(4)] + [vectors.at(0.2, 0.1) for _ in range(12)])
    assert given[3] == "ann"
    assert given[-1] == "unknown"
    assert sum(before != after for before, after in pairwise(given)) == 2


def test_another_name_takes_over_only_with_a_clear_lead() -> None:
    vectors = Embeddings()
    start = [vectors.at(0.7, 0.6) for _ in range(4)]
    assert set(identities(Head(), start + [vectors.at(0.64, 0.66) for _ in range(4)])[2:]) == {"ann"}
    assert identities(Head(), start + [vectors.at(0.3, 0.9) for _ in range(9)])[-1] == "bob"


def test_the_score_is_the_mean_and_what_its_looks_gain() -> None:
    head, vectors, evidence = Head(), Embeddings(), Evidence()
    assert evidence.add(vectors.at(0.5, 0.1), 1.0, head).score == pytest.approx(0.5)
    # A look that is no like the first one at all is a second photo; a repeated one is not.
    assert evidence.add(vectors.at(0.6, 0.1), 1.0, head).score == pytest.approx(
        0.55 + SETTINGS.fusion_gain["cosine"] / 2, abs=0.003
    )
    same = Evidence()
    vector = vectors.at(0.5, 0.1)
    for _ in range(5):
        assert same.add(vector, 1.0, head).score == pytest.approx(0.5, abs=1e-6)


def test_better_looks_weigh_more() -> None:
    head, vectors, evidence = Head(), Embeddings(), Evidence()
    evidence.add(vectors.at(0.8, 0.1), 0.9, head)
    expected = 0.9 * 0.8 + 0.1 * 0.4 + SETTINGS.fusion_gain["cosine"] / 2 - 0.1 * SETTINGS.low_quality_penalty["cosine"]
    assert evidence.add(vectors.at(0.4, 0.1), 0.1, head).score == pytest.approx(expected, abs=0.001)


def test_poor_looks_must_say_more_until_a_good_one_comes() -> None:
    vectors = Embeddings()
    near = [vectors.at(0.6 - SETTINGS.fusion_gain["cosine"] / 2, 0.1) for _ in range(8)]
    assert identities(Head(), near, quality=1.0)[-1] == "ann"
    assert set(identities(Head(), near, quality=0.1)) == {"unknown"}
    head, evidence = Head(), Evidence()
    for vector in near:
        evidence.add(vector, 0.1, head)
    assert not evidence.verdict.accepted
    assert evidence.add(near[0], 1.0, head).identity == "ann"


def given(margin: float, looks: list[np.ndarray]) -> tuple[str, float]:
    evidence = Evidence(settings=EvidenceSettings(mean_vector_margin={"cosine": margin}))
    for look in looks:
        verdict = evidence.add(look, 1.0, Head())
    return verdict.identity, verdict.score


def test_the_mean_vector_must_reach_the_threshold_too() -> None:
    # The same look again and again: the mean vector is that look.
    looks = [Embeddings().at(0.61, 0.1)] * 20
    assert given(0.009, looks)[0] == "ann"
    assert given(0.011, looks) == ("unknown", pytest.approx(0.61, abs=1e-4))


def test_the_mean_vector_is_weighted_by_quality() -> None:
    evidence, (one, other) = Evidence(), np.eye(2, len(Embeddings().at(0.5, 0.1)), dtype=np.float32)
    for look, quality in ((one, 0.25), (other, 0.75)):
        evidence.add(look, quality, Head())
    mean = evidence.mean_vector()
    assert (mean.dtype, np.linalg.norm(mean)) == (np.float32, pytest.approx(1))
    assert mean[1] / mean[0] == pytest.approx(3)


def test_what_single_looks_get_wrong_cancels_out() -> None:
    vectors = Embeddings()
    looks = [vectors.at(0.61, 0.1) for _ in range(8)]
    # The mean of eight such looks has a length of about sqrt(1 / 8 + 7 / 8 * 0.38): it is far more alike than each.
    assert given(0.25, looks)[0] == "ann"
    assert given(0.39, looks)[0] == "unknown"


def test_a_name_is_not_taken_away_by_a_mean_vector_that_falls() -> None:
    vectors, evidence = Embeddings(), Evidence(settings=EvidenceSettings(mean_vector_margin={"cosine": 0.05}))
    names = [evidence.add(vectors.at(0.66, 0.1), 1.0, Head()).identity for _ in range(3)]
    same = vectors.at(0.6, 0.1)
    names += [evidence.add(same, 1.0, Head()).identity for _ in range(60)]
    assert names == ["unknown"] * 2 + ["ann"] * 61


def test_a_face_cut_off_counts_only_until_there_is_a_better_look() -> None:
    head, vectors, evidence = Head(), Embeddings(), Evidence()
    for _ in range(5):
        evidence.add(vectors.at(0.9, 0.1), 1.0, head, is_whole=False)
    assert (evidence.n_crops, evidence.verdict.accepted) == (0, False)
    assert evidence.verdict.score == pytest.approx(0.9 - SETTINGS.low_quality_penalty["cosine"])
    evidence.add(vectors.at(0.3, 0.1), 1.0, head)
    assert evidence.verdict.score == pytest.approx(0.3)
    assert evidence.n_crops == 1


def test_looks_beyond_the_limit_are_merged_and_go_on_counting() -> None:
    head, vectors, evidence = Head(), Embeddings(), Evidence()
    early = [vectors.at(0.2, 0.1) for _ in range(SETTINGS.max_crops)]
    for vector in early:
        evidence.add(vector, 1.0, head)
    late = vectors.at(0.8, 0.1)
    for _ in range(3 * SETTINGS.max_crops):
        evidence.add(late, 1.0, head)
    # Three quarters of all looks are the late ones; a mean of the kept twelve alone would be far lower.
    assert evidence.verdict.score > 0.6
    assert evidence.max_cosine(late) == pytest.approx(1.0, abs=1e-5)
    assert evidence.n_crops == 4 * SETTINGS.max_crops


def test_a_changed_head_is_believed_at_once() -> None:
    vectors, evidence = Embeddings(), Evidence()
    for _ in range(5):
        evidence.add(vectors.at(0.7, 0.1), 1.0, Head())
    assert evidence.decide(Head(threshold=0.5)).identity == "ann"
    assert evidence.decide(Head(threshold=0.75), reset=True).identity == "unknown"
    assert evidence.decide(Head(names=("bob",)), reset=True).identity == "bob"
    evidence.decide(Head(names=("eve",)))
    assert evidence.verdict.identity == "eve"


def test_the_heads_choice_has_the_last_word() -> None:
    class Chooses(Head):
        def match(self, vectors: np.ndarray) -> FakeMatch:
            scores = self.similarity(vectors)[:, 1]
            return FakeMatch(np.array(["bob"] * len(vectors)), scores, np.ones(len(vectors), np.int64))

    vectors = Embeddings()
    assert identities(Chooses(), [vectors.at(0.75, 0.65) for _ in range(SETTINGS.min_crops)])[-1] == "bob"


def test_nearly_known_faces_are_told() -> None:
    head, vectors = Head(), Embeddings()
    close, far = Evidence(), Evidence()
    close.add(vectors.at(0.56, 0.1), 1.0, head)
    far.add(vectors.at(0.3, 0.1), 1.0, head)
    assert (close.is_near_threshold, far.is_near_threshold) == (True, False)


def test_no_face_is_nearly_known_for_having_been_looked_at_often() -> None:
    head, vectors, evidence = Head(), Embeddings(), Evidence()
    for _ in range(SETTINGS.max_crops):
        evidence.add(vectors.at(0.52, 0.1), 1.0, head)
        assert not evidence.is_near_threshold
    assert evidence.verdict.score == pytest.approx(0.52 + SETTINGS.fusion_gain["cosine"], abs=0.005)


def test_without_looks_there_is_no_verdict() -> None:
    evidence = Evidence()
    assert evidence.is_empty
    assert evidence.decide(Head()).identity == "unknown"
    assert evidence.max_cosine(np.ones(LENGTH, np.float32)) == -1.0


def test_a_network_has_the_margin_that_was_measured_for_it() -> None:
    spaces = {
        path.stem: json.loads(path.read_text())["space"]
        for path in SHIPPED_FOLDER.glob("*.json")
        if not path.name.endswith(".clarity.json")
    }
    margins = {
        name: EvidenceSettings.for_network({"space": space}).mean_vector_margin for name, space in spaces.items()
    }
    default = SETTINGS.mean_vector_margin
    assert margins.pop("d8ba40c0127f") == {**default, "normalized": 0.045}, "of mobilefacenet-ms1m"
    assert len(margins) >= 5
    assert all(margin == default for margin in margins.values())
    assert EvidenceSettings.for_network({}) == SETTINGS
