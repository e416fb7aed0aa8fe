"""A twentieth of the study: files damaged by number, in few enough kinds to be quick."""

from pathlib import Path

import pytest

from embedder.hdf5 import examination
from experiments import damaged_hdf5
from experiments.damage import damage
from experiments.damaged_hdf5 import made_weights, read_part, read_table, read_weights, try_files
from tests.embedder.fakes import make_table
from tests.embedder.table_files import write_version_1


@pytest.fixture(autouse=True)
def _no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(damaged_hdf5, "_UNTIL_REMEMBERED_S", 0.0)
    monkeypatch.setattr(examination, "_RACY_NS", -(10**18))


def test_damage_follows_from_its_number() -> None:
    content = bytes(range(256)) * 40
    made = [damage(content, number, others=[b"other"]) for number in range(200)]
    assert made == [damage(content, number, others=[b"other"]) for number in range(200)]
    assert {kind for kind, _ in made} == {"flip", "cut", "remove", "blank", "lengthen", "splice"}
    assert all(damaged != content for _, damaged in made)


@pytest.mark.parametrize("version", [1, 2])
def test_damaged_parts_are_refused_or_whole(tmp_path: Path, version: int) -> None:
    table = make_table([1, 2, 0, 3])
    if version == 1:
        write_version_1(tmp_path / "t.h5", table)
    else:
        table.write(tmp_path / "t.h5")
    outcome = try_files((tmp_path / "t.h5").read_bytes(), read_part, numbers=range(20))
    assert outcome.faults == [] and outcome.n_refused + outcome.n_accepted == 20
    assert outcome.n_refused == 20 if version == 2 else outcome.n_refused > 5


def test_damaged_tables_of_version_2_are_refused(tmp_path: Path) -> None:
    make_table([1, 2, 0, 3]).write(tmp_path / "t.h5")
    outcome = try_files((tmp_path / "t.h5").read_bytes(), read_table, numbers=range(8))
    assert (outcome.faults, outcome.n_refused) == ([], 8)


def test_damaged_weights_are_refused_or_whole() -> None:
    outcome = try_files(made_weights(), read_weights, numbers=range(20))
    assert outcome.faults == [] and outcome.n_refused > 5
