"""From a table to people file and contact sheets, in Python and on the command line."""

import csv
import json
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from classifiers.commands.main import main
from classifiers.groups.grouping import cluster_table, read_identities, read_known_people, write_people_file
from classifiers.groups.summary import report, summarize
from classifiers.scores.clarity import Clarity
from classifiers.scores.normalization import BACKGROUND_FOLDER, read_background
from embedder.tables.table import EmbeddingTable, ImageLedger
from tests.classifiers.people import make_people

N_PEOPLE, N_PHOTOS = 8, 5


def make_table(rows=slice(None), *, identities=True, root="/nowhere"):
    """Return a table of one face a photo; the photo's name tells the person and the number."""
    made = make_people(N_PEOPLE, N_PHOTOS, length=128, spread=0.6)
    paths = np.array([f"photo {i % N_PHOTOS}/{name}.jpg" for i, name in enumerate(made.identities)], object)
    order = np.argsort(paths)[rows]
    n, paths = len(order), paths[order]
    ledger = ImageLedger(
        path=paths,
        status=np.full(n, "ok", object),
        message=np.full(n, "", object),
        n_faces=np.ones(n, np.int32),
        width=np.full(n, 40, np.int32),
        height=np.full(n, 40, np.int32),
        image_sha256=np.full(n, "0" * 64, object),
        size=np.zeros(n, np.int64),
        mtime_ns=np.zeros(n, np.int64),
    )
    return EmbeddingTable(
        embeddings=made.vectors[order],
        identities=made.identities[order].astype(object) if identities else np.full(n, "", object),
        paths=paths,
        face_indices=np.zeros(n, np.int32),
        boxes=np.tile(np.float32([10, 10, 30, 30]), (n, 1)),
        landmarks=np.zeros((n, 5, 2), np.float32),
        detection_scores=np.ones(n, np.float32),
        image_sha256=np.full(n, "0" * 64, object),
        images=ledger,
        photo_root=str(root),
        fingerprint={"space": {"weights_sha256": "0" * 64}, "provenance": {}},
        created="2026-01-01T00:00:00Z",
    )


def find_background_sha256():
    """Return the weights of the background model that comes with the default preset."""
    return read_background(BACKGROUND_FOLDER / "704afe26766c.npz").record["weights_sha256"]


@pytest.fixture
def folder(tmp_path):
    table = make_table(root=tmp_path / "photos")
    table.write(tmp_path / "faces.h5")
    return tmp_path


def run(folder, *arguments):
    return main(["cluster", str(folder / "faces.h5"), "-o", str(folder / "people.csv"), *map(str, arguments)])


def read(folder, name="people.csv"):
    with (folder / name).open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


def test_names_of_the_table_that_differ_only_in_case_are_asked_about_once(tmp_path, capsys):
    table = make_table(root=tmp_path)
    called = dict(zip(sorted(set(table.identities)), ("Zoe", "zoë"), strict=False))
    names = np.array([called.get(name, name) for name in table.identities], object)
    replace(table, identities=names).write(tmp_path / "faces.h5")
    assert run(tmp_path) == 0
    question = "Zoe and zoë differ only in case or accents: 2 people? Otherwise give them one name"
    assert capsys.readouterr().err.count(question) == 1


@pytest.mark.parametrize("size", ["31", "513", "0", "-5", "112.5", "large", "१२०"])
def test_a_thumbnail_size_out_of_range_is_refused_in_one_line(folder, capsys, size):
    with pytest.raises(SystemExit) as ended:
        run(folder, "--html", folder / "sheet.html", f"--thumbnail-size={size}")
    error = capsys.readouterr().err
    assert ended.value.code == 2
    assert f"--thumbnail-size: expected a whole number of 32 to 512 pixels, got '{size}'" in error
    assert len(error.splitlines()) == 1
    assert not (folder / "people.csv").exists()


@pytest.mark.parametrize("size", [32, 512])
def test_thumbnails_have_the_size_asked_for(folder, size):
    (folder / "photos").mkdir()
    assert run(folder, "--html", folder / "sheet.html", "--thumbnail-size", size) == 0
    assert f"{size}px" in (folder / "sheet.html").read_text(encoding="utf-8")


def fill_in(folder, row_number, name):
    rows = read(folder)
    rows[row_number]["name"] = name
    with (folder / "people.csv").open("w", encoding="utf-8", newline="") as stream:
        writer = csv.DictWriter(stream, rows[0])
        writer.writeheader()
        writer.writerows(rows)
    return rows


class TestPython:
    def test_figures(self):
        table = make_table()
        result = summarize(table, cluster_table(table))
        assert (result["n_faces"], result["n_groups"], result["n_lone_faces"]) == (40, 8, 0)
        assert result["bcubed"] == result["pairwise"] == {"precision": 1.0, "recall": 1.0, "f": 1.0}
        assert (result["n_splits"], result["n_merges"]) == (0, 0)
        assert "to put it right: 0 splits and 0 merges" in "\n".join(report(result))

    def test_albums_are_no_truth(self):
        table = make_table()
        people = sorted(set(table.identities))
        groups = cluster_table(table)
        result = summarize(table, groups, albums=people[:3])
        assert (result["n_identified_faces"], result["bcubed"]["f"]) == (25, 1.0)  # against the other five people
        result = summarize(table, groups, albums=people[:5])
        assert (result["n_identified_faces"], result["bcubed"], result["n_splits"]) == (0, None, None)
        assert "BCubed" not in "\n".join(report(result)) and result["albums"] == people[:5]

    def test_without_identities(self):
        table = make_table(identities=False)
        result = summarize(table, cluster_table(table))
        assert result["bcubed"] is None
        assert result["n_identified_faces"] == 0
        assert "BCubed" not in "\n".join(report(result))

    def test_one_identity_and_no_row(self):
        one = make_table()
        one = one.select(one.identities == "person 000")
        assert summarize(one, cluster_table(one))["bcubed"]["f"] == 1
        none = one.select(np.zeros(len(one), bool))
        result = summarize(none, cluster_table(none))
        assert (result["n_faces"], result["n_groups"], result["bcubed"]) == (0, 0, None)

    def test_faces_of_one_photo_are_apart(self):
        table = make_table()
        # Two faces in each photo, both of one person: what no photo shows.
        order = np.argsort(table.identities, kind="stable")
        paths = np.array([f"{i // 2:02d}.jpg" for i in range(40)], object)
        columns = {name: values[:20] for name, values in table.images.columns().items()}
        ledger = ImageLedger(**columns | {"path": paths[::2], "n_faces": np.full(20, 2, np.int32)})
        table = replace(
            table,
            embeddings=table.embeddings[order],
            identities=table.identities[order],
            paths=paths,
            face_indices=np.tile(np.int32([0, 1]), 20),
            images=ledger,
        )
        labels = cluster_table(table).labels
        assert (labels[::2] != labels[1::2]).all()


class TestNames:
    def test_survive_more_photos(self, tmp_path):
        first, out = make_table(slice(0, 32)), tmp_path / "people.csv"
        write_people_file(out, first, cluster_table(first))
        rows = fill_in(tmp_path, 0, "Ada")
        ada = {(row["path"], row["face_index"]) for row in rows if row["cluster"] == rows[0]["cluster"]}
        table = make_table()
        people = cluster_table(table, before=read_known_people(table, names=out, out=out))
        named = {
            (path, str(index))
            for path, index, name in zip(table.paths, table.face_indices, people.names, strict=True)
            if name == "Ada"
        }
        assert named >= ada
        assert set(table.identities[people.names == "Ada"]) == {"person 000"}
        assert (people.names == "Ada").sum() == N_PHOTOS
        number = dict(zip(table.paths, people.labels.tolist(), strict=True))
        assert [number[row["path"]] for row in rows] == [int(row["cluster"]) for row in rows]
        assert people.changes["n_new_faces"] == 8
        assert people.changes["n_newly_named_faces"] == N_PHOTOS - 1  # one cell of the file holds the name
        assert f"with a name: {N_PHOTOS}, {N_PHOTOS - 1} of them newly" in "\n".join(report(summarize(table, people)))

    def test_a_person_named_by_mistake_is_corrected_by_a_constraint(self, folder):
        run(folder)
        rows = fill_in(folder, 0, "Ada")
        run(folder, "--names", folder / "people.csv")
        mate = next(row for row in rows[1:] if row["cluster"] == rows[0]["cluster"])
        (folder / "c.csv").write_text(
            f"kind,path_a,face_index_a,path_b,face_index_b\ncannot,{rows[0]['path']},0,{mate['path']},0\n"
        )
        assert run(folder, "--names", folder / "people.csv", "--constraints", folder / "c.csv") == 0
        after = {row["path"]: row for row in read(folder)}
        one, two = after[rows[0]["path"]], after[mate["path"]]
        assert one["cluster"] != two["cluster"]
        assert {one["name"], two["name"]} == {"Ada", ""}


def edit(folder, names):
    """Write names into the people file by path."""
    rows = read(folder)
    for row in rows:
        row["name"] = names.get(row["path"], row["name"])
    with (folder / "people.csv").open("w", encoding="utf-8", newline="") as stream:
        writer = csv.DictWriter(stream, rows[0])
        writer.writeheader()
        writer.writerows(rows)


class TestTakenOut:
    @pytest.fixture
    def named(self, folder):
        """Return the folder of a people file in which one person is called Ada, and the paths of her photos."""
        run(folder)
        rows = fill_in(folder, 0, "Ada")
        assert run(folder, "--names", folder / "people.csv") == 0
        return folder, [row["path"] for row in rows if row["cluster"] == rows[0]["cluster"]]

    def again(self, folder, *arguments):
        assert run(folder, "--names", folder / "people.csv", *arguments) == 0
        return {row["path"]: row for row in read(folder)}

    @pytest.mark.parametrize("method", ["average", "graph", "dbscan", "hdbscan"])
    def test_an_emptied_cell_takes_the_face_out_and_it_stays_out(self, named, method):
        folder, (one, *others) = named
        edit(folder, {one: ""})
        for _ in range(2):
            rows = self.again(folder, "--method", method)
            assert (rows[one]["name"], rows[one]["before"], rows[one]["is_not"]) == ("", "", "Ada")
            assert {rows[path]["name"] for path in others} == {"Ada"}
            assert rows[one]["cluster"] not in {rows[path]["cluster"] for path in others}

    def test_the_summary_says_so(self, named, capsys):
        folder, (one, *_) = named
        edit(folder, {one: ""})
        self.again(folder)
        assert "1 face taken out of a named group (column is_not)" in capsys.readouterr().out

    def test_it_is_not_enrolled_even_where_its_folder_has_a_name(self, named):
        folder, (one, *others) = named
        table = make_table()
        before = read_identities(folder / "people.csv", table)
        edit(folder, {one: ""})
        after = read_identities(folder / "people.csv", table)
        changed = before != after
        assert table.paths[changed].tolist() == [one]
        assert (before[changed][0], after[changed][0]) == ("Ada", "")
        self.again(folder)
        assert read_identities(folder / "people.csv", table).tolist() == after.tolist()
        assert set(after[np.isin(table.paths, others)]) == {"Ada"}

    def test_no_folder_is_enrolled_beside_the_names_of_the_file(self, named, caplog):
        folder, _ = named
        table = make_table()
        with caplog.at_level("INFO"):
            assert set(read_identities(folder / "people.csv", table)) == {"Ada", ""}
        assert "people.csv: 35 faces without a name in it left out; the names of folders do not count" in caplog.text

    def test_it_may_come_back(self, named):
        folder, (one, *others) = named
        edit(folder, {one: ""})
        self.again(folder)
        edit(folder, {one: "Ada"})
        rows = self.again(folder)
        assert (rows[one]["name"], rows[one]["is_not"]) == ("Ada", "")
        assert {rows[path]["cluster"] for path in (one, *others)} == {rows[one]["cluster"]}

    def test_it_stays_out_when_photos_are_added_and_the_person_is_renamed(self, tmp_path):
        first, out = make_table(slice(0, 32), root=tmp_path), tmp_path / "people.csv"
        first.write(tmp_path / "faces.h5")
        run(tmp_path)
        rows = fill_in(tmp_path, 0, "Ada")
        one, *others = [row["path"] for row in rows if row["cluster"] == rows[0]["cluster"]]
        self.again(tmp_path)
        edit(tmp_path, {one: ""})
        self.again(tmp_path)
        make_table(root=tmp_path).write(tmp_path / "faces.h5")
        edit(tmp_path, dict.fromkeys(others, "Ada L"))
        after = self.again(tmp_path)
        named = {path for path, row in after.items() if row["name"] == "Ada L"}
        assert named > set(others)
        assert (after[one]["name"], after[one]["is_not"]) == ("", "Ada L")
        assert out.exists()

    def test_names_of_faces_that_left_the_table_are_kept(self, named):
        folder, paths = named
        table = make_table(root=folder)
        table.select(table.paths != paths[0]).write(folder / "faces.h5")
        for _ in range(2):
            rows = self.again(folder)
            assert (rows[paths[0]]["name"], rows[paths[0]]["score"]) == ("Ada", "")
            assert read(folder)[-1]["path"] == paths[0]
        table.write(folder / "faces.h5")
        assert self.again(folder)[paths[0]]["name"] == "Ada"

    def test_is_not_lost_by_writing_over_it(self, named, capsys):
        folder, (one, *_) = named
        edit(folder, {one: ""})
        (folder / "other.csv").write_text("path,face_index,cluster,name\n" + f"{one},0,0,Bob\n")
        before = (folder / "people.csv").read_bytes()
        assert run(folder) == 2
        assert run(folder, "--names", folder / "other.csv") == 2
        assert "holds what somebody has said of a face, and" in capsys.readouterr().err.splitlines()[-1]
        assert (folder / "people.csv").read_bytes() == before

    def test_names_that_only_the_output_has_are_not_lost_either(self, named, capsys):
        folder, _ = named
        (folder / "old.csv").write_bytes((folder / "people.csv").read_bytes())
        edit(folder, {row["path"]: "Bea" for row in read(folder) if row["cluster"] == "1"})
        before = self.again(folder)
        assert run(folder, "--names", folder / "old.csv") == 2
        assert {row["path"]: row for row in read(folder)} == before
        # What the program itself made of the same names may be made again.
        (folder / "people.csv").write_bytes((folder / "old.csv").read_bytes())
        assert run(folder, "--names", folder / "old.csv") == 0


class TestOneRowAGroup:
    def test_names_the_groups_of_the_people_file(self, folder, capsys):
        run(folder)
        (folder / "short.csv").write_text("cluster,name\n0,Ada\n3,Bob\n")
        assert run(folder, "--names", folder / "short.csv") == 0
        rows = read(folder)
        assert {row["cluster"]: row["name"] for row in rows if row["name"]} == {"0": "Ada", "3": "Bob"}
        assert sum(row["name"] == "Ada" for row in rows) == N_PHOTOS
        (folder / "short.csv").write_text("cluster,name\n1,Cy\n")
        assert run(folder, "--names", folder / "short.csv") == 0
        assert {row["name"] for row in read(folder)} == {"Ada", "Bob", "Cy", ""}

    def test_needs_the_people_file(self, folder, capsys):
        (folder / "short.csv").write_text("cluster,name\n0,Ada\n")
        assert run(folder, "--names", folder / "short.csv") == 2
        assert "needs -o to be the people file whose groups it names, and there is no" in capsys.readouterr().err
        with pytest.raises(ValueError, match=r"run cluster with --names .*short.csv and -o the people file"):
            read_identities(folder / "short.csv", make_table())


class TestMissingFaces:
    def test_a_file_cut_in_the_middle_is_warned_about(self, folder, capsys):
        run(folder)
        fill_in(folder, 0, "Ada")
        data = (folder / "people.csv").read_bytes()
        (folder / "people.csv").write_bytes(data[: len(data) // 2])
        identities = read_identities(folder / "people.csv", make_table(identities=False))
        assert set(identities) == {"", "Ada"}
        assert "of 40 faces of the table are missing from it" in capsys.readouterr().err

    def test_new_photos_are_mentioned_when_a_head_is_trained(self, tmp_path, capsys):
        first = make_table(slice(0, 32))
        first.write(tmp_path / "faces.h5")
        run(tmp_path)
        fill_in(tmp_path, 0, "Ada")
        capsys.readouterr()
        read_identities(tmp_path / "people.csv", first)
        assert "missing" not in capsys.readouterr().err
        named = read_identities(tmp_path / "people.csv", make_table())
        assert "8 of 40 faces of the table are missing from it, their photos are new" in capsys.readouterr().err
        assert set(named[32:]) == {""}


class TestPoorFaces:
    """The last two people's faces are taken for poor: `make_table` puts them at the end of each photo's folder."""

    @pytest.fixture
    def clarity(self, monkeypatch):
        table = make_table()
        poor = np.isin(table.identities, ["person 006", "person 007"])
        direction = table.embeddings[~poor].mean(axis=0) - table.embeddings[poor].mean(axis=0)
        scores = table.embeddings @ direction
        assert scores[poor].max() < scores[~poor].min()
        found = Clarity(direction, (scores[poor].max() + scores[~poor].min()) / 2, "0" * 64)
        monkeypatch.setattr("classifiers.scores.clarity.find_clarity", lambda fingerprint: found)
        return table.paths[poor]

    def test_stand_in_a_group_of_their_own_at_the_end(self, folder, clarity, capsys):
        assert run(folder, "--html", folder / "people.html", "--json", folder / "r.json") == 0
        rows = read(folder)
        assert {row["path"] for row in rows if row["cluster"] == "poor"} == set(clarity)
        assert {row["cluster"] for row in rows[-10:]} == {"poor"}
        out = capsys.readouterr().out
        assert "40 faces in 6 groups, 0 lone faces" in out
        assert "10 faces too blurred or too small to be told apart" in out
        page = (folder / "people.html").read_text(encoding="utf-8")
        assert "<h2>Too poor to be told apart <small>10 faces</small></h2>" in page
        result = json.loads((folder / "r.json").read_text())
        assert result["n_poor_faces"] == 10
        # Each of them alone, as nobody's: two people of five photos are missing from the groups.
        assert result["bcubed"] == {
            "precision": 1.0,
            "recall": pytest.approx((30 + 10 / 5) / 40),
            "f": pytest.approx(8 / 9),
        }

    def test_a_name_there_counts_for_one_face(self, folder, clarity):
        run(folder)
        edit(folder, {clarity[0]: "Ada"})
        assert (read_identities(folder / "people.csv", make_table(identities=False)) == "Ada").sum() == 1
        for _ in range(2):
            assert run(folder, "--names", folder / "people.csv") == 0
            rows = {row["path"]: row for row in read(folder)}
            assert [path for path, row in rows.items() if row["name"]] == [clarity[0]]
            assert rows[clarity[0]]["cluster"] != "poor"
        edit(folder, {clarity[0]: ""})
        assert run(folder, "--names", folder / "people.csv") == 0
        row = next(row for row in read(folder) if row["path"] == clarity[0])
        assert (row["cluster"], row["name"], row["is_not"]) == ("poor", "", "Ada")

    def test_may_be_grouped_all_the_same(self, folder, clarity, capsys):
        run(folder)
        assert run(folder, "--keep-poor", "--names", folder / "people.csv") == 0
        assert "poor" not in {row["cluster"] for row in read(folder)}
        out = capsys.readouterr().out
        assert "40 faces in 8 groups" in out
        assert "0 new faces, 0 gone, 10 in another group" in out


class TestCommand:
    def test_writes_one_row_a_face(self, folder, capsys):
        assert run(folder, "--json", folder / "r.json") == 0
        rows, table = read(folder), make_table()
        assert list(rows[0]) == ["path", "face_index", "cluster", "name", "score", "before", "is_not", "row"]
        assert sorted(row["path"] for row in rows) == table.paths.tolist()
        assert rows[0]["row"] == "1 of 40"
        clusters = [int(row["cluster"]) for row in rows]
        assert clusters == sorted(clusters)
        scores = [float(row["score"]) for row in rows if row["cluster"] == "0"]
        assert scores == sorted(scores, reverse=True)
        assert {row["name"] for row in rows} == {""}
        assert min(int(row["cluster"]) for row in rows) == 0
        assert "40 faces in 8 groups" in capsys.readouterr().out
        result = json.loads((folder / "r.json").read_text())
        assert result["bcubed"]["f"] == 1
        assert result["fingerprint"]["space"] == {"weights_sha256": "0" * 64}

    def test_says_what_to_do_with_faces_without_a_name(self, tmp_path, capsys):
        make_table(identities=False).write(tmp_path / "my faces.h5")
        arguments = ["cluster", str(tmp_path / "my faces.h5"), "-o", str(tmp_path / "people.csv")]
        assert main(arguments) == 0
        assert capsys.readouterr().out.splitlines()[-1] == (
            f"{tmp_path / 'people.csv'}: write a name into one row of each person's group, then run: "
            f"facetable train '{tmp_path / 'my faces.h5'}' --names {tmp_path / 'people.csv'} -o heads/people.skops"
        )
        fill_in(tmp_path, 0, "Ada")
        assert main([*arguments, "--names", str(tmp_path / "people.csv")]) == 0
        assert "then run" not in capsys.readouterr().out

    def test_a_table_of_albums_is_told_and_keeps_the_hint(self, tmp_path, capsys):
        table = make_table()
        by_folder = np.array([f"200{path[6]}" for path in table.paths], dtype=object)  # photo 3/... -> 2003
        replace(table, identities=by_folder).write(tmp_path / "faces.h5")
        assert run(tmp_path) == 0
        printed = capsys.readouterr()
        assert "BCubed" not in printed.out and "against the identities" not in printed.out
        assert "write a name into one row of each person's group" in printed.out.splitlines()[-1]
        assert printed.err.startswith(
            "warning: these look like albums, not people: 2000, 2001, 2002, 2003, 2004; run embed again with "
            "--identity-from none, which embeds no photo again"
        )

    def test_a_photo_folder_that_is_not_there_is_said(self, folder, capsys):
        assert run(folder, "--photos", folder / "no") == 2
        error = f"{folder}/no: expected a folder for --photos, found nothing; check the path\n"
        assert capsys.readouterr().err.endswith(error) and not (folder / "people.csv").exists()
        assert run(folder, "--html", folder / "people.html") == 0
        assert capsys.readouterr().err == (
            f"warning: the photos are no longer in {folder}/photos, grey tiles stand for them; say where they are with "
            "--photos DIR\n"
        )

    @pytest.mark.parametrize("method", ["average", "graph", "dbscan", "hdbscan"])
    def test_every_method(self, folder, method, capsys):
        assert run(folder, "--method", method) == 0
        assert f"method {method}" in capsys.readouterr().out

    def test_names_in_the_output_are_not_lost(self, folder, capsys):
        run(folder)
        fill_in(folder, 3, "Ada")
        before = (folder / "people.csv").read_bytes()
        assert run(folder) == 2
        assert "holds names that would be lost; add --names" in capsys.readouterr().err
        assert (folder / "people.csv").read_bytes() == before
        assert run(folder, "--names", folder / "people.csv") == 0
        assert sum(row["name"] == "Ada" for row in read(folder)) == N_PHOTOS

    def test_a_file_that_is_no_people_file_is_not_overwritten(self, folder, capsys):
        (folder / "people.csv").write_text("my,own,list\n")
        assert run(folder) == 2
        assert "expected the columns path, face_index, cluster, name" in capsys.readouterr().err
        assert (folder / "people.csv").read_text() == "my,own,list\n"

    def test_dry_run_shows_and_writes_nothing(self, folder, capsys):
        run(folder)
        before = (folder / "people.csv").read_bytes()
        (folder / "c.csv").write_text(
            "kind,path_a,face_index_a,path_b,face_index_b\nmust,photo 0/person 000.jpg,0,photo 0/person 001.jpg,0\n"
        )
        assert run(folder, "--dry-run", "--constraints", folder / "c.csv", "--html", folder / "p.html") == 0
        out = capsys.readouterr().out
        assert "in another group" in out
        assert "people.csv not written" in out
        assert (folder / "people.csv").read_bytes() == before
        assert not (folder / "p.html").exists()

    def test_constraints_are_obeyed(self, folder):
        (folder / "c.csv").write_text(
            "kind,path_a,face_index_a,path_b,face_index_b\n"
            "must,photo 0/person 000.jpg,0,photo 0/person 001.jpg,0\n"
            "cannot,photo 0/person 002.jpg,0,photo 1/person 002.jpg,0\n"
        )
        assert run(folder, "--constraints", folder / "c.csv") == 0
        cluster = {row["path"]: row["cluster"] for row in read(folder)}
        assert cluster["photo 0/person 000.jpg"] == cluster["photo 0/person 001.jpg"]
        assert cluster["photo 0/person 002.jpg"] != cluster["photo 1/person 002.jpg"]

    def test_contradictions_are_one_line(self, folder, capsys):
        (folder / "c.csv").write_text(
            "kind,path_a,face_index_a,path_b,face_index_b\n"
            "must,photo 0/person 000.jpg,0,photo 0/person 001.jpg,0\n"
            "cannot,photo 0/person 001.jpg,0,photo 0/person 000.jpg,0\n"
        )
        assert run(folder, "--constraints", folder / "c.csv") == 2
        error = capsys.readouterr().err
        assert "c.csv: constraints must not contradict each other, got line 3 (cannot) and line 2 (must)" in error
        assert error.count("\n") == 1

    def test_names_from_another_table_are_refused(self, folder, capsys):
        (folder / "other.csv").write_text("path,face_index,cluster,name,score\nz.jpg,0,0,Ada,1\n")
        assert run(folder, "--names", folder / "other.csv") == 2
        assert "this file is for another table" in capsys.readouterr().err

    def test_a_page_never_replaces_a_file_of_another_kind(self, folder, capsys):
        (folder / "a.jpg").write_bytes(b"\xff\xd8\xff")
        assert run(folder, "--html", folder / "a.jpg") == 2
        assert "a.jpg: expected an HTML page or nothing here to replace" in capsys.readouterr().err
        assert (folder / "a.jpg").read_bytes() == b"\xff\xd8\xff"

    @pytest.mark.parametrize(
        ("option", "name", "message"),
        [
            ("-o", "none/people.csv", "expected a folder that exists"),
            ("--html", "none/people.html", "expected a folder that exists"),
            ("--json", "photos", "expected a file to write to, found a folder"),
            ("--names", "none.csv", "No such file"),
            ("--threshold", "7", "`threshold` must be a similarity"),
        ],
    )
    def test_errors_come_before_the_work(self, folder, capsys, option, name, message):
        (folder / "photos").mkdir()
        value = name if option == "--threshold" else folder / name
        assert run(folder, option, value) == 2
        assert message in capsys.readouterr().err
        assert not (folder / "people.csv").exists()

    @pytest.mark.parametrize("option", ["-o", "--html", "--json"])
    def test_the_table_is_never_replaced(self, folder, capsys, option):
        before = (folder / "faces.h5").read_bytes()
        assert run(folder, option, folder / "faces.h5") == 2
        assert "faces.h5: expected a file to write to, found the table itself" in capsys.readouterr().err
        assert (folder / "faces.h5").read_bytes() == before

    def test_the_background_is_of_the_same_weights(self, folder, capsys):
        assert run(folder, "--background", BACKGROUND_FOLDER / "704afe26766c.npz") == 2
        assert "expected a background model for weights 000000000000" in capsys.readouterr().err

    def test_the_shipped_background_normalizes(self, folder, capsys):
        table = make_table(root=folder / "photos")
        vectors = np.zeros((40, 512), np.float32)
        vectors[:, 100:228] = table.embeddings
        sha256 = find_background_sha256()
        replace(table, embeddings=vectors, fingerprint={"space": {"weights_sha256": sha256}, "provenance": {}}).write(
            folder / "faces.h5"
        )
        assert run(folder) == 0
        assert "of normalized similarity" in capsys.readouterr().out
        assert run(folder, "--no-background") == 0
        assert "of cosine" in capsys.readouterr().out

    def test_the_page_shows_the_faces_and_escapes_names(self, folder, capsys):
        table = make_table()
        for i, path in enumerate(table.paths[:-1]):
            file = folder / "photos" / path
            file.parent.mkdir(parents=True, exist_ok=True)
            Image.new("RGB", (40, 40), (i, 9, 9)).save(file)
        run(folder)
        fill_in(folder, 0, "<script>x</script>")
        assert run(folder, "--names", folder / "people.csv", "--html", folder / "people.html") == 0
        page = (folder / "people.html").read_text(encoding="utf-8")
        assert "<script" not in page
        assert "&lt;script&gt;x&lt;/script&gt;" in page
        assert page.count("data:image/jpeg;base64,") == 39
        assert page.count("photo not found") == 1

    def test_photos_elsewhere(self, folder):
        file = folder / "moved" / make_table().paths[0]
        file.parent.mkdir(parents=True)
        Image.new("RGB", (40, 40)).save(file)
        assert run(folder, "--html", folder / "people.html", "--photos", folder / "moved") == 0
        assert (folder / "people.html").read_text(encoding="utf-8").count("data:image/jpeg") == 1
