"""Faces that Picasa named, against what exiftool makes of its file."""

import gzip
from pathlib import Path

import pytest

import facetable
from people.errors import XmpError
from people.sidecars.picasa import read_picasa
from people.store.store import PeopleStore
from tests.people.sidecars.made import PATCH, SIZE, exiftool, exiftool_regions, make_photo, make_workspace

CONFIG = Path("/usr/share/doc/libimage-exiftool-perl/config_files/picasa_faces.config.gz")
RECTANGLE = "".join(f"{round(side / length * 65_535):04x}" for side, length in zip(PATCH, SIZE * 2, strict=True))
INI = f"""[Picasa]\r
name=Trip\r
[Contacts2]\r
d10a8325c557b085=Anna Ö;;\r
[a.jpg]\r
rotate=rotate(0)\r
faces=rect64({RECTANGLE.lstrip("0")}),d10a8325c557b085;rect64(1),ffffffffffffffff;rect64(zz),1\r
"""


@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_face_gets_its_name_in_all_orientations(tmp_path, orientation, capsys):
    photo = tmp_path / "photos" / "a.jpg"
    box = make_photo(photo, orientation)
    workspace = make_workspace(tmp_path, {"a.jpg": [box]}, {"a.jpg": orientation})
    photo.with_name(".picasa.ini").write_text(INI, "utf-8", newline="")
    assert facetable.main(["people", str(workspace.folder), "import", "--from", "picasa"]) == 0
    assert "left out, unnamed: 1 region" in capsys.readouterr().out
    with PeopleStore(workspace.store) as store:
        (person,) = store.people()
        assert (person.name, store.faces_in_table()[0].person) == ("Anna Ö", person.number)
        assert store.history()[0].by == "import of Picasa's names"


def test_exiftool_reads_the_same(tmp_path):
    if not CONFIG.is_file():
        pytest.skip(f"{CONFIG} is not there; apt-get install libimage-exiftool-perl")
    make_photo(tmp_path / "a.jpg", 6)
    (tmp_path / ".picasa.ini").write_text(INI, "utf-8", newline="")
    (tmp_path / "contacts.xml").write_text('<contact id="d10a8325c557b085" name="Anna Ö"/>\n', "utf-8")
    (tmp_path / "faces.config").write_bytes(gzip.decompress(CONFIG.read_bytes()))
    exiftool(
        *("-config", tmp_path / "faces.config", "-userParam", f"PicasaContactsFile={tmp_path / 'contacts.xml'}"),
        *("-q", "-overwrite_original", "-RegionInfo<PicasaToMWGRegion", tmp_path / "a.jpg"),
    )
    area = exiftool_regions(tmp_path / "a.jpg")[0]["Area"]
    name, (x_min, y_min, x_max, y_max) = read_picasa(tmp_path)["a.jpg"][0]
    assert name == "Anna Ö"
    assert ((x_min + x_max) / 2, (y_min + y_max) / 2) == pytest.approx((area["X"], area["Y"]), abs=1e-6)
    assert (x_max - x_min, y_max - y_min) == pytest.approx((area["W"], area["H"]), abs=1e-6)


def test_folders_without_a_file_and_files_of_anything_else(tmp_path):
    assert read_picasa(tmp_path) == {}
    (tmp_path / "Picasa.ini").write_bytes(b"\xff\xfe[x\n[a.jpg]\nfaces=\nfaces\n[]\n")
    assert read_picasa(tmp_path) == {"a.jpg": []}
    with (tmp_path / ".picasa.ini").open("wb") as stream:
        stream.truncate(10**10)
    with pytest.raises(XmpError, match=r"\.picasa\.ini: expected at most 10,000,000 bytes, found more"):
        read_picasa(tmp_path)


def test_what_is_wrong_with_a_file_is_said_once_for_its_folder(tmp_path, capsys):
    boxes = {called: [make_photo(tmp_path / "photos" / called)] for called in ("a.jpg", "b.png")}
    workspace = make_workspace(tmp_path, boxes, {})
    with (tmp_path / "photos" / ".picasa.ini").open("wb") as stream:
        stream.truncate(10**10)
    assert facetable.main(["people", str(workspace.folder), "import", "--from", "picasa"]) == 1
    assert capsys.readouterr().out.count("expected at most 10,000,000 bytes") == 1
