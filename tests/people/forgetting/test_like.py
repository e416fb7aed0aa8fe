"""Finding somebody by their face: in tables, heads, saved pictures and contact sheets."""

import base64

import numpy as np
import pytest

from classifiers.files.head_file import save_head
from classifiers.heads.open_set import build_head
from classifiers.heads.registry import make_head
from classifiers.scores.gallery import Gallery
from classifiers.scores.matcher import Matcher
from embedder.tables.table import EmbeddingTable
from foundation.errors import InputError
from people.forgetting.forgetting import forget_everywhere, survey
from people.forgetting.person import Looks, Person
from tests.embedder.fakes import LENGTH, make_table

THEIRS, OTHERS = np.eye(LENGTH, dtype=np.float32)[0], np.eye(LENGTH, dtype=np.float32)[1]
JPEG = b"\xff\xd8\xff\xe0"


@pytest.fixture(autouse=True)
def no_cache(monkeypatch, tmp_path):
    monkeypatch.setattr("people.forgetting.forgetting.cache_folder", lambda: tmp_path / "no cache")
    # A network of a test has no measured threshold.
    monkeypatch.setattr("people.forgetting.person.curve_for", lambda *_: type("Curve", (), {"at": lambda *_: 0.6}))


def faces_of(picture):
    """Return the vectors that the picture's bytes stand for."""
    rows = [{b"t": THEIRS, b"o": OTHERS}[bytes([byte])] for byte in picture.read_bytes().removeprefix(JPEG)]
    return np.array(rows, np.float32).reshape(-1, LENGTH)


@pytest.fixture
def person():
    return Person("Zoë Quux", Looks(lambda _: THEIRS[None], faces_of, {}))


@pytest.fixture
def folder(tmp_path):
    folder = tmp_path / "in"
    folder.mkdir()
    made = make_table([1] * 4)
    vectors = np.stack([THEIRS, OTHERS, THEIRS * 0.8 + OTHERS * 0.6, OTHERS])
    object.__setattr__(made, "embeddings", vectors)
    made.write(folder / "faces.h5")
    gallery = Gallery.build(vectors, ["Ann", "Bob", "Cleo", "Bob"], paths=["1", "2", "3", "4"])
    save_head(build_head(Matcher(gallery), make_head("gallery"), threshold=0.9), folder / "h.skops")
    (folder / "unknown-door-track1-frame2.jpg").write_bytes(JPEG + b"ot")
    (folder / "unknown-door-track2-frame2.jpg").write_bytes(JPEG + b"o")
    (folder / "photo.jpg").write_bytes(JPEG + b"t")
    for name, shown in (("a", b"t"), ("b", b"o")):
        data = base64.b64encode(JPEG + shown).decode()
        page = '<!DOCTYPE html>\n<html lang="en">\n<meta name="viewport" content="width=device-width">\n'
        (folder / f"{name}.html").write_text(
            f'{page}<li title="x"><img alt="" src="data:image/jpeg;base64,{data}">x</li>'
        )
    return folder


def test_they_are_found_under_any_name_and_forgotten(folder, person):
    found = {
        path.name: [(one.kind, one.n_found) for one in held]
        for path, (_, held) in survey([folder], person).held.items()
    }
    assert found == {
        "faces.h5": [("rows with their face", 2)],  # 1.0 and 0.8, at 0.6
        "h.skops": [("faces under other names", 2)],  # 1.0 at the head's 0.9, and the other by the table's vector
        "unknown-door-track1-frame2.jpg": [("pictures", 1)],
        "a.html": [("thumbnails", 1)],
    }
    report = forget_everywhere([folder], person)
    assert report.left == [] and report.failures == {}
    assert np.array_equal(EmbeddingTable.read(folder / "faces.h5").embeddings, [OTHERS, OTHERS])
    assert {path.name for path in folder.iterdir() if path.suffix != ".h5"} == {
        "h.skops",
        "unknown-door-track2-frame2.jpg",
        "photo.jpg",
        "b.html",
    }


def test_somebody_without_a_name_is_found_by_their_face_alone(folder, person):
    by_name, by_face = survey([folder], person), survey([folder], Person(None, person.looks))
    assert by_face.to_json() == by_name.to_json() and len(by_face.held) == 4
    assert not Person(None).is_name("") and not Person(None).is_in_bytes(b"") and not Person(None).is_in_text("")


def test_without_photos_nobody_is_found_by_face(folder):
    assert survey([folder], Person("Zoë Quux")).held == {}


def test_a_head_is_asked_at_its_own_threshold(folder, person):
    found = survey([folder / "h.skops"], person)
    assert [one.n_found for _, held in found.held.values() for one in held] == [1]


def test_a_network_that_is_not_here_is_said_and_names_are_looked_for_all_the_same(folder):
    def no_network(_):
        raise InputError("no network makes such vectors")

    found = survey([folder / "h.skops"], Person("Bob", Looks(no_network, faces_of, {})))
    assert [one.kind for _, held in found.held.values() for one in held] == ["exemplars"]
    assert "no network makes such vectors" in found.failures[folder / "h.skops"]


@pytest.mark.parametrize(
    ("name", "text", "is_in"),
    [
        ("Ann", "Anna Bob", False),
        ("Ann", "x/Ann/1.jpg", True),
        ("Zoë", "Zoe\u0308", True),
        ("Zoë", r'"Zo\u00eb"', True),
        ("Bob", "Bob_2", True),
        ("(Bob)", "a (Bob) b", True),
        ("राम", "राम_1.jpg", True),
        ("राम", "रामा", False),
        ("ا", "اَ", False),
    ],
)
def test_a_name_in_a_text_is_a_word(name, text, is_in):
    assert Person(name).is_in_text(text) is is_in
    assert name not in Person(name).redacted(text) or not is_in
