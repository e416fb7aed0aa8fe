"""Sidecars of a workspace, as exiftool and exiv2 read them."""

import json
import shutil

import pytest

import facetable
from people.store.store import PeopleStore
from tests.people.sidecars.made import (
    CENTRE,
    SIZE,
    exiftool,
    exiftool_regions,
    exiv2_values,
    make_photo,
    make_workspace,
    name,
)


@pytest.fixture
def eight(tmp_path):
    """A workspace of a photo in each orientation, each with its face called Anna."""
    orientations = {f"album/{i}.jpg": i for i in range(1, 9)}
    boxes = {path: [make_photo(tmp_path / "photos" / path, i)] for path, i in orientations.items()}
    workspace = make_workspace(tmp_path, boxes, orientations)
    for path in boxes:
        name(workspace, path, "Anna")
    return workspace


def export(workspace, *arguments, code=0):
    assert facetable.main(["export", str(workspace.folder), "--xmp", *map(str, arguments)]) == code


def test_exiftool_and_exiv2_find_the_face_in_all_eight_orientations(eight, tmp_path):
    photos = sorted((tmp_path / "photos" / "album").glob("*.jpg"))
    before = [path.read_bytes() for path in photos]
    export(eight, "--person-in-image", "--subject", "--tags-list")
    assert [path.read_bytes() for path in photos] == before
    read = json.loads(
        exiftool(
            "-struct",
            "-j",
            "-RegionInfo",
            "-PersonInImage",
            "-Subject",
            "-TagsList",
            *[f"{path}.xmp" for path in photos],
        )
    )
    assert len(read) == 8
    for found in read:
        assert (found["PersonInImage"], found["Subject"], found["TagsList"]) == (["Anna"], ["Anna"], ["People/Anna"])
        applied, (region,) = found["RegionInfo"]["AppliedToDimensions"], found["RegionInfo"]["RegionList"]
        assert (applied["W"], applied["H"], region["Name"], region["Type"]) == (*SIZE, "Anna", "Face")
        area = region["Area"]
        assert (area["X"] * SIZE[0], area["Y"] * SIZE[1]) == pytest.approx(CENTRE, abs=1)
        assert (area["W"] * SIZE[0], area["H"] * SIZE[1]) == pytest.approx((100, 120), abs=2)
    for path in (photos[0], photos[5]):
        values = exiv2_values(path.with_name(path.name + ".xmp"))
        area = "Xmp.mwg-rs.Regions/mwg-rs:RegionList[1]/mwg-rs:Area/stArea:"
        assert float(values[f"{area}x"]) * SIZE[0] == pytest.approx(CENTRE[0], abs=1)
        assert float(values[f"{area}y"]) * SIZE[1] == pytest.approx(CENTRE[1], abs=1)


def test_names_follow_decisions_and_nothing_is_written_twice(eight, tmp_path, capsys):
    sidecar = tmp_path / "photos" / "album" / "6.jpg.xmp"
    export(eight)
    assert "8 sidecars written, 0 said it already; 8 named faces in them" in capsys.readouterr().out
    first = sidecar.read_bytes()
    export(eight)
    assert "0 sidecars written, 8 said it already" in capsys.readouterr().out and sidecar.read_bytes() == first
    with PeopleStore(eight.store) as store:
        store.rename(store.find_person("Anna").number, "Anne")
        store.mark_nobody([store.faces_in_table(path="album/1.jpg")[0].face])
    export(eight, "--dry-run", "--json", tmp_path / "r.json")
    report = json.loads((tmp_path / "r.json").read_text())
    assert (len(report["written"]), report["removed"], report["failed"]) == (7, ["album/1.jpg"], [])
    assert sidecar.read_bytes() == first
    export(eight)
    assert [region["Name"] for region in exiftool_regions(sidecar)] == ["Anne"]
    assert not sidecar.with_name("1.jpg.xmp").exists()


def test_sidecars_go_to_another_folder_and_may_be_read_by_whom_the_photo_may(eight, tmp_path):
    (tmp_path / "photos" / "album" / "2.jpg").chmod(0o440)
    export(eight, "--to", tmp_path / "out")
    assert sorted(path.name for path in (tmp_path / "out" / "album").iterdir()) == [f"{i}.jpg.xmp" for i in range(1, 9)]
    assert (tmp_path / "out" / "album" / "2.jpg.xmp").stat().st_mode & 0o777 == 0o640
    assert not list((tmp_path / "photos").rglob("*.xmp"))


def test_what_is_wrong_with_one_photo_stops_no_other(eight, tmp_path, capsys):
    album = tmp_path / "photos" / "album"
    (album / "1.jpg").unlink()
    shutil.copy(album / "3.jpg", album / "2.jpg")
    (album / "4.jpg.xmp").write_bytes(b"<!DOCTYPE x [<!ENTITY a 'b'>]><x>&a;</x>")
    (album / "5.jpg.xmp").mkdir()
    export(eight, "--json", tmp_path / "r.json", code=1)
    report = json.loads((tmp_path / "r.json").read_text())
    assert report["written"] == ["album/3.jpg", "album/6.jpg", "album/7.jpg", "album/8.jpg"]
    told = {failure["path"]: failure["message"] for failure in report["failed"]}
    assert "found nothing; scan again, with --prune if it was deleted" in told["album/1.jpg"]
    assert "expected the photo that was scanned, found another" in told["album/2.jpg"]
    assert "definitions of entities" in told["album/4.jpg"] and "Is a directory" in told["album/5.jpg"]
    assert (album / "4.jpg.xmp").read_bytes().startswith(b"<!DOCTYPE")
    assert "\n".join(told.values()).count("\n") == 3


def test_only_confirmed_names_are_written_unless_suggested_ones_are_wanted(tmp_path):
    import numpy as np

    box = make_photo(tmp_path / "photos" / "a.jpg")
    other = (0.6, 0.2, 0.8, 0.6)
    workspace = make_workspace(tmp_path, {"a.jpg": [box, other]}, {})
    name(workspace, "a.jpg", "Anna")
    with PeopleStore(workspace.store) as store:
        store.record_groups(np.array([4, 4]))
    export(workspace)
    assert len(exiftool_regions(tmp_path / "photos" / "a.jpg.xmp")) == 1
    export(workspace, "--suggested")
    assert [region["Name"] for region in exiftool_regions(tmp_path / "photos" / "a.jpg.xmp")] == ["Anna", "Anna"]
