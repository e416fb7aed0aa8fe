"""What a second witness knows, worked by hand."""

import numpy as np
import pytest

from experiments.false_faces import ask


def test_a_witness_is_asked_at_the_threshold_that_loses_few_true_boxes() -> None:
    is_true = np.array([True] * 200 + [False] * 4)
    is_clear = np.array([False] * 200 + [True, True, False, False])
    values = np.concatenate([np.linspace(0.2, 1, 200), [0.1, 0.9, 0.15, 0.5]])
    figure = ask(values, is_true, is_clear)
    assert 0.2 < figure["threshold"] < 0.21
    assert figure["false"] == 0.5 and figure["no_face_at_all"] == 0.5
    assert figure["auc"] == pytest.approx((200 + 25) / 400)
    assert ask(-values, is_true, is_clear)["false"] == 0
