"""Short people files: one row a group."""

import pytest

from classifiers.people_files.group_names import is_list_of_groups, read_group_names
from classifiers.people_files.known_people import read_people

ROW_OF = {("a.jpg", 0): 0, ("b.jpg", 0): 1, ("c.jpg", 0): 2}
PEOPLE = "path,face_index,cluster,name,score\na.jpg,0,5,Ada,1\nb.jpg,0,5,,1\nc.jpg,0,6,,1\n"


@pytest.fixture
def file(tmp_path):
    (tmp_path / "people.csv").write_text(PEOPLE)
    return tmp_path / "short.csv"


def test_is_told_from_a_people_file(file):
    file.write_text("cluster;name\n")
    assert is_list_of_groups(file)
    assert not is_list_of_groups(file.with_name("people.csv"))


def test_names_its_groups(file):
    file.write_text("\ufeffcluster;name\r\n6; Zoe\u0308 \r\n5;\r\n", encoding="utf-8", newline="")
    names = read_group_names(file)
    assert names == {6: "Zo\u00eb"}
    assert read_people(file.with_name("people.csv"), ROW_OF, group_names=names).names.tolist() == ["Ada", "Ada", "Zoë"]


def test_replaces_the_name_of_a_group(file):
    assert read_people(file.with_name("people.csv"), ROW_OF, group_names={5: "Bea"}).names.tolist() == [
        "Bea",
        "Bea",
        "",
    ]


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        ("5,Ada\n5,Bob\n", "line 3: expected each group once, got 'Bob' for group 5, which has the name 'Ada'"),
        ("5,-\n", "line 2: `name` must hold a letter or digit"),
        ("five,Ada\n", "line 2: `cluster` must be a whole number"),
    ],
)
def test_refuses(file, lines, message):
    file.write_text("cluster,name\n" + lines)
    with pytest.raises(ValueError, match=message):
        read_group_names(file)


def test_groups_that_are_not_there(file, caplog):
    people = file.with_name("people.csv")
    with pytest.raises(ValueError, match="expected the groups that are to be named, found none of 1, the first 77"):
        read_people(people, ROW_OF, group_names={77: "Ada"})
    assert read_people(people, ROW_OF, group_names={6: "Cy", 77: "Ada"}).names[2] == "Cy"
    assert "has no group 77" in caplog.text


def test_a_group_of_several_names_is_left_to_its_rows(file):
    people = file.with_name("people.csv")
    people.write_text(PEOPLE.replace("b.jpg,0,5,", "b.jpg,0,5,Bob"))
    with pytest.raises(ValueError, match="found 'Ada', 'Bob' in group 5; write the names into its rows"):
        read_people(people, ROW_OF, group_names={5: "Cy"})
