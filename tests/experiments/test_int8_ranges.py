from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from embedder.detection.alignment import CropRule
from embedder.networks.presets import DEFAULT_PRESET, Preset, get_preset, write_preset
from embedder.runtime import activation_ranges, conversion
from experiments.int8_ranges import main, photos_of_others, real_crops


def test_people_of_the_pairs_are_left_out(tmp_path: Path) -> None:
    pairs = tmp_path / "pairs.txt"
    pairs.write_text("1\t1\nAnn_A\t1\t2\nBob_B\t1\tEve_E\t1\n")
    paths = [Path(name) for name in ("Ann_A/Ann_A_0001.jpg", "Bob_B/1.jpg", "Eve_E/1.jpg", "Zoe_Z/1.jpg")]
    assert photos_of_others(paths, pairs) == [Path("Zoe_Z/1.jpg")]
    assert photos_of_others(paths, None) == paths


@pytest.mark.realdata
def test_the_largest_face_of_each_photo_is_cropped(data: Path) -> None:
    root = data / "lfw" / "images"
    paths = [path.relative_to(root) for path in sorted(root.glob("*/*.jpg"))[:2]]
    crops = list(real_crops(root, paths, rule=CropRule(96)))
    assert [crop.shape for crop in crops] == [(1, 96, 96, 3)] * 2
    assert all(crop.std() > 20 for crop in crops)


@pytest.mark.realdata
def test_the_ranges_of_a_run_lie_in_its_folder(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    run: Preset = replace(
        get_preset(DEFAULT_PRESET),
        name="run",
        weights_file="weights.safetensors",
        builder="embedder.networks.inception_resnet_v1:from_safetensors",
    )
    write_preset(tmp_path, run)
    batches: list[np.ndarray] = []

    def measure(network: Path, crops: "list[np.ndarray]") -> activation_ranges.Ranges:
        batches.extend(crops)
        return {"images": (-1.0, 1.0)}

    monkeypatch.setattr(activation_ranges, "measure_ranges", measure)
    convert = conversion.convert
    monkeypatch.setattr(conversion, "convert", lambda source: tmp_path if source.name == "run" else convert(source))
    photos = str(data / "people" / "train")
    assert main([photos, "--preset", str(tmp_path), "--crops", "2", "--measured-on", "two photos"]) == 0
    assert activation_ranges.read_ranges(tmp_path / "int8.json") == {"images": (-1.0, 1.0)}
    assert [batch.shape for batch in batches] == [(2, 160, 160, 3)]
    assert "ranges measured on 2 faces" in capsys.readouterr().out
