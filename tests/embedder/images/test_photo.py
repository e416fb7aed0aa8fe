import hashlib
from pathlib import Path

from embedder.errors import ImageError
from embedder.images.listing import PhotoFile
from embedder.images.photo import failure_reason, read_photo
from embedder.images.reading import Picture, read_picture
from foundation.formats import hash_file
from tests.embedder.fakes import write_photo


def test_reads_a_photo_with_its_ledger_columns(tmp_path: Path) -> None:
    file = write_photo(tmp_path / "Zoë" / "1.png", 9)
    photo = read_photo(PhotoFile(tmp_path, Path("Zoë/1.png")), read_picture)
    assert (photo.path, photo.status, photo.message) == ("Zoë/1.png", "ok", "")
    assert photo.image is not None and photo.image[0, 0].tolist() == [9, 0, 7]
    assert photo.image_sha256 == hashlib.sha256(file.read_bytes()).hexdigest() == hash_file(file)
    assert (photo.size, photo.mtime_ns) == (file.stat().st_size, file.stat().st_mtime_ns)


def test_a_file_that_is_no_image_is_unreadable_and_has_a_hash(tmp_path: Path) -> None:
    (tmp_path / "text.jpg").write_text("this is no picture")
    photo = read_photo(PhotoFile(tmp_path, Path("text.jpg")), read_picture)
    assert photo.status == "unreadable" and photo.image is None and photo.size == 18
    assert photo.message.startswith("expected an image") and str(tmp_path) not in photo.message
    assert photo.image_sha256 == hashlib.sha256(b"this is no picture").hexdigest()


def test_a_file_that_is_not_there_is_unreadable_without_hash(tmp_path: Path) -> None:
    (tmp_path / "link.jpg").symlink_to("nowhere.jpg")
    photo = read_photo(PhotoFile(tmp_path, Path("link.jpg")), read_picture)
    assert (photo.status, photo.message, photo.image_sha256) == ("unreadable", "a dangling link to nowhere.jpg", "")
    assert (photo.size, photo.mtime_ns) == (0, 0)
    assert read_photo(PhotoFile(tmp_path, Path("none.jpg")), read_picture).message == "No such file or directory"


def test_a_broken_decoder_is_an_error(tmp_path: Path) -> None:
    write_photo(tmp_path / "1.png")

    def read(file: Path) -> Picture:
        raise RuntimeError("two\nlines\0")

    photo = read_photo(PhotoFile(tmp_path, Path("1.png")), read)
    assert (photo.status, photo.message) == ("error", "RuntimeError: two lines")


def test_reason_is_one_line_that_can_be_stored() -> None:
    assert failure_reason(ImageError("a/b.jpg: no image"), "a/b.jpg") == "no image"
    assert failure_reason(ImageError(""), "b.jpg") == "ImageError: "
    assert failure_reason(OSError(5, "Input/output error", "b.jpg"), "b.jpg") == "Input/output error"
    assert failure_reason(ValueError("bad \udcff name"), "b.jpg") == "ValueError: bad \\udcff name"
