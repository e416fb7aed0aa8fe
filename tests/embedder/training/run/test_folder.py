"""The run's folder: checkpoints that survive damage, and logs that a killed run leaves."""

from pathlib import Path

import numpy as np
import pytest

from embedder.training.run.folder import CheckpointError, CsvLog, RunFolder, RunFolderError, RunLockedError

STATE = {
    "network/layer/kernel": np.arange(6, dtype=np.float32).reshape(2, 3),
    "optimizer/0": np.array(7),
    "run/best": np.array(-np.inf),
}


def _last_step(path: Path) -> int:
    found = RunFolder(path).read_last_checkpoint()
    return -1 if found is None else found[0]


def test_a_checkpoint_comes_back_as_it_was(tmp_path: Path) -> None:
    with RunFolder(tmp_path) as run:
        assert run.read_last_checkpoint() is None
        assert run.describe_last() == "none (the run begins anew)"
        run.save_checkpoint(STATE, step=5, is_best=False)
        step, arrays = run.read_last_checkpoint() or (0, {})
    assert step == 5
    assert arrays.keys() == STATE.keys()
    for name, array in STATE.items():
        np.testing.assert_array_equal(arrays[name], array)
        assert (arrays[name].dtype, arrays[name].shape) == (array.dtype, array.shape)


def test_the_last_two_and_the_best_are_kept(tmp_path: Path) -> None:
    with RunFolder(tmp_path) as run:
        for step in (1, 2, 3, 4):
            run.save_checkpoint(STATE | {"optimizer/0": np.array(step)}, step=step, is_best=step == 2)
    from safetensors.numpy import load_file

    assert sorted(path.name for path in (tmp_path / "checkpoints").iterdir()) == [
        "best.safetensors",
        "step-000000003.safetensors",
        "step-000000004.safetensors",
    ]
    assert int(load_file(tmp_path / "checkpoints" / "best.safetensors")["optimizer/0"]) == 2


def test_a_damaged_checkpoint_gives_way_to_the_one_before(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with RunFolder(tmp_path) as run:
        run.save_checkpoint(STATE, step=1, is_best=False)
        path = run.save_checkpoint(STATE, step=2, is_best=False)
        path.write_bytes(path.read_bytes()[:-10])
        assert _last_step(tmp_path) == 1
        assert "is damaged" in caplog.text
        (tmp_path / "checkpoints" / "step-000000001.safetensors").write_bytes(b"")
        with pytest.raises(
            RunFolderError, match="expected a readable checkpoint, found 2 damaged; start again in another -o"
        ):
            run.read_last_checkpoint()


def test_a_file_system_without_hard_links_gets_a_copy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(self: Path, target: Path) -> None:
        raise OSError(1, "not supported")

    monkeypatch.setattr(Path, "hardlink_to", refuse)
    with RunFolder(tmp_path) as run:
        path = run.save_checkpoint(STATE, step=1, is_best=True)
    assert (tmp_path / "checkpoints" / "best.safetensors").read_bytes() == path.read_bytes()


def test_a_checkpoint_that_cannot_be_written_names_the_one_before(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with RunFolder(tmp_path) as run:
        run.save_checkpoint(STATE, step=1, is_best=False)

        def fail(path: Path, content: bytes) -> None:
            raise OSError(28, "No space left on device")

        monkeypatch.setattr("embedder.training.run.folder.write_bytes_atomically", fail)
        with pytest.raises(
            CheckpointError, match=r"step 2: could not be written .* the last good checkpoint is .*step-000000001"
        ):
            run.save_checkpoint(STATE, step=2, is_best=False)
    assert _last_step(tmp_path) == 1


def test_what_a_killed_writer_left_is_removed(tmp_path: Path) -> None:
    with RunFolder(tmp_path):
        (tmp_path / "checkpoints" / ".1-ab.tmp").write_bytes(b"half")
    with RunFolder(tmp_path):
        assert list((tmp_path / "checkpoints").iterdir()) == []


def test_one_process_holds_it_and_then_another(tmp_path: Path) -> None:
    with RunFolder(tmp_path / "run"):
        with pytest.raises(RunLockedError, match="wait for it, or choose another -o"), RunFolder(tmp_path / "run"):
            pass
        with RunFolder(tmp_path / "run", writes=False):
            pass
    with RunFolder(tmp_path / "run"):
        pass


@pytest.mark.parametrize("text", ["{", "[]", '{"settings": 3, "data_sha256": "a"}', '{"settings": {}}'])
def test_damaged_settings_are_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "config.json").write_text(text)
    with (
        RunFolder(tmp_path) as run,
        pytest.raises(RunFolderError, match="expected the settings of a run, found a damaged file"),
    ):
        run.read_config()


def test_a_log_is_cut_where_the_run_goes_on(tmp_path: Path) -> None:
    path = tmp_path / "history.csv"
    log = CsvLog(path, ("loss",), first_step=0)
    for step in range(5):
        log.add(step, {"loss": step / 3, "other": 1.0})
    log.close()
    with path.open("a") as file:
        file.write("5,0.1")
    log = CsvLog(path, ("loss",), first_step=3)
    log.add(3, {"loss": float("nan")})
    log.close()
    assert path.read_text().splitlines() == [
        "step,loss",
        "0,0.0",
        "1,0.3333333333333333",
        "2,0.6666666666666666",
        "3,nan",
    ]
