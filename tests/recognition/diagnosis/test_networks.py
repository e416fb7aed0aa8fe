import os

import pytest

from embedder.detection.mtcnn import WEIGHTS_SHA256
from embedder.runtime import weights
from recognition.diagnosis.networks import check_cache, check_weights


def test_all_weights_are_found_with_their_hashes():
    found = check_weights()
    assert found.problems == []
    assert found.facts["weights"]["pnet.onnx"] == WEIGHTS_SHA256["pnet"]
    assert found.facts["weights"].keys() == {"graph_final.pb", "pnet.onnx", "rnet.onnx", "onet.onnx"}


def test_other_and_missing_weights_are_each_a_problem(monkeypatch, tmp_path):
    (tmp_path / "pnet.onnx").write_bytes(b"another one")
    monkeypatch.setattr(weights, "package_file", lambda _, file: tmp_path / file)
    found = check_weights()
    assert found.lines == [] and len(found.problems) == 4
    assert f"expected SHA-256 {WEIGHTS_SHA256['pnet']}, got " in found.problems[1]
    assert "no such weights file" in found.problems[2]


def test_the_cache_is_described_and_not_made(monkeypatch, tmp_path):
    folder = tmp_path / "cache"
    monkeypatch.setenv("FACETABLE_CACHE", str(folder))
    assert check_cache().lines == ["$FACETABLE_CACHE, made when a network is first used"]
    assert not folder.exists()
    folder.mkdir(mode=0o700)
    (folder / "pnet-0123.onnx").write_bytes(bytes(2_000_000))
    (folder / "pnet-0123.json").write_text("{}")
    found = check_cache()
    assert found.lines == ["$FACETABLE_CACHE: 1 networks, 2 MB, permissions 700"]
    assert found.facts == {"entries": 1, "bytes": 2_000_000, "permissions": "700"}


@pytest.mark.skipif(os.name == "nt", reason="permissions of POSIX")
def test_a_cache_that_everybody_may_write_to_is_a_problem(monkeypatch, tmp_path):
    monkeypatch.setenv("FACETABLE_CACHE", str(tmp_path))
    tmp_path.chmod(0o777)
    (problem,) = check_cache().problems
    assert "found that everybody may write to it" in problem and "chmod go-w" in problem


def test_a_cache_that_cannot_be_written_is_a_problem(monkeypatch, tmp_path):
    monkeypatch.setenv("FACETABLE_CACHE", str(tmp_path))
    tmp_path.chmod(0o700)
    monkeypatch.setattr(os, "access", lambda *_: False)
    (problem,) = check_cache().problems
    assert problem.startswith("$FACETABLE_CACHE: expected a folder that can be written to")
