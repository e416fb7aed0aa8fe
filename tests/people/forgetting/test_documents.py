"""Results keep their figures and lose the name; training runs are listed for a person to delete."""

import json

from people.forgetting.documents import Results, TrainingRuns
from people.forgetting.person import Person


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


def test_other_programs_json_is_not_ours(tmp_path):
    path = tmp_path / "package.json"
    path.write_text('{"name": "Zoë", "head": "x"}')
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
