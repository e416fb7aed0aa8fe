"""``train_classifier.py``: a table in, a head and its summary out."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import train_classifier
from classifiers import load_head, save_head
from classifiers.members.editing import enrol_faces
from classifiers.members.rejection import reject
from embedder.tables.table import EmbeddingTable, ImageLedger
from tests.classifiers.people import FINGERPRINT, make_background, make_people
from tests.classifiers.samples import make_sample

DEFAULT_WEIGHTS = "704afe26766ce6215931b0bde68650835be9518613d40ce101e641708c7d5c78"
PEOPLE = make_people(5, 3, length=512)
SCRIPT = Path(train_classifier.__file__)


def write_table(path, people, *, weights="0" * 64, space=None):
    """Write a table of one face per photo; a whole `space` goes before `weights`."""
    n_rows = len(people.vectors)
    paths = [f"{name}/{row:04d}.jpg".lstrip("/") for row, name in enumerate(people.identities)]
    hashes = [f"{row:064x}" for row in range(n_rows)]
    images = ImageLedger(
        path=paths,
        status=["ok"] * n_rows,
        message=[""] * n_rows,
        n_faces=np.ones(n_rows, np.int32),
        width=np.full(n_rows, 250, np.int32),
        height=np.full(n_rows, 250, np.int32),
        image_sha256=hashes,
        size=np.ones(n_rows, np.int64),
        mtime_ns=np.ones(n_rows, np.int64),
    )
    EmbeddingTable(
        embeddings=people.vectors,
        identities=[str(name) for name in people.identities],
        paths=paths,
        face_indices=np.zeros(n_rows, np.int32),
        boxes=np.tile([0.0, 0, 9, 9], (n_rows, 1)).astype(np.float32),
        landmarks=np.zeros((n_rows, 5, 2), np.float32),
        detection_scores=np.ones(n_rows, np.float32),
        image_sha256=hashes,
        images=images,
        photo_root=str(path.parent),
        created="2026-01-01T00:00:00+00:00",
        fingerprint={**FINGERPRINT, "space": space or {**FINGERPRINT["space"], "weights_sha256": weights}},
    ).write(path)


@pytest.fixture
def table(tmp_path):
    write_table(tmp_path / "faces.h5", PEOPLE, weights=DEFAULT_WEIGHTS)
    return tmp_path / "faces.h5"


@pytest.fixture
def mixed(tmp_path):
    """A table of two people and two folders that mix many."""
    many = make_people(8, 1, length=512, seed=3)
    vectors = np.concatenate([PEOPLE.vectors[:6], many.vectors])
    names = np.array([*PEOPLE.identities[:6], *["party"] * 4, *["2023"] * 4])
    write_table(tmp_path / "mixed.h5", PEOPLE._replace(vectors=vectors, identities=names), weights=DEFAULT_WEIGHTS)
    return tmp_path / "mixed.h5"


def test_folders_that_mix_people_are_refused_until_they_are_trusted(mixed, tmp_path, capsys):
    head = tmp_path / "h.skops"
    assert train_classifier.main([str(mixed), "-o", str(head)]) == 2
    assert capsys.readouterr().err == (
        f"train_classifier.py: error: {mixed}: expected one person under each name, found photos mostly unlike each "
        "other under 2 names: 2023, party; if these are albums, run embed again with --identity-from none, which "
        "embeds no photo again, and group the faces with facetable cluster; if they are people, add --trust-folders\n"
    )
    assert not head.exists()
    assert train_classifier.main([str(mixed), "-o", str(head), "--trust-folders"]) == 0
    assert "party: 4" in capsys.readouterr().out


def test_only_folders_that_are_enrolled_need_to_be_people(mixed, tmp_path, capsys):
    out = ["-o", str(tmp_path / "h.skops")]
    assert train_classifier.main([str(mixed), *out, "--identities", "person 000,person 001"]) == 0
    assert train_classifier.main([str(mixed), *out, "--identities", "person 000,party"]) == 2
    assert "under 1 name: party;" in capsys.readouterr().err
    assert train_classifier.main([str(mixed), *out, "--min-photos", "5"]) == 2  # nobody is left
    assert "--trust-folders" not in capsys.readouterr().err


def test_names_that_a_person_gave_are_trusted(mixed, tmp_path):
    table = EmbeddingTable.read(mixed)
    rows = [f"{path},0,{row},{'Guests' if row > 5 else ''},1" for row, path in enumerate(table.paths)]
    (tmp_path / "people.csv").write_text("\n".join(["path,face_index,cluster,name,score", *rows]))
    arguments = [str(mixed), "-o", str(tmp_path / "h.skops"), "--names", str(tmp_path / "people.csv")]
    assert train_classifier.main(arguments) == 0


def test_albums_of_one_person_are_asked_about(tmp_path, capsys):
    names = np.array([name.replace("person 000", "DCIM") for name in PEOPLE.identities])
    write_table(tmp_path / "t.h5", PEOPLE._replace(identities=names), weights=DEFAULT_WEIGHTS)
    assert train_classifier.main([str(tmp_path / "t.h5"), "-o", str(tmp_path / "h.skops")]) == 0
    assert "warning: these look like albums, not people: DCIM; run embed again" in capsys.readouterr().err


@pytest.mark.parametrize("head", ["gallery", "knn", "svm"])
def test_trains_saves_and_says_so(head, table, tmp_path, capsys):
    output = tmp_path / "heads" / "h.skops"
    assert train_classifier.main([str(table), "--head", head, "-o", str(output)]) == 0
    printed = capsys.readouterr().out
    assert f"{head} head, 5 identities, 15 photos" in printed
    assert "  person 000: 3\n" in printed
    assert "from the preset's curve, not from your photos" in printed
    loaded = load_head(output)
    assert loaded.choose(PEOPLE.vectors).tolist() == PEOPLE.identities.tolist()
    assert loaded.score_kind == "normalized"
    assert loaded.photo_root == str(tmp_path)
    assert loaded.gallery.paths[0] == "person 000/0000.jpg"


def test_any_classifier_with_parameters(table, tmp_path, capsys):
    output = str(tmp_path / "h.skops")
    arguments = [str(table), "-o", output, "--head", "sklearn.ensemble.RandomForestClassifier"]
    assert train_classifier.main([*arguments, "--param", "n_estimators=25", "--param", "random_state=0"]) == 0
    assert "RandomForestClassifier head, 5 identities" in capsys.readouterr().out
    loaded = load_head(output)
    assert loaded.parameters["n_estimators"] == 25
    assert np.mean(loaded.choose(PEOPLE.vectors) == PEOPLE.identities) == 1.0


def test_json_says_what_was_trained(table, tmp_path):
    arguments = [str(table), "-o", str(tmp_path / "h.skops"), "--threshold", "0.4", "--json", str(tmp_path / "r.json")]
    assert train_classifier.main(arguments) == 0
    record = json.loads((tmp_path / "r.json").read_text())
    assert (record["head"], record["threshold"]["value"], record["threshold"]["source"]) == ("gallery", 0.4, "given")
    assert record["photos_per_identity"] == {f"person 00{number}": 3 for number in range(5)}


def test_backgrounds(table, tmp_path, capsys):
    output = str(tmp_path / "h.skops")
    assert train_classifier.main([str(table), "-o", output]) == 0
    assert "score: normalized, against 4,038 people, LFW" in capsys.readouterr().out
    normalized = load_head(output)
    assert train_classifier.main([str(table), "-o", output, "--no-background"]) == 0
    assert "score: cosine\n" in capsys.readouterr().out
    plain = load_head(output)
    assert (plain.score_kind, plain.threshold_record.curve.score) == ("cosine", "cosine")
    assert normalized.threshold_record.curve.score == "normalized"
    assert plain.threshold > normalized.threshold
    np.testing.assert_allclose(plain.match(PEOPLE.vectors).scores, 1.0, atol=1e-6)


def test_strangers_join_the_cohort(table, tmp_path, capsys):
    visitors = make_people(6, 2, length=512, seed=8)
    visitors.identities[10:] = ""
    write_table(tmp_path / "visitors.h5", visitors, weights=DEFAULT_WEIGHTS)
    output = str(tmp_path / "h.skops")
    assert train_classifier.main([str(table), "-o", output, "--strangers", str(tmp_path / "visitors.h5")]) == 0
    assert "and 7 strangers of yours" in capsys.readouterr().out
    assert len(load_head(output).matcher.background.cohort) == 7
    arguments = [str(table), "-o", output, "--no-background", "--strangers", str(tmp_path / "visitors.h5")]
    assert train_classifier.main(arguments) == 2
    assert "there is none; give --background FILE" in capsys.readouterr().err
    write_table(tmp_path / "others.h5", make_people(2, 1))
    assert train_classifier.main([str(table), "-o", output, "--strangers", str(tmp_path / "others.h5")]) == 2
    assert "cannot be compared with the table's" in capsys.readouterr().err


def test_another_background(tmp_path, capsys):
    write_table(tmp_path / "many.h5", make_people(40, 2))
    make_background().write(tmp_path / "b.npz")
    arguments = [str(tmp_path / "many.h5"), "-o", str(tmp_path / "h.skops"), "--background", str(tmp_path / "b.npz")]
    assert train_classifier.main(arguments) == 0
    printed = capsys.readouterr().out
    assert "score: normalized, against 100 people, made-up people" in printed
    assert "expected FPIR" in printed
    write_table(tmp_path / "other.h5", make_people(40, 2), weights="1" * 64)
    assert train_classifier.main([str(tmp_path / "other.h5"), *arguments[1:]]) == 2
    assert (
        "expected a background model for weights 111111111111, got one for weights 000000000000"
        in capsys.readouterr().err
    )


def test_cutting_the_table(table, tmp_path, capsys):
    output = str(tmp_path / "h.skops")
    assert train_classifier.main([str(table), "-o", output, "--identities", "person 001, person 004"]) == 0
    assert load_head(output).labels == ["person 001", "person 004"]
    (tmp_path / "names.csv").write_text("path,identity\nx,person 002\n", encoding="utf-8")
    assert train_classifier.main([str(table), "-o", output, "--identities", str(tmp_path / "names.csv")]) == 0
    assert load_head(output).labels == ["person 002"]
    capsys.readouterr()
    assert train_classifier.main([str(table), "-o", output, "--min-photos", "4"]) == 2
    assert "nobody is left to enrol" in capsys.readouterr().err
    assert train_classifier.main([str(table), "-o", output, "--identities", "Zoe"]) == 2
    assert "not among the table's identities: Zoe" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--fpir", "0.05"], "needs at least 30 people in the table, got 5"),
        (["--fpir", "0"], "`fpir` must be above 0 and below 1, got 0.0"),
        (["--fpir", "1"], "`fpir` must be above 0 and below 1"),
        (["--fpir", "-1"], "`fpir` must be above 0 and below 1"),
        (["--threshold", "nan"], "`threshold` must be a finite number"),
        (["--head", "forest"], "unknown head 'forest'"),
        (["--head", "sklearn.linear_model.Ridge"], "must be a scikit-learn classifier"),
        (["--head", "knn", "--param", "k=3"], "head 'knn' has no parameter 'k'"),
        (["--head", "knn", "--param", "3"], "a parameter must be name=value"),
        (["--head", "sklearn.ensemble.HistGradientBoostingClassifier"], "types that are not trusted"),
        (["--identities", " , "], "`identities` must name at least one person"),
    ],
)
def test_bad_options_are_one_line(options, message, table, tmp_path, capsys):
    assert train_classifier.main([str(table), "-o", str(tmp_path / "h.skops"), *options]) == 2
    error = capsys.readouterr().err
    assert message in error
    assert error.count("\n") == 1
    assert not (tmp_path / "h.skops").exists()


def test_text_as_fpir_is_refused(table, capsys):
    with pytest.raises(SystemExit) as exit_:
        train_classifier.main([str(table), "-o", "h.skops", "--fpir", "often"])
    assert exit_.value.code == 2
    assert "invalid float value: 'often'" in capsys.readouterr().err


def test_tables_nobody_can_be_enrolled_from(tmp_path, capsys):
    people = make_people(2, 1)
    write_table(tmp_path / "nameless.h5", people._replace(identities=np.array(["", ""])))
    write_table(tmp_path / "empty.h5", people._replace(vectors=people.vectors[:0], identities=people.identities[:0]))
    write_table(tmp_path / "reserved.h5", people._replace(identities=np.array(["Ada", "unknown"])))
    for name, message in (
        ("nameless", "found 2 faces without any"),
        ("empty", "nobody is left"),
        ("reserved", "'unknown'"),
    ):
        assert train_classifier.main([str(tmp_path / f"{name}.h5"), "-o", str(tmp_path / "h.skops")]) == 2
        error = capsys.readouterr().err
        assert message in error
        assert f"{tmp_path / name}.h5: " in error
        assert ("--identity-from filename" in error) is (name == "empty")


def test_names_from_a_people_file(tmp_path, capsys):
    strangers = make_people(3, 4, length=512)
    write_table(tmp_path / "faces.h5", strangers._replace(identities=np.full(12, "")), weights=DEFAULT_WEIGHTS)
    table, people, head = tmp_path / "faces.h5", tmp_path / "people.csv", tmp_path / "h.skops"
    rows = [f"{row:04d}.jpg,0,{row // 4},{'Zoë' if row == 1 else ''},0.9" for row in range(12)]
    people.write_text("\n".join(["path,face_index,cluster,name,score", *rows]) + "\n", encoding="utf-8")
    assert train_classifier.main([str(table), "--names", str(people), "-o", str(head)]) == 0
    assert load_head(head).labels == ["Zoë"]
    assert len(load_head(head).gallery) == 4
    people.write_text(people.read_text(encoding="utf-8").replace("Zoë", ""), encoding="utf-8")
    capsys.readouterr()
    assert train_classifier.main([str(table), "--names", str(people), "-o", str(head)]) == 2
    assert "people.csv: expected names in its column `name`, found none" in capsys.readouterr().err


def test_a_table_is_never_replaced(table, tmp_path, capsys):
    before = table.read_bytes()
    assert train_classifier.main([str(table), "-o", str(table)]) == 2
    assert train_classifier.main([str(table), "-o", str(tmp_path / "h.skops"), "--json", str(table)]) == 2
    first, second = capsys.readouterr().err.splitlines()
    assert "faces.h5: expected a head or nothing here to replace" in first
    assert "faces.h5: expected JSON or nothing here to replace" in second
    assert table.read_bytes() == before


def test_one_photo_of_one_person(tmp_path, capsys):
    write_table(tmp_path / "one.h5", make_people(1, 1))
    assert train_classifier.main([str(tmp_path / "one.h5"), "-o", str(tmp_path / "h.skops")]) == 2
    assert "no threshold curve is known" in capsys.readouterr().err
    for head in ("gallery", "knn", "svm"):
        arguments = [str(tmp_path / "one.h5"), "-o", str(tmp_path / "h.skops"), "--threshold", "0.5", "--head", head]
        assert train_classifier.main(arguments) == 0
        assert load_head(tmp_path / "h.skops").identify(make_people(1, 1).vectors)[0].tolist() == ["person 000"]


def test_many_people_are_summarized(tmp_path, capsys):
    write_table(tmp_path / "many.h5", make_people(40, 2))
    assert train_classifier.main([str(tmp_path / "many.h5"), "-o", str(tmp_path / "h.skops"), "--fpir", "0.05"]) == 0
    printed = capsys.readouterr().out
    assert "and 20 more" in printed
    assert "from your photos" in printed


def test_help_is_quick_and_loads_no_library():
    command = [sys.executable, "-X", "importtime", str(SCRIPT), "--help"]
    result = subprocess.run(command, capture_output=True, text=True, check=True)
    assert "--fpir" in result.stdout
    assert not any(f" {name}\n" in result.stderr for name in ("numpy", "sklearn", "h5py"))


def test_a_list_of_names_must_be_text(table, tmp_path, capsys):
    (tmp_path / "photo.jpg").write_bytes(b"\xff\xd8\xff\xe0")
    arguments = [str(table), "-o", str(tmp_path / "h.skops"), "--identities", str(tmp_path / "photo.jpg")]
    assert train_classifier.main(arguments) == 2
    assert capsys.readouterr().err == (
        f"train_classifier.py: error: {tmp_path / 'photo.jpg'}: expected names in UTF-8 text, one a line, found a JPEG "
        "image; name people, or a text file of names\n"
    )


def test_a_table_without_names_points_to_grouping_and_naming(tmp_path, capsys):
    nobody = PEOPLE._replace(identities=np.full(len(PEOPLE.vectors), ""))
    table = tmp_path / "faces.h5"
    write_table(table, nobody, weights=DEFAULT_WEIGHTS)
    assert train_classifier.main([str(table), "-o", str(tmp_path / "head.skops")]) == 2
    assert capsys.readouterr().err == (
        f"train_classifier.py: error: {table}: expected faces with names, found 15 faces without any; group them with "
        f"facetable cluster {table} -o people.csv, name the groups in that file, and train again with "
        "--names people.csv\n"
    )
    assert not (tmp_path / "head.skops").exists()


def test_training_again_keeps_what_was_enrolled_and_rejected(table, tmp_path, capsys):
    output = tmp_path / "h.skops"
    assert train_classifier.main([str(table), "-o", str(output)]) == 0
    zoe = [
        make_sample(vector, f"zoe {row}") for row, vector in enumerate(make_people(1, 2, length=512, seed=5).vectors)
    ]
    wrong = make_sample(PEOPLE.vectors[4], image_sha256=f"{4:064x}", box=np.float32([0, 0, 9, 9]))
    save_head(reject(enrol_faces(load_head(output), zoe, "Zoe"), wrong, "person 001").head, output)
    capsys.readouterr()
    again = [str(table), "-o", str(output), "--head", "svm", "--json", str(tmp_path / "r.json")]
    assert train_classifier.main(again) == 0
    kept = "2 enrolled photos, 1 rejected face, 0 changed names of photos (--fresh drops them)"
    assert f"carried over from the head before: {kept}" in capsys.readouterr().out
    assert json.loads((tmp_path / "r.json").read_text())["carried_over"] == {"enrolled": 2, "rejected": 1, "renamed": 0}
    photos = load_head(output).gallery.photos_per_identity
    assert (photos["Zoe"], photos["person 001"]) == (2, 2)
    assert train_classifier.main([*again, "--fresh"]) == 0
    assert "carried over" not in capsys.readouterr().out
    assert load_head(output).gallery.photos_per_identity == {f"person {number:03d}": 3 for number in range(5)}


def test_what_cannot_be_carried_over_is_refused_unless_fresh(table, tmp_path, capsys):
    output = tmp_path / "h.skops"
    assert train_classifier.main([str(table), "-o", str(output)]) == 0
    head = load_head(output)
    save_head(enrol_faces(head, [make_sample(make_people(1, 1, length=512, seed=5).vectors[0])], "Zoe"), output)
    before = output.read_bytes()
    write_table(tmp_path / "other.h5", make_people(40, 2), weights="1" * 64)
    capsys.readouterr()
    arguments = [str(tmp_path / "other.h5"), "-o", str(output), "--fpir", "0.05"]
    assert train_classifier.main(arguments) == 2
    error = capsys.readouterr().err
    assert error.count("\n") == 1
    assert "to carry over 1 enrolled photo and 0 rejected faces" in error
    assert "give --fresh to drop them, or another -o" in error
    assert output.read_bytes() == before
    assert train_classifier.main([*arguments, "--fresh"]) == 0
    assert len(load_head(output).labels) == 40


def test_one_photo_of_two_people(tmp_path, capsys):
    people = make_people(3, 2, length=512)
    people.vectors[5] = people.vectors[0]
    write_table(tmp_path / "faces.h5", people, weights=DEFAULT_WEIGHTS)
    arguments = [str(tmp_path / "faces.h5"), "-o", str(tmp_path / "h.skops")]
    assert train_classifier.main([*arguments, "--strict"]) == 2
    error = capsys.readouterr().err
    assert error.count("\n") == 1
    assert "faces.h5: expected one name a face, found 1 face with two names: person 000/0000.jpg" in error
    assert not (tmp_path / "h.skops").exists()
    assert train_classifier.main(arguments) == 0
    assert "left out of both people: 1 face with two names" in capsys.readouterr().err
    assert load_head(tmp_path / "h.skops").gallery.photos_per_identity == {
        "person 000": 1,
        "person 001": 2,
        "person 002": 1,
    }


def test_a_rate_that_was_not_measured_and_a_threshold_beyond_its_curve_say_so(table, tmp_path, capsys):
    assert train_classifier.main([str(table), "-o", str(tmp_path / "h.skops"), "--fpir", "0.01"]) == 0
    (line,) = [line for line in capsys.readouterr().out.splitlines() if line.startswith("threshold ")]
    assert ", not measured on your 5 people, which takes 30: from the preset's curve, not from your photos" in line
    assert line.endswith("; measured with 30 to 1,000 photos, beyond which it is continued in a straight line")


def test_a_folder_that_takes_no_files_is_told_before_training(table, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr("os.access", lambda folder, mode: Path(folder) != tmp_path)
    monkeypatch.setattr(train_classifier, "_train_and_save", lambda *_: pytest.fail("trained in vain"))
    assert train_classifier.main([str(table), "-o", str(tmp_path / "family.skops")]) == 2
    assert "family.skops: Permission denied; expected permission" in capsys.readouterr().err
