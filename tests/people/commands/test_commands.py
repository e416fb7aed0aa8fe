"""``facetable init``, ``scan``, ``people`` and ``find`` on real photos, as they are typed."""

import json
import shutil
from dataclasses import replace

import numpy as np
import pytest

import facetable
from classifiers import load_head
from embedder import EmbeddingTable
from people.workspace.workspace import Workspace
from tests.embedder.small_networks import LENGTH, write_network, write_record

PHOTOS = {
    "2019/one.jpg": "people/train/obama/obama.jpg",
    "2019/two.jpg": "people/train/obama/obama2.jpg",
    "2020/three.jpg": "people/train/biden/biden.jpg",
    "2020/four.jpg": "people/train/biden/biden2.jpg",
    "both.jpg": "groups/two_people.jpg",
}


@pytest.fixture(scope="module")
def made(data, tmp_path_factory):
    """A scanned workspace, to be copied."""
    folder = tmp_path_factory.mktemp("made")
    for name, source in PHOTOS.items():
        (folder / "photos" / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(data / source, folder / "photos" / name)
    assert facetable.main(["init", str(folder / "family"), "--photos", str(folder / "photos")]) == 0
    assert facetable.main(["scan", str(folder / "family"), "--json", str(folder / "scan.json")]) == 0
    report = json.loads((folder / "scan.json").read_text())
    assert (report["n_photos"], report["n_embedded"], report["n_groups"], report["n_grouped"]) == (5, 5, 2, 6)
    return folder


@pytest.fixture
def run(made, tmp_path, capsys):
    """Run a command on a copy of the workspace and return its lines; `{ws}` stands for it."""
    shutil.copytree(made / "family", tmp_path / "family")

    def run(*arguments: str, code: int = 0) -> list[str]:
        capsys.readouterr()
        assert facetable.main([text.format(ws=tmp_path / "family") for text in arguments]) == code
        told = capsys.readouterr()
        return (told.err if code else told.out).splitlines()

    return run


def group_of(run, tmp_path, path: str) -> str:
    run("people", "{ws}", "groups", "--json", str(tmp_path / "g.json"))
    groups = json.loads((tmp_path / "g.json").read_text())
    return str(next(g["group"] for g in groups if path in [face["path"] for face in g["faces"]]))


@pytest.mark.realdata
def test_from_albums_to_photos_of_both_people(run, data, tmp_path):
    run("people", "{ws}", "name", "--group", group_of(run, tmp_path, "2019/one.jpg"), "Barack")
    run("people", "{ws}", "name", "--group", group_of(run, tmp_path, "2020/three.jpg"), "Joe")
    assert run("people", "{ws}", "list") == ["Barack: 3 faces in 3 photos", "Joe: 3 faces in 3 photos"]
    assert run("find", "{ws}", "--with", "Barack") == ["2019/one.jpg", "2019/two.jpg", "both.jpg"]
    assert run("find", "{ws}", "--with", "Barack", "--with", "Joe", "--json", str(tmp_path / "f.json")) == ["both.jpg"]
    photo = json.loads((tmp_path / "f.json").read_text())["photos"][0]
    assert (photo["path"], sorted(face["name"] for face in photo["faces"])) == ("both.jpg", ["Barack", "Joe"])
    assert run("find", "{ws}", "--with", "Joe", "--only", "--copy", str(tmp_path / "joe")) == [
        "2020/four.jpg",
        "2020/three.jpg",
    ]
    assert (tmp_path / "joe" / "2020" / "four.jpg").read_bytes() == (data / PHOTOS["2020/four.jpg"]).read_bytes()
    run("find", "{ws}", "--with", "Joe", "--link", str(tmp_path / "linked"))
    assert (tmp_path / "linked" / "both.jpg").is_symlink()


@pytest.mark.realdata
def test_mistakes_are_corrected_and_undone_and_a_scan_keeps_them(run, tmp_path):
    run("people", "{ws}", "name", "--group", group_of(run, tmp_path, "2019/one.jpg"), "Barack")
    run("people", "{ws}", "name", "--group", group_of(run, tmp_path, "2020/three.jpg"), "Joe")
    run("people", "{ws}", "merge", "Joe", "Barack")
    assert run("people", "{ws}", "list") == ["Barack: 6 faces in 5 photos"]
    assert run("people", "{ws}", "undo")[1].endswith("Joe merged into Barack  (taken back)")
    run("people", "{ws}", "deny", "--face", "2019/two.jpg#0", "Barack")
    run("people", "{ws}", "rename", "Joe", "Joseph")
    run("scan", "{ws}")
    assert run("people", "{ws}", "list") == ["Joseph: 3 faces in 3 photos", "Barack: 2 faces in 2 photos"]
    # The head of all named people knows both, and that the denied face is not Barack.
    head = load_head(Workspace(tmp_path / "family").head)
    assert head.labels == ["Barack", "Joseph"] and head.rejections.paths.tolist() == ["2019/two.jpg"]
    run("people", "{ws}", "nobody", "--face", "2019/two.jpg#0")
    assert run("find", "{ws}", "--strangers") == ["2019/two.jpg"]
    assert run("people", "{ws}", "check")[0].endswith("sound, 7 decisions")


@pytest.mark.realdata
def test_another_preset_keeps_faces_names_and_decisions(run, tmp_path):
    """A small network of our own stands for any other one: where faces are is none of its business."""
    run("people", "{ws}", "name", "--group", group_of(run, tmp_path, "2019/one.jpg"), "Barack")
    run("people", "{ws}", "name", "--group", group_of(run, tmp_path, "2020/three.jpg"), "Joe")
    run("people", "{ws}", "deny", "--face", "2019/two.jpg#0", "Barack")
    run("people", "{ws}", "nobody", "--face", "2020/four.jpg#0")
    workspace = Workspace(tmp_path / "family")
    before = EmbeddingTable.read(workspace.table)
    boxes = before.boxes.copy()
    boxes[0] += [3, 5, 3, 5]  # as a person has drawn it
    replace(before, boxes=boxes, origins=np.array(["drawn", *before.origins[1:]], object)).write(workspace.table)
    told = [run("people", "{ws}", *words) for words in (["list"], ["history"])]
    record = write_record(write_network(tmp_path / "small.onnx"))
    settings = workspace.folder / "workspace.toml"
    settings.write_text(settings.read_text().replace('preset = ""', f"preset = {json.dumps(str(record))}"))
    run("scan", "{ws}", "--json", str(tmp_path / "scan.json"))
    report = json.loads((tmp_path / "scan.json").read_text())
    assert (report["n_embedded"], report["n_faces"], report["n_out_of_table"], report["has_head"]) == (5, 6, 0, False)
    after = EmbeddingTable.read(workspace.table)
    assert after.fingerprint.preset == "small" and after.embeddings.shape == (6, LENGTH)
    np.testing.assert_array_equal(after.boxes, boxes)
    assert after.origins.tolist() == ["drawn", *["detected"] * 5]
    assert [run("people", "{ws}", *words) for words in (["list"], ["history"])] == told
    assert run("find", "{ws}", "--strangers") == ["2020/four.jpg"]
    assert (workspace.folder / "faces-before.h5").is_file()
    assert not list(workspace.folder.glob("*.parts")) and not list(workspace.folder.glob("*.tmp"))
    run("scan", "{ws}", "--json", str(tmp_path / "scan.json"))
    assert json.loads((tmp_path / "scan.json").read_text())["n_embedded"] == 0


@pytest.mark.realdata
def test_a_question_is_answered_and_not_asked_again(run, tmp_path):
    run("people", "{ws}", "name", "--face", "2019/one.jpg#0", "Barack")
    run("people", "{ws}", "suggest", "--json", str(tmp_path / "s.json"))
    questions = json.loads((tmp_path / "s.json").read_text())
    assert (questions[0]["kind"], questions[0]["n_settled"]) == ("is_this", 2)
    assert [face["path"] for face in questions[0]["faces"]] == ["2019/two.jpg", "both.jpg"]
    run("people", "{ws}", "answer", questions[0]["id"], "yes")
    assert run("people", "{ws}", "list") == ["Barack: 3 faces in 3 photos"]
    (line,) = run("people", "{ws}", "answer", questions[0]["id"], "yes", code=2)
    assert "expected the id of an open question" in line


@pytest.mark.realdata
def test_folders_that_are_people_become_decisions_that_corrections_outlive(made, tmp_path, capsys):
    workspace = tmp_path / "by_folder"
    arguments = ["init", str(workspace), "--photos", str(made / "photos"), "--identity-from", "folder"]
    assert facetable.main(arguments) == 0
    shutil.copy(made / "family" / "faces.h5", workspace / "faces.h5")  # only the rule of names differs
    assert facetable.main(["scan", str(workspace)]) == 0
    assert "4 faces got the name of their folder" in capsys.readouterr().out
    assert facetable.main(["people", str(workspace), "name", "--face", "2019/two.jpg#0", "Joe"]) == 0
    assert facetable.main(["scan", str(workspace)]) == 0
    capsys.readouterr()
    assert facetable.main(["people", str(workspace), "list"]) == 0
    assert capsys.readouterr().out.splitlines() == [
        "2020: 2 faces in 2 photos",
        "2019: 1 face in 1 photo",
        "Joe: 1 face in 1 photo",
    ]


@pytest.mark.realdata
@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("people", "{ws}", "name", "--group", "99", "Ada"), "expected the number of a group of unnamed faces, got 99"),
        (("people", "{ws}", "name", "--face", "both.jpg", "Ada"), "--face must be PATH#INDEX, such as party.jpg#0"),
        (("people", "{ws}", "name", "--face", "both.jpg#9", "Ada"), "both.jpg: expected its face 9, found"),
        (("people", "{ws}", "name", "--face", "none.jpg#0", "Ada"), "none.jpg: expected a photo with a face"),
        (("people", "{ws}", "name", "--face", "both.jpg#0", "unknown"), "'unknown' is what strangers are called"),
        (("people", "{ws}", "show", "Ada"), "nobody is called 'Ada'"),
        (("people", "{ws}", "undo"), "expected a decision to take back, found none"),
        (("people", "{ws}", "redo"), "expected a decision to take back, found none"),
        (("people", "{ws}/nowhere", "list"), "expected a workspace, found none"),
        (("find", "{ws}", "--only"), "expected people for `only`, got none"),
    ],
)
def test_what_cannot_be_done_is_one_line(run, arguments, message):
    (line,) = run(*arguments, code=2)
    assert message in line


@pytest.mark.realdata
def test_a_workspace_is_a_table_and_a_head(run, data, tmp_path):
    (error,) = run("recognize", str(data / "groups" / "two_people.jpg"), "--head", "{ws}", code=2)
    family = tmp_path / "family"
    assert f"{family}: expected a workspace with a head, found none yet; name somebody with facetable people" in error
    (error,) = run("train", "{ws}", "-o", str(tmp_path / "h.skops"), code=2)
    assert f"{family}: expected a workspace with named people, found none" in error
    run("people", "{ws}", "name", "--group", group_of(run, tmp_path, "2019/one.jpg"), "Barack")
    run("scan", "{ws}")
    lines = run("recognize", str(data / "groups" / "two_people.jpg"), "--head", "{ws}")
    assert sorted(line.split("\t")[1] for line in lines) == ["Barack", "unknown"]
    lines = run("recognize", "{ws}", "--head", "{ws}")
    assert len(lines) == 6 and [line.split("\t")[1] for line in lines].count("Barack") == 3
    run("train", "{ws}", "--head", "knn", "-o", str(tmp_path / "h.skops"))
    assert load_head(tmp_path / "h.skops").gallery.photos_per_identity == {"Barack": 3}


def test_a_workspace_that_was_not_scanned_is_one_line(tmp_path, capsys):
    (tmp_path / "photos").mkdir()
    assert facetable.main(["init", str(tmp_path / "family"), "--photos", str(tmp_path / "photos")]) == 0
    for arguments in (["train", "-o", str(tmp_path / "h.skops")], ["recognize", "--head", str(tmp_path / "h.skops")]):
        capsys.readouterr()
        assert facetable.main([*arguments, str(tmp_path / "family")]) == 2
        (line,) = capsys.readouterr().err.splitlines()
        assert f"{tmp_path / 'family'}: expected a workspace with a table, found none yet; make it: " in line
