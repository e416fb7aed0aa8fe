"""The command audit, on a real table and head and on other files."""

import json
import shutil
import zipfile

import h5py
import pytest

from classifiers import OpenSetClassifier
from classifiers.commands.main import main
from classifiers.files.head_file import save_head
from tests import PROJECT
from tests.classifiers.people import make_people
from tests.test_train_classifier import write_table


@pytest.fixture(autouse=True)
def no_cache(monkeypatch, tmp_path):
    monkeypatch.setattr("people.forgetting.forgetting.cache_folder", lambda: tmp_path / "no cache")


@pytest.fixture
def folder(tmp_path):
    people = make_people(2, 2)
    head = (
        OpenSetClassifier(threshold=0.6)
        .fit(people.vectors, people.identities, paths=["a.jpg", "b.jpg", "c.jpg", "d.jpg"])
        .head_
    )
    (tmp_path / "in" / "deep").mkdir(parents=True)
    save_head(head, tmp_path / "in" / "deep" / "h.skops")
    return tmp_path / "in"


@pytest.mark.realdata
def test_a_forgotten_person_is_still_in_the_table(people_head, tmp_path_factory, tmp_path, capsys):
    for name in ("people.skops", "people.h5"):
        shutil.copy(people_head.with_name(name), tmp_path / name)
    result = tmp_path_factory.mktemp("results") / "r.json"
    arguments = ["audit", str(tmp_path), "--name", "rose_leslie", "--json", str(result)]
    assert main(arguments) == 3
    assert "files that hold rose_leslie: 2 of 2" in capsys.readouterr().out
    assert main(["forget", str(tmp_path / "people.skops"), "--name", "rose_leslie"]) == 0
    assert main(arguments) == 3
    assert json.loads(result.read_text()) == {
        "name": "rose_leslie",
        "n_files": 2,
        "held": True,
        "not_checked": {},
        "files": {str(tmp_path / "people.h5"): [{"kind": "rows", "n_found": 2, "example": "rose_leslie/img1.jpg"}]},
    }


def test_folders_are_searched_and_other_files_left_alone(folder, capsys):
    with zipfile.ZipFile(folder / "other.zip", "w") as archive:
        archive.writestr("a.txt", "a")
    with h5py.File(folder / "weights.h5", "w") as file:
        file["kernel"] = [1.0]
    (folder / "a.txt").write_text("person 001")
    assert main(["audit", str(folder), "--name", "person 001"]) == 3
    assert capsys.readouterr().out.splitlines() == [
        f"{folder / 'a.txt'}: other file, holds person 001: lines: 1 (such as person 001)",
        f"{folder / 'deep' / 'h.skops'}: head, holds person 001: exemplars: 2 (such as c.jpg)",
        "files that hold person 001: 1 of 1",
    ]
    assert main(["audit", str(folder), "--name", "person 002"]) == 0
    assert capsys.readouterr().out == "files that hold person 002: 0 of 1\n"


def test_damaged_files_are_listed(folder, tmp_path, capsys):
    (folder / "damaged.skops").write_bytes((folder / "deep" / "h.skops").read_bytes()[:300])
    (folder / "damaged.h5").write_bytes(b"\x89HDF\r\n\x1a\n and then nothing")
    assert main(["audit", str(folder), "--name", "person 001", "--json", str(tmp_path / "r.json")]) == 3
    printed = capsys.readouterr()
    assert printed.out.endswith("files that hold person 001: 1 of 1; not checked: 2 files\n")
    assert len([line for line in printed.err.splitlines() if line.startswith("not checked: ")]) == 2
    assert len(json.loads((tmp_path / "r.json").read_text())["not_checked"]) == 2


def test_file_names_that_are_no_text_are_escaped(folder, capsys):
    (folder / "deep" / "h.skops").rename(folder / "caf\udce9.skops")
    assert main(["audit", str(folder), "--name", "person 001"]) == 3
    assert "caf\\xe9.skops: head, holds person 001" in capsys.readouterr().out


def test_heads_of_another_scikit_learn_are_named_once_each(capsys):
    heads = PROJECT / "tests" / "classifiers" / "heads_of_scikit_learn_1_7"
    assert main(["audit", str(heads), "--name", "person 001"]) == 3
    lines = capsys.readouterr().err.splitlines()
    assert [line.partition(": the head was made with scikit-learn 1.7.2, here is ")[0] for line in lines] == [
        str(heads / "bayes.skops"),
        str(heads / "logreg.skops"),
    ]


def test_a_file_that_is_named_must_be_one(tmp_path, capsys):
    (tmp_path / "a.bin").write_bytes(b"\0\1\2")
    # It was looked at and is listed, as a single photo that cannot be read is by other commands: 1, not 2.
    assert main(["audit", str(tmp_path / "a.bin"), "--name", "Ada"]) == 1
    assert "a.bin: expected a file that Facetable writes, or a text, found other data" in capsys.readouterr().err
    assert main(["audit", str(tmp_path / "missing.h5"), "--name", "Ada"]) == 2
    assert main(["audit", str(tmp_path), "--name", "unknown"]) == 2
    assert main(["audit", str(tmp_path), "--name", "Ada"]) == 0


def test_a_file_that_cannot_be_opened_is_named_once(tmp_path, capsys):
    (tmp_path / "t.h5").symlink_to("gone.h5")
    assert main(["audit", str(tmp_path / "t.h5"), "--name", "Ada"]) in (1, 2)
    errors = capsys.readouterr().err
    assert errors.count("t.h5: ") == 1
    assert "a dangling link to gone.h5" in errors
    assert "Errno" not in errors


def test_the_most_suspicious_labels_are_listed(tmp_path, capsys):
    people = make_people(4, 6, length=512)
    people.identities[7] = "person 003"
    write_table(tmp_path / "t.h5", people)
    arguments = ["audit", "--labels", str(tmp_path / "t.h5"), "--json", str(tmp_path / "r.json")]
    assert main(arguments) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith(
        f"{tmp_path / 't.h5'}: 24 faces of 4 people; the 20 most suspicious names, the worst first"
    )
    assert len(lines) == 21
    assert "  person 003/0007.jpg: person 003, score " in lines[1]
    assert " with person 001 (person 001/" in lines[1]
    record = json.loads((tmp_path / "r.json").read_text())
    assert record["labels"][0]["row"] == 7
    write_table(tmp_path / "one.h5", make_people(1, 2, length=512))
    assert main(["audit", "--labels", str(tmp_path / "one.h5")]) == 0
    assert "1 person with names; labels are compared between people" in capsys.readouterr().out


def test_an_audit_is_of_names_or_of_labels(tmp_path, capsys):
    assert main(["audit", "--name", "Ada"]) == 2
    assert main(["audit", ".", "--labels", "t.h5"]) == 2
    first, second = capsys.readouterr().err.splitlines()
    assert "expected files or folders, got none" in first
    assert "expected --labels TABLE alone, found . as well" in second
    assert main(["audit", "."]) == 2
    assert main(["audit", "--labels", "t.h5", "--like", "a.jpg"]) == 2
    third, fourth = capsys.readouterr().err.splitlines()
    assert "expected --name NAME, --like PHOTO or --labels TABLE, got none" in third
    assert "expected --labels TABLE alone, found a.jpg as well" in fourth
