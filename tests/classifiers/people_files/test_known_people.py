"""What a people file says about the faces of a table."""

import logging

import pytest

from classifiers.people_files.cannot_links import POOR
from classifiers.people_files.known_people import read_people

FACES = [("a.jpg", 0), ("a.jpg", 1), ("b.jpg", 0), ("c.jpg", 0)]
ROW_OF = {face: row for row, face in enumerate(FACES)}
HEADER = "path,face_index,cluster,name,score\n"
FULL = "path,face_index,cluster,name,score,before,is_not,row\n"


@pytest.fixture
def file(tmp_path):
    return tmp_path / "people.csv"


class TestRead:
    def test_a_name_counts_for_its_group(self, file):
        file.write_text(HEADER + "a.jpg,0,5,,1\na.jpg,1,2,,1\nb.jpg,0,5, Ada ,1\n")
        people = read_people(file, ROW_OF)
        assert people.clusters.tolist() == [5, 2, 5, -1]
        assert people.names.tolist() == ["Ada", "", "Ada", ""]
        assert (people.n_missing, people.next_cluster) == (0, 6)

    def test_rows_with_a_name_of_their_own(self, file):
        rows = ["a.jpg,0,5,Ada,1", "a.jpg,1,5,,1", "b.jpg,0,7,,1", "z.jpg,0,7,Bob,1"]
        file.write_text(HEADER + "\n".join(rows))
        people = read_people(file, ROW_OF)
        assert (people.names.tolist(), people.rows_with_name) == (["Ada", "Ada", "Bob", ""], {0})
        people = read_people(file, ROW_OF, group_names={7: "Cy"})
        assert (people.names.tolist(), people.rows_with_name) == (["Ada", "Ada", "Cy", ""], {0})

    def test_the_name_may_stand_beside_a_face_that_is_gone(self, file, caplog):
        file.write_text(HEADER + "a.jpg,0,5,,1\nz.jpg,0,5,Ada,1\n")
        with caplog.at_level(logging.WARNING):
            people = read_people(file, ROW_OF)
        assert people.names[0] == "Ada"
        assert people.n_missing == 1
        assert "left out 1 of 2 faces, which the table no longer holds" in caplog.text

    def test_several_names_in_a_group_stay_where_they_are(self, file, caplog):
        file.write_text(HEADER + "a.jpg,0,5,Ada,1\nb.jpg,0,5,Bob,1\nc.jpg,0,5,,1\n")
        with caplog.at_level(logging.WARNING):
            assert read_people(file, ROW_OF).names.tolist() == ["Ada", "", "Bob", ""]
        assert "group 5 has several names (Ada, Bob)" in caplog.text

    def test_score_is_not_needed(self, file):
        file.write_text("name,path,cluster,face_index\nAda,a.jpg,1,0\n")
        assert read_people(file, ROW_OF).names[0] == "Ada"

    @pytest.mark.parametrize(
        ("lines", "message"),
        [
            ("z.jpg,0,1,Ada,1\n", "found none of 1 face, the first of z.jpg; this file is for another table"),
            ("a.jpg,0,1,,1\na.jpg,0,2,,1\n", "line 3: expected each face once, got face 0 of a.jpg again, see line 2"),
            ("a.jpg,0,1,unknown,1\n", "line 2: `name` must not be 'unknown'"),
            ("a.jpg,x,1,,1\n", "line 2: `face_index` must be a whole number"),
            ("a.jpg,0,-1,,1\n", "line 2: `cluster` must be a whole number"),
        ],
    )
    def test_refuses(self, file, lines, message):
        file.write_text(HEADER + lines)
        with pytest.raises(ValueError, match=message):
            read_people(file, ROW_OF)

    def test_an_empty_file_and_an_empty_table(self, file):
        file.write_text(HEADER)
        assert read_people(file, ROW_OF).next_cluster == 0
        file.write_text(HEADER + "a.jpg,0,1,,1\n")
        assert read_people(file, {}).n_missing == 1

    def test_dashes_and_emoji_are_no_names(self, file):
        for name in ("-", "?", "🙂", "\u0301"):
            file.write_text(HEADER + f"a.jpg,0,1,{name},1\n", encoding="utf-8")
            with pytest.raises(ValueError, match=r"line 2: `name` must hold a letter or digit, got .*; leave it empty"):
                read_people(file, ROW_OF)


class TestTakenOut:
    def test_an_emptied_cell_takes_the_face_out(self, file):
        file.write_text(FULL + "a.jpg,0,5,Ada,1,Ada,,1 of 3\na.jpg,1,5,,1,Ada,,2 of 3\nb.jpg,0,5,,1,,,3 of 3\n")
        people = read_people(file, ROW_OF)
        assert people.names.tolist() == ["Ada", "", "Ada", ""]
        assert people.refused == {1: ("Ada",)}

    def test_several_names_may_stand_in_is_not(self, file):
        file.write_text(FULL + 'a.jpg,0,5,,1,," Ada|""Bob|Jr""",1 of 2\na.jpg,1,5,Ada,1,Ada,,2 of 2\n')
        people = read_people(file, ROW_OF)
        assert people.refused == {0: ("Ada", "Bob|Jr")}
        assert people.names.tolist() == ["", "Ada", "", ""]

    def test_poor_faces_share_no_name(self, file):
        file.write_text(FULL + "a.jpg,0,poor,Ada,0,,,1 of 2\na.jpg,1,Poor,,0,,,2 of 2\n")
        people = read_people(file, ROW_OF)
        assert people.clusters.tolist() == [POOR, POOR, -1, -1]
        assert people.names.tolist() == ["Ada", "", "", ""]
        assert people.next_cluster == 0


class TestLostRows:
    @pytest.mark.parametrize("rows", [(1, 3), (1, 2), (3, 4)])
    def test_a_file_that_lost_rows_is_noticed(self, file, caplog, rows):
        file.write_text(FULL + "".join(f"{FACES[n - 1][0]},{FACES[n - 1][1]},0,,1,,,{n} of 4\n" for n in rows))
        assert read_people(file, ROW_OF).n_lost_rows == 2
        (message,) = caplog.messages
        assert "2 rows of those it was written with are gone" in message
        assert "2 of 4 faces of the table are missing from it" in message

    def test_a_file_of_before_that_was_cut_is_noticed(self, file, caplog):
        file.write_text(HEADER + "a.jpg,0,5,Ada,1\nb.jpg,0,5,,1\n")
        assert read_people(file, ROW_OF).n_lost_rows is None
        assert "2 of 4 faces of the table are missing from it: their photos are new, or rows" in caplog.text

    @pytest.mark.parametrize("cut", ["b.jpg,0,7,Bo", "b.jpg,0", "b.j", "b.jpg,0,7,Bob,0.5000,Bob,,"])
    def test_a_line_that_was_cut_names_nobody(self, file, caplog, cut):
        file.write_text(FULL + "a.jpg,0,5,Ada,1,Ada,,1 of 4\n" + cut)
        people = read_people(file, ROW_OF)
        assert people.names.tolist() == ["Ada", "", "", ""]
        assert "line 3: left out, because the line is cut off" in caplog.text
        assert people.n_lost_rows == 3

    def test_new_photos_are_no_loss(self, file, caplog):
        file.write_text(FULL + "a.jpg,0,5,Ada,1,Ada,,1 of 1\n")
        assert read_people(file, ROW_OF).n_lost_rows == 0
        assert caplog.messages == []

    def test_rows_in_another_order_are_no_loss(self, file, caplog):
        file.write_text(FULL + "a.jpg,1,5,,1,,,2 of 2\na.jpg,0,5,Ada,1,Ada,,1 of 2\n")
        assert read_people(file, ROW_OF).n_lost_rows == 0
        assert caplog.messages == []


class TestGoneFaces:
    def test_what_was_said_of_them_is_kept(self, file):
        file.write_text(
            FULL + "a.jpg,0,5,Ada,1,Ada,,1 of 4\ny.jpg,0,5,Ada,1,Ada,,2 of 4\nz.jpg,0,5,,1,Ada,,3 of 4\n"
            "x.jpg,0,8,,1,,,4 of 4\n"
        )
        gone = read_people(file, ROW_OF).gone
        assert [(row.path, row.name, row.is_not) for row in gone] == [("y.jpg", "Ada", ()), ("z.jpg", "", ("Ada",))]

    def test_they_follow_when_a_person_is_renamed(self, file):
        file.write_text(FULL + "a.jpg,0,5,Ada L,1,Ada,,1 of 2\ny.jpg,0,5,Ada,1,Ada,,2 of 2\n")
        people = read_people(file, ROW_OF)
        assert people.names[0] == "Ada L"
        assert [row.name for row in people.gone] == ["Ada L"]
