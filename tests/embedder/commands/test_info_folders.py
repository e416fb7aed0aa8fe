import json
from pathlib import Path
from typing import Any

import pytest

from embedder.commands.info import describe_file, info_lines
from embedder.errors import TableError, WeightsError
from embedder.networks.presets import Preset, write_preset
from tests.embedder.fakes import make_table

CONFIG = {
    "format": "facetable-run",
    "version": 1,
    "folder": "/faces",
    "n_faces": 48,
    "n_identities": 6,
    "settings": {"loss": "softmax", "epochs": 2, "pretrained": None},
    "versions": {"keras": "3"},
}


def make_run(folder: Path, *, steps: tuple[int, ...], config: Any = CONFIG) -> Path:
    (folder / "checkpoints").mkdir(parents=True)
    (folder / "config.json").write_text(config if isinstance(config, str) else json.dumps(config))
    for step in steps:
        (folder / "checkpoints" / f"step-{step:09d}.safetensors").touch()
    (folder / "checkpoints" / "best.safetensors").touch()
    return folder


def make_preset(folder: Path) -> None:
    write_preset(
        folder,
        Preset(
            name="run",
            builder="embedder.networks.inception_resnet_v1:from_safetensors",
            weights_file="w.safetensors",
            weights_sha256="0" * 64,
            input_size=80,
            embedding_size=16,
            standardization="fixed",
            accuracy="not measured",
            licence="yours",
        ),
    )


@pytest.mark.parametrize(("steps", "kept"), [((), 0), ((40, 80), 80)])
def test_an_unfinished_run(tmp_path: Path, steps: tuple[int, ...], kept: int) -> None:
    description = describe_file(make_run(tmp_path / "run", steps=steps))
    assert description["kind"] == "unfinished run"
    assert (description["n_faces"], description["n_identities"], description["steps_kept"]) == (48, 6, kept)
    lines = info_lines(description)
    assert "  pretrained: none" in lines and lines[-1].startswith("next: run the same train command to go on")
    assert not any(line.endswith(": ") for line in lines)


def test_a_run_that_is_a_preset(tmp_path: Path) -> None:
    make_preset(make_run(tmp_path / "run", steps=(12,)))
    description = describe_file(tmp_path / "run")
    assert (description["kind"], description["steps_kept"], description["licence"]) == ("preset", 12, "yours")
    lines = info_lines(description)
    assert "verification_threshold: not known" in lines
    assert not any(line.startswith(("how_to_get", "weights_package")) for line in lines)


def test_a_preset_alone(tmp_path: Path) -> None:
    make_preset(tmp_path)
    assert "settings" not in describe_file(tmp_path)
    (tmp_path / "preset.json").write_text("no json")
    with pytest.raises(WeightsError, match=r"preset\.json: not JSON"):
        describe_file(tmp_path)
    (tmp_path / "preset.json").write_text("[" * 100_000)
    with pytest.raises(WeightsError, match=r"preset\.json: not JSON"):
        describe_file(tmp_path)


def test_a_run_with_damaged_settings(tmp_path: Path) -> None:
    with pytest.raises(TableError, match=r"config\.json: expected the settings of a run, found a damaged file"):
        describe_file(make_run(tmp_path / "run", steps=(), config="{"))
    with pytest.raises(TableError, match=r"config\.json: expected the settings of a run, found a damaged file"):
        describe_file(make_run(tmp_path / "deep", steps=(), config='{"a":' * 100_000))


def test_the_settings_of_something_else(tmp_path: Path) -> None:
    with pytest.raises(TableError, match="expected the folder of a training run"):
        describe_file(make_run(tmp_path / "x", steps=(), config={"format": "other"}))


def test_parts_of_a_table(tmp_path: Path) -> None:
    folder = tmp_path / "faces.h5.parts"
    folder.mkdir()
    empty = describe_file(folder)
    assert (empty["kind"], empty["photos"], empty["faces"]) == ("unfinished table", 0, 0)
    assert "photo_root" not in empty and empty["next"].endswith("make faces.h5")
    make_table([1, 2, 0]).write(folder / "a.h5")
    (folder / "b.h5").write_bytes((folder / "a.h5").read_bytes()[:1000])
    description = describe_file(folder)
    assert (description["photos"], description["faces"]) == (3, 3)
    assert description["photos_by_status"] == {"ok": 2, "no_face": 1} and description["failures"] == []
    assert description["fingerprint"]["provenance"] == {"detector": "fake"} and description["photo_root"]
    assert len(description["damaged_parts"]) == 1 and "b.h5" in description["damaged_parts"][0]
    assert json.loads(json.dumps(description)) == description
