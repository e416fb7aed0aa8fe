"""The example of docs/examples/plug-in, installed: its head, its source, its output, and whose code may run."""

import importlib
import shutil
import subprocess
import sys

import numpy as np
import pytest

import recognize
import train_classifier
from classifiers import check_head, load_head, save_head
from classifiers.commands.main import main as classifiers_main
from classifiers.errors import UntrustedTypesError
from embedder import EmbeddingTable
from foundation.command_line import EXIT_SOME_INPUTS_FAILED, EXIT_SOMEBODY_FOUND
from recognition.errors import SourceError
from recognition.sources.connections import connect
from recognition.sources.source import SourceKind, parse_source
from tests import PROJECT
from tests.classifiers.people import make_people

TRUST = "facetable_plug_in.head.NearestMean"
PEOPLE = make_people(40, 3)


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    pytest.importorskip("setuptools", reason="nothing can be built offline without setuptools")
    folder = tmp_path_factory.mktemp("plug-in")
    source = shutil.copytree(PROJECT / "docs" / "examples" / "plug-in", folder / "source")
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-build-isolation", "--no-index"]
    subprocess.run([*pip, "--target", str(folder / "site"), str(source)], check=True, timeout=120)
    return folder / "site"


@pytest.fixture
def plug_in(installed, monkeypatch):
    monkeypatch.syspath_prepend(str(installed))
    yield
    for name in [name for name in sys.modules if name.partition(".")[0] == "facetable_plug_in"]:
        del sys.modules[name]
    importlib.invalidate_caches()


@pytest.fixture
def table(tmp_path):
    table = EmbeddingTable.from_arrays(PEOPLE.vectors, PEOPLE.identities, space="made up")
    table.write(tmp_path / "faces.h5")
    return tmp_path / "faces.h5"


@pytest.mark.usefixtures("plug_in")
def test_its_head_is_trained_trusted_and_used(table, tmp_path, capsys):
    head = tmp_path / "head.skops"
    train = [str(table), "-o", str(head), "--head", "nearest-mean", "--param", "trim=0.3", "--threshold", "0.5"]
    assert train_classifier.main(train) == 2
    assert f"refusing to save a head with types that are not trusted: {TRUST}" in (refusal := capsys.readouterr().err)
    assert f"--trust {TRUST}" in refusal
    assert not head.exists()
    assert train_classifier.main([*train, "--trust", TRUST]) == 0

    with pytest.raises(UntrustedTypesError, match=f"refusing to load a head with types that are not trusted: {TRUST}"):
        load_head(head)
    loaded = load_head(head, trust=[TRUST.replace(".NearestMean", ":NearestMean")])
    assert (loaded.name, loaded.parameters) == (TRUST, {"trim": 0.3})
    assert np.mean(loaded.choose(PEOPLE.vectors) == PEOPLE.identities) == 1.0
    save_head(loaded, tmp_path / "again.skops")  # trusted once, it stays so in memory

    assert classifiers_main(["rename", str(head), "person 000", "Ada"]) == 2
    assert classifiers_main(["rename", str(head), "person 000", "Ada", "--trust", TRUST]) == 0
    assert load_head(head, trust=[TRUST]).labels[0] == "Ada"
    audit = ["audit", str(head), "--name", "Ada"]
    assert classifiers_main(audit) == EXIT_SOME_INPUTS_FAILED
    assert "types that are not trusted" in capsys.readouterr().err
    assert classifiers_main([*audit, "--trust", TRUST]) == EXIT_SOMEBODY_FOUND
    assert "head, holds Ada: exemplars" in capsys.readouterr().out
    forget = ["forget", "--everywhere", str(head), "--name", "Ada"]
    assert classifiers_main(forget) == EXIT_SOME_INPUTS_FAILED
    assert classifiers_main([*forget, "--trust", TRUST]) == 0
    assert "Ada" not in load_head(head, trust=[TRUST]).labels


@pytest.mark.usefixtures("plug_in")
def test_events_reach_its_output(table, tmp_path, capsys):
    head, counts = tmp_path / "head.skops", tmp_path / "counts.txt"
    assert train_classifier.main([str(table), "-o", str(head), "--threshold", "0.5"]) == 0
    run = [str(table), "--head", str(head), "--output"]
    assert recognize.main([*run, f"tally={counts}"]) == 0
    assert counts.read_text().splitlines()[:2] == ["3 person 000", "3 person 001"]
    assert recognize.main([*run, "tally-ho=x"]) == 2
    assert "--output tally-ho: no installed package offers it; offered are: tally" in capsys.readouterr().err


@pytest.mark.usefixtures("plug_in")
def test_its_source_is_read_like_a_camera():
    source = parse_source("grey://8x6/2")
    assert source.kind is SourceKind.STREAM
    connection = connect(source)
    assert [frame.shape for frame in connection.read()] == [(6, 8, 3)]
    assert len(connection.read()) == 1
    assert connection.read() == []
    with pytest.raises(SourceError, match=r"grey://wide/2: cannot be opened \(ValueError"):
        connect(parse_source("grey://wide/2"))


def test_without_it_its_names_are_unknown():
    with pytest.raises(SourceError, match="got scheme 'grey'"):
        parse_source("grey://8x6/2")
    with pytest.raises(ValueError, match="unknown head 'nearest-mean'"):
        importlib.import_module("classifiers.heads.registry").make_head("nearest-mean")


@pytest.mark.usefixtures("plug_in")
def test_its_head_is_as_a_head_must_be(table):
    from facetable_plug_in.head import NearestMean

    assert check_head(NearestMean()) == [TRUST]
