"""Heads on disk: the same answers after loading, no pickle, nothing untrusted, nothing half-written."""

import dataclasses
import io
import json
import pickle
import zipfile
from pathlib import Path

import numpy as np
import pytest
import sklearn
import skops.io
from sklearn.ensemble import AdaBoostClassifier, RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.naive_bayes import GaussianNB
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

from classifiers import OpenSetClassifier
from classifiers.errors import HeadFileError, UntrustedTypesError
from classifiers.files import head_estimator
from classifiers.files.head_estimator import estimator_of
from classifiers.files.head_file import describe_head, load_head, save_head
from classifiers.heads.decision_rules import VotingRule
from classifiers.heads.head import Head
from classifiers.heads.registry import HEADS, make_head
from classifiers.scores.gallery import Gallery
from classifiers.scores.matcher import Matcher
from classifiers.scores.thresholds import Threshold, ThresholdCurve, threshold_from_curve
from foundation.errors import SpaceMismatchError
from tests import PROJECT
from tests.classifiers.people import FINGERPRINT, make_background, make_people

CROWD = make_people(9, 3, spread=2.0)
PROBES = np.vstack([make_people(9, 20, spread=2.0).vectors, CROWD.vectors])


def fitted(head="gallery", threshold=0.55, background=None):
    names = np.char.replace(CROWD.identities, "person 001", "王小明 Ödön")
    paths = [f"{name}/{row}.jpg" for row, name in enumerate(names)]
    hashes = [f"{row:064x}" for row in range(len(names))]
    boxes = np.arange(len(names) * 4).reshape(-1, 4)
    classifier = OpenSetClassifier(head, threshold, background=background)
    return classifier.fit(
        CROWD.vectors, names, paths=paths, image_sha256=hashes, boxes=boxes, fingerprint=FINGERPRINT
    ).head_


def rewritten(path, **changes):
    """Rewrite a head file with some entries replaced (None: left out)."""
    with zipfile.ZipFile(path) as archive:
        entries = {name: archive.read(name) for name in archive.namelist()} | changes
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in entries.items():
            if content is not None:
                archive.writestr(name, content)


def with_metadata(path, **changes):
    with zipfile.ZipFile(path) as archive:
        record = json.loads(archive.read("facetable.json"))
    rewritten(path, **{"facetable.json": json.dumps(record | changes)})


def npy(array, **options):
    buffer = io.BytesIO()
    np.save(buffer, array, **options)
    return buffer.getvalue()


FORESTS = [RandomForestClassifier(7, random_state=0), AdaBoostClassifier(n_estimators=3, random_state=0)]


def test_votes_of_heads_of_before_decide_as_they_did(tmp_path):
    crowd = Gallery.build([[1, 0.1], [0.6, 0.8], [0.6, 0.8], [0.6, 0.8]], ["Ada", "Bo", "Bo", "Bo"])
    save_head(Head(Matcher(crowd), VotingRule(4), 0.1, name="knn", parameters={"n_neighbors": 4}), tmp_path / "h.skops")
    assert json.loads(zipfile.ZipFile(tmp_path / "h.skops").read("facetable.json"))["chooser"] == "votes"
    assert load_head(tmp_path / "h.skops").choose([[1, 0.4]]).tolist() == ["Bo"]
    classifier = OpenSetClassifier(make_head("knn", {"n_neighbors": 4}), 0.6).fit(crowd.vectors, crowd.identities)
    save_head(classifier.head_, tmp_path / "new.skops")
    assert load_head(tmp_path / "new.skops").choose([[1, 0.4]]).tolist() == ["Ada"]


@pytest.mark.parametrize("background", [None, make_background()])
@pytest.mark.parametrize("name", [*HEADS, LogisticRegression(), GaussianNB(), *FORESTS])
def test_a_loaded_head_answers_exactly_as_before(name, background, tmp_path):
    head = fitted(name, background=background)
    save_head(head, tmp_path / "deep" / "h.skops")
    loaded = load_head(tmp_path / "deep" / "h.skops")
    for before, after in zip(head.match(PROBES), loaded.match(PROBES), strict=True):
        np.testing.assert_array_equal(before, after)
    np.testing.assert_array_equal(head.identify(PROBES)[0], loaded.identify(PROBES)[0])
    for column in ("vectors", "identities", "paths", "image_sha256", "boxes", "origins"):
        np.testing.assert_array_equal(getattr(head.gallery, column), getattr(loaded.gallery, column))
    assert loaded.score_kind == ("cosine" if background is None else "normalized")
    assert (loaded.name, loaded.labels, loaded.threshold) == (head.name, head.labels, 0.55)
    assert (loaded.fingerprint, loaded.threshold_record) == (FINGERPRINT, head.threshold_record)


def test_heads_that_do_not_say_how_people_are_scored_keep_the_nearest_photo(tmp_path):
    head = fitted()
    assert head.matcher.person_score == "nearest_or_mean"
    path = tmp_path / "h.skops"
    save_head(head, path)
    np.testing.assert_array_equal(load_head(path).match(PROBES).scores, head.match(PROBES).scores)
    with zipfile.ZipFile(path) as archive:
        record = json.loads(archive.read("facetable.json"))
    assert record.pop("person_score") == "nearest_or_mean"
    rewritten(path, **{"facetable.json": json.dumps(record)})
    before = load_head(path)
    by_photo = Matcher(head.gallery)
    nearest = by_photo.nearest(by_photo.prepare(PROBES)).similarities[:, 0]
    np.testing.assert_array_equal(before.match(PROBES).scores, nearest.astype(np.float32))
    assert (before.match(PROBES).scores < head.match(PROBES).scores).any()
    save_head(before, path)
    assert load_head(path).matcher.person_score == "nearest"
    with_metadata(path, person_score="median")
    with pytest.raises(HeadFileError, match="person_score must be one of nearest, nearest_or_mean"):
        load_head(path)


@pytest.mark.parametrize("name", HEADS)
def test_a_loaded_head_can_be_saved_again(name, tmp_path):
    save_head(fitted(name), tmp_path / "a.skops")
    save_head(load_head(tmp_path / "a.skops"), tmp_path / "b.skops")
    np.testing.assert_array_equal(load_head(tmp_path / "b.skops").choose(PROBES), fitted(name).choose(PROBES))
    assert type(estimator_of(load_head(tmp_path / "b.skops"))) is HEADS[name]


def test_a_curve_survives(tmp_path):
    curve = ThresholdCurve((10, 100), (0.5, 0.6), "cosine", "nowhere")
    save_head(fitted(threshold=threshold_from_curve(curve, 27)), tmp_path / "h.skops")
    record = load_head(tmp_path / "h.skops").threshold_record
    assert record.curve == curve
    assert record.for_gallery(100) == Threshold(
        pytest.approx(0.6), "curve", record.for_gallery(100).note, fpir=0.01, n_exemplars=100, curve=curve
    )


def test_the_file_holds_no_pickle_and_is_described_in_json(tmp_path):
    save_head(fitted("svm"), tmp_path / "h.skops")
    with zipfile.ZipFile(tmp_path / "h.skops") as archive:
        record = json.loads(archive.read("facetable.json"))
        names = archive.namelist()
        for name in names:
            if name.endswith(".npy"):
                np.load(io.BytesIO(archive.read(name)), allow_pickle=False)
    assert [name for name in names if not name.startswith("serving/")] == ["facetable.json"]
    assert (record["format"], record["version"], record["head"]) == ("facetable-head", 1, "svm")
    assert record["parameters"] == {"C": 1.0}
    assert (record["n_exemplars"], record["embedding_length"], len(record["identities"])) == (27, 32, 9)
    assert record["threshold"]["value"] == 0.55


def test_settings_that_are_no_json_are_described_as_text():
    head = fitted(make_pipeline(GaussianNB()))
    assert describe_head(head)["parameters"]["steps"].startswith("[('gaussiannb'")
    assert describe_head(head)["head"] == "sklearn.pipeline.Pipeline"


def test_saving_refuses_types_that_are_not_trusted(tmp_path):
    head = fitted(make_pipeline(FunctionTransformer(make_people_of_rows), GaussianNB()))
    (tmp_path / "h.skops").write_bytes(b"before")
    with pytest.raises(UntrustedTypesError, match=r"refusing to save.*make_people_of_rows"):
        save_head(head, tmp_path / "h.skops")
    assert (tmp_path / "h.skops").read_bytes() == b"before"
    assert [path.name for path in tmp_path.iterdir()] == ["h.skops"]


def make_people_of_rows(rows):
    """Stand in for a user's own function."""
    return rows


def test_loading_refuses_types_that_are_not_trusted(tmp_path):
    save_head(fitted(GaussianNB()), tmp_path / "h.skops")
    evil = skops.io.dumps(make_pipeline(FunctionTransformer(make_people_of_rows), GaussianNB()))
    rewritten(tmp_path / "h.skops", **{"fitted.skops": evil})
    with pytest.raises(UntrustedTypesError, match=r"h\.skops: refusing to load.*make_people_of_rows"):
        load_head(tmp_path / "h.skops")


def test_an_estimator_that_is_to_be_fitted_again_is_refused_by_the_name_of_its_file(tmp_path):
    path = tmp_path / "h.skops"
    save_head(fitted(GaussianNB()), path)
    evil = skops.io.dumps(make_pipeline(FunctionTransformer(make_people_of_rows), GaussianNB()))
    rewritten(path, **{"estimator.skops": evil})
    with pytest.raises(UntrustedTypesError, match=r"h\.skops: refusing to load.*make_people_of_rows"):
        estimator_of(load_head(path))
    (tmp_path / "estimator.skops").write_bytes(skops.io.dumps(GaussianNB()))
    with zipfile.ZipFile(tmp_path / "estimator.skops") as archive:
        schema = json.loads(archive.read("schema.json"))
    rewritten(tmp_path / "estimator.skops", **{"schema.json": json.dumps(schema | {"protocol": None})})
    rewritten(path, **{"estimator.skops": (tmp_path / "estimator.skops").read_bytes()})
    with pytest.raises(HeadFileError, match=r"h\.skops: expected a whole head, found a damaged one \(its estimator is"):
        estimator_of(load_head(path))


def test_trusted_types_are_written_out():
    text = Path(head_estimator.__file__).read_text(encoding="utf-8")
    assert "TRUSTED_TYPES = [\n" in text
    assert all(f'    "{name}",\n' in text for name in head_estimator.TRUSTED_TYPES)


def test_a_failed_write_leaves_the_old_file(tmp_path, monkeypatch):
    save_head(fitted(), tmp_path / "h.skops")
    before = (tmp_path / "h.skops").read_bytes()

    def full(*_, **__):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(np.lib.format, "write_array", full)
    with pytest.raises(OSError, match="No space left"):
        save_head(fitted("svm"), tmp_path / "h.skops")
    assert (tmp_path / "h.skops").read_bytes() == before
    assert len(list(tmp_path.iterdir())) == 1


@pytest.mark.parametrize("content", [b"", b"hello", pickle.dumps({"a": 1}), b"PK\x03\x04 broken"])
def test_refuses_files_that_are_no_heads(content, tmp_path):
    (tmp_path / "h.skops").write_bytes(content)
    with pytest.raises(HeadFileError, match=r"h\.skops: expected a head made by facetable train"):
        load_head(tmp_path / "h.skops")


def test_refuses_a_plain_skops_file_and_a_missing_one(tmp_path):
    skops.io.dump(GaussianNB(), tmp_path / "plain.skops")
    with pytest.raises(HeadFileError, match=r"found another zip archive, or a head that is cut short; name a head"):
        load_head(tmp_path / "plain.skops")
    with pytest.raises(FileNotFoundError):
        load_head(tmp_path / "absent.skops")


@pytest.mark.parametrize(
    "changes",
    [
        {"serving/exemplars.npy": None},
        {"serving/exemplars.npy": npy(np.zeros((27, 31), np.float32))},
        {"serving/exemplars.npy": npy(np.full((27, 32), np.nan, np.float32))},
        {"serving/exemplars.npy": npy(CROWD.vectors * 2)},
        {"serving/exemplars.npy": npy(CROWD.vectors.astype(np.float64))},
        {"serving/codes.npy": npy(np.full(27, 99))},
        {"serving/codes.npy": npy(np.full(27, -1))},
        {"serving/paths.npy": npy(np.array([b"x"]))},
        {"serving/paths.npy": npy(np.array([{}] * 27), allow_pickle=True)},
        {"serving/boxes.npy": npy(np.zeros((27, 3)))},
        {"serving/support.npy": npy(np.full(3, 5))},
        {"serving/n_support.npy": b"no array"},
        {"facetable.json": b"{}"},
        {"facetable.json": b"\xff"},
        {"facetable.json": b"[1]"},
        {"serving/levels.npy": npy(np.zeros(3))},
        {"serving/levels.npy": npy(np.full(27, np.nan))},
        {"serving/background_mean.npy": npy(np.zeros(3))},
        {"serving/rejected.npy": npy(np.zeros((1, 32)))},
        {"serving/rejected_boxes.npy": npy(np.zeros((1, 4)))},
        {"serving/rejected_boxes.npy": npy(np.zeros((0, 3)))},
        {"serving/origins.npy": npy(np.array([b"table"]))},
        {"serving/origins.npy": npy(np.full(27, b"heaven"))},
        {"serving/origins.npy": npy(np.zeros(27))},
    ],
)
def test_refuses_damaged_entries(changes, tmp_path):
    save_head(fitted("svm", background=make_background()), tmp_path / "h.skops")
    rewritten(tmp_path / "h.skops", **changes)
    with pytest.raises(HeadFileError, match=r"h\.skops: expected a whole head, found .*; train it again") as raised:
        load_head(tmp_path / "h.skops")
    assert "pickle" not in str(raised.value)


@pytest.mark.parametrize("name", ["GaussianNB", "svm"])
def test_a_head_of_another_kind_must_come_with_its_estimator(name, tmp_path):
    save_head(fitted(GaussianNB() if name == "GaussianNB" else name), tmp_path / "h.skops")
    with_metadata(tmp_path / "h.skops", head="this.module.is.never.imported")
    rewritten(tmp_path / "h.skops", **{"estimator.skops": None})
    with pytest.raises(
        HeadFileError, match=r"h\.skops: expected a whole head, found .*estimator\.skops.*; train it again"
    ):
        load_head(tmp_path / "h.skops")


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"no array",
        npy(np.arange(9))[:-3],
        npy(np.array([{}] * 27), allow_pickle=True),
        pickle.dumps([1]),
        npy(np.zeros(1)).replace(b"(1,)", b"(99999999999999,)"),
    ],
)
def test_a_damaged_array_is_named_without_advice_to_unpickle(content, tmp_path):
    save_head(fitted(), tmp_path / "h.skops")
    rewritten(tmp_path / "h.skops", **{"serving/codes.npy": content})
    with pytest.raises(HeadFileError, match=r"h\.skops: .*its array codes is damaged.*; train it again") as raised:
        load_head(tmp_path / "h.skops")
    assert "pickle" not in str(raised.value)


@pytest.mark.parametrize(
    ("content", "found"),
    [
        (b"", "an empty file"),
        (b"text", "text"),
        (b"\x89HDF\r\n\x1a\n", "HDF5 data, such as a table or weights"),
        (b"\xff\xd8\xff", "a JPEG image"),
        (b"PK\x03\x04 cut", "another zip archive, or a head that is cut short"),
    ],
)
def test_a_file_of_another_kind_is_named_as_what_it_is(content, found, tmp_path):
    (tmp_path / "h.skops").write_bytes(content)
    with pytest.raises(HeadFileError) as raised:
        load_head(tmp_path / "h.skops")
    assert str(raised.value) == (
        f"{tmp_path / 'h.skops'}: expected a head made by facetable train, found {found}; name a head, or train one"
    )


def test_what_a_head_lacks_is_named(tmp_path):
    save_head(fitted(), tmp_path / "h.skops")
    rewritten(tmp_path / "h.skops", **{"facetable.json": '{"format": "facetable-head", "version": 1}'})
    with pytest.raises(HeadFileError, match=r"found a damaged one \(it lacks 'identities'\); train it again"):
        load_head(tmp_path / "h.skops")


def test_refuses_an_encrypted_entry(tmp_path):
    save_head(fitted(), tmp_path / "h.skops")
    content = (tmp_path / "h.skops").read_bytes()
    entry = content.rindex(b"PK\x01\x02")
    (tmp_path / "h.skops").write_bytes(content[: entry + 8] + b"\x01" + content[entry + 9 :])
    with pytest.raises(HeadFileError, match=r"h\.skops: .*encrypted.*; train it again"):
        load_head(tmp_path / "h.skops")


def test_a_head_of_another_space_is_named(tmp_path):
    save_head(fitted(), tmp_path / "h.skops")
    other = {"space": FINGERPRINT["space"] | {"crop_size": 1}, "provenance": {"preset": "night-run"}}
    with pytest.raises(SpaceMismatchError, match=r"head \S*h\.skops: .* got crop_size 1 \(preset night-run"):
        load_head(tmp_path / "h.skops").check_fingerprint(other)


def test_refuses_other_versions_and_unknown_decision_rules(tmp_path):
    save_head(fitted(), tmp_path / "h.skops")
    with_metadata(tmp_path / "h.skops", version=2)
    with pytest.raises(HeadFileError, match="expected a head file of version 1, got facetable-head 2"):
        load_head(tmp_path / "h.skops")
    with_metadata(tmp_path / "h.skops", version=1, chooser="oracle")
    with pytest.raises(HeadFileError, match="its chooser 'oracle' is not known"):
        load_head(tmp_path / "h.skops")


def test_rejections_survive(tmp_path):
    head = fitted()
    boxes = [[1, 2, 3, 4], [np.nan] * 4]
    rejections = Gallery.build(PROBES[:2], ["person 000", "person 002"], paths=["x.jpg", "y.jpg"], boxes=boxes)
    save_head(head.replaced(rejections=rejections), tmp_path / "h.skops")
    loaded = load_head(tmp_path / "h.skops").rejections
    np.testing.assert_array_equal(loaded.vectors, rejections.vectors)
    assert (loaded.identities.tolist(), loaded.paths.tolist()) == (["person 000", "person 002"], ["x.jpg", "y.jpg"])
    np.testing.assert_array_equal(loaded.boxes, boxes)


def test_heads_of_before_do_not_say_who_was_enrolled_later_and_where_a_rejected_face_is(tmp_path):
    head = fitted()
    enrolled = dataclasses.replace(head.gallery, origins=np.full(27, "enrolled"))
    changed = head.replaced(
        matcher=Matcher(enrolled), rejections=Gallery.build(PROBES[:1], ["x"], boxes=[[1, 2, 3, 4]])
    )
    save_head(changed, tmp_path / "h.skops")
    assert set(load_head(tmp_path / "h.skops").gallery.origins) == {"enrolled"}
    rewritten(tmp_path / "h.skops", **{"serving/origins.npy": None, "serving/rejected_boxes.npy": None})
    loaded = load_head(tmp_path / "h.skops")
    assert loaded.gallery.origins.tolist() == [""] * 27
    assert np.isnan(loaded.rejections.boxes).all()
    assert loaded.rejections.boxes.shape == (1, 4)


def as_if_by_another_version(path):
    with zipfile.ZipFile(path) as archive:
        versions = json.loads(archive.read("facetable.json"))["versions"]
    with_metadata(path, versions={**versions, "scikit-learn": "1.2.0"})


@pytest.mark.parametrize("name", [LogisticRegression(), RandomForestClassifier(7, random_state=0), "lda"])
def test_another_scikit_learn_fits_again_from_the_exemplars(name, tmp_path, caplog):
    save_head(fitted(name), tmp_path / "h.skops")
    as_if_by_another_version(tmp_path / "h.skops")
    rewritten(tmp_path / "h.skops", **{"fitted.skops": b"never read"})
    with caplog.at_level("INFO"):
        loaded = load_head(tmp_path / "h.skops")
    np.testing.assert_array_equal(loaded.choose(PROBES), fitted(name).choose(PROBES))
    assert [record.message for record in caplog.records] == [
        f"{tmp_path / 'h.skops'}: the head was made with scikit-learn 1.2.0, here is {sklearn.__version__}: fitted it "
        "again from its photos' vectors; threshold and scores stay, a close call may get another name; train it again "
        "to save the time"
    ]


def test_what_cannot_be_fitted_again_says_so(tmp_path):
    save_head(fitted(GaussianNB()), tmp_path / "h.skops")
    as_if_by_another_version(tmp_path / "h.skops")
    rewritten(tmp_path / "h.skops", **{"estimator.skops": skops.io.dumps(GaussianNB(priors="all alike"))})
    with pytest.raises(HeadFileError, match=r"fitted with scikit-learn 1\.2\.0 and cannot be fitted again.*train the"):
        load_head(tmp_path / "h.skops")
    evil = skops.io.dumps(make_pipeline(FunctionTransformer(make_people_of_rows), GaussianNB()))
    rewritten(tmp_path / "h.skops", **{"estimator.skops": evil})
    with pytest.raises(UntrustedTypesError, match=r"refusing to load.*make_people_of_rows"):
        load_head(tmp_path / "h.skops")


@pytest.mark.parametrize(
    "estimator", [GaussianNB().fit(CROWD.vectors[:, :5], CROWD.identities), GaussianNB().fit(CROWD.vectors, range(27))]
)
def test_refuses_an_estimator_that_is_not_the_exemplars(estimator, tmp_path):
    save_head(fitted(GaussianNB()), tmp_path / "h.skops")
    rewritten(tmp_path / "h.skops", **{"fitted.skops": skops.io.dumps(estimator)})
    with pytest.raises(HeadFileError, match="its estimator does not fit its exemplars"):
        load_head(tmp_path / "h.skops")


def test_refuses_a_forest_with_a_tree_that_leads_astray(tmp_path):
    head = fitted(RandomForestClassifier(3, random_state=0))
    save_head(head, tmp_path / "h.skops")
    tree = head.decision_rule.estimator.estimators_[1].tree_
    state = tree.__getstate__()
    state["nodes"]["left_child"][0] = 10**6
    tree.__setstate__(state)
    rewritten(tmp_path / "h.skops", **{"fitted.skops": skops.io.dumps(head.decision_rule.estimator)})
    with pytest.raises(HeadFileError, match="a decision tree in it is not sound"):
        load_head(tmp_path / "h.skops")


def test_never_replaces_a_file_of_another_kind(tmp_path):
    head = fitted(GaussianNB())
    table = tmp_path / "faces.h5"
    table.write_bytes(b"\x89HDF\r\n\x1a\n")
    with pytest.raises(HeadFileError, match=r"faces\.h5: expected a head or nothing here to replace"):
        save_head(head, table)
    assert table.read_bytes() == b"\x89HDF\r\n\x1a\n"
    with zipfile.ZipFile(tmp_path / "album.zip", "w") as archive:
        archive.writestr("photo.jpg", b"photo")
    with pytest.raises(HeadFileError, match=r"album\.zip: expected a head or nothing here to replace"):
        save_head(head, tmp_path / "album.zip")
    (tmp_path / "h.skops").touch()
    save_head(head, tmp_path / "h.skops")
    save_head(head, tmp_path / "h.skops")
    assert load_head(tmp_path / "h.skops").labels == head.labels


def test_refuses_compressed_entries(tmp_path):
    with zipfile.ZipFile(tmp_path / "h.skops", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("facetable.json", "{}")
    with pytest.raises(HeadFileError, match="entries are compressed"):
        load_head(tmp_path / "h.skops")


@pytest.mark.parametrize("name", ["svm", "logreg", "bayes"])
def test_heads_written_under_scikit_learn_1_7_still_name_people(name, caplog):
    people = make_people(4, 3, length=8)
    with caplog.at_level("INFO"):
        head = load_head(PROJECT / "tests" / "classifiers" / "heads_of_scikit_learn_1_7" / f"{name}.skops")
    assert head.choose(people.vectors).tolist() == people.identities.tolist()
    assert (f"{name}.skops: the head was made with scikit-learn 1.7.2" in caplog.text) is (name != "svm")
