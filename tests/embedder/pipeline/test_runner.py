import importlib.machinery
import json
import logging
import os
import shutil
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
from PIL import Image

from embedder.detection.faces import Faces
from embedder.errors import TableError, TableLockedError
from embedder.images import kinds
from embedder.networks.presets import DEFAULT_PRESET, PRESETS
from embedder.pipeline import writer
from embedder.pipeline.runner import update_table
from embedder.pipeline.settings import EmbedSettings
from embedder.tables.file import TableFileReader
from embedder.tables.parts import PartsFolder
from embedder.tables.table import EmbeddingTable
from foundation.errors import FingerprintError
from tests.embedder.fakes import (
    DETECTOR_FAILS,
    EMBEDDER_FAILS,
    LENGTH,
    NOT_FINITE,
    SIZE_HW,
    FakeDetector,
    FakeEmbedder,
    make_encoder,
    names,
    write_photo,
)
from tests.embedder.runs import embed, same
from tests.embedder.table_files import changed, write_version_1


def update(photos: Path, out: Path, settings: EmbedSettings | None = None, **options: Any) -> Any:
    """Run on top of what is there; the summary, and how many photos the detector saw."""
    detector = options.pop("detector", FakeDetector())
    summary = update_table(
        photos,
        out,
        settings or EmbedSettings(),
        detector=detector,
        embedder=options.pop("embedder", FakeEmbedder()),
        **options,
    )
    assert names(out.parent).count(f"{out.name}.parts") == 0
    return summary, detector.n_seen


def written(path: Path) -> tuple[int, int, int]:
    """Return what tells one writing of a file from another, whenever it was read."""
    status = path.stat()
    return status.st_ino, status.st_mtime_ns, status.st_size


def test_folder_to_table(photos: Path, tmp_path: Path) -> None:
    out = tmp_path / "new" / "folder" / "faces.h5"
    table = embed(photos, out)
    assert table.paths.tolist() == ["Ada/1.png", *["Ada/2.png"] * 3, "group.png", "group.png", "王小明/照 片.png"]
    assert table.identities.tolist() == ["Ada", "", "Ada", "", "", "", "王小明"]
    assert table.face_indices.tolist() == [0, 0, 1, 2, 0, 1, 0]
    assert table.images.path.tolist() == ["Ada/1.png", "Ada/2.png", "group.png", "landscape.png", "王小明/照 片.png"]
    assert table.images.status.tolist() == ["ok", "ok", "ok", "no_face", "ok"]
    assert table.photo_root == str(photos.resolve())
    assert table.fingerprint == EmbedSettings().fingerprint(make_encoder())
    assert same(table, EmbeddingTable.read(out))
    assert names(out.parent) == ["faces.h5"]


def test_one_face_and_other_identity_rules(photos: Path, tmp_path: Path) -> None:
    assert embed(photos, tmp_path / "1.h5", faces="one").identities.tolist() == ["Ada", "Ada", "", "王小明"]
    by_name = embed(photos, tmp_path / "2.h5", faces="one", identity_from="filename")
    assert by_name.identities.tolist() == ["1", "2", "group", "照 片"]
    assert set(embed(photos, tmp_path / "3.h5", identity_from="none").identities) == {""}


def test_equal_files_are_two_rows(tmp_path: Path) -> None:
    write_photo(tmp_path / "p" / "a.png"), write_photo(tmp_path / "p" / "b.png")
    table = embed(tmp_path / "p", tmp_path / "t.h5")
    assert table.paths.tolist() == ["a.png", "b.png"] and len(set(table.image_sha256)) == 1


def test_failures_are_in_the_ledger_and_cost_no_other_photo(photos: Path, tmp_path: Path) -> None:
    write_photo(photos / "Ada" / "3.png", DETECTOR_FAILS), write_photo(photos / "Ada" / "4.png", EMBEDDER_FAILS)
    write_photo(photos / "Ada" / "5.png", NOT_FINITE)
    (photos / "text.jpg").write_text("no picture")
    (photos / "empty.jpg").write_bytes(b"")
    table = embed(photos, tmp_path / "t.h5")
    ledger = dict(zip(table.images.path, zip(table.images.status, table.images.message, strict=True), strict=True))
    assert ledger["Ada/3.png"] == ("error", "RuntimeError: this photo breaks the detector")
    assert ledger["Ada/4.png"] == ("error", "RuntimeError: this crop breaks the embedder")
    assert ledger["Ada/5.png"][0] == "error" and "unit length" in ledger["Ada/5.png"][1]
    assert ledger["text.jpg"][0] == ledger["empty.jpg"][0] == "unreadable"
    assert ledger["Ada/1.png"] == ("ok", "") and len(table) == 7 and np.isfinite(table.embeddings).all()


def test_a_second_run_does_nothing(photos: Path, tmp_path: Path) -> None:
    first, n_seen = update(photos, tmp_path / "t.h5")
    assert (first.n_embedded, first.n_kept, n_seen) == (5, 0, 5)
    before = written(tmp_path / "t.h5")
    second, n_seen = update(photos, tmp_path / "t.h5")
    assert (second.n_embedded, second.n_kept, second.n_faces, n_seen) == (0, 5, 7, 0)
    assert written(tmp_path / "t.h5") == before


def test_a_new_photo_costs_only_itself(photos: Path, tmp_path: Path) -> None:
    embed(photos, tmp_path / "t.h5")
    write_photo(photos / "Bob" / "1.png", 1, green=60)
    summary, n_seen = update(photos, tmp_path / "t.h5")
    assert (summary.n_embedded, summary.n_kept, n_seen) == (1, 5, 1)
    assert same(EmbeddingTable.read(tmp_path / "t.h5"), embed(photos, tmp_path / "anew.h5"))


def test_a_changed_photo_is_embedded_again(photos: Path, tmp_path: Path) -> None:
    embed(photos, tmp_path / "t.h5")
    write_photo(photos / "Ada" / "1.png", 2, green=70)
    os.utime(photos / "Ada" / "2.png", ns=(1, 10**18))
    summary, n_seen = update(photos, tmp_path / "t.h5")
    assert (summary.n_embedded, summary.n_kept, n_seen) == (1, 4, 1)
    assert same(EmbeddingTable.read(tmp_path / "t.h5"), embed(photos, tmp_path / "anew.h5"))
    assert update(photos, tmp_path / "t.h5")[1] == 0


def test_a_moved_photo_keeps_its_vectors_and_takes_the_new_name(photos: Path, tmp_path: Path) -> None:
    before = embed(photos, tmp_path / "t.h5")
    (photos / "Bob").mkdir()
    (photos / "Ada" / "2.png").rename(photos / "Bob" / "x.png")
    (photos / "group.png").rename(photos / "Ada" / "group.png")
    summary, n_seen = update(photos, tmp_path / "t.h5")
    assert (summary.n_embedded, summary.n_kept, summary.n_moved, summary.gone, n_seen) == (0, 5, 2, [], 0)
    table = EmbeddingTable.read(tmp_path / "t.h5")
    assert same(table, embed(photos, tmp_path / "anew.h5"))
    assert table.identities[table.paths == "Bob/x.png"].tolist() == ["", "Bob", ""]
    assert np.array_equal(table.embeddings[table.paths == "Bob/x.png"], before.embeddings[before.paths == "Ada/2.png"])


def test_rows_of_deleted_photos_stay_until_pruned(photos: Path, tmp_path: Path) -> None:
    embed(photos, tmp_path / "t.h5")
    (photos / "Ada" / "2.png").unlink()
    summary, _ = update(photos, tmp_path / "t.h5")
    assert (summary.gone, summary.n_pruned, summary.n_photos, summary.n_faces) == (["Ada/2.png"], 0, 4, 4)
    assert len(EmbeddingTable.read(tmp_path / "t.h5")) == 7
    assert "1 deleted photo still in the table; --prune removes them:" in summary.lines()
    summary, n_seen = update(photos, tmp_path / "t.h5", prune=True)
    assert (summary.gone, summary.n_pruned, n_seen) == (["Ada/2.png"], 1, 0)
    assert same(EmbeddingTable.read(tmp_path / "t.h5"), embed(photos, tmp_path / "anew.h5"))
    assert update(photos, tmp_path / "t.h5", prune=True)[0].n_pruned == 0


def test_a_deleted_photo_that_comes_back_is_known(photos: Path, tmp_path: Path) -> None:
    embed(photos, tmp_path / "t.h5")
    shutil.move(photos / "Ada" / "2.png", tmp_path / "2.png")
    update(photos, tmp_path / "t.h5")
    shutil.move(tmp_path / "2.png", photos / "Ada" / "2.png")
    assert update(photos, tmp_path / "t.h5")[1] == 0


def test_errors_are_tried_again(photos: Path, tmp_path: Path) -> None:
    write_photo(photos / "Ada" / "3.png", DETECTOR_FAILS)
    summary, _ = update(photos, tmp_path / "t.h5")
    assert not summary.all_read

    class Mended(FakeDetector):
        def detect_batch(self, images):
            self.n_seen += sum(image.shape[:2] == SIZE_HW for image in images)
            return [self._faces(1) for image in images]

    summary, n_seen = update(photos, tmp_path / "t.h5", detector=Mended())
    assert (summary.n_embedded, n_seen, summary.all_read) == (1, 1, True)


@pytest.mark.parametrize(
    ("option", "value", "named"),
    [
        ("faces", "one", "`faces` all before, one now"),
        ("margin", 44, "`margin.value` 32.0 before, 44.0 now"),
        ("margin_mode", "absolute", "`margin.mode` scaled before"),
        ("alignment", "similarity", "`alignment` box before"),
        ("max_pixels", 10_000, "`max_pixels` 200000000 before"),
        ("detector", FakeDetector(min_face_size=40), "`min_face_size` absent before, 40 now"),
        ("embedder", FakeEmbedder(precision="int8"), "`precision` fp32 before, int8 now"),
        ("embedder", FakeEmbedder("cd" * 32), "`weights_sha256` abababababab... before, cdcdcdcdcdcd... now"),
    ],
)
def test_another_setting_is_refused(photos: Path, tmp_path: Path, option: str, value: Any, named: str) -> None:
    table = embed(photos, tmp_path / "t.h5")
    with pytest.raises(FingerprintError, match="give another -o") as raised:
        embed(photos, tmp_path / "t.h5", **{option: value})
    assert named in str(raised.value) and str(tmp_path / "t.h5") in str(raised.value)
    assert same(EmbeddingTable.read(tmp_path / "t.h5"), table) and names(tmp_path) == ["photos", "t.h5"]


def test_another_identity_rule_only_renames(photos: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    out = tmp_path / "t.h5"
    before = embed(photos, out)
    assert set(before.identities) == {"Ada", "王小明", ""}
    summary, n_seen = update(photos, out, EmbedSettings(identity_from="none"))
    table = EmbeddingTable.read(out)
    assert (n_seen, summary.n_embedded, summary.n_kept) == (0, 0, 5)
    assert set(table.identities) == {""} and table.fingerprint.provenance["identity_from"] == "none"
    assert "who is on a photo now follows from --identity-from none; all vectors are kept" in caplog.text
    assert same(replace(table, identities=before.identities), before)
    (photos / "group.png").rename(tmp_path / "away.png")  # a deleted photo's rows follow too
    assert update(photos, out, EmbedSettings(identity_from="filename"))[1] == 0
    assert EmbeddingTable.read(out).identities.tolist() == ["1", "", "2", "", "", "group", "照 片"]
    (tmp_path / "away.png").rename(photos / "group.png")
    assert update(photos, out)[1] == 0 and same(EmbeddingTable.read(out), before)


def test_excluding_later_embeds_nothing_again(photos: Path, tmp_path: Path) -> None:
    out = tmp_path / "t.h5"
    before = embed(photos, out)
    assert "exclude" not in before.fingerprint.provenance
    summary, n_seen = update(photos, out, EmbedSettings(exclude=("group.*",)))
    assert (n_seen, summary.n_photos, summary.n_kept, summary.n_excluded) == (0, 4, 4, 1)
    assert (summary.gone, summary.excluded) == ([], ["group.png"])
    assert "1 excluded photo still in the table; --prune removes them:" in summary.lines()
    table = EmbeddingTable.read(out)
    assert table.fingerprint.provenance["exclude"] == ["group.*"] and same(table, before)
    (photos / "Ada" / ".facetableignore").write_text("2.png\n")
    summary, n_seen = update(photos, out, EmbedSettings(exclude=("group.*",)), prune=True)
    assert (n_seen, summary.n_pruned, summary.excluded) == (0, 2, ["Ada/2.png", "group.png"])
    assert "removed 2 excluded photos from the table" in summary.lines()
    table = EmbeddingTable.read(out)
    assert table.paths.tolist() == ["Ada/1.png", "王小明/照 片.png"]
    assert table.fingerprint.provenance["ignore_files"] == {"Ada/.facetableignore": ["2.png"]}
    kept = np.isin(before.paths, table.paths)
    assert np.array_equal(table.embeddings, before.embeddings[kept])
    (photos / "Ada" / ".facetableignore").unlink()
    summary, n_seen = update(photos, out)
    assert (n_seen, summary.n_kept) == (2, 3)  # only what had been pruned
    assert same(EmbeddingTable.read(out), before)


def test_photos_whose_reader_is_gone_stay_in_the_table(
    photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    spec = importlib.machinery.ModuleSpec("rawpy", None)
    monkeypatch.setattr(kinds, "find_spec", lambda name: spec)
    (photos / "group.png").rename(photos / "group.dng")  # read as what it is
    before = embed(photos, tmp_path / "t.h5")
    assert "group.dng" in before.paths
    monkeypatch.setattr(kinds, "find_spec", lambda name: None)
    summary, n_seen = update(photos, tmp_path / "t.h5", prune=True)
    assert (n_seen, summary.n_pruned, summary.n_by_kind) == (0, 0, {"camera raw photo": 1})
    assert same(EmbeddingTable.read(tmp_path / "t.h5"), before)


class PeopleByGreen(FakeEmbedder):
    """Photos of one green value are alike, others at right angles, as vectors of the default preset."""

    def __init__(self) -> None:
        super().__init__(PRESETS[DEFAULT_PRESET].weights_sha256)

    def embed(self, crops: np.ndarray) -> np.ndarray:
        return np.eye(LENGTH, dtype=np.float32)[crops[:, 0, 0, 1]]


def test_albums_are_asked_about(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    for i in range(4):
        write_photo(tmp_path / "photos" / "Ada" / f"{i}.png", 1, green=1)
        write_photo(tmp_path / "photos" / "DCIM" / f"{i}.png", 1, green=i)
        write_photo(tmp_path / "photos" / "party" / f"{i}.png", 1, green=i)
    summary, _ = update(tmp_path / "photos", tmp_path / "t.h5", embedder=PeopleByGreen())
    assert (summary.albums, summary.unlike) == (["DCIM"], ["DCIM", "party"])
    remedy = "run embed again with --identity-from none, which embeds no photo again, then group the faces"
    assert f"these look like albums, not people: DCIM; {remedy}" in caplog.text
    assert summary.lines()[-1].startswith(
        f"these look like albums, not people (their faces are mostly unlike each other): party; {remedy}"
    )
    caplog.clear()
    summary, n_seen = update(
        tmp_path / "photos", tmp_path / "t.h5", EmbedSettings(identity_from="none"), embedder=PeopleByGreen()
    )
    assert (summary.albums, summary.unlike, n_seen) == ([], [], 0) and "look like" not in caplog.text


def test_people_are_not_asked_about_and_one_folder_is(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    for i in range(4):
        write_photo(tmp_path / "photos" / "Ada" / f"{i}.png", 1, green=1)
        write_photo(tmp_path / "photos" / "Bob" / f"{i}.png", 1, green=2)
    summary, _ = update(tmp_path / "photos", tmp_path / "t.h5", embedder=PeopleByGreen())
    assert (summary.albums, summary.unlike, caplog.text) == ([], [], "")
    shutil.rmtree(tmp_path / "photos" / "Bob")
    update(tmp_path / "photos", tmp_path / "one.h5", embedder=PeopleByGreen())
    assert "all named photos are in one folder, Ada: is that a person?" in caplog.text


def test_parts_of_a_killed_run_follow_another_identity_rule(
    photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        interrupt_after(patch, 2)
        with pytest.raises(KeyboardInterrupt):
            embed(photos, tmp_path / "t.h5")
    summary, _ = update(photos, tmp_path / "t.h5", EmbedSettings(identity_from="none"))
    assert summary.n_kept > 0 and set(EmbeddingTable.read(tmp_path / "t.h5").identities) == {""}


def test_the_refusal_says_what_to_pass_to_go_on(photos: Path, tmp_path: Path) -> None:
    embed(photos, tmp_path / "t.h5", detector=FakeDetector(min_face_size=20))
    with pytest.raises(
        FingerprintError,
        match=(
            "`min_face_size` 20 before, auto now; to go on pass min_face_size=20 in Python, --min-face-size 20 on the "
            "command line; otherwise give another -o"
        ),
    ):
        embed(photos, tmp_path / "t.h5", detector=FakeDetector(min_face_size="auto"))
    write_photo(tmp_path / "other" / "Cleo" / "1.png", 1)
    with pytest.raises(FingerprintError, match=f"{tmp_path / 'other'} now; give another -o"):
        embed(tmp_path / "other", tmp_path / "t.h5", detector=FakeDetector(min_face_size="auto"))


def test_another_setting_is_refused_by_parts_too(photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    interrupt_after(monkeypatch, 2)
    with pytest.raises(KeyboardInterrupt):
        embed(photos, tmp_path / "t.h5")
    with pytest.raises(FingerprintError, match=r"`margin.value`.* or delete .*t\.h5\.parts to begin anew"):
        embed(photos, tmp_path / "t.h5", margin=44)


def test_another_photo_folder_is_refused_unless_it_is_the_first_one_moved_or_copied(
    photos: Path, tmp_path: Path
) -> None:
    embed(photos, tmp_path / "t.h5")
    write_photo(tmp_path / "other" / "Cleo" / "1.png", 1)
    with pytest.raises(FingerprintError, match=f"photo folder {photos.resolve()} before, {tmp_path / 'other'} now"):
        embed(tmp_path / "other", tmp_path / "t.h5")
    shutil.copytree(photos, tmp_path / "copy", copy_function=shutil.copy)  # with times of its own
    assert update(tmp_path / "copy", tmp_path / "t.h5")[1] == 0
    assert EmbeddingTable.read(tmp_path / "t.h5").photo_root == str(tmp_path / "copy")
    assert update(photos, tmp_path / "t.h5")[1] == 0
    (tmp_path / "link").symlink_to(photos)
    assert update(tmp_path / "link", tmp_path / "t.h5")[1] == 0
    photos.rename(tmp_path / "renamed")
    assert update(tmp_path / "renamed", tmp_path / "t.h5")[1] == 0
    assert EmbeddingTable.read(tmp_path / "t.h5").photo_root == str(tmp_path / "renamed")


def test_other_package_versions_are_one_warning(photos: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    table = embed(photos, tmp_path / "t.h5")
    made = table.fingerprint.to_json()
    made["provenance"]["versions"] |= {"numpy": "1.0", "pillow": "2.0"}
    replace(table, fingerprint=made).write(tmp_path / "t.h5")
    assert update(photos, tmp_path / "t.h5")[1] == 0
    assert len(caplog.records) == 1 and "numpy 1.0 before" in caplog.text and "pillow 2.0 before" in caplog.text


def test_a_damaged_or_other_file_is_never_replaced(photos: Path, tmp_path: Path) -> None:
    for content in (b"", b"a diary", b"\x89HDF\r\n\x1a\n damaged"):
        (tmp_path / "t.h5").write_bytes(content)
        with pytest.raises(TableError, match=r"t\.h5: expected (a whole|an embedding) table, found"):
            embed(photos, tmp_path / "t.h5")
        assert (tmp_path / "t.h5").read_bytes() == content


@pytest.mark.parametrize("value", [np.nan, np.inf, 0.5])
def test_a_photo_with_a_vector_no_table_may_hold_is_embedded_again(
    photos: Path, tmp_path: Path, value: float, caplog: pytest.LogCaptureFixture
) -> None:
    whole = embed(photos, tmp_path / "t.h5")
    row = int(np.flatnonzero(whole.paths == "Ada/2.png")[1])
    with changed(tmp_path / "t.h5") as file:
        file["embeddings"][row] = value
    with caplog.at_level(logging.WARNING):
        summary, n_seen = update(photos, tmp_path / "t.h5")
    assert [record.getMessage() for record in caplog.records] == [
        f"{tmp_path / 't.h5'}: expected finite vectors of unit length, found others for 1 photo, the first is "
        "Ada/2.png; embedded again, or dropped where the photo is deleted"
    ]
    assert (summary.n_embedded, summary.n_kept, n_seen) == (1, 4, 1)
    assert same(EmbeddingTable.read(tmp_path / "t.h5"), whole)
    assert update(photos, tmp_path / "t.h5")[1] == 0


def test_a_deleted_photo_with_a_damaged_vector_is_dropped(photos: Path, tmp_path: Path) -> None:
    embed(photos, tmp_path / "t.h5")
    with changed(tmp_path / "t.h5") as file:
        file["embeddings"][0] = np.nan
    (photos / "Ada" / "1.png").unlink()
    update(photos, tmp_path / "t.h5")
    assert "Ada/1.png" not in EmbeddingTable.read(tmp_path / "t.h5").paths.tolist()


def test_a_table_of_version_1_is_gone_on_with(photos: Path, tmp_path: Path) -> None:
    whole = embed(photos, tmp_path / "t.h5")
    write_version_1(tmp_path / "t.h5", whole)
    assert update(photos, tmp_path / "t.h5")[1] == 0
    with TableFileReader(tmp_path / "t.h5") as file:
        assert file.version == 1  # nothing was to be done
    write_photo(photos / "Ada" / "3.png", 1, green=60)
    assert update(photos, tmp_path / "t.h5")[1] == 1
    with TableFileReader(tmp_path / "t.h5") as file:
        assert file.version == 2
    table = EmbeddingTable.read(tmp_path / "t.h5")
    assert table.origins.tolist() == ["detected"] * 8 and len(table.images) == 6
    assert np.array_equal(table.embeddings[table.paths != "Ada/3.png"], whole.embeddings)


def test_a_photo_brings_its_time_along(photos: Path, tmp_path: Path) -> None:
    exif = Image.Exif()
    exif.get_ifd(0x8769).update({0x9003: "2024:05:31 18:30:00", 0x9011: "+02:00"})
    picture = Image.open(photos / "Ada" / "1.png")
    picture.save(photos / "Ada" / "1.png", exif=exif.tobytes())
    for n_jobs in (1, 2):
        table = embed(photos, tmp_path / f"{n_jobs}.h5", n_jobs=n_jobs)
        times = dict(zip(table.images.path, table.images.taken, strict=True))
        assert times.pop("Ada/1.png") == "2024-05-31T18:30:00+02:00" and set(times.values()) == {""}


def test_a_damaged_column_is_refused_and_nothing_is_lost(photos: Path, tmp_path: Path) -> None:
    embed(photos, tmp_path / "t.h5")
    with changed(tmp_path / "t.h5") as file:
        file["detection_score"][3] = np.nan
    content = (tmp_path / "t.h5").read_bytes()
    with pytest.raises(TableError, match=r"t\.h5: expected 0 to 1 in `detection_score`, found nan in row 3 "):
        embed(photos, tmp_path / "t.h5")
    assert (tmp_path / "t.h5").read_bytes() == content


def test_bad_places(photos: Path, tmp_path: Path) -> None:
    with pytest.raises(IsADirectoryError) as raised:
        embed(photos, tmp_path)
    assert "name a file in it, such as faces.h5" in raised.value.strerror
    with pytest.raises(FileNotFoundError, match="expected a folder of photos"):
        embed(tmp_path / "none", tmp_path / "t.h5")
    with pytest.raises(NotADirectoryError, match="found a file"):
        embed(photos / "group.png", tmp_path / "t.h5")
    (tmp_path / "empty").mkdir()
    (tmp_path / "empty" / "a.txt").write_text("")
    (tmp_path / "empty" / ".hidden.jpg").write_text("")
    with pytest.raises(FileNotFoundError, match=r"found none \(1 hidden file, 1 that are no images\)"):
        embed(tmp_path / "empty", tmp_path / "t.h5")
    with pytest.raises(ValueError, match=r"`n_jobs` \(--jobs\) must be at least 1, or -1 for one a core, got 0"):
        embed(photos, tmp_path / "t.h5", n_jobs=0)
    assert names(tmp_path) == ["empty", "photos"]


def test_table_inside_the_photo_folder(photos: Path) -> None:
    embed(photos, photos / "faces.h5")
    summary, n_seen = update(photos, photos / "faces.h5")
    assert (summary.n_photos, summary.n_other, n_seen) == (5, 1, 0)


def test_a_second_writer_is_refused(photos: Path, tmp_path: Path) -> None:
    with PartsFolder(tmp_path / "t.h5"), pytest.raises(TableLockedError, match=r"t\.h5: expected to be its only"):
        embed(photos, tmp_path / "t.h5")


def test_an_identity_called_unknown_is_a_warning(
    photos: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    write_photo(photos / "unknown" / "1.png")
    assert "unknown" in embed(photos, tmp_path / "t.h5").identities.tolist()
    assert "rename that folder" in caplog.text


def interrupt_after(monkeypatch: pytest.MonkeyPatch, n_photos: int) -> None:
    """Let a batch be one photo, and interrupt the run once `n_photos` are embedded."""
    monkeypatch.setattr("embedder.finding.finder.MAX_PHOTOS_A_BATCH", 1)
    add = writer.PartWriter.add
    n_added = 0

    def add_or_interrupt(self, results):
        nonlocal n_added
        add(self, results)
        n_added += len(results)
        if n_added == n_photos:
            raise KeyboardInterrupt

    monkeypatch.setattr(writer.PartWriter, "add", add_or_interrupt)


def test_an_interrupted_run_keeps_what_is_done(photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        interrupt_after(patch, 3)
        with pytest.raises(KeyboardInterrupt, match=r"kept in .*t\.h5\.parts, run the same command again to go on"):
            embed(photos, tmp_path / "t.h5")
    assert names(tmp_path) == ["photos", "t.h5.parts"]
    summary, n_seen = update(photos, tmp_path / "t.h5")
    assert (summary.n_kept, summary.n_embedded, n_seen) == (3, 2, 2)
    assert same(EmbeddingTable.read(tmp_path / "t.h5"), embed(photos, tmp_path / "anew.h5"))


def test_an_interrupt_before_the_first_photo_is_done_says_so(
    photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("embedder.pipeline.runner.make_plan", interrupt)
    with pytest.raises(KeyboardInterrupt, match="no photo was done yet, run the same command again"):
        embed(photos, tmp_path / "t.h5")
    assert names(tmp_path) == ["photos"]


def test_parts_that_are_in_the_table_already_do_not_come_back(photos: Path, tmp_path: Path) -> None:
    clear, PartsFolder.clear = PartsFolder.clear, lambda self: None  # killed between finishing and deleting
    try:
        embed(photos, tmp_path / "t.h5")
    finally:
        PartsFolder.clear = clear
    assert names(tmp_path) == ["photos", "t.h5", "t.h5.parts"]
    (photos / "Ada" / "1.png").rename(photos / "moved.png")
    summary, n_seen = update(photos, tmp_path / "t.h5")
    assert (summary.n_moved, summary.gone, n_seen) == (1, [], 0)


def test_memory_of_the_settings(photos: Path, tmp_path: Path) -> None:
    """The file carries everything a later run or another machine must know, as JSON with sorted keys."""
    embed(photos, tmp_path / "t.h5", margin=30)
    with h5py.File(tmp_path / "t.h5") as file:
        text = file.attrs["fingerprint"]
    assert json.loads(text)["space"]["margin"] == {"mode": "scaled", "value": 30.0}
    assert text == json.dumps(json.loads(text), sort_keys=True, ensure_ascii=False)


def test_summary_of_failures_is_short_and_the_rest_is_in_json(photos: Path, tmp_path: Path) -> None:
    for i in range(15):
        (photos / f"{i:02}.jpg").write_text("no picture")
    (photos / "notes.txt").write_text("")
    summary, _ = update(photos, tmp_path / "t.h5")
    lines = summary.lines()
    assert lines[0] == f"{tmp_path / 't.h5'}: 7 faces of 20 photos; no face: 1, unreadable: 15, error: 0"
    assert lines[1].startswith("embedded 20, kept 0 (moved: 0) in ") and lines[1].endswith(" photos/s")
    assert "left out: 0 hidden files, 1 that are no images" in lines
    assert len([line for line in lines if "unreadable: 0" in line or "unreadable: 1" in line]) == 10 + 1
    assert "  ... and 5 more (--json lists all)" in lines and "  no face: landscape.png" in lines
    record = json.loads(json.dumps(summary.to_json()))
    assert len(record["failures"]) == 15 and record["n_by_status"]["unreadable"] == 15
    assert record["photos_per_second"] > 0
    assert replace(summary, seconds=0.0).photos_per_second == 0


def test_names_that_print_alike_are_one_person_and_look_alike_ones_are_asked_about(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    for folder in ("Zoe\u0308", "Zo\u00eb", "Bob", "Bob ", "bob"):
        write_photo(tmp_path / "photos" / folder / "1.png", 1, green=len(folder.encode()) + 10 * folder.islower())
    table = embed(tmp_path / "photos", tmp_path / "t.h5")
    assert sorted(set(table.identities)) == ["Bob", "Zo\u00eb", "bob"]
    assert [record.message for record in caplog.records] == [
        "Bob and bob differ only in case or accents: 2 people? Otherwise give them one name"
    ]


class LyingDetector(FakeDetector):
    """Is sure of its face on a photo that stands on its head, and finds none otherwise: white is at the end there."""

    def detect_batch(self, images: Sequence[np.ndarray]) -> list[Faces]:
        points = np.array([[[4, 4], [8, 4], [6, 6], [4, 8], [8, 8]]], np.float32)
        face = Faces(np.array([[2, 2, 12, 12]]), points, np.ones(1))
        return [face if image[0, 0, 0] == 255 else Faces.empty() for image in images]


def lying_photos(folder: Path) -> Path:
    folder.mkdir()
    pixels = np.zeros((40, 50, 3), np.uint8)
    pixels[-20:, -20:] = 255
    Image.fromarray(pixels).save(folder / "1.png")
    return folder


def test_a_photo_on_its_head_is_turned_and_its_faces_lie_on_the_stored_one(tmp_path: Path) -> None:
    photos = lying_photos(tmp_path / "lying")
    table = embed(photos, tmp_path / "t.h5", detector=LyingDetector())
    assert table.images.turned.tolist() == [180] and table.fingerprint.provenance["upright"] == "auto"
    assert table.boxes.tolist() == [[38, 28, 48, 38]] and table.landmarks[0, 0].tolist() == [46, 36]
    assert (table.images.width.tolist(), table.images.height.tolist()) == ([50], [40])
    left = embed(photos, tmp_path / "exif.h5", detector=LyingDetector(), upright="exif")
    assert left.images.turned.tolist() == [0] and len(left) == 0


def test_a_table_goes_on_with_its_own_way_up(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    photos, out = lying_photos(tmp_path / "lying"), tmp_path / "t.h5"
    embed(photos, out, detector=LyingDetector(), upright="exif")
    shutil.copy(photos / "1.png", photos / "2.png")
    assert embed(photos, out, detector=LyingDetector()).images.turned.tolist() == [0, 0]
    with pytest.raises(FingerprintError, match=r"`upright` exif before, auto now; to go on pass upright='exif' in"):
        embed(photos, out, detector=LyingDetector(), upright="auto")


def test_a_table_from_before_goes_on_as_it_was_and_says_so_once(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    caplog.set_level(logging.INFO)
    photos, out = lying_photos(tmp_path / "lying"), tmp_path / "t.h5"
    with monkeypatch.context() as before:
        before.setattr("embedder.pipeline.settings.UPRIGHT", "versions")  # which comes after it, and wins
        embed(photos, out, detector=LyingDetector(), upright="exif")
    assert "upright" not in EmbeddingTable.read(out).fingerprint.provenance
    shutil.copy(photos / "1.png", photos / "2.png")
    for _ in range(2):
        table = embed(photos, out, detector=LyingDetector())
        assert table.images.turned.tolist() == [0, 0] and table.fingerprint.provenance["upright"] == "exif"
    assert caplog.text.count("goes on as --upright exif") == 1
