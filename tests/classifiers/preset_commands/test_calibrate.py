"""``facetable preset calibrate``: what is written where, and what is refused."""

import json

import numpy as np
import pytest

from classifiers.preset_commands.calibrate import space_of
from classifiers.presets import calibrate as library
from classifiers.scores.normalization import find_background
from classifiers.scores.preset_files import own_folder
from embedder.networks.joined import find_preset
from facetable import main
from tests.classifiers.people import make_background, make_people
from tests.test_train_classifier import write_table

WEIGHTS = "c" * 64


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("FACETABLE_CACHE", str(tmp_path / "cache"))


@pytest.fixture
def record(tmp_path):
    path = tmp_path / "mine.json"
    preset = {"name": "mine", "weights_file": "mine.onnx", "weights_sha256": WEIGHTS, "input_size": 112}
    path.write_text(json.dumps({**preset, "embedding_size": 32}))
    return path


@pytest.fixture
def measured(record, monkeypatch):
    """What the library would have measured."""

    def calibrate(gallery, fingerprint, *, name, seed):
        library.check_people(gallery, name=name)
        background = make_background()
        background.record.update(weights_sha256=WEIGHTS, space=fingerprint["space"])
        interval = {"value": 0.9, "low": 0.8, "high": 1.0}
        curve = {"n_exemplars": [30, 100], "thresholds": [0.3, 0.4], "standard_deviations": [0.0, 0.0]}
        made = {
            "weights_sha256": WEIGHTS,
            "space": fingerprint["space"],
            "measured_on": name,
            "n_people": len(gallery.labels),
            "n_photos": len(gallery),
            "settings": {"n_components": 64, "temperature": 0.06},
            "found_on_halves": {"tpir_at_fpir_0.01": interval},
            "curves": {"cosine": curve, "normalized": curve},
            "clustering": {"cosine": [[20, 0.4]], "normalized": [[20, 0.3]]},
            "verification": {"distance": 1.05, "accuracy": interval, "n_pairs": 10},
        }
        return library.Calibration(background, made, np.zeros(0, np.uint32))

    monkeypatch.setattr(library, "calibrate", calibrate)
    return record


def table_of(path, record, people):
    write_table(path, people, weights=WEIGHTS, space=space_of(find_preset(record)))
    return str(path)


def test_files_lie_beside_the_record_and_are_found(measured, tmp_path, capsys):
    table = table_of(tmp_path / "many.h5", measured, make_people(1000, 2))
    assert main(["preset", "calibrate", str(measured), table, "--name", "made-up people"]) == 0
    told = capsys.readouterr().out
    assert "measured on made-up people: 1,000 people, 2,000 photos" in told
    beside = sorted(path.name for path in tmp_path.glob("mine*"))
    assert beside == ["mine.calibration.json", "mine.calibration.npz", "mine.calibration.photos.npy", "mine.json"]
    fingerprint = {"space": space_of(find_preset(measured))}
    assert find_background(fingerprint) is not None
    assert find_preset(measured).verification_threshold == 1.05
    # On another machine the files beside the record are taken into use.
    for path in own_folder().iterdir():
        path.unlink()
    assert find_background(fingerprint) is None
    assert main(["preset", "calibrate", str(measured)]) == 0
    assert "taken into use for mine, measured on made-up people, 1,000 people" in capsys.readouterr().out
    assert find_background(fingerprint) is not None


def test_what_cannot_be_calibrated(measured, tmp_path, capsys):
    few = table_of(tmp_path / "few.h5", measured, make_people(999, 2))
    assert main(["preset", "calibrate", str(measured), few]) == 2
    assert "few: expected at least 1,000 people to calibrate a preset on, found 999" in capsys.readouterr().err
    assert main(["preset", "calibrate", "facenet-casia-20180408", few]) == 2
    assert "expected crop_size 160" in capsys.readouterr().err
    assert main(["preset", "calibrate", str(measured)]) == 2
    assert "mine.calibration.npz: expected what was measured for the preset, found no file" in capsys.readouterr().err
    assert main(["preset", "calibrate", "facenet-casia-20180408"]) == 2
    assert "expected tables to calibrate it on, got none" in capsys.readouterr().err
    assert not list(tmp_path.glob("mine.calibration*"))
