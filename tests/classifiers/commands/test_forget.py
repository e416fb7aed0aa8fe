"""The commands audit and forget with ``--like``, on real photos."""

import json
import re
import shutil

import numpy as np
import pytest

from classifiers.commands.main import main
from classifiers.files.head_file import load_head
from embedder import FaceEncoder, read_image
from embedder.tables.table import EmbeddingTable
from recognition.outputs.image_files import write_image


@pytest.fixture(autouse=True)
def no_cache(monkeypatch, tmp_path):
    monkeypatch.setattr("people.forgetting.forgetting.cache_folder", lambda: tmp_path / "no cache")


@pytest.mark.realdata
def test_somebody_is_found_and_forgotten_by_a_photo_alone(people_head, data, tmp_path, capsys):
    folder = tmp_path / "in"
    folder.mkdir()
    for name in ("people.skops", "people.h5"):
        shutil.copy(people_head.with_name(name), folder / name)
    table = EmbeddingTable.read(folder / "people.h5")
    them, other = [name for name in dict.fromkeys(table.identities.tolist()) if name][:2]
    encoder = FaceEncoder()
    for number, name in enumerate((them, other)):
        image = read_image(table.find_photo(table.paths[np.flatnonzero(table.identities == name)[0]]))
        faces = encoder.detect(image)
        crop = encoder.crop(image, faces)[int(faces.primary(image.shape[:2]))]
        write_image(folder / f"unknown-door-track{number}-frame1.jpg", crop)
    photo = table.find_photo(table.paths[np.flatnonzero(table.identities == them)[-1]])
    result = tmp_path / "r.json"
    assert main(["audit", str(folder), "--name", "Nobody Knows", "--like", str(photo), "--json", str(result)]) == 3
    files = json.loads(result.read_text())["files"]
    assert {path.rpartition("/")[2] for path in files} == {
        "people.h5",
        "people.skops",
        "unknown-door-track0-frame1.jpg",
    }
    capsys.readouterr()
    assert main(["audit", str(folder), "--like", str(photo)]) == 3
    assert "files that hold the person: 3 of 4" in capsys.readouterr().out
    assert main(["forget", "--everywhere", str(folder), "--name", "Nobody Knows", "--like", str(photo)]) == 0
    after, head = EmbeddingTable.read(folder / "people.h5"), load_head(folder / "people.skops")
    gone = table.identities == them
    assert (after.identities == them).sum() <= 0.1 * gone.sum()
    for name in set(table.identities.tolist()) - {them, ""}:
        assert (after.identities == name).sum() == (table.identities == name).sum()
    assert set(head.labels) >= {other}
    assert (folder / "unknown-door-track1-frame1.jpg").exists()


@pytest.mark.realdata
def test_of_several_faces_it_is_said_which_one_is_looked_for(data, tmp_path, capsys):
    assert main(["audit", str(tmp_path), "--like", str(data / "groups" / "two_people.jpg")]) == 0
    (line,) = capsys.readouterr().err.splitlines()
    assert re.fullmatch(r".*two_people\.jpg: 2 faces; looked for is the main one, at \d+,\d+,\d+,\d+", line)


@pytest.mark.realdata
def test_a_photo_without_a_face_is_refused(data, tmp_path, capsys):
    write_image(tmp_path / "grey.jpg", np.full((100, 100, 3), 128, np.uint8))
    assert main(["audit", str(tmp_path), "--name", "Ada", "--like", str(tmp_path / "grey.jpg")]) == 2
    assert "expected a photo of the person, found no face on it; give another --like" in capsys.readouterr().err
