"""People in videos, from the folder to the frame: a man on two photos, and from second 2 to 4 of a clip."""

import csv
import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from fastapi.testclient import TestClient
from PIL import Image

import facetable
from embedder import EmbeddingTable
from people.store.records import Face
from people.store.store import PeopleStore
from people.workspace.workspace import Workspace
from tests.embedder.videos.made import needs_ffmpeg, play_photo
from webapp.access.tokens import Access
from webapp.server.app import create_app

pytestmark = [pytest.mark.realdata, needs_ffmpeg]

Run = Callable[..., list[str]]


@pytest.fixture(scope="module")
def made(data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("made")
    (folder / "photos/trip").mkdir(parents=True)
    for name in ("obama.jpg", "obama2.jpg"):
        shutil.copy(data / "people/train/obama" / name, folder / "photos" / name)
    play_photo(folder / "photos/trip/clip.mov", data / "people/test/obama1.jpg", begin=2, seconds=2, turned=90)
    shutil.copy(data / "people/train/biden/biden.jpg", folder / "photos")
    init = ["init", str(folder / "family"), "--photos", str(folder / "photos"), "--videos"]
    assert facetable.main(init) == 0
    assert facetable.main(["scan", str(folder / "family")]) == 0
    return folder


@pytest.fixture
def family(made: Path, tmp_path: Path) -> Path:
    folder: Path = shutil.copytree(made / "family", tmp_path / "family")
    table = EmbeddingTable.read(folder / "faces.h5")
    group = table.embeddings @ table.embeddings[table.paths.tolist().index("obama.jpg")] > 0.4
    with PeopleStore(folder / "people.sqlite") as store:
        store.name(store.faces_of_rows(np.flatnonzero(group).tolist()), "Barack")
    return folder


@pytest.fixture
def run(family: Path, capsys: pytest.CaptureFixture[str]) -> Run:
    def run(*arguments: str) -> list[str]:
        capsys.readouterr()
        assert facetable.main([text.format(ws=family) for text in arguments]) == 0
        return capsys.readouterr().out.splitlines()

    return run


def test_find_says_where_and_when(family: Path, run: Run, tmp_path: Path) -> None:
    assert Workspace(family).settings.videos
    files = ["--json", str(tmp_path / "f.json"), "--csv", str(tmp_path / "f.csv"), "--html", str(tmp_path / "f.html")]
    lines = run("find", "{ws}", "--with", "Barack", *files)
    assert lines[:2] == ["obama.jpg", "obama2.jpg"] and lines[2].startswith("trip/clip.mov  at ")
    seconds = [float(part.removesuffix(" s")) for part in lines[2].partition("  at ")[2].split(", ")]
    assert len(seconds) in (2, 3) and 1.5 < min(seconds) < 2.5 and max(seconds) <= 4.0
    photo = json.loads((tmp_path / "f.json").read_text())["photos"][2]
    assert photo["taken"][:10] == "2023-06-01"
    assert [round(face["time_s"], 1) for face in photo["faces"]] == seconds
    assert "time_s" not in json.loads((tmp_path / "f.json").read_text())["photos"][0]["faces"][0]
    with (tmp_path / "f.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [row["time_s"] != "" for row in rows] == [row["path"] == "trip/clip.mov" for row in rows]
    assert (tmp_path / "f.html").read_text().count("data:image/jpeg") == 3
    in_june = run("find", "{ws}", "--with", "Barack", "--from", "2023-06", "--to", "2023-06")
    assert [line.partition("  ")[0] for line in in_june] == ["trip/clip.mov"]
    shown = run("people", "{ws}", "show", "Barack")
    assert shown[2].startswith("trip/clip.mov#0  at 2")


def test_the_right_frame_is_shown_everywhere(family: Path, run: Run, data: Path, tmp_path: Path) -> None:
    table = EmbeddingTable.read(family / "faces.h5")
    row = int(np.flatnonzero(table.paths == "trip/clip.mov")[0])
    assert is_a_face(np.asarray(table.show(row)))
    assert table.moments[row].startswith("trip/clip.mov#t=") and table.moments[0] == table.paths[0]
    assert table._repr_html_().count("data:image/jpeg") == len(table)
    run("cluster", str(family / "faces.h5"), "-o", str(tmp_path / "p.csv"), "--html", str(tmp_path / "p.html"))
    assert (tmp_path / "p.html").read_text().count("data:image/jpeg") == len(table)
    (family / "heads").mkdir(exist_ok=True)
    run("train", str(family), "-o", str(tmp_path / "h.skops"))
    run("explain", str(tmp_path / "h.skops"), str(data / "people/test/obama1.jpg"), "--html", str(tmp_path / "e.html"))
    page = (tmp_path / "e.html").read_text()
    assert "clip.mov#t=" in page or page.count("data:image/jpeg") >= 3


@pytest.fixture
def client(family: Path) -> Iterator[TestClient]:
    app = create_app(Workspace(family), Access(start_token="token"))
    headers = {"Authorization": "Bearer token"}
    with TestClient(app, base_url="http://127.0.0.1:8764", headers=headers) as made:
        yield made


def test_the_page_shows_its_frames(client: TestClient, tmp_path: Path) -> None:
    found = client.get("/api/v1/find", params={"with": 1}).json()["photos"]
    number = next(photo["photo"] for photo in found if photo["path"] == "trip/clip.mov")
    video = client.get(f"/api/v1/photos/{number}").json()
    assert video["kind"] == "video" and len(video["seconds"]) in (2, 3) and video["at"] == video["seconds"][0]
    assert len(video["faces"]) == 1
    later = client.get(f"/api/v1/photos/{number}", params={"at": video["seconds"][-1]}).json()
    assert later["faces"][0]["face"]["key"] != video["faces"][0]["face"]["key"]
    for one, second in ((video["faces"][0], video["at"]), (later["faces"][0], later["at"])):
        thumbnail = client.get(f"/api/v1/faces/{one['face']['key']}/thumbnail")
        assert thumbnail.status_code == 200 and is_a_face(picture(thumbnail.content, tmp_path))
        frame = client.get(f"/api/v1/photos/{number}/picture", params={"at": second})
        assert not is_grey(picture(frame.content, tmp_path))
    assert is_grey(picture(client.get(f"/api/v1/photos/{number}/picture", params={"at": 1.0}).content, tmp_path))


def test_a_decision_about_a_second_that_another_scan_does_not_look_at_gets_its_row(family: Path, run: Run) -> None:
    before = EmbeddingTable.read(family / "faces.h5")
    row = int(np.flatnonzero(before.paths == "trip/clip.mov")[0])
    box = before.boxes[row] / [320, 240, 320, 240]
    with PeopleStore(family / "people.sqlite") as store:
        looks = before.times[before.paths == "trip/clip.mov"]
        other = max(np.arange(2.1, 3.9, 0.1).round(1).tolist(), key=lambda time: np.abs(looks - time).min())
        assert np.abs(looks - other).min() > 0.25
        store.name([Face(before.image_sha256[row], tuple(map(float, box)), other)], "Barack")
    run("scan", "{ws}")
    after = EmbeddingTable.read(family / "faces.h5")
    added = np.flatnonzero(after.origins == "drawn")
    assert after.times[added].tolist() == [other] and after.embeddings[added[0]] @ after.embeddings[row] > 0.6


def picture(content: bytes, folder: Path) -> np.ndarray:
    (folder / "picture").write_bytes(content)
    return np.asarray(Image.open(folder / "picture").convert("RGB"))


def is_grey(pixels: np.ndarray) -> bool:
    return bool(pixels.reshape(-1, 3).std(axis=0).max() < 5)


def is_a_face(pixels: np.ndarray) -> bool:
    height, width = pixels.shape[:2]
    red, _, blue = pixels[height // 3 : -height // 3, width // 3 : -width // 3].reshape(-1, 3).mean(axis=0)
    return bool(red > blue + 10)


def test_a_face_is_drawn_at_a_second_of_a_video(family: Path, run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    before = EmbeddingTable.read(family / "faces.h5")
    row = int(np.flatnonzero(before.paths == "trip/clip.mov")[0])
    box = ",".join(f"{side:.1f}" for side in np.clip(before.boxes[row], 0, [240, 320] * 2))
    looks = before.times[before.paths == "trip/clip.mov"]
    other = max(np.arange(2.1, 3.9, 0.1).round(1).tolist(), key=lambda time: np.abs(looks - time).min())
    for arguments, message in (
        (["trip/clip.mov", box], "is a video: expected the second at which the face is seen, got none"),
        (["trip/clip.mov", box, "--at", "-1"], "expected the second at which the face is seen, got -1.0"),
        (["obama.jpg", "10,10,60,60", "--at", "1"], "is a photo, which has no seconds; leave out --at"),
    ):
        assert facetable.main(["people", str(family), "draw", *arguments]) == 2
        assert message in capsys.readouterr().err
    run("people", "{ws}", "draw", "trip/clip.mov", box, "Barry", "--at", str(other))
    run("scan", "{ws}")
    assert run("find", "{ws}", "--with", "Barry") == [f"trip/clip.mov  at {other:.1f} s"]
    after = EmbeddingTable.read(family / "faces.h5")
    (drawn,) = np.flatnonzero(after.origins == "drawn").tolist()
    assert after.times[drawn] == pytest.approx(other) and after.embeddings[drawn] @ before.embeddings[row] > 0.8
