"""The background model: its level against plain averages, its file, and the one that is shipped."""

import dataclasses
import io
import re
import time

import numpy as np
import pytest

from classifiers.errors import BackgroundError
from classifiers.scores.neighbors import unit_rows
from classifiers.scores.normalization import BACKGROUND_FOLDER, Background, find_background, read_background
from embedder.networks.joined import find_preset
from embedder.networks.presets import PRESETS
from tests.classifiers.people import make_background, make_people

DEFAULT_WEIGHTS = "704afe26766ce6215931b0bde68650835be9518613d40ce101e641708c7d5c78"
BACKGROUND = make_background()
ROWS = BACKGROUND.center(make_people(30, 1).vectors)


def test_the_level_is_the_soft_maximum_over_draws_of_the_mixture():
    rng = np.random.default_rng(0)
    n_draws = 400_000
    parts = rng.integers(len(BACKGROUND.weights), size=n_draws)
    inside = rng.normal(size=(n_draws, 8)) * np.sqrt(BACKGROUND.variances[parts]) + BACKGROUND.means[parts]
    basis = np.linalg.qr(BACKGROUND.components.T, mode="complete")[0][:, 8:]
    outside = rng.normal(size=(n_draws, 24)) * np.sqrt(BACKGROUND.residual_variance)
    draws = inside @ BACKGROUND.components + outside @ basis.T
    t = BACKGROUND.temperature
    expected = t * np.log(np.mean(np.exp(ROWS[:5] @ draws.T / t), axis=1))
    np.testing.assert_allclose(BACKGROUND.level(ROWS[:5]), expected, atol=0.01)


def test_a_face_among_many_has_a_higher_level():
    densest = unit_rows(BACKGROUND.means[:1] @ BACKGROUND.components)
    assert BACKGROUND.level(densest)[0] > BACKGROUND.level(-densest)[0] + 0.2


def test_centring_subtracts_the_mean_and_keeps_unit_length():
    units = make_people(4, 1).vectors
    expected = units - BACKGROUND.mean
    expected /= np.linalg.norm(expected, axis=1, keepdims=True)
    np.testing.assert_allclose(BACKGROUND.center(units), expected, atol=1e-6)
    np.testing.assert_array_equal(BACKGROUND.center(BACKGROUND.mean[None]), np.zeros((1, 32)))
    assert BACKGROUND.level(ROWS[:0]).shape == (0,)


def test_the_users_strangers_join_the_cohort():
    strangers = make_people(50, 1, seed=4).vectors
    joined = BACKGROUND.with_cohort(strangers)
    t = BACKGROUND.temperature
    before = np.exp(BACKGROUND.level(ROWS) / t)
    cohort = np.mean(np.exp(ROWS @ BACKGROUND.center(strangers).T / t), axis=1)
    np.testing.assert_allclose(joined.level(ROWS), t * np.log(before * 100 / 150 + cohort * 50 / 150), atol=1e-5)
    assert len(joined.with_cohort(strangers).cohort) == 100
    with pytest.raises(ValueError, match="`strangers` must hold vectors of length 32, got 2"):
        BACKGROUND.with_cohort(np.eye(2))


def test_it_survives_its_file(tmp_path):
    BACKGROUND.with_cohort(ROWS).write(tmp_path / "b.npz")
    read = read_background(tmp_path / "b.npz")
    np.testing.assert_array_equal(read.level(ROWS), BACKGROUND.with_cohort(ROWS).level(ROWS))
    assert (read.record, read.n_identities, read.temperature) == (BACKGROUND.record, 100, 0.1)


def npz(**arrays):
    buffer = io.BytesIO()
    np.savez(buffer, **arrays)
    return buffer.getvalue()


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"no archive",
        npz(mean=np.zeros(3)),
        npz(**{**BACKGROUND.to_arrays(), "mean": np.zeros(3)}),
        npz(**{**BACKGROUND.to_arrays(), "record": np.array("{}")}),
        npz(**{**BACKGROUND.to_arrays(), "record": np.array("[")}),
        npz(**{**BACKGROUND.to_arrays(), "record": np.array({}, dtype=object)}),
        npz(**{**BACKGROUND.to_arrays(), "weights": np.full(3, np.nan)}),
        npz(**{**BACKGROUND.to_arrays(), "weights": np.full(3, -1.0)}),
    ],
)
def test_refuses_files_that_are_no_background(content, tmp_path):
    (tmp_path / "b.npz").write_bytes(content)
    with pytest.raises(BackgroundError, match=r"b\.npz: expected a background model"):
        read_background(tmp_path / "b.npz")
    with pytest.raises(FileNotFoundError):
        read_background(tmp_path / "absent.npz")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"mean": np.zeros(3, np.float32)}, "must fit together"),
        ({"temperature": 0.0}, "temperature above 0"),
        ({"temperature": np.nan}, "must be finite"),
        ({"variances": -BACKGROUND.variances}, "no weight or variance below 0"),
        # Of damaged heads: finite, but scores would overflow.
        ({"components": np.where(BACKGROUND.components == BACKGROUND.components[0, 0], 1e38, 0)}, "no number beyond 2"),
        ({"residual_variance": 1e300}, "no number beyond 2"),
        ({"residual_variance": -0.1}, "no number beyond 2"),
    ],
)
def test_refuses_numbers_that_make_no_model(changes, message):
    with pytest.raises(BackgroundError, match=message):
        dataclasses.replace(BACKGROUND, **changes)


def test_found_through_the_weights_of_a_fingerprint(tmp_path):
    BACKGROUND.write(tmp_path / f"{'0' * 12}.npz")
    assert find_background({"space": {"weights_sha256": "0" * 64}}, folder=tmp_path).n_identities == 100
    assert find_background({"space": {"weights_sha256": "0" * 63 + "1"}}, folder=tmp_path) is None
    assert find_background({"space": {"weights_sha256": "f" * 64}}, folder=tmp_path) is None
    assert find_background({}, folder=tmp_path) is None
    assert find_background(None, folder=tmp_path) is None


SHIPPED = {
    find_preset(name).weights_sha256: find_preset(name).space["embedding_length"]
    for name in (
        *PRESETS,
        "facenet-casia-20180408+facenet-ms1m-keras",
        "mobilefacenet-ms1m+facenet-casia-20180408",
        "mobilefacenet-ms1m+facenet-ms1m-keras",
        "mobilefacenet-ms1m+facenet-ms1m-keras+facenet-casia-20180408",
    )
}


def test_every_shipped_model_is_tested():
    assert {path.stem for path in BACKGROUND_FOLDER.glob("*.npz")} == {weights[:12] for weights in SHIPPED}


@pytest.mark.parametrize(("weights", "length"), SHIPPED.items())
def test_the_shipped_ones_are_small_quick_and_describe_themselves(weights, length):
    background = find_background({"space": {"weights_sha256": weights}})
    assert (BACKGROUND_FOLDER / f"{weights[:12]}.npz").stat().st_size < 400_000
    assert background.n_identities > 4000
    assert "LFW" in background.record["measured_on"]
    assert any(name in background.record["recipe"] for name in ("fit_background", "facetable preset calibrate"))
    probe = background.center(make_people(1, 1, length=length).vectors)
    background.level(probe)
    seconds = []
    for _ in range(20):
        start = time.thread_time()
        background.level(background.center(probe))
        seconds.append(time.thread_time() - start)
    assert np.median(seconds) < 0.002


@pytest.mark.parametrize("weights", SHIPPED)
def test_the_shipped_ones_hold_groups_not_people(weights):
    background = find_background({"space": {"weights_sha256": weights}})
    assert len(background.cohort) == 0
    assert background.weights.min() * background.n_identities >= 10
    assert background.weights.sum() == pytest.approx(1.0, abs=1e-5)


def test_refuses_bad_arrays_by_themselves():
    with pytest.raises(BackgroundError, match="its arrays are not those of one: it lacks 'mean'"):
        Background.from_arrays({"record": np.array("{}")})


@pytest.mark.parametrize(
    ("content", "found"),
    [
        (b"", "an empty file"),
        (b"text", "text"),
        (b"PK\x03\x04 broken", "a zip archive, such as a head"),
        (b"PK\x05\x06" + bytes(18), "a damaged one or another archive (its arrays are not those of one:"),
    ],
)
def test_a_damaged_model_brings_no_advice_to_unpickle(content, found, tmp_path):
    (tmp_path / "b.npz").write_bytes(content)
    with pytest.raises(BackgroundError, match=f"a background model, found {re.escape(found)}") as raised:
        read_background(tmp_path / "b.npz")
    assert "pickle" not in str(raised.value)


def test_a_model_with_objects_brings_no_advice_to_unpickle(tmp_path):
    np.savez(tmp_path / "b.npz", mean=np.array([{}], dtype=object))
    with pytest.raises(BackgroundError, match="its arrays cannot be read"):
        read_background(tmp_path / "b.npz")


def test_described_in_two_lines():
    background = make_background()
    first, second = repr(background).splitlines()
    assert first == "Background of 100 people, made-up people"
    assert second == "  for vectors of length 32, temperature 0.1"
    assert "and 1 stranger of yours" in repr(background.with_cohort(np.eye(32)[:1]))
