"""Names from the XMP that exiftool and exiv2 write, and from damaged and odd XMP."""

import json
import shutil

import numpy as np
import pytest
from PIL import Image

import facetable
from people.store.store import PeopleStore
from tests.people.sidecars.made import PATCH, SIZE, exiftool, exiv2, make_photo, make_workspace, name, record

X, Y = (PATCH[0] + PATCH[2]) / 2 / SIZE[0], (PATCH[1] + PATCH[3]) / 2 / SIZE[1]
W, H = (PATCH[2] - PATCH[0]) / SIZE[0], (PATCH[3] - PATCH[1]) / SIZE[1]

HEAD = "<x:xmpmeta xmlns:x='adobe:ns:meta/'><rdf:RDF xmlns:rdf='http://www.w3.org/1999/02/22-rdf-syntax-ns#'>"
REGIONS = (
    HEAD + "<rdf:Description rdf:about='' xmlns:mwg-rs='http://www.metadataworkinggroup.com/schemas/regions/' "
    "xmlns:stArea='http://ns.adobe.com/xmp/sType/Area#'><mwg-rs:Regions><rdf:Description><mwg-rs:RegionList><rdf:Bag>"
    "%s</rdf:Bag></mwg-rs:RegionList></rdf:Description></mwg-rs:Regions></rdf:Description></rdf:RDF></x:xmpmeta>"
)


def region(
    called: str, x: str = f"{X}", y: str = f"{Y}", *, kind: str = "Face", w: float = W, unit: str = "normalized"
):
    return (
        f"<rdf:li><rdf:Description mwg-rs:Name='{called}' mwg-rs:Type='{kind}'><mwg-rs:Area stArea:x='{x}' "
        f"stArea:y='{y}' stArea:w='{w}' stArea:h='{H}' stArea:unit='{unit}'/></rdf:Description></rdf:li>"
    )


@pytest.fixture
def one(tmp_path):
    """A workspace of one photo with one face in it, and the photo."""
    photo = tmp_path / "photos" / "a.jpg"
    return make_workspace(tmp_path, {"a.jpg": [make_photo(photo)]}, {}), photo


def take(workspace, *arguments, code=0):
    """Import, and return the report."""
    report = workspace.folder / "report.json"
    assert facetable.main(["people", str(workspace.folder), "import", "--json", str(report), *arguments]) == code
    return json.loads(report.read_text())


def named(workspace) -> dict[str, str]:
    """Return who each face of the table is."""
    with PeopleStore(workspace.store) as store:
        return {
            f"{face.path}#{face.face_index}": store.person(face.person).name
            for face in store.faces_in_table()
            if face.person is not None
        }


def test_regions_that_exiftool_writes_name_the_face_in_all_eight_orientations(tmp_path):
    # Another place of the same size is a face, too, so that a wrong turn names nobody or the wrong one.
    paths = {f"{i}.jpg": i for i in range(1, 9)}
    for path, i in paths.items():
        make_photo(tmp_path / "photos" / path, i)
    area = f"{{X={X},Y={Y},W={W},H={H},Unit=normalized}}"
    applied = f"AppliedToDimensions={{W={SIZE[0]},H={SIZE[1]},Unit=pixel}}"
    mwg = f"-RegionInfo={{{applied},RegionList=[{{Name=Anna,Type=Face,Area={area}}}]}}"
    exiftool("-q", "-overwrite_original", mwg, *(tmp_path / "photos" / path for path in paths))
    boxes = {path: make_box(tmp_path, i) for path, i in paths.items()}
    far = {path: tuple(1 - side for side in (*box[2:], *box[:2])) for path, box in boxes.items()}
    workspace = make_workspace(tmp_path, {path: [far[path], boxes[path]] for path in paths}, paths)
    report = take(workspace)
    assert (report["names"], report["n_drawn"], report["failed"]) == ({"Anna": 8}, 0, [])
    assert named(workspace) == {f"{path}#1": "Anna" for path in paths}
    with PeopleStore(workspace.store) as store:
        (decision,) = store.history()
        assert (decision.by, decision.kind, decision.n_faces) == ("import of XMP", "is", 8)
        store.undo()
    assert take(workspace)["names"] == {} and named(workspace) == {}  # what was taken back stays so


def make_box(tmp_path, orientation):
    return make_photo(tmp_path / "box.png", orientation)


@pytest.mark.parametrize("called", ["a.jpg.xmp", "a.xmp"])
def test_sidecars_that_exiftool_writes_are_read_under_both_names(one, called):
    workspace, photo = one
    microsoft = f"-RegionInfoMP={{Regions=[{{PersonDisplayName=Bob,Rectangle={X - W / 2}|, {Y - H / 2}|, {W}|, {H}}}]}}"
    exiftool("-q", "-o", photo.with_name(called), microsoft, photo)
    assert take(workspace)["names"] == {"Bob": 1} and named(workspace) == {"a.jpg#0": "Bob"}
    again = take(workspace)
    assert (again["names"], again["n_known"], again["n_decided"]) == ({}, 1, 0)


def test_regions_that_exiv2_writes_are_read(one):
    workspace, photo = one
    at = "Xmp.mwg-rs.Regions/mwg-rs:RegionList"
    texts = {f"{at}[1]/mwg-rs:Name": "Anna", f"{at}[1]/mwg-rs:Type": "Face"}
    texts |= {f"{at}[1]/mwg-rs:Area/stArea:{key}": value for key, value in zip("xywh", (X, Y, W, H), strict=True)}
    commands = ["-Mset Xmp.mwg-rs.Regions XmpText type=Struct", f"-Mset {at} XmpText type=Bag"]
    exiv2(*commands, *(f"-Mset {key} XmpText {value}" for key, value in texts.items()), photo)
    record(workspace, {"a.jpg": [(X - W / 2, Y - H / 2, X + W / 2, Y + H / 2)]}, {})
    assert take(workspace)["names"] == {"Anna": 1} and named(workspace) == {"a.jpg#0": "Anna"}


@pytest.mark.parametrize("suffix", [".jpg", ".png", ".webp", ".tif", ".heic"])
def test_xmp_within_photos_of_each_format_is_read(tmp_path, suffix):
    import pillow_heif

    xmp = (REGIONS % region("Zoë")).encode()
    photo = tmp_path / "photos" / f"a{suffix}"
    photo.parent.mkdir()
    picture = Image.new("RGB", SIZE)
    if suffix == ".heic":
        heif = pillow_heif.from_pillow(picture)
        heif.info["xmp"] = xmp
        heif.save(photo)
    elif suffix == ".png":
        from PIL.PngImagePlugin import PngInfo

        information = PngInfo()
        information.add_itxt("XML:com.adobe.xmp", xmp.decode())
        picture.save(photo, pnginfo=information)
    elif suffix == ".tif":
        picture.save(photo, tiffinfo={700: xmp})
    else:
        picture.save(photo, xmp=xmp)
    workspace = make_workspace(tmp_path, {photo.name: []}, {})
    report = take(workspace)
    assert (report["names"], report["n_drawn"]) == ({"Zoë": 1}, 1)
    with PeopleStore(workspace.store) as store:
        assert store.find_person("Zoë").n_faces == 1
    again = take(workspace)
    assert (again["names"], again["n_known"]) == ({}, 1)


def test_what_was_decided_here_stays(one, capsys):
    workspace, photo = one
    photo.with_suffix(".xmp").write_text(REGIONS % region("Anna"), "utf-8")
    with PeopleStore(workspace.store) as store:
        store.mark_nobody([store.faces_in_table()[0].face])
    report = take(workspace)
    assert (report["names"], report["n_known"], report["n_decided"]) == ({}, 0, 1)
    assert "about 1 something else was decided here, which stays" in capsys.readouterr().out


def test_a_name_that_was_denied_is_not_given_but_a_link_is_no_name(one):
    workspace, photo = one
    photo.with_suffix(".xmp").write_text(REGIONS % region("Anna"), "utf-8")
    with PeopleStore(workspace.store) as store:
        face = store.faces_in_table()[0].face
        store.part([face, type(face)(face.photo_sha256, (0.8, 0.8, 0.9, 0.9))])
    assert take(workspace, "--dry-run")["names"] == {"Anna": 1} and named(workspace) == {}
    with PeopleStore(workspace.store) as store:
        store.name([face], "Anna")
        store.deny([face], store.find_person("Anna").number)
    assert take(workspace)["n_decided"] == 1


def test_regions_that_name_no_face_are_left_out_and_counted(one):
    workspace, photo = one
    items = [
        region("Rex", kind="Pet"),
        region("4006381333931", kind="BarCode"),
        region(""),
        region("Out", x="1.4"),
        region("Thin", w=0),
        region("None", x="nan"),
        region("Odd", unit="furlong"),
        region("unknown"),
        region("A" * 10_000),
        region("Anna", x=f"{X * 100}", y=f"{Y * 100}", w=W * 100, unit="percent").replace(
            f"stArea:h='{H}'", f"stArea:h='{H * 100}'"
        ),
    ]
    photo.with_suffix(".xmp").write_text(REGIONS % "".join(items), "utf-8")
    report = take(workspace)
    assert report["left_out"] == {"no person": 2, "unnamed": 1, "outside": 4, "no name that can be given": 2}
    assert report["names"] == {"Anna": 1} and named(workspace) == {"a.jpg#0": "Anna"}


def test_a_tag_of_digikam_names_the_only_face(one):
    workspace, photo = one
    tags = (
        "<rdf:Description rdf:about='' xmlns:digiKam='http://www.digikam.org/ns/1.0/'><digiKam:TagsList><rdf:Seq>"
        "<rdf:li>Places/Rome</rdf:li><rdf:li>People/Anna</rdf:li>%s</rdf:Seq></digiKam:TagsList></rdf:Description>"
    )
    sidecar = photo.with_suffix(".xmp")
    sidecar.write_text(HEAD + tags % "<rdf:li>People/Bob</rdf:li>" + "</rdf:RDF></x:xmpmeta>", "utf-8")
    assert take(workspace)["names"] == {}
    sidecar.write_text(HEAD + tags % "" + "</rdf:RDF></x:xmpmeta>", "utf-8")
    assert take(workspace)["names"] == {"Anna": 1}


def test_what_is_wrong_with_one_photo_stops_no_other(tmp_path, capsys):
    photos = tmp_path / "photos"
    box = make_photo(photos / "bomb.jpg")
    for called in ("changed.jpg", "gone.jpg", "good.jpg", "deep.jpg", "huge.jpg"):
        Image.new("RGB", SIZE, (ord(called[2]), 0, ord(called[3]))).save(photos / called)  # no two are equal
    for photo in photos.glob("*.jpg"):
        photo.with_suffix(".xmp").write_text(REGIONS % region("Anna"), "utf-8")
    workspace = make_workspace(tmp_path, {path.name: [box] for path in sorted(photos.glob("*.jpg"))}, {})
    (photos / "bomb.xmp").write_text("<!DOCTYPE x [<!ENTITY a 'b'><!ENTITY c '&a;&a;&a;'>]><x>&c;</x>")
    (photos / "deep.xmp").write_text("<a>" * 100_000)
    with (photos / "huge.xmp").open("wb") as stream:
        stream.truncate(100_000_000)
    (photos / "gone.jpg").unlink()
    Image.new("RGB", SIZE, (200, 0, 0)).save(photos / "changed.jpg")
    report = take(workspace, code=1)
    assert report["names"] == {"Anna": 1} and named(workspace) == {"good.jpg#0": "Anna"}
    told = "\n".join(report["failed"])
    assert len(report["failed"]) == 4 and told.count("\n") == 3
    for text in ("bomb.xmp: expected XMP, found definitions", "deep.xmp: ", "huge.xmp: ", "changed.jpg: expected the"):
        assert text in told


def test_a_lost_workspace_gets_its_names_back_from_sidecars_and_one_that_knows_better_keeps_its_own(one, tmp_path):
    workspace, photo = one
    name(workspace, "a.jpg", "Anna")
    assert facetable.main(["export", str(workspace.folder), "--xmp"]) == 0
    with PeopleStore(workspace.store) as store:
        store.rename(store.find_person("Anna").number, "Anne")
    assert take(workspace)["n_decided"] == 1 and named(workspace) == {"a.jpg#0": "Anne"}
    shutil.rmtree(workspace.folder)
    anew = make_workspace(tmp_path, {"a.jpg": [(X - W / 2, Y - H / 2, X + W / 2, Y + H / 2)]}, {})
    assert photo.with_name("a.jpg.xmp").exists() and take(anew)["names"] == {"Anna": 1}


def test_suggested_names_do_not_come_back_as_decisions(one, tmp_path):
    workspace, photo = one
    make_photo(tmp_path / "photos" / "b.png")
    record(workspace, {"a.jpg": [(0.1, 0.2, 0.3, 0.6)], "b.png": [(0.1, 0.2, 0.3, 0.6)]}, {})
    name(workspace, "a.jpg", "Anna")
    with PeopleStore(workspace.store) as store:
        store.record_groups(np.array([2, 2]))
    assert facetable.main(["export", str(workspace.folder), "--xmp", "--suggested", "--tags-list"]) == 0
    assert photo.with_name("b.png.xmp").exists()
    report = take(workspace)
    assert (report["names"], report["n_known"], named(workspace)) == ({}, 1, {"a.jpg#0": "Anna"})


def test_a_photo_in_two_folders_with_two_names_gets_the_first(tmp_path):
    photos = tmp_path / "photos"
    box = make_photo(photos / "one" / "a.jpg")
    (photos / "two").mkdir()
    shutil.copy(photos / "one" / "a.jpg", photos / "two" / "b.jpg")
    workspace = make_workspace(tmp_path, {"one/a.jpg": [box], "two/b.jpg": [box]}, {})
    (photos / "one" / "a.xmp").write_text(REGIONS % region("Anna"), "utf-8")
    (photos / "two" / "b.xmp").write_text(REGIONS % region("Bob"), "utf-8")
    report = take(workspace)
    assert (report["names"], report["left_out"]) == ({"Anna": 1}, {"another name for the same face": 1})
    assert named(workspace) == {"one/a.jpg#0": "Anna", "two/b.jpg#0": "Anna"}
    (photos / "two" / "b.xmp").write_text(REGIONS % region("Anna"), "utf-8")
    again = take(workspace)
    assert (again["names"], again["n_known"], again["left_out"]) == ({}, 1, {})
