"""Measuring a preset: who is refused, what is written, and that heads and groups find it."""

import json

import numpy as np
import pytest

from classifiers.errors import BackgroundError
from classifiers.groups.similarity import cluster_curve
from classifiers.presets import calibrate as module
from classifiers.presets.calibrate import calibrate, describe, read_calibration
from classifiers.presets.choice import Settings
from classifiers.scores.gallery import Gallery
from classifiers.scores.normalization import find_background
from classifiers.scores.preset_files import own_folder, own_name, photo_numbers
from classifiers.scores.thresholds import curve_for
from tests.classifiers.people import make_background, make_people

SPACE = {"weights_sha256": "a" * 64, "embedding_length": 24, "crop_size": 112}
FINGERPRINT = {"space": SPACE}


def gallery_of(n_people, n_photos=2):
    people = make_people(n_people, n_photos, length=24, spread=0.8)
    hashes = [f"{row * 104729:08x}{'0' * 56}" for row in range(len(people.vectors))]
    names = [f"person {row // n_photos:04d}" for row in range(len(people.vectors))]
    return Gallery.build(people.vectors, names, paths=[f"{digest}.jpg" for digest in hashes], image_sha256=hashes)


@pytest.fixture
def quick(monkeypatch):
    monkeypatch.setattr(module, "REPEATS", 4)
    monkeypatch.setattr("classifiers.presets.choice.N_HALVES", 2)
    monkeypatch.setattr(
        module, "measure_settings", lambda people: {Settings(32, 0.06): np.array([[0.5, 0.7], [0.6, 0.8]])}
    )
    few = {"sizes": (20, 100)}
    measure = module.measure_curve
    monkeypatch.setattr(module, "measure_curve", lambda *args, **options: measure(*args, **options, **few))
    monkeypatch.setattr(
        module, "measure_normalized_curve", lambda faces, seed, n_components, temperature: ((20, 0.2), (100, 0.25))
    )


def test_everything_is_measured_written_and_found(quick, tmp_path, monkeypatch):
    monkeypatch.setenv("FACETABLE_CACHE", str(tmp_path))
    gallery = gallery_of(1000)
    result = calibrate(gallery, FINGERPRINT, name="made-up people")
    record = result.record
    assert (record["n_people"], record["n_photos"], record["measured_on"]) == (1000, 2000, "made-up people")
    assert record["found_on_halves"]["tpir_at_fpir_0.01"] == {"value": 0.75, "low": 0.7, "high": 0.8}
    assert record["curves"]["cosine"]["n_exemplars"] == [30, 100, 300]
    assert record["verification"]["accuracy"]["low"] > 0.9
    assert len(record["verification"]["accuracy"]) == 3
    assert (result.background.n_identities, result.background.temperature) == (1000, 0.06)
    assert np.array_equal(result.photos, photo_numbers(gallery.image_sha256))
    stem = own_folder() / own_name(FINGERPRINT)
    assert [path.name for path in result.write(stem)] == [
        f"{stem.name}{end}" for end in (".npz", ".json", ".photos.npy")
    ]
    background = find_background(FINGERPRINT)
    assert curve_for(FINGERPRINT, background).at(100) == record["curves"]["normalized"]["thresholds"][1]
    assert cluster_curve(FINGERPRINT, normalized=False)[0][0] == 20
    assert cluster_curve(FINGERPRINT, normalized=True) == ((20, 0.2), (100, 0.25))
    again = read_calibration(stem, FINGERPRINT)
    assert again.record == json.loads(json.dumps({**record, "photos_file": f"{stem.name}.photos.npy"}))
    assert describe(again)[0] == "measured on made-up people: 1,000 people, 2,000 photos"
    with pytest.raises(BackgroundError, match="found that of another"):
        read_calibration(stem, {"space": {**SPACE, "weights_sha256": "b" * 64}})
    stem.with_name(f"{stem.name}.photos.npy").write_bytes(b"no array")
    with pytest.raises(BackgroundError, match="expected what was measured for a preset, found"):
        read_calibration(stem, FINGERPRINT)


def test_fewer_components_where_one_of_so_many_holds_too_few_people(quick, monkeypatch):
    tried = []

    def holds_groups(figures):
        tried.append(figures["fewest_identities_in_a_component"])
        return len(tried) > 2

    monkeypatch.setattr(module, "holds_groups", holds_groups)
    chosen = {Settings(32, 0.06): np.array([[0.5, 0.7]] * 2), Settings(20, 0.06): np.array([[0.4, 0.6]] * 2)}
    given = []

    def measure_settings(people, **only):
        given.append(only)
        return {settings: rates for settings, rates in chosen.items() if (settings.n_components == 20) == bool(only)}

    monkeypatch.setattr(module, "measure_settings", measure_settings)
    monkeypatch.setattr(module, "fit_background", lambda vectors, **settings: make_background(length=24))
    for name in ("measure_curves", "measure_cluster_curves", "measure_verification"):
        monkeypatch.setattr(module, name, lambda *args, **options: {})
    record = calibrate(gallery_of(1000), FINGERPRINT, name="made-up people").record
    assert given == [{}, {"temperatures": [0.06], "components": [20]}]
    assert record["settings"]["n_components"] == 20
    assert record["found_on_halves"]["tpir_at_fpir_0.01"]["value"] == 0.6
    assert [row["n_components"] for row in record["settings"]["tried"]] == [32, 20]


@pytest.mark.parametrize(
    ("gallery", "reason"),
    [
        (gallery_of(999), "at least 1,000 people to calibrate a preset on, found 999: half of them fit the background"),
        (gallery_of(1000, 1), "at least 100 people with two photos, found 0: what is found"),
    ],
)
def test_too_few_people_are_refused_with_the_reason(gallery, reason):
    with pytest.raises(BackgroundError, match=reason):
        calibrate(gallery, FINGERPRINT, name="few")
