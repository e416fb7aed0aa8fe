"""Settings: what is refused, and what may change when a run goes on."""

from typing import Any

import pytest

from embedder.training.settings import TrainingSettings, default_learning_rate


def test_defaults_are_a_complete_set() -> None:
    settings = TrainingSettings()
    assert settings.center_factor == 1e-2
    assert settings.source_size == 182
    assert TrainingSettings(**settings.to_dict()) == settings
    assert TrainingSettings(loss="arcface").center_factor == 0.0
    assert TrainingSettings(loss="arcface", center_loss_factor=0.1).center_factor == 0.1


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"loss": "hinge"}, "`loss` must be one of softmax, triplet, arcface, got 'hinge'"),
        ({"optimizer": "lion"}, "`optimizer` must be one of rmsprop, adam, adamw, sgd, adagrad, got 'lion'"),
        ({"train_from": "block9"}, "`train_from` must be one of stem, .* got 'block9'"),
        ({"batch_size": 1}, "`batch_size` must be at least 2, got 1: batch norm over a single face"),
        ({"batch_size": 0}, "`batch_size` must be at least 1, got 0"),
        ({"epochs": 0}, "`epochs` must be at least 1, got 0"),
        ({"learning_rate": 0.0}, "`learning_rate` must be greater than 0, got 0.0"),
        ({"learning_rate": float("nan")}, "`learning_rate` must be greater than 0, got nan"),
        ({"weight_decay": float("inf")}, "`weight_decay` must be at least 0, got inf"),
        ({"center_loss_factor": -1.0}, "`center_loss_factor` must be at least 0, got -1.0"),
        ({"center_loss_alfa": 1.0}, r"`center_loss_alfa` must be in \[0, 1\), got 1.0"),
        ({"keep_probability": 0.0}, r"`keep_probability` must be in \(0, 1\], got 0.0"),
        ({"batch_norm_momentum": 1.0}, r"`batch_norm_momentum` must be in \[0, 1\), got 1.0"),
        ({"image_size": 60}, "`image_size` must be at least 75 pixels, got 60"),
        ({"images_per_person": 1}, "`images_per_person` must be at least 2, got 1"),
        ({"width": -0.5}, "`width` must be greater than 0, got -0.5"),
        ({"validation_split": 1.0}, r"`validation_split` must be in \[0, 1\), got 1.0"),
        ({"loss": "triplet", "center_loss_factor": 0.1}, "`center_loss_factor` must be 0 with `loss` triplet"),
        (
            {"loss": "triplet", "batch_size": 12},
            r"`batch_size` must be a multiple of `images_per_person` \(5\) .* got 12",
        ),
        (
            {"loss": "triplet", "batch_size": 5},
            "must hold at least two people with `loss` triplet: expected at least 10, got 5",
        ),
        ({"cache_features": True}, "`cache_features` needs frozen layers before `train_from`, got 'stem'"),
        ({"cache_features": True, "train_from": "block8", "strategy": "mirrored"}, "`strategy` single, got 'mirrored'"),
        (
            {"cache_features": True, "train_from": "block8", "random_rotate": 5.0},
            "`random_rotate` and `random_brightness` 0",
        ),
        ({"class_start": "means"}, "`class_start` means needs a network that knows faces"),
        ({"class_start": "middle"}, "`class_start` must be one of random, means, got 'middle'"),
        ({"train_from": "block8"}, "`train_from` 'block8' would freeze random weights; name them with --pretrained"),
    ],
)
def test_what_cannot_be_trained_is_refused(given: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        TrainingSettings(**given)


def test_a_single_face_a_batch_goes_with_frozen_batch_norm() -> None:
    assert TrainingSettings(batch_size=1, freeze_batch_norm=True).batch_size == 1


def test_only_what_changes_nothing_may_differ_when_a_run_goes_on() -> None:
    earlier = TrainingSettings(epochs=5).to_dict()
    assert TrainingSettings(epochs=9, checkpoint_every=3, strategy="mirrored").differences(earlier) == []
    assert TrainingSettings(epochs=9, width=0.5).differences(earlier) == ["width 0.5 (was 1.0)"]
    cosine = TrainingSettings(epochs=5, decay="cosine").to_dict()
    assert TrainingSettings(epochs=9, decay="cosine").differences(cosine) == ["epochs 9 (was 5)"]


def test_unknown_optimizer_has_no_learning_rate() -> None:
    assert default_learning_rate("adam") == 1e-3
    with pytest.raises(ValueError, match=r"`optimizer` must be one of .* got 'lion'"):
        default_learning_rate("lion")
