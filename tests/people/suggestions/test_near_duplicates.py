"""Nearly equal vectors under different names: all are found among few, nearly all among many."""

import numpy as np

from people.suggestions import near_duplicates as module
from people.suggestions.near_duplicates import near_duplicates


def made(n: int, pairs: list[tuple[int, int]]) -> tuple[np.ndarray, np.ndarray]:
    vectors = np.random.default_rng(3).standard_normal((n, 64)).astype(np.float32)
    for one, two in pairs:
        vectors[two] = vectors[one] + 0.15 * vectors[two]
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True), np.arange(n) % 7


def test_a_pair_of_one_name_is_none_and_each_row_is_in_one_pair():
    vectors, labels = made(40, [(0, 7), (1, 3), (1, 4)])
    found = near_duplicates(vectors, labels)
    assert len(found) == 1 and found[0][0] == 1 and found[0][1] in (3, 4) and found[0][2] > 0.95
    assert near_duplicates(vectors[:0], labels[:0]) == []


def test_among_many_they_are_found_by_their_signs(monkeypatch):
    pairs = [(one, one + 501) for one in range(100)]
    vectors, labels = made(1000, pairs)
    monkeypatch.setattr(module, "_MOST_COMPARED", 10)
    found = {(one, two) for one, two, _ in near_duplicates(vectors, labels)}
    assert found <= set(pairs) and len(found) >= 95
