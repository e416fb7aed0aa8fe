"""``facetable preset new``: a record from a network's file, and clear answers where the network is of no use."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from onnx import helper

import facetable
from embedder.networks.face_embedder import FaceEmbedder
from tests.embedder.network_files.tflite_files import BUILTIN, TfliteFile
from tests.embedder.small_networks import LENGTH, SIZE, vectors_of, write_network


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FACETABLE_CACHE", str(tmp_path / "cache"))


def new(*arguments: Any) -> int:
    return facetable.main(["preset", "new", *map(str, arguments)])


def refusal(capsys: pytest.CaptureFixture[str], *arguments: Any) -> str:
    assert new(*arguments) == 2
    (line,) = [line for line in capsys.readouterr().err.splitlines() if not line.startswith("converting")]
    return line


@pytest.mark.parametrize("batch", ["n", 1, 4])
def test_the_record_says_what_the_file_tells_and_names_what_was_guessed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], batch: int | str
) -> None:
    network = write_network(tmp_path / "net.onnx", batch=batch)
    assert new(network, "--json", tmp_path / "told.json") == 0
    told = capsys.readouterr().out.splitlines()
    assert told[0] == f"{tmp_path / 'net.json'}: written; use it with --preset {tmp_path / 'net.json'}"
    assert told[1].startswith("guessed, for no file tells it: channel_order, mean, scale, alignment, margin, mirrored")
    record = json.loads((tmp_path / "net.json").read_text())
    assert (record["layout"], record["input_size"], record["embedding_size"]) == ("NCHW", SIZE, LENGTH)
    assert (record["name"], record["weights_file"], record["alignment"]) == ("net", "net.onnx", "five_points")
    crops = np.random.default_rng(0).integers(0, 256, (3, SIZE, SIZE, 3), np.uint8)
    expected = vectors_of((crops - 127.5) / 128)
    np.testing.assert_allclose(FaceEmbedder(tmp_path / "net.json", threads=1).embed(crops), expected, atol=1e-5)
    assert "guessed" in json.loads((tmp_path / "told.json").read_text())


def test_of_several_outputs_one_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    network = write_network(
        tmp_path / "net.onnx",
        extra=[helper.make_node("Neg", ["vectors"], ["negative"])],
        outputs=[("vectors", ["n", LENGTH]), ("negative", ["n", LENGTH])],
    )
    line = refusal(capsys, network)
    assert "found 2: vectors (any, 5), negative (any, 5); say which is the vector with --output NAME" in line
    assert "`output` must be one of vectors, negative, got 'x'" in refusal(capsys, network, "--output", "x")
    assert new(network, "--output", "negative") == 0
    assert json.loads((tmp_path / "net.json").read_text())["output"] == "negative"


@pytest.mark.parametrize(
    ("extra", "output", "message"),
    [
        (
            [helper.make_node("Log", ["vectors"], ["wild"])],
            ("wild", ["n", LENGTH]),
            "its network gives numbers that are not finite",
        ),
        (
            [
                helper.make_node("RandomNormalLike", ["vectors"], ["noise"], scale=9.0),
                helper.make_node("Add", ["vectors", "noise"], ["wild"]),
            ],
            ("wild", ["n", LENGTH]),
            "it is not deterministic, or was exported while in training",
        ),
        (
            [helper.make_node("Identity", ["pictures"], ["wild"])],
            ("wild", ["n", 3, SIZE, SIZE]),
            "that is a vector for",
        ),
        (
            [helper.make_node("Sub", ["vectors", "vectors"], ["none"]), helper.make_node("Cos", ["none"], ["wild"])],
            ("wild", ["n", LENGTH]),
            "its network gives the same vector whatever it sees",
        ),
    ],
)
def test_a_network_that_is_of_no_use(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], extra: Any, output: Any, message: str
) -> None:
    network = write_network(tmp_path / "net.onnx", extra=extra, outputs=[output])
    assert message in refusal(capsys, network)
    assert not (tmp_path / "net.json").exists()


def test_an_unknown_operator_of_tflite_is_named_with_the_way_out(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = TfliteFile()
    pictures = file.tensor((1, 4, 4, 3))
    network = tmp_path / "net.tflite"
    network.write_bytes(file.content(pictures, file.step(BUILTIN.GELU, [pictures], (1, 4, 4, 3))))
    line = refusal(capsys, network)
    assert "GELU" in line and "tf2onnx" in line and "`train`" in line


def test_other_files_and_places_are_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    network = write_network(tmp_path / "net.onnx")
    pickle = tmp_path / "net.pt"
    pickle.write_bytes(b"\x80\x02}q\x00.")
    assert "expected a network file, .onnx or .tflite" in refusal(capsys, pickle)
    assert "no_such.onnx" in refusal(capsys, tmp_path / "no_such.onnx")
    (tmp_path / "other").mkdir()
    assert "expected the record beside its network" in refusal(capsys, network, "-o", tmp_path / "other" / "net.json")
    assert "expected a name that ends in .json" in refusal(capsys, network, "-o", tmp_path / "net.txt")
    (tmp_path / "net.json").write_text("mine")
    assert "net.json: is there already" in refusal(capsys, network)
    assert (tmp_path / "net.json").read_text() == "mine"
    write_network(tmp_path / "cut.onnx").write_bytes(network.read_bytes()[:200])
    assert "expected an ONNX file, found a damaged" in refusal(capsys, tmp_path / "cut.onnx")
    (tmp_path / "people").mkdir()
    line = refusal(capsys, network, "-o", tmp_path / "b.json", "--try-on", tmp_path / "people")
    assert "at least 10 of them with two photos" in line and not (tmp_path / "b.json").exists()
