"""What a person changed in a people file."""

import pytest

from classifiers.people_files.cannot_links import POOR
from classifiers.people_files.edits import PeopleRow, name_groups, resolve, spread_names


def rows(*cells, is_present=True):
    """Return rows from (group, name, before) or (group, name, before, is_not)."""
    return [
        PeopleRow(line, f"{line}.jpg", 0, *cell[:3], *cell[3:], is_present=is_present)
        for line, cell in enumerate(cells, start=2)
    ]


def outcome(*cells):
    """Return name and refusals of each row after the edits are understood."""
    resolved = resolve(rows(*cells))
    return [(name, row.is_not) for name, row in zip(spread_names(resolved)[0], resolved, strict=True)]


class TestEmptied:
    def test_the_face_is_not_that_person(self):
        assert outcome((0, "Ada", "Ada"), (0, "", "Ada"), (0, "", "")) == [("Ada", ()), ("", ("Ada",)), ("Ada", ())]

    def test_it_stays_out(self):
        assert outcome((0, "Ada", "Ada"), (7, "", "", ("Ada",))) == [("Ada", ()), ("", ("Ada",))]
        assert outcome((0, "Ada", "Ada"), (0, "", "", ("Ada",))) == [("Ada", ()), ("", ("Ada",))]

    def test_refusals_add_up(self):
        assert outcome((0, "", "Bob", ("Ada",)))[0] == ("", ("Ada", "Bob"))

    def test_the_name_may_be_written_back(self):
        assert outcome((7, "Ada", "", ("Ada",)), (0, "Ada", "Ada"))[0] == ("Ada", ())

    def test_the_refusal_may_be_deleted(self):
        assert outcome((0, "", ""), (0, "Ada", "Ada"))[0] == ("Ada", ())

    def test_a_refusal_may_be_written_by_hand(self):
        assert outcome((0, "Ada", "Ada", ("Ada",)), (0, "Ada", "Ada"))[0] == ("", ("Ada",))

    def test_a_whole_group(self):
        assert outcome((0, "", "Ada"), (0, "", "Ada"), (1, "Ada", "Ada")) == [
            ("", ("Ada",)),
            ("", ("Ada",)),
            ("Ada", ()),
        ]

    def test_files_of_before_say_nothing_of_it(self):
        assert outcome((0, "Ada", None), (0, "", None)) == [("Ada", ()), ("Ada", ())]


class TestReplaced:
    def test_one_face_is_somebody_else(self):
        assert outcome((0, "Ada", "Ada"), (0, "Bob", "Ada")) == [("Ada", ()), ("Bob", ("Ada",))]

    def test_a_person_is_renamed_and_refusals_follow(self):
        assert outcome((0, "Ada L", "Ada"), (0, "Ada L", "Ada"), (7, "", "", ("Ada",))) == [
            ("Ada L", ()),
            ("Ada L", ()),
            ("", ("Ada L",)),
        ]

    def test_renamed_and_one_face_taken_out_at_once(self):
        assert outcome((0, "Bob", "Ada"), (0, "Bob", "Ada"), (0, "", "Ada"))[2] == ("", ("Ada", "Bob"))

    def test_a_group_named_afresh(self):
        cells = [(0, "Bob", "Ada"), (0, "", "Ada"), (0, "", "Ada")]
        assert outcome(*cells) == [("Bob", ()), ("Bob", ("Ada",)), ("Bob", ("Ada",))]

    def test_renamed_in_one_group_and_taken_out_of_another(self):
        cells = [(0, "Ada L", "Ada"), (9, "", "Ada"), (9, "", "Ada")]
        assert outcome(*cells)[1:] == [("", ("Ada", "Ada L"))] * 2


def test_names_do_not_spread_among_poor_faces():
    assert spread_names(rows((POOR, "Ada", ""), (POOR, "", ""))) == (["Ada", ""], {})


def test_a_face_that_left_the_table_only_speaks_for_its_group_when_somebody_wrote_there():
    present = rows((0, "", ""))
    assert spread_names(present + rows((0, "Ada", "Ada"), is_present=False))[0][0] == ""
    assert spread_names(present + rows((0, "Ada", ""), is_present=False))[0][0] == "Ada"


@pytest.mark.parametrize(
    ("cells", "names"),
    [
        ([(0, "", ""), (0, "", ""), (1, "", "")], ["Zoe", "Zoe", ""]),
        ([(0, "Ada", "Ada"), (0, "", "Ada"), (1, "Ada", "Ada")], ["Zoe", "", "Ada"]),
        ([(0, "", "", ("Zoe",)), (0, "", "")], ["", "Zoe"]),
    ],
)
def test_whole_groups_are_named(cells, names):
    assert spread_names(resolve(name_groups(rows(*cells), {0: "Zoe"})))[0] == names
