"""The command ``verify``: on a table, and with real networks on a few real photos."""

import json
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from embedder.commands.main import main
from embedder.commands.verify import _unseen
from embedder.networks.presets import get_preset
from embedder.tables.table import EmbeddingTable
from embedder.verification.lfw import Pairs, read_pairs
from embedder.verification.pair_tables import embed_pairs, standardization_warning
from foundation.fingerprint import Fingerprint
from tests.embedder.verification.test_lfw import TEN_FOLD, make_table

SPACE = {"weights_sha256": "0" * 64, "crop_size": 160, "standardization": "fixed", "embedding_length": 16}


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "pairs.txt").write_text(TEN_FOLD)
    make_table(space=SPACE).write(tmp_path / "faces.h5")
    return tmp_path


def run(folder, *arguments):
    return main(["verify", "--pairs", str(folder / "pairs.txt"), *map(str, arguments)])


class TestTable:
    @pytest.mark.usefixtures("drawing")
    def test_prints_and_writes_the_figures(self, folder, capsys):
        assert (
            run(
                folder,
                "--table",
                folder / "faces.h5",
                "--json",
                folder / "r.json",
                "--plot",
                folder / "r.png",
                "--no-mean",
            )
            == 0
        )
        output = capsys.readouterr()
        assert "8 pairs, 4 genuine; 0 failures to enrol" in output.out
        assert "accuracy 1.0000 ± 0.0000 over 2 folds" in output.out
        assert "TAR 1.0000 [" in output.out
        assert "at FAR 0.001 (of 4 impostor pairs none passes: a rate below 0.25 cannot be seen)\n" in output.out
        assert "scored without" in output.err
        assert "needs --images" in output.err
        result = json.loads((folder / "r.json").read_text())
        assert list(result)[:4] == ["n_pairs", "n_genuine", "n_failures_to_enrol", "accuracy_mean"]
        assert list(result)[4:] == ["accuracy_std", "auc", "eer", "tar_at_far", "fingerprint"]
        assert result["accuracy_mean"] == 1
        assert result["fingerprint"]["space"] == SPACE
        with Image.open(folder / "r.png") as plot:
            assert plot.width > 1000
            assert len(plot.convert("RGB").getcolors(1 << 24)) > 10

    def test_options_change_the_scores(self, folder):
        results = []
        for options in ([], ["--metric", "euclidean"], ["--no-mean"]):
            run(folder, "--table", folder / "faces.h5", "--json", folder / "r.json", *options)
            results.append(json.loads((folder / "r.json").read_text()))
        assert results[0]["n_pairs"] == results[1]["n_pairs"] == results[2]["n_pairs"] == 8

    @pytest.mark.parametrize(("status", "code"), [("no_face", 0), ("unreadable", 1)])
    def test_failures_to_enrol_are_listed(self, folder, capsys, status, code):
        make_table(statuses=[status, *["ok"] * 7], space=SPACE).write(folder / "faces.h5")
        assert run(folder, "--table", folder / "faces.h5") == code
        output = capsys.readouterr()
        assert f"Ada/Ada_0001: failure to enrol, {status}\n" in output.err
        assert "1 failure to enrol; pairs with such a photo, taken as errors: 2" in output.out

    def test_other_weights_cannot_be_checked(self, folder, capsys):
        assert run(folder, "--table", folder / "faces.h5", "--images", folder) == 0
        assert "was made with other weights than the preset facenet-casia-20180408" in capsys.readouterr().err

    def test_a_wrong_standardization_is_said(self, folder, capsys, monkeypatch):
        preset = get_preset("facenet-casia-20180408")
        space = {
            **SPACE,
            "weights_sha256": preset.weights_sha256,
            "margin": {"mode": "scaled", "value": 32.0},
            "alignment": "box",
        }
        make_table(space=space, noise=1.5).write(folder / "faces.h5")
        tried = []

        def fake(images, pairs, preset, **settings):
            tried.append((preset.standardization, settings["crop"]))
            return make_table(space=space, noise=0.2)

        monkeypatch.setattr("embedder.verification.pair_tables.embed_pairs", fake)
        assert run(folder, "--table", folder / "faces.h5", "--images", folder) == 0
        assert "warning: the standardization 'fixed' looks wrong for these weights" in capsys.readouterr().err
        assert tried == [("per_image", {"margin": 32.0, "margin_mode": "scaled", "alignment": "box"})]
        assert run(folder, "--table", folder / "faces.h5", "--images", folder, "--no-standardization-check") == 0
        assert "looks wrong" not in capsys.readouterr().err

    @pytest.mark.parametrize(
        ("arguments", "message"),
        [
            ([], "`--images` or `--table` is needed"),
            (["--table", "none.h5"], "none.h5"),
            (["--table", "faces.h5", "--plot", "no/such/folder/r.png"], "expected a folder that exists"),
            (["--images", "empty"], "found none of 8"),
            (["--table", "faces.h5", "--preset", "none"], "`preset` must be one of"),
        ],
    )
    def test_errors_are_one_line(self, folder, monkeypatch, capsys, arguments, message):
        monkeypatch.chdir(folder)
        (folder / "empty").mkdir()
        assert run(folder, *arguments) == 2
        error = capsys.readouterr().err.splitlines()[-1]
        assert error.startswith("python -m embedder verify: error: ")
        assert message in error

    @pytest.mark.usefixtures("drawing")
    def test_a_plot_needs_a_known_suffix(self, folder, capsys):
        assert run(folder, "--table", folder / "faces.h5", "--plot", folder / "r.txt") == 2
        assert "expected a suffix such as .png, .pdf or .svg, got 'txt'" in capsys.readouterr().err


@pytest.mark.realdata
class TestPhotos:
    @pytest.fixture(scope="class")
    def pairs(self, data, tmp_path_factory):
        lines = (data / "lfw/pairs.txt").read_text().splitlines()
        chosen = [lines[1 + 220 * fold + kind + i] for fold in (0, 1) for kind in (0, 110) for i in (0, 1)]
        path = tmp_path_factory.mktemp("pairs") / "pairs.txt"
        path.write_text("\n".join(["2\t2", *chosen]) + "\n")
        return read_pairs(path)

    @pytest.fixture
    def cache(self, tmp_path, monkeypatch):
        # Networks stay where they are converted already; only what `verify` keeps goes elsewhere.
        monkeypatch.setattr("embedder.verification.pair_tables._cache_folder", lambda: tmp_path / "cache")
        return tmp_path / "cache"

    def test_each_photo_is_embedded_once_and_the_photo_folder_stays_as_it_was(self, data, pairs, cache, monkeypatch):
        images = data / "lfw/images"
        names = {photo.split("/")[0] for photo in pairs.photos.flat}
        before = {name: sorted(path.name for path in (images / name).iterdir()) for name in names}
        table = embed_pairs(images, pairs, get_preset("facenet-casia-20180408"))
        assert len(table) == len(np.unique(pairs.photos)) == len(table.images)
        assert table.embeddings.shape[1] == 1024
        assert [path.suffix for path in cache.iterdir() if path.is_file() and path.suffix != ".lock"] == [".h5"]
        monkeypatch.setattr(
            "embedder.networks.face_embedder.FaceEmbedder.embed", lambda *_: pytest.fail("embedded again")
        )
        again = embed_pairs(images, pairs, get_preset("facenet-casia-20180408"))
        assert np.array_equal(table.embeddings, again.embeddings)
        assert before == {name: sorted(path.name for path in (images / name).iterdir()) for name in names}

    def test_another_detector_keeps_a_table_of_its_own(self, data, pairs, cache, monkeypatch):
        for number in (2, 3):
            monkeypatch.setattr("embedder.detection.mtcnn.DETECTOR_VERSION", number)
            table = embed_pairs(data / "lfw/images", pairs, get_preset("facenet-casia-20180408"))
            assert table.fingerprint["provenance"]["detector_version"] == number
        assert len(list(cache.glob("*.h5"))) == 2

    def test_the_wrong_standardization_is_seen(self, data, pairs, cache):
        images, preset = data / "lfw/images", get_preset("facenet-casia-20180408")
        right = embed_pairs(images, pairs, preset)
        wrong = embed_pairs(images, pairs, replace(preset, standardization="per_image"))
        assert isinstance(wrong, EmbeddingTable)
        assert standardization_warning(images, pairs, right, preset=preset) is None
        cosines = np.einsum("ij,ij->i", right.embeddings, wrong.embeddings)
        assert 0.5 < np.median(cosines) < 0.98

    def test_what_is_kept_has_no_names_and_is_told(self, data, pairs, cache, caplog):
        images, preset = data / "lfw/images", get_preset("facenet-casia-20180408")
        first = Pairs(pairs.photos[:1], pairs.identities[:1], pairs.folds[:1])
        with caplog.at_level("INFO"):
            table = embed_pairs(images, first, preset)
        (kept,) = cache.glob("*.h5")
        assert str(kept) in caplog.text and "--no-cache" in caplog.text
        assert set(table.identities) == {""}
        named = replace(table, identities=np.array([path.split("/")[0] for path in table.paths], object))
        provenance = {**table.fingerprint.provenance, "identity_from": "folder"}
        replace(named, fingerprint=Fingerprint(table.fingerprint.space, provenance)).write(kept)  # as one of before
        again = embed_pairs(images, first, preset)
        assert np.array_equal(again.embeddings, table.embeddings) and set(again.identities) == {""}
        assert list(cache.glob("*.h5")) == [kept]

    def test_nothing_is_kept_that_is_not_to_be(self, data, pairs, cache):
        one = Pairs(pairs.photos[:1], pairs.identities[:1], pairs.folds[:1])
        table = embed_pairs(data / "lfw/images", one, get_preset("facenet-casia-20180408"), keep=False)
        assert len(table) == 2 and not cache.exists()


def test_a_rate_that_the_impostors_can_show_has_no_note():
    assert _unseen(0.001, 1000) == ""
    assert _unseen(0.001, 300) == " (of 300 impostor pairs none passes: a rate below 0.0033 cannot be seen)"
