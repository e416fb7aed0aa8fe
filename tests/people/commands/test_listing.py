"""What ``facetable people`` says of decisions."""

from people.commands.listing import decision_as_json, describe
from people.store.store import PeopleStore
from tests.people.faces import face


def told(store):
    return [describe(store, decision).split("  ", 2)[2] for decision in store.history()]


def test_a_rename_says_the_name_before_whatever_was_decided_since(tmp_path):
    with PeopleStore(tmp_path / "people.sqlite", create=True) as store:
        ann = store.name([face(1)], "Ann").person
        renamed = store.rename(ann, "Ann Lee")
        assert decision_as_json(store, renamed)["text"].endswith("Ann renamed to Ann Lee")
        store.rename(ann, "Ann")
        store.undo(renamed.number)
        assert told(store) == [
            "decision 2 taken back",
            "Ann Lee renamed to Ann",
            "Ann renamed to Ann Lee  (taken back)",
            "1 face named Ann",
        ]


def test_a_rename_whose_name_before_was_forgotten_with_somebody_else(tmp_path):
    with PeopleStore(tmp_path / "people.sqlite", create=True) as store:
        store.rename(store.name([face(1)], "Ann").person, "Ann Lee")
        other = store.name([face(2)], "Ann").person
        store.forget([other])
        assert told(store) == ["renamed to Ann Lee", "1 face named Ann Lee"]
