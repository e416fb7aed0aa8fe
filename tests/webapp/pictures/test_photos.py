"""Photos for browsers: inside the folders alone, without metadata, never another one in its place."""

import io
import shutil

import pytest
from PIL import Image

from people.store.records import photo_number
from people.store.scanned import ScannedFile
from webapp.api.models import FaceAnswer
from webapp.pictures.photos import locate_photo


def first_photo(client) -> int:
    person = client.get("/api/v1/people", params={"q": "Ada"}).json()["people"][0]
    face = FaceAnswer(**client.get(f"/api/v1/faces/{person['cover']}").json())
    return face.photo


def test_it_is_written_anew_without_metadata(client):
    answer = client.get(f"/api/v1/photos/{first_photo(client)}/picture", params={"max": 320})
    picture = Image.open(io.BytesIO(answer.content))
    assert picture.format == "JPEG" and picture.size == (320, 240)
    assert not picture.getexif() and b"Exif" not in answer.content
    assert client.get(f"/api/v1/photos/{first_photo(client)}/picture", params={"max": 9}).status_code == 422


def test_a_photo_that_is_gone_or_changed_is_not_shown(client, photos):
    number = first_photo(client)
    shown = next(path for path in photos.rglob("0.png"))
    shutil.copy(photos / "crowd.png", shown)
    answer = client.get(f"/api/v1/photos/{number}/picture")
    assert (answer.status_code, answer.json()["error"]["kind"]) == (404, "gone")
    shown.unlink()
    assert client.get(f"/api/v1/photos/{number}/picture").status_code == 404


@pytest.mark.parametrize("path", ["../secret.png", "link.png"])
def test_nothing_outside_the_photo_folders_is_shown(workspace, photos, tmp_path, path):
    secret = tmp_path / "secret.png"
    shutil.copy(photos / "crowd.png", secret)
    (photos / "link.png").symlink_to(secret)
    with pytest.raises(ValueError, match="leads out of the photo folders"):
        locate_photo(workspace, ScannedFile(path, "0" * 64, 1, 1))


def test_numbers_come_from_content(photos):
    assert photo_number("0" * 12 + "1" + "f" * 51) == 1
