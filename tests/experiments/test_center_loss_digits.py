"""The picture of the center loss, on a few epochs."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from experiments.center_loss_digits import Features, draw, learn


def test_the_center_loss_gathers_each_class() -> None:
    alone, with_centers = learn(0.0, epochs=12), learn(1.0, epochs=12)
    assert alone.points.shape == (540, 2)
    assert with_centers.intra_over_inter < 0.8 * alone.intra_over_inter
    assert min(alone.accuracy, with_centers.accuracy) > 0.5


@pytest.mark.parametrize("n_factors", [1, 3])
def test_every_factor_is_drawn_beside_the_others(tmp_path: Path, n_factors: int) -> None:
    rng = np.random.default_rng(0)
    found = [
        Features(float(i), rng.normal(size=(20, 2)), np.arange(20) % 10, rng.normal(size=(10, 2)), 0.9, 0.1)
        for i in range(n_factors)
    ]
    draw(found, tmp_path / "new" / "picture.png")
    width, height = Image.open(tmp_path / "new" / "picture.png").size
    assert width == pytest.approx(n_factors * 4.2 * 110, abs=5)
    assert height == pytest.approx(4.4 * 110, abs=5)
