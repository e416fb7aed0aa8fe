import logging
from dataclasses import replace
from pathlib import Path
from typing import Literal

import numpy as np
import pytest
from PIL import Image

from embedder import MTCNN, read_image
from embedder.finding.quarter_turns import turn_image
from embedder.images import kinds
from recognition.errors import SaveError, SourceError
from recognition.events.event import Event
from recognition.outputs.image_files import can_write, write_image
from recognition.outputs.picture_folder import CROP, PictureFolder
from recognition.runs.photo_loop import (
    NamedFace,
    PhotoRun,
    annotate_photo,
    identify_faces,
    recognize_photos,
)
from recognition.runs.photo_run import list_photos
from recognition.sources.source import SourceKind, parse_source
from tests.recognition.fakes import ANN, STRANGER, FakeHead, fake_encoder, image_with


class Collected:
    def __init__(self) -> None:
        self.events: list[Event] = []
        self.empty: list[str] = []

    def write(self, event: Event) -> None:
        self.events.append(event)

    def close(self) -> None: ...

    def run(self) -> PhotoRun:
        encoder, head = fake_encoder(), FakeHead()
        return PhotoRun(
            identify=lambda image: identify_faces(image, encoder, head),
            annotate=annotate_photo,  # type: ignore[arg-type]
            sink=self,
            report_empty=self.empty.append,
        )


@pytest.mark.parametrize(("degrees", "upright"), [(90, "auto"), (180, "auto"), (270, "auto"), (180, "exif")])
def test_faces_of_a_photo_that_lies_on_its_side(
    data: Path, degrees: int, upright: Literal["auto", "exif"], monkeypatch: pytest.MonkeyPatch
) -> None:
    encoder, head = fake_encoder(), FakeHead()
    monkeypatch.setattr(encoder, "detector", MTCNN())
    image = read_image(sorted((data / "people" / "train").rglob("*.jpg"))[0])
    (box,) = (face.box for face in identify_faces(image, encoder, head))
    faces = identify_faces(turn_image(image, degrees), encoder, head, upright=upright)
    height, width = image.shape[:2]
    on_turned = {
        90: (height - box[3], box[0], height - box[1], box[2]),
        180: (width - box[2], height - box[3], width - box[0], height - box[1]),
        270: (box[1], width - box[2], box[3], width - box[0]),
    }
    is_found = any(face.box == pytest.approx(on_turned[degrees], abs=0.01) for face in faces)
    assert is_found == (upright == "auto")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    root = tmp_path / "photos"
    (root / "sub 张").mkdir(parents=True)
    Image.fromarray(image_with((ANN, (20, 30, 60, 70)), (STRANGER, (120, 40, 160, 80)))).save(root / "b.png")
    Image.fromarray(image_with()).save(root / "sub 张" / "c.png")
    (root / "a.jpg").write_text("no picture")
    return root


def test_faces_of_a_folder(folder: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    collected = Collected()
    photos = list_photos([parse_source(str(folder))], str(tmp_path / "out"))
    with caplog.at_level(logging.WARNING):
        counts = recognize_photos(photos, collected.run())
    assert [
        (event.source, event.identity, event.accepted, event.track, event.time_s, event.frame)
        for event in collected.events
    ] == [
        (f"{folder.as_posix()}/b.png", "ann", True, None, None, 0),
        (f"{folder.as_posix()}/b.png", "unknown", False, None, None, 0),
    ]
    assert np.abs(np.subtract(collected.events[0].box, (20, 30, 60, 70))).max() <= 2
    assert collected.empty == [f"{folder.as_posix()}/sub 张/c.png"]
    assert (counts.n_photos, counts.n_faces, counts.n_named, counts.n_without_face, counts.n_failed) == (3, 2, 1, 1, 1)
    assert f"{folder.as_posix()}/a.jpg: expected an image" in caplog.text
    assert sorted(path.relative_to(tmp_path / "out").as_posix() for path in (tmp_path / "out").rglob("*.*")) == [
        "b.png",
        "sub 张/c.png",
    ]
    assert [(tmp_path / "out" / name).stat().st_mode & 0o077 for name in ("", "b.png")] == [0, 0], "for its owner alone"
    before, after = (np.asarray(Image.open(root / "b.png")) for root in (folder, tmp_path / "out"))
    assert not np.array_equal(before, after)
    assert np.array_equal(before[45:65, 28:52], after[45:65, 28:52])


@pytest.mark.parametrize(("hide", "shows_ann"), [("unknown", True), ("all", False)])
def test_what_a_closer_look_finds_is_hidden_unless_a_known_face_stays_visible_there(hide: str, shows_ann: bool) -> None:
    image = image_with((ANN, (20, 30, 60, 70)))
    texture = np.random.default_rng(0).integers(0, 255, (40, 40, 3), np.uint8)
    image[40:80, 130:170] = texture
    ann = NamedFace((20.0, 30.0, 60.0, 70.0), "ann", 0.9, accepted=True)
    others = [np.array([15.0, 22.0, 64.0, 75.0]), np.array([130.0, 40.0, 170.0, 80.0])]
    after = annotate_photo(image, [ann], hide=hide, others=others)
    assert np.array_equal(after[45:65, 28:52], image[45:65, 28:52]) is shows_ann
    assert after[40:80, 130:170].std() < 0.3 * texture.std()


def test_faces_are_labelled_with_names_numbers_or_nothing() -> None:
    image = image_with((ANN, (60, 40, 100, 80)))
    faces = [NamedFace((60.0, 40.0, 100.0, 80.0), "ann", 0.9, accepted=True)]
    names, numbers, none = (annotate_photo(image, faces, labels=labels) for labels in ("names", "numbers", "none"))
    changed = [(drawn[: image.shape[0]] != image).any(axis=2) for drawn in (names, numbers, none)]
    above = [int(one[:39].sum()) for one in changed]
    # A name and a score are wider than a digit; without labels the box alone is drawn.
    assert above[0] > 2 * above[1] > 0
    assert above[2] == 0
    assert changed[2][40:80, 60:100].any()
    assert names.shape == none.shape == image.shape
    assert numbers.shape[1] == image.shape[1] and numbers.shape[0] > image.shape[0]
    assert np.array_equal(annotate_photo(image, faces), names)


def test_faces_that_are_hidden_have_no_number() -> None:
    image = image_with((ANN, (60, 40, 100, 80)), (STRANGER, (120, 40, 160, 80)))
    faces = [
        NamedFace((60.0, 40.0, 100.0, 80.0), "ann", 0.9, accepted=True),
        NamedFace((120.0, 40.0, 160.0, 80.0), "unknown", 0.1, accepted=False),
    ]
    both, one = (annotate_photo(image, faces, hide=hide, labels="numbers") for hide in (None, "unknown"))
    assert [(drawn == (176, 96, 0)).all(axis=2).any() for drawn in (both, one)] == [True, False]


def test_one_photo_that_cannot_be_read_is_counted_as_several_are(
    folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    counts = recognize_photos(list_photos([parse_source(str(folder / "a.jpg"))], None), Collected().run())
    assert (counts.n_photos, counts.n_failed) == (1, 1)
    assert [message.partition(", ")[0] for message in caplog.messages] == [
        f"{folder.as_posix()}/a.jpg: expected an image (JPEG"
    ]


def test_too_many_pixels_are_refused(folder: Path, caplog: pytest.LogCaptureFixture) -> None:
    small = replace(Collected().run(), max_pixels=100)
    counts = recognize_photos(list_photos([parse_source(str(folder / "b.png"))], None), small)
    assert (counts.n_failed, "expected at most 100 pixels" in caplog.text) == (1, True)


@pytest.mark.parametrize(
    ("offset", "at"), [("+02:00", "2024-05-01T21:30:05.250Z"), ("-05:00", "2024-05-02T04:30:05.250Z"), (None, None)]
)
def test_the_time_of_a_photo_is_that_of_its_exif_data_where_it_has_an_offset(
    tmp_path: Path, offset: str | None, at: str | None
) -> None:
    exif = Image.Exif()
    tags = {0x9003: "2024:05:01 23:30:05", 0x9291: "25", 0x9011: offset}
    exif[0x8769] = {tag: value for tag, value in tags.items() if value is not None}
    Image.fromarray(image_with((ANN, (20, 30, 60, 70)))).save(tmp_path / "a.png", exif=exif)
    collected = Collected()
    run = replace(collected.run(), source_name="album")
    recognize_photos(list_photos([parse_source(str(tmp_path / "a.png"))], None), run)
    assert [(event.at, event.source_name, event.crop) for event in collected.events] == [(at, "album", None)]


def test_each_face_of_a_photo_names_its_picture(folder: Path, tmp_path: Path) -> None:
    collected = Collected()
    (folder / "sub 张" / "b.png").write_bytes((folder / "b.png").read_bytes())
    crops = PictureFolder(tmp_path / "crops", CROP, 7)
    recognize_photos(list_photos([parse_source(str(folder))], None), replace(collected.run(), crops=crops))
    crops.close()
    assert len({event.crop for event in collected.events}) == len(collected.events) == 4
    for event in collected.events:
        picture = np.asarray(Image.open(str(event.crop)))
        width, height = np.subtract(event.box[2:], event.box[:2])
        assert np.abs(np.subtract(picture.shape[:2], (1.8 * height, 1.8 * width))).max() <= 3
        middle = picture[30:42, 30:42].mean(axis=(0, 1))
        assert np.argmax(middle) == (0 if event.identity == "ann" else 2)


def test_a_photo_removed_meanwhile_is_counted(folder: Path, caplog: pytest.LogCaptureFixture) -> None:
    photos = list_photos([parse_source(str(folder))], None)
    (folder / "b.png").unlink()
    with caplog.at_level(logging.WARNING):
        assert recognize_photos(photos, Collected().run()).n_failed == 2
    assert f"{folder.as_posix()}/b.png: expected an image file, found nothing" in caplog.text


def test_the_name_of_a_photo_cannot_move_the_cursor(folder: Path, caplog: pytest.LogCaptureFixture) -> None:
    (folder / "c\x1b[2J.jpg").write_text("text")
    recognize_photos(list_photos([parse_source(str(folder))], None), Collected().run())
    assert "c [2J.jpg: expected an image" in caplog.text
    assert "\x1b" not in caplog.text


def test_an_empty_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "note.txt").write_text("x")
    with pytest.raises(SourceError, match=r"expected photos, found none \(0 hidden files, 1 that are no images\)"):
        list_photos([parse_source(str(tmp_path))], None)


def test_what_is_left_out_of_a_folder_is_said(
    folder: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kinds, "find_spec", lambda name: None)
    for name in ("c.arw", "d.mp4"):
        (folder / name).touch()
    (folder / ".facetableignore").write_text("a.*\n")
    names = [photo.name for photo in list_photos([parse_source(str(folder))], None)]
    assert names and not any(name.endswith(("a.png", "c.arw", "d.mp4")) for name in names)
    assert f"{folder.as_posix()}: 1 camera raw photo and 1 video left out; camera raw photos are read" in caplog.text
    assert parse_source(str(folder / "c.arw")).kind is SourceKind.IMAGE  # and reading it says what to install


def test_where_annotated_photos_go(folder: Path, tmp_path: Path) -> None:
    photo = parse_source(str(folder / "b.png"))
    assert list_photos([photo], str(tmp_path))[0].save_to == tmp_path / "b.png"
    assert list_photos([photo], "new/")[0].save_to == Path("new/b.png")
    assert list_photos([photo], "x.jpg")[0].save_to == Path("x.jpg")
    assert list_photos([parse_source(str(folder))], "x.jpg/")[0].save_to == Path("x.jpg/a.jpg")
    assert list_photos([parse_source(str(folder))], "2026.11")[0].save_to == Path("2026.11/a.jpg")
    (folder / "a.jpg").rename(folder / "a.heic")
    assert list_photos([parse_source(str(folder))], "out")[0].save_to == Path("out/a.heic.jpg")


@pytest.mark.parametrize(
    ("source", "save", "message"),
    [
        ("b.png", "x.xyz", r"expected a file like out.jpg"),
        ("b.png", "{root}/b.png", "is the photo itself"),
        (".", "{root}/b.png", "expected a folder for the annotated photos, found a file"),
        (
            ".",
            "x.jpg",
            r"x\.jpg: expected a folder for the annotated photos of a folder, found the name of a file; name a "
            r"folder, such as x, or end its name with a slash",
        ),
        (".", "x.MP4", "found the name of a file"),
        (".", "{root}", "lies in the folder of photos"),
        (".", "{root}/out", "lies in the folder of photos"),
    ],
)
def test_places_that_would_harm_photos_are_refused(folder: Path, source: str, save: str, message: str) -> None:
    with pytest.raises(SaveError, match=message):
        list_photos([parse_source(str(folder / source))], save.format(root=folder))


def test_photos_and_folders_are_taken_together(folder: Path, tmp_path: Path) -> None:
    Image.fromarray(image_with((ANN, (20, 30, 60, 70)))).save(tmp_path / "x.png")
    sources = [parse_source(str(path)) for path in (tmp_path / "x.png", folder, folder / "b.png")]
    photos = list_photos(sources, str(tmp_path / "out"))
    names = [(tmp_path / "x.png").as_posix(), *(f"{folder.as_posix()}/{name}" for name in ("a.jpg", "b.png"))]
    assert [photo.name for photo in photos] == [*names, f"{folder.as_posix()}/sub 张/c.png", names[2]]
    assert [photo.save_to for photo in photos] == [
        tmp_path / "out" / name for name in ("x.png", "a.jpg", "b.png", "sub 张/c.png", "b.png")
    ]
    collected = Collected()
    counts = recognize_photos(photos, collected.run())
    assert [event.source for event in collected.events] == [names[0], names[2], names[2], names[2], names[2]]
    alone = Collected()
    for source in sources[::2]:
        recognize_photos(list_photos([source], None), alone.run())
    assert collected.events[:1] + collected.events[3:] == alone.events
    assert (counts.n_photos, counts.n_failed) == (5, 1)


def test_among_several_sources_a_photo_that_cannot_be_read_is_counted(folder: Path) -> None:
    sources = [parse_source(str(folder / name)) for name in ("a.jpg", "b.png")]
    counts = recognize_photos(list_photos(sources, None), Collected().run())
    assert (counts.n_photos, counts.n_faces, counts.n_failed) == (2, 2, 1)


@pytest.mark.parametrize(
    ("names", "save", "message"),
    [
        (
            ["b.png", "sub/b.png"],
            "{root}.out",
            r"\.out/b\.png: expected one annotated photo to be saved there, found two, of .*/b\.png and "
            r".*/sub/b\.png; rename one of them, or save them in two runs",
        ),
        (["b.png", "sub/b.png"], "{root}/sub", r"sub/b\.png: is the photo .*/sub/b\.png; save the annotated copies"),
        (
            ["b.png", "a.jpg"],
            "new.jpg",
            r"new\.jpg: expected a folder for the annotated photos of several sources, found the name of a file; "
            r"name a folder, such as new, or end its name with a slash",
        ),
        (["b.png", "a.jpg"], "{root}/a.jpg", "expected a folder for the annotated photos, found a file"),
        (["b.png", "sub"], "{root}/sub/out", "lies in the folder of photos"),
    ],
)
def test_places_that_would_harm_photos_of_several_sources_are_refused(
    folder: Path, names: list[str], save: str, message: str
) -> None:
    (folder / "sub 张").rename(folder / "sub")
    Image.fromarray(image_with()).save(folder / "sub" / "b.png")
    with pytest.raises(SaveError, match=message):
        list_photos([parse_source(str(folder / name)) for name in names], save.format(root=folder))


@pytest.mark.parametrize("name", ["a.jpg", "a.PNG", "a.webp", "a.bmp", "a.tif"])
def test_pictures_are_written_in_their_format(tmp_path: Path, name: str) -> None:
    image = image_with((ANN, (20, 30, 60, 70)))
    write_image(tmp_path / "deep" / name, image)
    with Image.open(tmp_path / "deep" / name) as written:
        assert np.abs(np.asarray(written.convert("RGB")).astype(int) - image).mean() < 8


def test_other_formats_are_refused(tmp_path: Path) -> None:
    assert not can_write(Path("a.heic"))
    with pytest.raises(SaveError, match=r"cannot write a picture of this format; use one of .jpg"):
        write_image(tmp_path / "a.heic", image_with())
