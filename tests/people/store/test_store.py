"""PeopleStore: decisions hold, are taken back in any order, survive a killed process, and are never changed."""

import os
import signal
import sqlite3
import stat
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from people.errors import DecisionError, PersonError, StoreError
from people.store.reader import PeopleReader
from people.store.records import Face
from people.store.store import PeopleStore
from tests import PROJECT
from tests.people.faces import face
from tests.properties import FEW


@pytest.fixture
def store(tmp_path):
    with PeopleStore(tmp_path / "people.sqlite", create=True, by="test") as opened:
        yield opened


def names(store: PeopleReader) -> dict[str, int]:
    return {person.name: person.n_faces for person in store.people()}


def test_a_name_makes_a_person_and_is_used_again(store):
    first = store.name([face(1), face(2)], " Zoe\u0308 ")
    second = store.name([face(3)], "Zoë")
    assert (first.person, first.number, second.number) == (second.person, 1, 2)
    assert names(store) == {"Zoë": 3}
    assert store.faces_of(first.person) == [face(1), face(2), face(3)]
    assert store.find_person("Zoë").n_photos == 3 and store.revision == 2


def test_decisions_at_once_are_made_all_or_none_and_one_that_is_refused_leaves_nothing(store):
    with store.at_once():
        ada = store.name([face(1)], "Ada").person
        store.name([face(2)], "Bob")
        with pytest.raises(PersonError):
            store.rename(ada, "Bob")
        store.name([face(3)], "Ada")
    assert names(store) == {"Ada": 2, "Bob": 1} and len(store.made) == store.revision == 3
    with pytest.raises(DecisionError), store.at_once():
        store.name([face(4)], "Cleo")
        store.merge(ada, ada)
    assert names(store) == {"Ada": 2, "Bob": 1} and len(store.made) == store.revision == 3


def test_a_face_is_found_again_by_hash_and_overlap(store):
    store.name([face(1)], "Ada")
    nearly = Face(face(1).photo_sha256, (0.06, 0.22, 0.21, 0.51))
    store.name([nearly], "Bob")  # another detector's box of the same face
    store.name([face(1, 1), face(2)], "Ada")
    assert names(store) == {"Ada": 2, "Bob": 1}
    assert [decision.kind for decision in store.history(face=nearly)] == ["is", "is"]


def test_the_same_place_at_another_second_of_a_video_is_another_face(store):
    store.name([face("v", time_s=1.0)], "Ada")
    store.name([face("v", time_s=9.0)], "Bob")
    store.name([face("v", time_s=1.1)], "Cleo")
    assert names(store) == {"Bob": 1, "Cleo": 1}


def test_what_is_said_of_a_face_last_holds(store):
    ada = store.name([face(1), face(2), face(3)], "Ada").person
    store.deny([face(1)], ada)
    store.mark_nobody([face(2)])
    store.mark_not_a_face([face(3)])
    assert store.people() == []
    store.name([face(2)], "Ada")
    assert names(store) == {"Ada": 1} and store.faces_of(ada) == [face(2)]


def test_a_merge_can_be_undone_after_other_decisions(store):
    ada = store.name([face(1), face(2)], "Ada").person
    bob = store.name([face(3)], "Bob").person
    merge = store.merge(ada, bob)
    store.name([face(4)], "Bob")
    assert names(store) == {"Bob": 4} and store.person(ada).number == bob
    store.undo(merge.number)
    assert names(store) == {"Ada": 2, "Bob": 2}
    with pytest.raises(DecisionError, match="decision 3 was taken back already"):
        store.undo(merge.number)


def test_not_this_person_reaches_who_was_merged_into_it_until_the_merge_is_undone(store):
    ada = store.name([face(1), face(2)], "Ada").person
    bob = store.name([face(3)], "Bob").person
    merge = store.merge(ada, bob)
    store.deny([face(1)], ada)
    assert names(store) == {"Bob": 2}
    store.undo(merge.number)
    assert names(store) == {"Ada": 2, "Bob": 1}


def test_undo_and_redo_go_back_and_forth(store):
    for name in ("Ada", "Bob", "Cleo"):
        store.name([face(1)], name)
    assert store.undo().undoes == 3
    assert store.undo().undoes == 2
    assert names(store) == {"Ada": 1}
    store.redo()
    assert names(store) == {"Bob": 1}
    store.redo()
    assert names(store) == {"Cleo": 1}
    with pytest.raises(DecisionError, match="expected a decision to take back, found none"):
        store.redo()
    store.undo()
    store.name([face(2)], "Dora")
    with pytest.raises(DecisionError, match="found none"):
        store.redo()
    assert names(store) == {"Bob": 1, "Dora": 1}


def test_what_two_undos_take_back_holds_when_neither_does(store):
    store.name([face(1)], "Ada")
    first = store.undo()
    brought_back = store.undo(first.number)
    second = store.undo(1)
    store.undo(brought_back.number)
    assert names(store) == {}
    store.undo(second.number)
    assert names(store) == {}
    store.undo(first.number)
    assert names(store) == {"Ada": 1}
    store.check()


def test_renaming_hiding_and_covers(store):
    ada = store.name([face(1), face(2)], "Ada").person
    renamed = store.rename(ada, "Ada Lovelace")
    store.rename(ada, "Augusta")
    store.set_cover(ada, face(2))
    store.hide(ada)
    person = store.person(ada)
    assert (person.name, person.is_hidden, person.cover) == ("Augusta", True, 2)
    assert store.people(hidden=False) == []
    store.undo()
    store.undo(renamed.number)
    assert store.person(ada).name == "Augusta" and not store.person(ada).is_hidden
    store.undo(3)
    assert store.person(ada).name == "Ada"
    store.hide(ada)
    store.hide(ada, hidden=False)
    assert store.people(hidden=False)[0].name == "Ada"


def test_two_people_never_have_one_name(store):
    ada = store.name([face(1)], "Ada").person
    store.name([face(2)], "Bob")
    with pytest.raises(PersonError, match="'Bob' is what another person is called; to make one of both, merge them"):
        store.rename(ada, "Bob")
    rename = store.rename(ada, "Augusta")
    store.name([face(3)], "Ada")
    with pytest.raises(DecisionError, match="2 people would be called 'Ada' then; rename one of them first"):
        store.undo(rename.number)
    assert names(store) == {"Ada": 1, "Augusta": 1, "Bob": 1} and store.revision == 4


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("", "must hold a letter or a digit"),
        (" - ", "must hold a letter or a digit"),
        ("unknown", "'unknown' is what strangers are called"),
        ("a\nb", "a name is one line of text"),
        ("a" * 201, "at most 200 letters, got 201"),
    ],
)
def test_names_that_cannot_be_given(store, name, message):
    with pytest.raises(PersonError, match=message):
        store.name([face(1)], name)
    assert store.revision == 0


@pytest.mark.parametrize("name", ["张伟", "Ngô Đình", "סבא", "4", "Anne-Marie O’Neil", "ﬁ", "👩 Ada"])
def test_names_of_all_scripts(store, name):
    store.name([face(1)], name)
    assert names(store) == {name: 1}


def test_what_cannot_be_decided(store):
    ada = store.name([face(1)], "Ada").person
    with pytest.raises(DecisionError, match="expected faces to decide about, got none"):
        store.mark_nobody([])
    with pytest.raises(DecisionError, match="expected two faces or more, got 1"):
        store.join([face(1)])
    with pytest.raises(DecisionError, match="expected two faces or more, got 1"):
        store.part([face(1), face(1)])
    with pytest.raises(DecisionError, match="expected two people to merge, got 'Ada' twice"):
        store.merge(ada, ada)
    with pytest.raises(PersonError, match="expected the number of a person, got 7"):
        store.deny([face(1)], 7)
    with pytest.raises(PersonError, match="nobody is called 'ada'; did you mean 'Ada'"):
        store.find_person("ada")
    with pytest.raises(PersonError, match="facetable people WORKSPACE list"):
        store.find_person("Eve")
    with pytest.raises(DecisionError, match="expected the number of a decision, got 9"):
        store.undo(9)
    assert store.revision == 1


@pytest.mark.parametrize(
    ("sha256", "box", "time_s"),
    [("ab", (0, 0, 1, 1), 0), ("g" * 64, (0, 0, 1, 1), 0), ("0" * 64, (1, 0, 1, 1), 0), ("0" * 64, (0, 0, 1, 1), -1)],
)
def test_what_is_no_face(sha256, box, time_s):
    with pytest.raises(DecisionError, match="must be"):
        Face(sha256, box, time_s)


def test_history_tells_who_and_what(store):
    ada = store.name([face(1), face(2)], "Ada").person
    store.name([face(3)], "Bob")
    store.undo(1)
    newest = store.history()
    assert [(d.number, d.kind, d.undoes, d.is_undone, d.n_faces, d.by) for d in newest] == [
        (3, "undo", 1, False, 0, "test"),
        (2, "is", None, False, 1, "test"),
        (1, "is", None, True, 2, "test"),
    ]
    assert [decision.number for decision in store.history(person=ada)] == [1]
    assert len(store.history(limit=2)) == 2 and newest[0].at.endswith("+00:00")


def test_the_name_before_a_decision_is_the_one_that_held_then(store):
    ann = store.name([face(1)], "Ann").person
    bob = store.name([face(2)], "Bob").person
    made = [store.rename(ann, "Ann Lee"), store.rename(ann, "Lee")]

    def before(*decisions):
        return [store.name_before(decision) for decision in decisions]

    assert before(*made) == ["Ann", "Ann Lee"]
    undone = store.undo(made[1].number)
    made.append(store.rename(ann, "Ann Kim"))
    assert before(*made) == ["Ann", "Ann Lee", "Ann Lee"]
    redone = store.undo(undone.number)
    store.undo(made[2].number)
    made.append(store.rename(ann, "Ann"))
    assert before(*made) == ["Ann", "Ann Lee", "Ann Lee", "Lee"]
    store.undo(redone.number)
    store.undo(made[0].number)
    store.merge(ann, bob)
    made.append(store.rename(ann, "Bobby"))
    assert before(*made, store.mark_nobody([face(3)])) == ["Ann", "Ann Lee", "Ann Lee", "Lee", "Bob", ""]
    store.check()


def test_decisions_cannot_be_changed_by_hand(store, tmp_path):
    store.name([face(1)], "Ada")
    for statement in ("DELETE FROM decisions", "UPDATE people SET first_name = 'Eve'", "DELETE FROM decision_faces"):
        with sqlite3.connect(tmp_path / "people.sqlite") as other, pytest.raises(sqlite3.IntegrityError):
            other.execute(statement)


def test_only_its_owner_may_read_it(store, tmp_path):
    store.name([face(1)], "Ada")
    assert {stat.S_IMODE(file.stat().st_mode) for file in tmp_path.iterdir()} == {0o600}


def test_a_store_is_read_beside_its_writer(store, tmp_path):
    store.name([face(1)], "Ada")
    with PeopleReader(tmp_path / "people.sqlite") as reader:
        assert names(reader) == {"Ada": 1} and reader.faces_of(1) == [face(1)]


def test_a_locked_store_is_one_line(store, tmp_path, monkeypatch):
    monkeypatch.setattr("people.store.schema._PRAGMAS", ("PRAGMA busy_timeout = 1",))
    with (
        PeopleStore(tmp_path / "people.sqlite") as other,
        store.at_once(),
        pytest.raises(StoreError, match="another process has held the store"),
    ):
        other.name([face(1)], "Ada")


def test_a_check_finds_what_does_not_follow(store, tmp_path):
    store.name([face(1)], "Ada")
    store.check()
    store._connection.execute("UPDATE person_now SET n_faces = 7")
    with pytest.raises(StoreError, match="person_now does not follow from the decisions"):
        store.check()


PROGRAM = """
import sys
from people.store.store import PeopleStore
from tests.people.faces import face
with PeopleStore(sys.argv[1], create=True) as store:
    for i in range(100_000):
        made = store.name([face(i), face(i, 1)], f"Person {i % 5}")
        if i % 3 == 2:
            made = store.merge(store.find_person(f"Person {i % 5}").number, store.find_person("Person 0").number) \\
                if i % 5 else store.undo()
        print(made.number, flush=True)
"""


def test_a_killed_process_loses_no_decision(tmp_path):
    """After SIGKILL at any moment every decision whose method returned is there, and none by half."""
    path, n_before = tmp_path / "people.sqlite", 0
    for _ in range(4):
        process = subprocess.Popen(
            [sys.executable, "-c", PROGRAM, str(path)],
            cwd=PROJECT,
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONPATH": str(PROJECT)},
        )
        told = [int(process.stdout.readline()) for _ in range(20)]
        process.send_signal(signal.SIGKILL)
        told += [int(line) for line in process.stdout.read().split("\n")[:-1]]
        process.wait()
        with PeopleStore(path) as store:
            store.check()
            assert told[-1] <= store.revision <= told[-1] + 2
            assert told[0] > n_before
            halves = [d for d in store.history(limit=10**6) if d.kind == "is" and d.n_faces != 2]
            assert halves == []
            n_before = store.revision


class Deciding(RuleBasedStateMachine):
    """Whatever is decided and taken back in whatever order: the store holds what the journal says, derived anew."""

    @initialize()
    def open(self) -> None:
        self.folder = tempfile.TemporaryDirectory()
        self.store = PeopleStore(Path(self.folder.name, "people.sqlite"), create=True)
        self.store._connection.execute("PRAGMA synchronous = OFF")  # for speed; what survives is not asked here

    def teardown(self) -> None:
        self.store.close()
        self.folder.cleanup()

    @rule(photos=st.lists(st.integers(0, 5), min_size=1, max_size=3), name=st.sampled_from("ABCD"))
    def name(self, photos: list[int], name: str) -> None:
        self.store.name([face(photo) for photo in photos], name)

    @precondition(lambda self: self.store.people())
    @rule(data=st.data(), photo=st.integers(0, 5), what=st.sampled_from(["deny", "cover", "hide", "nobody", "rename"]))
    def decide(self, data: st.DataObject, photo: int, what: str) -> None:
        person = data.draw(st.sampled_from([person.number for person in self.store.people()]))
        if what == "deny":
            self.store.deny([face(photo)], person)
        elif what == "cover":
            self.store.set_cover(person, face(photo))
        elif what == "hide":
            self.store.hide(person)
        elif what == "nobody":
            self.store.mark_nobody([face(photo)])
        else:
            try:
                self.store.rename(person, data.draw(st.sampled_from("ABCDE")))
            except PersonError as error:
                assert "another person" in str(error)

    @precondition(lambda self: len(self.store.people()) > 1)
    @rule(data=st.data())
    def merge(self, data: st.DataObject) -> None:
        gone, stays = data.draw(st.permutations([person.number for person in self.store.people()]))[:2]
        self.store.merge(gone, stays)

    @precondition(lambda self: self.store.revision)
    @rule(data=st.data())
    def undo(self, data: st.DataObject) -> None:
        number = data.draw(st.integers(1, self.store.revision))
        before = self.store.revision
        try:
            self.store.undo(number)
        except DecisionError as error:
            assert "already" in str(error) or "would be called" in str(error)
            assert self.store.revision == before

    @invariant()
    def holds(self) -> None:
        if hasattr(self, "store"):
            self.store.check()
            people = self.store.people()
            assert len({person.name for person in people}) == len(people)
            assert [len(self.store.faces_of(person.number)) for person in people] == [p.n_faces for p in people]


Deciding.TestCase.settings = settings(
    FEW, max_examples=25, stateful_step_count=12, suppress_health_check=list(HealthCheck)
)
TestDeciding = Deciding.TestCase


def test_a_merge_heeds_what_was_said_of_who_was_merged_before(tmp_path):
    """The face is not Dan, who is Cleo already when Ada turns out to be Cleo, too."""
    with PeopleStore(tmp_path / "people.sqlite", create=True) as store:
        ada, cleo, dan = (store.name([face(name)], name).person for name in ("Ada", "Cleo", "Dan"))
        store.deny([face("Ada")], dan)
        store.merge(dan, cleo)
        merged = store.merge(ada, cleo)
        store.check()
        assert store.person(cleo).n_faces == 2  # Ada's face is none of the three
        store.undo(merged.number)
        store.check()
        assert store.person(ada).n_faces == 1
