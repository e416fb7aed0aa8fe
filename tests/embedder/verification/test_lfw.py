"""The LFW pairs protocol on small made-up tables and, with real photos, on LFW's own list."""

from dataclasses import replace

import numpy as np
import pytest
from sklearn.metrics import det_curve, roc_auc_score, roc_curve

from embedder.networks.mirrored import MirroredEmbedder
from embedder.tables.table import EmbeddingTable, ImageLedger
from embedder.verification.lfw import Pairs, compare_tables, find_photos, read_pairs, sample_genuine, verify

TEN_FOLD = (
    "2\t2\nAda\t1\t2\nBob\t1\t2\nAda\t1\tBob\t2\nAda\t2\tCy\t1\nCy\t1\t2\nDee\t1\t3\nCy\t1\tDee\t1\nCy\t2\tDee\t3\n"
)
DEV_TRAIN = "2\nAda 1 2\nBob 1 2\nAda 1 Bob 2\nAda 2 Cy 10\n"
PHOTOS = [
    "Ada/Ada_0001",
    "Ada/Ada_0002",
    "Bob/Bob_0001",
    "Bob/Bob_0002",
    "Cy/Cy_0001",
    "Cy/Cy_0002",
    "Dee/Dee_0001",
    "Dee/Dee_0003",
]


@pytest.fixture
def pairs(tmp_path):
    path = tmp_path / "pairs.txt"
    path.write_text(TEN_FOLD)
    return read_pairs(path)


def make_table(photos=PHOTOS, *, statuses=None, space=None, n_faces=1, length=16, noise=0.3, seed=0):
    """Return a table in which photos of one person have nearly equal vectors."""
    rng = np.random.default_rng(seed)
    person = {name: rng.normal(size=length) for name in sorted({photo.split("/")[0] for photo in PHOTOS + photos})}
    statuses = statuses or ["ok"] * len(photos)
    faces = np.array([n_faces if status == "ok" else 0 for status in statuses])
    paths = np.repeat([f"{photo}.jpg" for photo in photos], faces).astype(object)
    vectors = np.array([person[path.split("/")[0]] + noise * rng.normal(size=length) for path in paths])
    n = len(paths)
    ledger = ImageLedger(
        path=np.array([f"{photo}.jpg" for photo in photos], object),
        status=np.array(statuses, object),
        message=np.array([""] * len(photos), object),
        n_faces=faces.astype(np.int32),
        width=np.full(len(photos), 250, np.int32),
        height=np.full(len(photos), 250, np.int32),
        image_sha256=np.array(["0" * 64] * len(photos), object),
        size=np.zeros(len(photos), np.int64),
        mtime_ns=np.zeros(len(photos), np.int64),
    )
    return EmbeddingTable(
        embeddings=(vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32),
        identities=np.array([""] * n, object),
        paths=paths,
        face_indices=np.concatenate([np.arange(count) for count in faces]).astype(np.int32),
        boxes=np.tile(np.float32([100, 100, 150, 150]), (n, 1)),
        landmarks=np.zeros((n, 5, 2), np.float32),
        detection_scores=np.ones(n, np.float32),
        image_sha256=np.array(["0" * 64] * n, object),
        images=ledger,
        photo_root="/photos",
        fingerprint={"space": space or {}, "provenance": {}},
        created="2026-01-01T00:00:00Z",
    )


class TestReadPairs:
    def test_ten_fold_layout(self, pairs):
        assert pairs.photos[0].tolist() == ["Ada/Ada_0001", "Ada/Ada_0002"]
        assert pairs.photos[2].tolist() == ["Ada/Ada_0001", "Bob/Bob_0002"]
        assert pairs.identities[3].tolist() == ["Ada", "Cy"]
        assert pairs.folds.tolist() == [0, 0, 0, 0, 1, 1, 1, 1]
        assert pairs.genuine.tolist() == [True, True, False, False] * 2

    def test_layout_without_folds_is_cut(self, tmp_path):
        path = tmp_path / "pairsDevTrain.txt"
        path.write_text(DEV_TRAIN)
        pairs = read_pairs(path)
        assert pairs.folds.tolist() == [0, 1, 0, 1]
        assert pairs.photos[3].tolist() == ["Ada/Ada_0002", "Cy/Cy_0010"]

    def test_names_with_spaces(self, tmp_path):
        path = tmp_path / "pairs.txt"
        fold = "Mary Ann\t1\t2\nMary Ann\t1\tBob\t1\n"
        path.write_text(f"2\t1\n{fold}{fold}")
        assert read_pairs(path).identities.tolist() == [["Mary Ann", "Mary Ann"], ["Mary Ann", "Bob"]] * 2

    @pytest.mark.realdata
    def test_both_layouts_of_lfw_hold_the_same_pairs(self, data):
        with_folds, without = read_pairs(data / "lfw/pairs.txt"), read_pairs(data / "lfw/pairsDevTrain.txt")
        assert len(with_folds) == len(without) == 2200
        assert sorted(map(tuple, with_folds.photos)) == sorted(map(tuple, without.photos))
        assert np.bincount(with_folds.folds).tolist() == np.bincount(without.folds).tolist() == [220] * 10

    @pytest.mark.parametrize(
        ("text", "message"),
        [
            ("", "expected in the first line"),
            ("ten\n", "expected in the first line the number of folds and of pairs.*got 'ten'"),
            ("0 3\n", "expected in the first line"),
            ("9" * 5000, "expected in the first line"),
            ("1\nAda 1 " + "9" * 5000 + "\nAda 1 Bo 1\n", "pair 1: expected 'name n1 n2', got 'Ada 1 999"),
            ("1\nAda 1 2\n", "expected 2 pairs after the first line, as it says, got 1"),
            ("1\nAda 1 2 3\nAda 1 Bob 2\n", "pair 1: expected 'name n1 n2', got 'Ada 1 2 3'"),
            ("1\nAda 1 two\nAda 1 Bob 2\n", "pair 1: expected 'name n1 n2'"),
            ("1\nAda 1 2\nAda 1 2\n", "pair 2: expected 'name1 n1 name2 n2'"),
            ("1\nAda 1 2\nAda 1 Ada 2\n", "pair 2: expected two people, got 'Ada' twice"),
            ("1\nAda 1 2\nAda 1 Bob 2\n", "expected two folds or more, .* got 1 of 1 genuine pairs; give more pairs"),
            ("1 2\nAda 1 2\nAda 1 3\nAda 1 Bob 2\nAda 2 Bob 1\n", "expected two folds or more"),
        ],
    )
    def test_refuses(self, tmp_path, text, message):
        path = tmp_path / "pairs.txt"
        path.write_text(text)
        with pytest.raises(ValueError, match=message):
            read_pairs(path)

    def test_refuses_bytes(self, tmp_path):
        path = tmp_path / "pairs.txt"
        path.write_bytes(b"\xff\xd8\xff\xe0")
        with pytest.raises(ValueError, match="expected a text file of pairs"):
            read_pairs(path)

    def test_missing_file(self, tmp_path):
        with pytest.raises(FileNotFoundError):
            read_pairs(tmp_path / "none.txt")


class TestFindPhotos:
    def test_any_suffix(self, tmp_path, pairs):
        for name in ("Ada/Ada_0001.jpg", "Ada/Ada_0002.PNG"):
            (tmp_path / name).parent.mkdir(exist_ok=True)
            (tmp_path / name).touch()
        assert find_photos(tmp_path, pairs) == {"Ada/Ada_0001": "Ada/Ada_0001.jpg", "Ada/Ada_0002": "Ada/Ada_0002.PNG"}

    def test_refuses_a_folder_without_them(self, tmp_path, pairs):
        with pytest.raises(ValueError, match=r"such as Ada/Ada_0001.jpg, found none of 8"):
            find_photos(tmp_path, pairs)


class TestVerify:
    def test_tells_people_apart(self, pairs):
        result = verify(pairs, make_table(), subtract_mean=False)
        assert result.accuracies.tolist() == [1, 1]
        assert (result.auc, result.eer) == (1, 0)
        assert result.failures == {}

    def test_json_has_the_promised_keys(self, pairs):
        values = verify(pairs, make_table(space={"crop_size": 160})).to_json()
        assert list(values) == [
            "n_pairs",
            "n_genuine",
            "n_failures_to_enrol",
            "accuracy_mean",
            "accuracy_std",
            "auc",
            "eer",
            "tar_at_far",
            "fingerprint",
        ]
        assert (values["n_pairs"], values["n_genuine"]) == (8, 4)
        assert list(values["tar_at_far"]) == ["0.1", "0.01", "0.001"]
        assert list(values["tar_at_far"]["0.1"]) == ["value", "low", "high"]
        assert values["fingerprint"]["space"] == {"crop_size": 160}

    def test_failures_to_enrol_are_errors_and_listed(self, pairs):
        statuses = ["no_face", "ok", "ok", "ok", "ok", "ok", "ok", "unreadable"]
        result = verify(pairs, make_table(statuses=statuses), subtract_mean=False)
        assert result.failures == {"Ada/Ada_0001": "no_face", "Dee/Dee_0003": "unreadable"}
        assert result.to_json()["n_failures_to_enrol"] == 2
        assert result.failed_pairs.tolist() == [True, False, True, False, False, True, False, True]
        assert result.accuracies.tolist() == [0.5, 0.5]

    def test_a_photo_that_is_not_in_the_table_is_missing(self, pairs):
        assert verify(pairs, make_table(PHOTOS[1:])).failures == {"Ada/Ada_0001": "missing"}

    def test_the_face_in_the_middle_counts(self, pairs):
        table = make_table(n_faces=2)
        boxes = np.tile(np.float32([[0, 0, 50, 50], [100, 100, 150, 150]]), (len(PHOTOS), 1))
        table = replace(table, boxes=boxes)
        chosen = verify(pairs, table, subtract_mean=False).scores
        alone = verify(pairs, table.select(table.face_indices == 1), subtract_mean=False).scores
        assert chosen == pytest.approx(alone)

    def test_refuses_a_table_of_other_photos(self, pairs):
        with pytest.raises(ValueError, match="got none of them; it was made from /photos"):
            verify(pairs, make_table(["Ada/Ada_0009"]))

    def test_the_mirrored_half_can_be_left_out(self, pairs):
        one, two = make_table(length=8), make_table(length=8, space={"mirrored_copy": True})
        rng = np.random.default_rng(5)
        mirrored = rng.normal(size=(8, 8))
        mirrored /= np.linalg.norm(mirrored, axis=1, keepdims=True)
        both = np.hstack([two.embeddings, mirrored.astype(np.float32)]) / np.float32(np.sqrt(2))
        two = replace(two, embeddings=both)
        assert verify(pairs, two, flip=False).scores == pytest.approx(verify(pairs, one).scores, abs=1e-5)
        assert np.abs(verify(pairs, two).scores - verify(pairs, one).scores).max() > 0.1


class TestMirroredEmbedder:
    class Sums:
        space = {"embedding_length": 2, "crop_size": 4}  # noqa: RUF012
        provenance = {"preset": "sums"}  # noqa: RUF012

        def embed(self, crops):
            left, right = crops[:, :, :2].sum(axis=(1, 2, 3)), crops[:, :, 2:].sum(axis=(1, 2, 3))
            vectors = np.stack([left, right], axis=1).astype(np.float32) + 1e-6
            return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)

    def test_appends_the_vector_of_the_mirrored_crop(self):
        crops = np.zeros((3, 4, 4, 3), np.uint8)
        crops[:, :, 0] = 200
        vectors = MirroredEmbedder(self.Sums()).embed(crops)
        assert vectors.dtype == np.float32
        assert vectors == pytest.approx(np.tile(np.array([1, 0, 0, 1]) / np.sqrt(2), (3, 1)), abs=1e-5)

    def test_no_crop(self):
        assert MirroredEmbedder(self.Sums()).embed(np.zeros((0, 4, 4, 3), np.uint8)).shape == (0, 4)

    def test_is_another_space(self):
        embedder = MirroredEmbedder(self.Sums())
        assert embedder.space == {"embedding_length": 4, "crop_size": 4, "mirrored_copy": True}
        assert embedder.provenance == {"preset": "sums"}


def test_a_sample_is_genuine_and_keeps_the_order(pairs):
    sample = sample_genuine(pairs, 3)
    assert len(sample) == 3
    assert sample.genuine.all()
    places = [pairs.photos.tolist().index(photos) for photos in sample.photos.tolist()]
    assert places == sorted(places)
    assert len(sample_genuine(pairs, 100)) == 4


def test_the_table_that_tells_people_better_apart_is_seen(pairs):
    clear, noisy = make_table(noise=0.3), make_table(PHOTOS[1:], noise=1.5)
    comparison = compare_tables(pairs, noisy, clear)
    assert comparison.second > 2 * comparison.first
    assert comparison.second_better > 0.9
    assert compare_tables(pairs, clear, noisy).second_better < 0.1


@pytest.mark.parametrize("seed", [0, 1])
def test_scores_agree_with_scikit_learn(seed):
    rng = np.random.default_rng(seed)
    people = np.array([[f"P{i}" for i in rng.choice(40, 2, replace=False)] for _ in range(200)])
    people[::2, 1] = people[::2, 0]
    photos = np.array([[f"{one}/{one}_0001", f"{two}/{two}_0002"] for one, two in people])
    pairs = Pairs(photos, people, np.arange(200) // 20)
    result = verify(pairs, make_table(sorted(set(photos.flat)), length=6, noise=0.8, seed=seed))
    far, tar, _ = roc_curve(pairs.genuine, result.scores, drop_intermediate=False)
    assert np.allclose(result.curve.far, far)
    assert np.allclose(result.curve.tar, tar)
    assert result.auc == pytest.approx(roc_auc_score(pairs.genuine, result.scores))
    false_accepts, false_rejects, _ = det_curve(pairs.genuine, result.scores)
    at = np.argmin(np.abs(false_accepts - false_rejects))
    assert abs(result.eer - false_accepts[at]) < 0.02
    assert 0.6 < result.accuracies.mean() < 1
