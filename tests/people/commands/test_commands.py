"""``facetable init``, ``scan``, ``people`` and ``find`` on real photos, as they are typed."""

import json
import shutil
import sys
from dataclasses import replace

import numpy as np
import pytest

import facetable
from classifiers import load_head
from embedder import EmbeddingTable
from people.store.scanned import NO_GROUP
from people.store.store import PeopleStore
from people.workspace.heads import outdated_note
from people.workspace.workspace import Workspace
from tests import PROJECT
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
    assert run("people", "{ws}", "rename", "Joe", "Joseph")[0].endswith("Joe renamed to Joseph")
    run("scan", "{ws}")
    assert run("people", "{ws}", "list") == ["Joseph: 3 faces in 3 photos", "Barack: 2 faces in 2 photos"]
    # The head of all named people knows both, and that the denied face is not Barack.
    head = load_head(Workspace(tmp_path / "family").head)
    assert head.labels == ["Barack", "Joseph"] and head.rejections.paths.tolist() == ["2019/two.jpg"]
    run("people", "{ws}", "nobody", "--face", "2019/two.jpg#0")
    assert run("find", "{ws}", "--strangers") == ["2019/two.jpg"]
    assert run("people", "{ws}", "check")[0].endswith("sound, 7 decisions")


@pytest.mark.realdata
def test_faces_of_one_person_are_split_and_moved(run, tmp_path):
    run("people", "{ws}", "name", "--group", group_of(run, tmp_path, "2019/one.jpg"), "Barack")
    split = ["people", "{ws}", "split", "Barack", "--face", "2019/two.jpg#0"]
    assert run(*split, "--to", "Brother", "--json", str(tmp_path / "s.json"))[0].endswith("1 face named Brother")
    assert [one["kind"] for one in json.loads((tmp_path / "s.json").read_text())] == ["is"]
    assert run("people", "{ws}", "list") == ["Barack: 2 faces in 2 photos", "Brother: 1 face in 1 photo"]
    assert "2019/two.jpg#0: expected a face of Barack, found one that is not" in run(*split, code=2)[-1]
    again = ["people", "{ws}", "split", "Barack", "--to", "Brother", "--face", "2019/one.jpg#0"]
    assert "'Brother' is what somebody is called already" in run(*again, code=2)[-1]
    assert (
        "got all 1; to change the name"
        in run("people", "{ws}", "split", "Brother", "--to", "Else", "--face", "2019/two.jpg#0", code=2)[-1]
    )
    assert (
        "nobody is called 'Baracc'" in run("people", "{ws}", "move", "--face", "2019/two.jpg#0", "Baracc", code=2)[-1]
    )
    run("people", "{ws}", "move", "--face", "2019/two.jpg#0", "Barack")
    assert run("people", "{ws}", "list") == ["Barack: 3 faces in 3 photos"]
    run(*split)
    assert run("people", "{ws}", "list") == ["Barack: 2 faces in 2 photos"]
    run("people", "{ws}", "undo")
    assert run("people", "{ws}", "list") == ["Barack: 3 faces in 3 photos"]


@pytest.mark.realdata
@pytest.mark.parametrize(
    ("box", "message"),
    [
        ("1,2,3", "the box must be left,top,right,bottom in pixels, such as 10,20,110,140, got '1,2,3'"),
        ("nan,2,30,40", "both.jpg: expected a box within the photo of"),
        ("30,2,10,40", "left before right and top above bottom, got 30,2,10,40"),
        ("0,0,90000,40", "both.jpg: expected a box within the photo of"),
    ],
)
def test_a_box_that_is_none_is_one_line(run, box, message):
    assert message in run("people", "{ws}", "draw", "both.jpg", box, code=2)[-1]
    assert "gone.jpg: expected a photo" in run("people", "{ws}", "draw", "gone.jpg", "0,0,9,9", "Anna", code=2)[-1]


@pytest.mark.realdata
def test_found_photos_as_a_table_a_page_and_by_a_face(run, data, tmp_path):
    run("people", "{ws}", "name", "--group", group_of(run, tmp_path, "2019/one.jpg"), "Barack")
    run("people", "{ws}", "name", "--group", group_of(run, tmp_path, "2020/three.jpg"), "Joe")
    assert run("find", "{ws}", "--together-with", "Joe") == ["both.jpg"]
    page, sheet = tmp_path / "p.html", tmp_path / "p.csv"
    run("find", "{ws}", "--with", "Joe", "--html", str(page), "--csv", str(sheet))
    text = page.read_text("utf-8")
    assert text.count("data:image/jpeg;base64,") == 3 and "with Joe <small>3 photos</small>" in text
    assert "Barack, Joe · both.jpg" in text and "Joe · 2020/four.jpg" in text
    rows = sheet.read_text("utf-8").splitlines()
    assert rows[0] == "path,taken,face_index,name,state,x_min,y_min,x_max,y_max,time_s"
    assert sorted(row.split(",")[3] for row in rows[1:]) == ["Barack", "Joe", "Joe", "Joe"]
    # A face on a photo of several: another photo of Barack finds him, the face that is Joe's finds Joe.
    other = str(data / "people" / "test" / "obama1.jpg")
    assert sorted(run("find", "{ws}", "--like", other, "--without", "Joe")) == ["2019/one.jpg", "2019/two.jpg"]
    group = data / "groups" / "two_people.jpg"
    run("find", "{ws}", "--like", str(group), "--face", "0", "--json", str(tmp_path / "l.json"))
    first, *others = json.loads((tmp_path / "l.json").read_text())["photos"]
    assert first["path"] == "both.jpg" and first["faces"][0]["similarity"] > 0.8
    name = first["faces"][0]["name"]
    assert [photo["path"][:4] for photo in others] == [{"Barack": "2019", "Joe": "2020"}[name]] * 2
    similarities = [max(face["similarity"] or -1 for face in photo["faces"]) for photo in others]
    assert similarities == sorted(similarities, reverse=True) and similarities[-1] > 0.3
    (error,) = run("find", "{ws}", "--like", str(group), "--face", "2", code=2)
    assert "two_people.jpg: expected a face number below 2, the faces found, got 2" in error
    (error,) = run("find", "{ws}", "--face", "2", code=2)
    assert "--face says which face of --like PHOTO is meant" in error


@pytest.mark.realdata
def test_groups_are_seen_on_a_page(run, tmp_path):
    run("people", "{ws}", "name", "--face", "2019/one.jpg#0", "Barack")
    run("people", "{ws}", "groups", "--html", str(tmp_path / "g.html"))
    text = (tmp_path / "g.html").read_text("utf-8")
    assert text.count("data:image/jpeg;base64,") == 5 and "<small>3 faces</small>" in text
    assert "<small>2 faces, perhaps Barack</small>" in text and "2019/two.jpg#0" in text


@pytest.mark.realdata
def test_from_nothing_to_names_that_another_network_keeps(run, made, data, tmp_path):
    """The way of docs/people.md, on few photos."""
    weights = PROJECT / "data" / "models" / "facenet_keras.h5"
    if not weights.is_file():
        pytest.skip(f"{weights} is not there; python -m data.samples --weights fetches it")
    run("people", "{ws}", "name", "--group", group_of(run, tmp_path, "2019/one.jpg"), "Anna")
    run("people", "{ws}", "name", "--group", group_of(run, tmp_path, "2020/three.jpg"), "Bob")
    run("people", "{ws}", "merge", "Bob", "Anna")
    run("people", "{ws}", "undo")
    run("export", "{ws}", "--xmp", "--to", str(tmp_path / "sidecars"))
    sidecar = (tmp_path / "sidecars" / "both.jpg.xmp").read_text("utf-8")
    assert "Anna" in sidecar and "Bob" in sidecar
    settings = tmp_path / "family" / "workspace.toml"
    settings.write_text(settings.read_text().replace('preset = ""', 'preset = "facenet-ms1m-keras"'))
    assert run("scan", "{ws}")[1] == "6 faces: 6 named (2 people), 0 nobody's or no face, 0 without a name"
    assert EmbeddingTable.read(tmp_path / "family" / "faces.h5").embeddings.shape == (6, 128)
    assert not (tmp_path / "family" / "faces.next.h5").exists()
    assert run("find", "{ws}", "--with", "Anna") == ["2019/one.jpg", "2019/two.jpg", "both.jpg"]
    assert run("find", "{ws}", "--with", "Anna", "--with", "Bob") == ["both.jpg"]
    # Back again: what another run with other settings left half done does not stand in the way.
    (tmp_path / "family" / "faces.next.h5").write_bytes((tmp_path / "family" / "faces.h5").read_bytes())
    settings.write_text(settings.read_text().replace("facenet-ms1m-keras", "facenet-casia-20180408"))
    run("scan", "{ws}")
    assert run("people", "{ws}", "list") == ["Anna: 3 faces in 3 photos", "Bob: 3 faces in 3 photos"]


@pytest.mark.realdata
def test_a_chosen_threshold_outlives_scans(run, tmp_path):
    run("people", "{ws}", "name", "--face", "2019/one.jpg#0", "Barack")
    head = tmp_path / "family" / "heads" / "people.skops"
    run("scan", "{ws}")
    own = load_head(head).threshold
    run("people", "{ws}", "threshold", "--set", "0.9")
    run("people", "{ws}", "name", "--face", "2020/three.jpg#0", "Joe")
    run("scan", "{ws}")
    assert load_head(head).threshold == 0.9 and len(load_head(head).labels) == 2
    run("people", "{ws}", "threshold", "--reset")
    run("scan", "{ws}")
    assert own < load_head(head).threshold < 0.9  # the curve's, for two faces instead of one


@pytest.mark.realdata
def test_every_action_writes_json_of_a_fixed_shape(run, tmp_path):
    out = tmp_path / "out.json"

    def result(*arguments):
        run(*arguments, "--json", str(out))
        return json.loads(out.read_text("utf-8"))

    groups = result("people", "{ws}", "groups")
    assert {key for group in groups for key in group} == {"group", "n_faces", "suggested_name", "faces"}
    assert set(groups[0]["faces"][0]) == {"path", "face_index", "box"}
    (decision,) = result("people", "{ws}", "name", "--face", "2019/one.jpg#0", "Barack")
    assert (decision["id"], decision["kind"], decision["n_faces"], decision["undone"]) == (1, "is", 1, False)
    assert result("people", "{ws}", "undo")[0]["undoes"] == 1
    assert result("people", "{ws}", "redo")[0]["undoes"] == 2
    (person,) = result("people", "{ws}", "list")
    assert person == {"id": 1, "name": "Barack", "n_faces": 1, "n_photos": 1, "hidden": False}
    question = result("people", "{ws}", "suggest")[0]
    assert {"id", "kind", "n_settled", "text", "faces"} <= set(question)
    assert result("people", "{ws}", "answer", question["id"], "later") == []
    assert [one["kind"] for one in result("people", "{ws}", "history")] == ["undo", "undo", "is"]
    run("people", "{ws}", "name", "--face", "2020/three.jpg#0", "Joe")
    assert result("people", "{ws}", "together") == []
    (photo,) = result("find", "{ws}", "--with", "Joe")["photos"]
    assert set(photo) == {"path", "taken", "faces"} and {"name", "box", "face_index"} <= set(photo["faces"][0])
    assert result("people", "{ws}", "merge", "Joe", "Barack")[0]["kind"] == "merge"
    assert result("people", "{ws}", "check") == {"sound": True, "n_decisions": 5}
    assert result("people", "{ws}", "backup")["backup"].endswith(".sqlite")
    assert len(result("people", "{ws}", "show", "Barack")["faces"]) == 2


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
def test_a_deleted_photo_is_said_until_it_is_removed(run, made, tmp_path):
    run("people", "{ws}", "name", "--face", "both.jpg#0", "Barack")
    photo = (made / "photos" / "both.jpg").rename(made / "both.jpg")
    try:
        assert "1 deleted or excluded photo still among them; scan with --prune removes them" in run("scan", "{ws}")
        copied = run("find", "{ws}", "--with", "Barack", "--copy", str(tmp_path / "b"), code=1)
        assert any("found nothing; scan again, with --prune if it was deleted" in line for line in copied)
        lines = run("scan", "{ws}", "--prune")
        assert lines[0].startswith("4 photos, 0 of them new") and not any("deleted or" in line for line in lines)
        assert "1 face with decisions is not in the table any more; the decisions are kept" in lines
    finally:
        photo.rename(made / "photos" / "both.jpg")


@pytest.mark.realdata
def test_several_groups_are_decided_about_at_once(run, tmp_path):
    numbers = [group_of(run, tmp_path, path) for path in ("2019/one.jpg", "2020/three.jpg")]
    both = [word for number in numbers for word in ("--group", number)]
    (line,) = run("people", "{ws}", "nobody", *both, "--group", "77", code=2)
    assert "expected the number of a group of unnamed faces, got 77" in line
    (line,) = run("people", "{ws}", "nobody", *both, "--group", numbers[0])
    assert line.endswith("6 faces said to be nobody's")
    assert run("people", "{ws}", "groups") == ["no group of unnamed faces; facetable scan WORKSPACE looks for new ones"]


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
def test_questions_are_answered_together_as_is_likely_or_with_a_name(run, tmp_path):
    with PeopleStore(tmp_path / "family" / "people.sqlite") as store:
        store.record_groups(np.full(6, NO_GROUP))  # every face alone: two pairs at least are one person
    *_, line = run("people", "{ws}", "suggest")
    questions = suggested(run, tmp_path)
    ids = [one["id"] for one in questions]
    assert len(ids) > 1 and line.endswith(f"answer {' '.join(ids)} likely")
    assert run("people", "{ws}", "suggest")[0].endswith(f"Probably {questions[0]['likely']}.")
    (error,) = run("people", "{ws}", "answer", *ids, "yes", "--name", "Joe", code=2)
    assert f"--name says who is seen in one question, got {len(ids)}" in error
    (error,) = run("people", "{ws}", "answer", ids[0], "0" * 12, "yes", code=2)
    assert f"expected the id of an open question, got '{'0' * 12}'" in error
    assert len(run("people", "{ws}", "answer", *ids, "likely")) == len(ids)
    assert not set(ids) & {one["id"] for one in suggested(run, tmp_path)}
    run("people", "{ws}", "undo")
    run("people", "{ws}", "answer", ids[-1], "yes", "--name", "Joe")
    assert run("people", "{ws}", "list") == ["Joe: 2 faces in 2 photos"]


def suggested(run, tmp_path):
    run("people", "{ws}", "suggest", "--json", str(tmp_path / "s.json"))
    return json.loads((tmp_path / "s.json").read_text())


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
    assert outdated_note(Workspace(family)) is None
    lines = run("recognize", str(data / "groups" / "two_people.jpg"), "--head", "{ws}")
    assert sorted(line.split("\t")[1] for line in lines) == ["Barack", "unknown"]
    lines = run("recognize", "{ws}", "--head", "{ws}")
    assert len(lines) == 6 and [line.split("\t")[1] for line in lines].count("Barack") == 3
    run("train", "{ws}", "--head", "knn", "-o", str(tmp_path / "h.skops"))
    assert load_head(tmp_path / "h.skops").gallery.photos_per_identity == {"Barack": 3}
    (error,) = run("train", "{ws}", "--fpir", "0.05", "-o", str(tmp_path / "h.skops"), code=2)
    assert "30" in error
    # Who a face is not goes into the head, too, once; the workspace's own head is older than that now.
    run("people", "{ws}", "deny", "--face", "2020/three.jpg#0", "Barack")
    note = outdated_note(Workspace(family))
    assert note == f"{family}: its head is older than the newest decision; facetable scan {family} brings it up to date"
    for _ in range(2):
        run("train", "{ws}", "--head", "knn", "-o", str(tmp_path / "h.skops"))
        rejections = load_head(tmp_path / "h.skops").rejections
        assert (rejections.paths.tolist(), rejections.identities.tolist()) == (["2020/three.jpg"], ["Barack"])


@pytest.mark.realdata
def test_faces_with_their_names_go_out_and_come_back(run, tmp_path):
    pytest.importorskip("pyarrow")
    run("people", "{ws}", "name", "--face", "2019/one.jpg#0", "Barack")
    names = {"parquet": "out.parquet", "csv": "out.csv", "coco": "coco.json", "table": "out.h5"}
    files = {flag: str(tmp_path / name) for flag, name in names.items()}
    arguments = [text for flag, file in files.items() for text in (f"--{flag}", file)]
    run("export", "{ws}", *arguments, "--json", str(tmp_path / "r.json"))
    report = json.loads((tmp_path / "r.json").read_text())
    assert (report["n_faces"], report["n_named"], report["files"]) == (6, 1, files)
    run("export", files["parquet"], "--table", str(tmp_path / "back.h5"))
    own = EmbeddingTable.read(tmp_path / "family" / "faces.h5")
    for file in (files["table"], tmp_path / "back.h5"):
        table = EmbeddingTable.read(file)
        assert [name for name in table.identities if name] == ["Barack"]
        assert table.embeddings.tobytes() == own.embeddings.tobytes() and table.fingerprint == own.fingerprint
    coco = json.loads((tmp_path / "coco.json").read_text())
    assert [one["name"] for one in coco["categories"]] == ["face", "Barack"] and len(coco["annotations"]) == 6
    lines = (tmp_path / "out.csv").read_text().splitlines()
    assert [line.split(",")[:3] for line in lines if "Barack" in line] == [["Barack", "2019/one.jpg", "0"]]
    # Forgetting somebody reaches all of them.
    run("forget", "--everywhere", str(tmp_path), "--name", "Barack")
    assert "Barack" not in EmbeddingTable.read(tmp_path / "back.h5").identities
    run("export", files["parquet"], "--csv", str(tmp_path / "again.csv"))
    for name in ("out.csv", "coco.json", "again.csv"):
        assert "Barack" not in (tmp_path / name).read_text()
    (error,) = run("export", "{ws}", code=2)
    assert "expected --xmp, --parquet, --table, --csv or --coco, got none" in error


@pytest.mark.realdata
def test_an_export_without_its_package_is_one_line(run, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    (error,) = run("export", "{ws}", "--parquet", str(tmp_path / "f.parquet"), code=2)
    assert "the package `pyarrow`, of the extra `export`, is not installed; run: pip install" in error
    assert not (tmp_path / "f.parquet").exists()


def test_a_workspace_that_was_not_scanned_is_one_line(tmp_path, capsys):
    (tmp_path / "photos").mkdir()
    assert facetable.main(["init", str(tmp_path / "family"), "--photos", str(tmp_path / "photos")]) == 0
    for arguments in (["train", "-o", str(tmp_path / "h.skops")], ["recognize", "--head", str(tmp_path / "h.skops")]):
        capsys.readouterr()
        assert facetable.main([*arguments, str(tmp_path / "family")]) == 2
        (line,) = capsys.readouterr().err.splitlines()
        assert f"{tmp_path / 'family'}: expected a workspace with a table, found none yet; make it: " in line
