"""Faces that no detector found: embedded by the next scan, kept by all later ones, gone with their decision."""

import json
import shutil

import cv2
import numpy as np
import pytest

import facetable
from embedder import MTCNN, EmbeddingTable, read_image
from embedder.detection.faces import Faces
from people.store.reader import PeopleReader
from people.workspace import added_faces
from people.workspace.added_faces import LANDMARKS_OF_BOX, find_in_box
from people.workspace.workspace import Workspace

PHOTOS = {"obama.jpg": "people/train/obama/obama.jpg", "biden.jpg": "people/train/biden/biden.jpg"}
SHRUNK = 0.035


@pytest.fixture(scope="module")
def made(data, tmp_path_factory):
    """A scanned workspace to be copied; the face on ``small.png`` is too small to be looked for."""
    folder = tmp_path_factory.mktemp("made")
    photos = folder / "photos"
    photos.mkdir()
    for name, source in PHOTOS.items():
        shutil.copy(data / source, photos / name)
    obama = cv2.imread(str(photos / "obama.jpg"))
    cv2.imwrite(str(photos / "small.png"), cv2.resize(obama, None, fx=SHRUNK, fy=SHRUNK, interpolation=cv2.INTER_AREA))
    assert facetable.main(["init", str(folder / "family"), "--photos", str(photos)]) == 0
    assert facetable.main(["scan", str(folder / "family")]) == 0
    table = EmbeddingTable.read(folder / "family" / "faces.h5")
    assert table.images.status.tolist() == ["ok", "ok", "no_face"]
    return folder


@pytest.fixture
def workspace(made, tmp_path):
    shutil.copytree(made / "family", tmp_path / "family")
    shutil.copytree(made / "photos", tmp_path / "photos")
    settings = tmp_path / "family" / "workspace.toml"
    settings.write_text(settings.read_text().replace(str(made), str(tmp_path)))
    return Workspace(tmp_path / "family")


def scan(workspace: Workspace) -> dict:
    report = workspace.folder.parent / "scan.json"
    assert facetable.main(["scan", str(workspace.folder), "--json", str(report)]) == 0
    return json.loads(report.read_text())


def people(workspace: Workspace, *arguments: str) -> None:
    assert facetable.main(["people", str(workspace.folder), *arguments]) == 0


def rows(workspace: Workspace) -> list[tuple[str, int, str]]:
    table = EmbeddingTable.read(workspace.table)
    return list(zip(table.paths.tolist(), table.face_indices.tolist(), table.origins.tolist(), strict=True))


def box_on_small(workspace: Workspace) -> np.ndarray:
    """Return where the face of ``obama.jpg`` is on its small copy."""
    table = EmbeddingTable.read(workspace.table)
    return np.round(table.boxes[table.paths.tolist().index("obama.jpg")] * SHRUNK, 1)


DETECTED = [("biden.jpg", 0, "detected"), ("obama.jpg", 0, "detected")]


@pytest.mark.realdata
def test_a_drawn_face_is_embedded_once_and_goes_when_that_is_undone(workspace, monkeypatch):
    box = box_on_small(workspace)
    people(workspace, "draw", "small.png", ",".join(map(str, box)), "Barack")
    report = scan(workspace)
    assert (report["n_embedded"], report["n_faces"], report["n_named"], report["n_out_of_table"]) == (0, 3, 1, 0)
    table = EmbeddingTable.read(workspace.table)
    assert rows(workspace) == [*DETECTED, ("small.png", 0, "drawn")]
    np.testing.assert_allclose(table.boxes[2], box, atol=1e-3)
    assert table.images.status.tolist() == ["ok", "ok", "ok"] and table.images.n_faces.tolist() == [1, 1, 1]
    with PeopleReader(workspace.store) as reader:
        assert [face.path for face in reader.faces_in_table(person=1)] == ["small.png"]

    # Moved, scanned again, scanned with other photos: never embedded again.
    monkeypatch.setattr(added_faces, "load_encoder", None)
    (workspace.folder.parent / "photos" / "small.png").rename(workspace.folder.parent / "photos" / "tiny.png")
    shutil.copy(workspace.folder.parent / "photos" / "biden.jpg", workspace.folder.parent / "photos" / "new.jpg")
    assert scan(workspace)["n_faces"] == 4
    again = EmbeddingTable.read(workspace.table)
    assert again.paths[3] == "tiny.png" and again.origins[3] == "drawn"
    np.testing.assert_array_equal(again.embeddings[3], table.embeddings[2])

    people(workspace, "undo")
    assert scan(workspace)["n_faces"] == 3
    assert EmbeddingTable.read(workspace.table).images.status.tolist() == ["ok", "ok", "ok", "no_face"]


@pytest.mark.realdata
def test_a_box_elsewhere_gets_the_landmarks_of_its_face_and_no_name_is_needed(workspace):
    table = EmbeddingTable.read(workspace.table)
    box = table.boxes[0]
    side = box[2] - box[0]
    # A whole head, drawn generously: less than half of it is what the detector has found.
    head = np.rint(box + side * np.array([-0.3, -0.45, 0.3, 0.2]))
    people(workspace, "draw", "biden.jpg", ",".join(map(str, head)))
    people(workspace, "draw", "biden.jpg", "0,0,40,40")  # a corner, where no face is
    report = scan(workspace)
    assert (report["n_faces"], report["n_named"]) == (4, 0)
    after = EmbeddingTable.read(workspace.table)
    assert rows(workspace)[:3] == [("biden.jpg", 0, "detected"), ("biden.jpg", 1, "drawn"), ("biden.jpg", 2, "drawn")]
    np.testing.assert_array_equal(after.embeddings[0], table.embeddings[0])
    assert np.abs(after.landmarks[1] - table.landmarks[0]).max() < 0.06 * side
    assert np.dot(after.embeddings[1], after.embeddings[0]) > 0.9
    np.testing.assert_allclose(after.landmarks[2], 40 * LANDMARKS_OF_BOX, atol=1e-3)
    assert after.detection_scores[2] == 0
    people(workspace, "not-a-face", "--face", "biden.jpg#2")
    assert scan(workspace)["n_faces"] == 3


@pytest.mark.realdata
def test_a_region_of_another_program_is_imported_and_survives_other_settings(workspace):
    box = box_on_small(workspace)
    table = EmbeddingTable.read(workspace.table)
    size = np.array([table.images.width[2], table.images.height[2]])
    centre, sides = (box[:2] + box[2:]) / 2 / size, (box[2:] - box[:2]) / size
    (workspace.folder.parent / "photos" / "small.png.xmp").write_text(
        '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
        '<rdf:Description xmlns:mwg-rs="http://www.metadataworkinggroup.com/schemas/regions/" '
        'xmlns:stArea="http://ns.adobe.com/xmp/sType/Area#"><mwg-rs:Regions rdf:parseType="Resource">'
        '<mwg-rs:RegionList><rdf:Bag><rdf:li><rdf:Description mwg-rs:Name="Barack" mwg-rs:Type="Face">'
        f'<mwg-rs:Area stArea:x="{centre[0]}" stArea:y="{centre[1]}" stArea:w="{sides[0]}" stArea:h="{sides[1]}" '
        'stArea:unit="normalized"/></rdf:Description></rdf:li></rdf:Bag></mwg-rs:RegionList></mwg-rs:Regions>'
        "</rdf:Description></rdf:RDF></x:xmpmeta>"
    )
    people(workspace, "import")
    scan(workspace)
    imported = ("small.png", 0, "imported")
    assert rows(workspace) == [*DETECTED, imported]
    settings = workspace.folder / "workspace.toml"
    settings.write_text(settings.read_text().replace('min_face_size = "auto"', "min_face_size = 60"))
    report = scan(workspace)
    assert (report["n_embedded"], report["n_named"], report["n_out_of_table"]) == (3, 1, 0)
    assert rows(workspace) == [*DETECTED, imported]


@pytest.mark.realdata
def test_a_photo_that_cannot_be_read_costs_no_scan(workspace, capsys):
    people(workspace, "draw", "small.png", ",".join(map(str, box_on_small(workspace))), "Barack")
    (workspace.folder.parent / "photos" / "small.png").unlink()
    assert scan(workspace)["n_out_of_table"] == 1
    assert "small.png: faces drawn on it are not embedded yet" in capsys.readouterr().err
    assert rows(workspace) == DETECTED


@pytest.mark.realdata
def test_landmarks_are_those_of_the_whole_photo(data):
    """In a box cut out of a large photo they are where the detector sees them on the whole."""
    image = read_image(data / "groups" / "two_people.jpg")
    whole: Faces = MTCNN().detect(image)
    detector = MTCNN(added_faces._SMALLEST, thresholds=added_faces._THRESHOLDS)
    for box, landmarks in zip(whole.boxes, whole.landmarks, strict=True):
        found = find_in_box(image, box.tolist(), detector)
        assert np.abs(found.landmarks[0] - landmarks).max() < 0.08 * (box[2] - box[0]) and found.scores[0] > 0.9
