"""People files, constraints and lists of aligned faces lose the person and nothing else."""

import pytest

from foundation.errors import InputError
from people.forgetting.csv_files import CsvFiles
from people.forgetting.holder import MENTIONED
from people.forgetting.person import Person

HEADER = "path,face_index,cluster,name,score,before,is_not,row"


def forget(path, content, name="Zoë"):
    path.write_bytes(content.encode())
    holder, person = CsvFiles(), Person(name)
    assert holder.claims(path, content.encode()[:64])
    holder.learn(path, person)
    found = [(one.kind, one.n_found) for one in holder.find(path, person)]
    holder.forget(path, person)
    assert holder.find(path, person) == []
    return found, path.read_bytes().decode()


def test_rows_go_and_other_peoples_rows_lose_the_name(tmp_path):
    rows = [
        "a.jpg,0,0,Zoë,0.9,Zoë,,1 of 6",
        "b.jpg,0,1,Bob,0.9,Zoë,Zoë|Cleo,2 of 6",
        "Zoë/c.jpg,0,1,,0.9,,,4 of 6",
        "d.jpg,0,2,Cleo,0.9,Cleo,Zoë,5 of 6",
        "e.jpg,0,2,Zo\u0065\u0308,0.9,,,6 of 6",
    ]
    found, text = forget(tmp_path / "people.csv", "\n".join([HEADER, *rows, ""]))
    assert found == [("rows", 3), ("refusals", 2)]
    # Row 3 was lost before: that is still to be seen.
    assert text.splitlines() == [HEADER, "b.jpg,0,1,Bob,0.9,Bob,Cleo,1 of 3", "d.jpg,0,2,Cleo,0.9,Cleo,,3 of 3"]


@pytest.mark.parametrize(("n", "removed"), [(0, "0 rows removed"), (1, "1 row removed"), (2, "2 rows removed")])
def test_rows_are_counted_in_the_right_words(tmp_path, n, removed):
    path = tmp_path / "people.csv"
    path.write_text("path,face_index,cluster,name\nz.jpg,0,0,Bob\n" + "".join(f"{i}.jpg,0,0,Zoë\n" for i in range(n)))
    assert CsvFiles().forget(path, Person("Zoë")).removed == removed


def test_files_that_are_called_like_somebody_else_stay_and_those_of_others_are_mentions(tmp_path):
    path = tmp_path / "people.csv"
    rows = ["Zoë.jpg,0,0,Zoë", "Zoë2.jpg,0,0,Zoë2", "Zoë_3.jpg,0,0,Bob", "Zoë_4.jpg,0,0,", "Zoë/5.jpg,0,0,Bob"]
    path.write_text("\n".join(["path,face_index,cluster,name", *rows, ""]), "utf-8")
    found = {one.kind: (one.n_found, one.example) for one in CsvFiles().find(path, Person("Zoë"))}
    assert found == {"rows": (3, "Zoë.jpg"), "paths that mention them": (1, "Zoë_3.jpg")}
    assert CsvFiles().forget(path, Person("Zoë")).by_hand == [MENTIONED]
    assert path.read_text("utf-8").splitlines()[1:] == rows[1:3]


def test_what_a_spreadsheet_made_of_it_stays(tmp_path):
    content = '\ufeffpath;face_index;cluster;name\r\na.jpg;0;0;Zoë\r\nb.jpg;1;0;"Bob; the ""B"""\r\n'
    _, text = forget(tmp_path / "people.csv", content)
    assert text == '\ufeffpath;face_index;cluster;name\r\nb.jpg;1;0;"Bob; the ""B"""\r\n'


@pytest.mark.parametrize(
    ("content", "left"),
    [
        ("cluster,name\n0,Zoë\n1,Bob\n", "cluster,name\n1,Bob\n"),
        (
            "kind,path_a,face_index_a,path_b,face_index_b\nmust,Zoë/1.jpg,0,x.jpg,0\ncannot,y.jpg,0,x.jpg,0\n",
            "kind,path_a,face_index_a,path_b,face_index_b\ncannot,y.jpg,0,x.jpg,0\n",
        ),
        (
            "crop,photo,face_index,score\nZoë/1.png,Zoë/1.jpg,0,1\nBob/1.png,Bob/1.jpg,0,1\n",
            "crop,photo,face_index,score\nBob/1.png,Bob/1.jpg,0,1\n",
        ),
        (
            "path,taken,face_index,name,state\na.jpg,,0,Zoë,named\na.jpg,,1,Bob,named\nb.jpg,,,,\n",
            "path,taken,face_index,name,state\na.jpg,,1,Bob,named\nb.jpg,,,,\n",
        ),
        ("name,with,n_photos\nBob,Zoë,2\nZoë,Cy,1\nBob,Cy,1\n", "name,with,n_photos\nBob,Cy,1\n"),
    ],
)
def test_other_lists(tmp_path, content, left):
    assert forget(tmp_path / "list.csv", content)[1] == left


def test_other_programs_lists_are_not_ours(tmp_path):
    path = tmp_path / "contacts.csv"
    path.write_text("first name,name,phone\nZoë,Quux,1\n")
    assert not CsvFiles().claims(path, path.read_bytes()[:64])


@pytest.mark.parametrize("content", [b"cluster,name\n0,Zo\xeb\n", b"cluster,name\n0,a,b\n", b'cluster,name\n0,"a"b\n'])
def test_what_cannot_be_parsed_is_never_changed(tmp_path, content):
    path = tmp_path / "people.csv"
    path.write_bytes(content)
    with pytest.raises(InputError, match=r"people\.csv: expected"):
        CsvFiles().forget(path, Person("Zoë"))
    assert path.read_bytes() == content
