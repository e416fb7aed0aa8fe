"""Which faces each step sees."""

from collections import Counter

import numpy as np
import pytest

from embedder.training.data.batches import PeopleBatches, PermutedBatches, epoch_length


def test_every_face_comes_equally_often() -> None:
    batches = PermutedBatches(10, batch_size=4, seed=0)
    seen = np.concatenate([batches.indices(step) for step in range(15)])
    assert Counter(seen.tolist()) == dict.fromkeys(range(10), 6)
    assert sorted(seen[:10].tolist()) == list(range(10))
    assert seen[:10].tolist() != seen[10:20].tolist()


def test_a_step_depends_on_seed_and_number_alone() -> None:
    forward = PermutedBatches(7, batch_size=5, seed=1)
    expected = [forward.indices(step).tolist() for step in range(9)]
    backward = PermutedBatches(7, batch_size=5, seed=1)
    assert [backward.indices(step).tolist() for step in reversed(range(9))] == expected[::-1]
    assert PermutedBatches(7, batch_size=5, seed=2).indices(0).tolist() != expected[0]


def test_a_batch_may_be_larger_than_the_folder() -> None:
    assert Counter(PermutedBatches(3, batch_size=7, seed=0).indices(0).tolist()).most_common(1)[0][1] == 3


def test_people_batches_hold_p_people_with_k_faces() -> None:
    labels = np.array([3, 0, 0, 1, 1, 1, 2, 2, 2, 2, 3])
    batches = PeopleBatches(labels, batch_size=9, images_per_person=3, seed=0)
    for step in range(20):
        chosen = batches.indices(step)
        counts = Counter(labels[chosen].tolist())
        assert sorted(counts.values()) == [3, 3, 3]
        for person, faces in ((1, 3), (2, 3)):
            if person in counts:
                assert len(set(chosen[labels[chosen] == person].tolist())) == faces
    assert (
        batches.indices(4).tolist()
        == PeopleBatches(labels, batch_size=9, images_per_person=3, seed=0).indices(4).tolist()
    )


def test_too_few_people_for_a_batch_are_refused() -> None:
    with pytest.raises(ValueError, match="`batch_size` 9 needs 3 people with `images_per_person` 3, the folder has 2"):
        PeopleBatches(np.array([0, 0, 1, 1]), batch_size=9, images_per_person=3, seed=0)


def test_an_epoch_is_one_pass_unless_said_otherwise() -> None:
    assert [epoch_length(n, batch_size=4, epoch_size=0) for n in (1, 4, 5)] == [1, 1, 2]
    assert epoch_length(100, batch_size=4, epoch_size=7) == 7
