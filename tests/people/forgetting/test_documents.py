"""Results keep their figures and lose the name; training runs are listed for a person to delete."""

import json

import pytest

from classifiers.groups.contact_sheet import Section, render
from people.forgetting.documents import ContactSheets, Results, TrainingRuns
from people.forgetting.person import Person

NAMES = ["Zoë", "Zoë Smith", "Zoë2"]


def test_a_result_keeps_its_figures(tmp_path):
    path = tmp_path / "r.json"
    record = {"faces": [{"path": "Zoë/Zoë_0001.jpg"}, {"path": "Bob/1.jpg"}], "distances": [[0.0, 1.5]], "pairs": []}
    path.write_text(json.dumps(record))
    assert Results().claims(path, path.read_bytes()[:64])
    assert [(one.kind, one.n_found) for one in Results().find(path, Person("Zoë"))] == [("texts", 1)]
    Results().forget(path, Person("Zoë"))
    assert json.loads(path.read_text()) == {
        **record,
        "faces": [{"path": "[name]/[name]_0001.jpg"}, {"path": "Bob/1.jpg"}],
    }


@pytest.mark.parametrize(
    "record",
    [
        {"photos": [{"path": "a.jpg", "taken": None, "faces": [{"name": "Zoë", "box": [0, 0, 9, 9]}]}]},
        [{"id": 1, "name": "Zoë", "n_faces": 2, "n_photos": 2, "hidden": False}],
        [{"group": 0, "n_faces": 1, "suggested_name": "Zoë", "faces": []}],
        [{"name": "Bob", "with": "Zoë", "n_photos": 3}],
        [{"id": 3, "at": "", "by": "", "kind": "is", "text": "3  1 face named Zoë"}],
        {"names": {"Zoë": 2}, "n_photos": 1, "n_drawn": 0},
    ],
)
def test_what_lists_people_of_a_workspace_loses_the_name(tmp_path, record):
    path = tmp_path / "r.json"
    path.write_text(json.dumps(record, ensure_ascii=False), "utf-8")
    assert Results().claims(path, path.read_bytes()[:64])
    Results().forget(path, Person("Zoë"))
    assert json.loads(path.read_text("utf-8")) == json.loads(
        json.dumps(record, ensure_ascii=False).replace("Zoë", "[name]")
    )


def test_names_of_others_who_are_partly_called_so_stay(tmp_path):
    path = tmp_path / "r.json"
    record = [{"id": number, "name": name, "n_faces": 1, "n_photos": 1} for number, name in enumerate(NAMES)]
    path.write_text(json.dumps({"names": dict.fromkeys(NAMES, 2), "n_photos": 1, "n_drawn": 0, "more": record}))
    assert [one.n_found for one in Results().find(path, Person("Zoë"))] == [2]
    Results().forget(path, Person("Zoë"))
    left = json.loads(path.read_text("utf-8"))
    assert [*left["names"]] == [one["name"] for one in left["more"]] == ["[name]", *NAMES[1:]]
    assert Results().find(path, Person("Zoë")) == []


def test_explanations_and_suspicious_labels_have_places_for_names(tmp_path):
    path = tmp_path / "r.json"
    faces = [{"choice": "Mary Zoë", "next_identity": "Zoë", "likeness": "Zoë, Kit", "path": "x/Zoë_1.jpg"}]
    path.write_text(json.dumps({"head": "h", "photo": "p.jpg", "faces": faces}))
    Results().forget(path, Person("Zoë"))
    (left,) = json.loads(path.read_text("utf-8"))["faces"]
    assert [*left.values()] == ["Mary Zoë", "[name]", "Zoë, Kit", "x/[name]_1.jpg"]


def test_other_programs_json_is_not_ours(tmp_path):
    path = tmp_path / "package.json"
    path.write_text('{"name": "Zoë", "head": "x"}')
    assert not Results().claims(path, path.read_bytes()[:64])
    for other in ([], [1], [{"name": "Zoë"}], {"photos": []}, {"photos": [{"path": "Zoë"}]}):
        path.write_text(json.dumps(other))
        assert not Results().claims(path, path.read_bytes()[:64])


def test_a_training_run_is_listed_and_stays(tmp_path):
    (tmp_path / "config.json").write_text('{"format": "facetable-run"}')
    path = tmp_path / "identities.txt"
    path.write_text("Bob\nZoë\n", "utf-8")
    assert TrainingRuns().claims(path, b"Bob")
    assert [(one.kind, one.n_found) for one in TrainingRuns().find(path, Person("Zoë"))] == [("lines", 1)]
    outcome = TrainingRuns().forget(path, Person("Zoë"))
    assert outcome.removed == "" and "delete the run" in outcome.by_hand[0]
    assert path.read_text("utf-8") == "Bob\nZoë\n"


def test_a_name_only_in_a_link_of_a_contact_sheet_is_found(tmp_path):
    page = render("Groups", [Section("Group 0", "1 face", [0], ["a.jpg"])], {}).replace(
        "</ul>", '<li title="x"><a href="file:///photos/Zo%C3%AB%20L/a.jpg">a</a></li></ul>', 1
    )
    path = tmp_path / "people.html"
    path.write_text(page, "utf-8")
    assert "Zoë" not in page and ContactSheets().claims(path, path.read_bytes())
    assert [one.n_found for one in ContactSheets().find(path, Person("Zoë L"))] == [1]
    assert ContactSheets().find(path, Person("Bob")) == []
