"""The command explain, on a real photo and on bad input."""

import json

import pytest
from PIL import Image

from classifiers.commands.main import main


@pytest.mark.realdata
@pytest.mark.usefixtures("drawing")
def test_explaining_a_real_photo(data, people_head, tmp_path, capsys):
    photo = data / "people" / "test" / "obama_and_biden.jpg"
    files = {kind: tmp_path / f"e.{kind}" for kind in ("json", "html", "png")}
    assert (
        main(
            [
                "explain",
                str(people_head),
                str(photo),
                "--neighbors",
                "2",
                "--json",
                str(files["json"]),
                "--html",
                str(files["html"]),
                "--plot",
                str(files["png"]),
            ]
        )
        == 0
    )
    faces = json.loads(files["json"].read_text())["faces"]
    named = {face["identity"]: face for face in faces if face["identity"] != "unknown"}
    assert set(named) == {"obama", "biden"}
    assert {one["identity"] for one in named["obama"]["neighbors"]} == {"obama"}
    assert named["obama"]["margin"] > 0.3
    page = files["html"].read_text(encoding="utf-8")
    assert page.count("<img") == 3 * len(faces)
    assert "photo not found" not in page
    with Image.open(files["png"]) as picture:
        assert picture.height > picture.width / 3 * len(faces)
    lines = capsys.readouterr().out.splitlines()
    assert sum(line.startswith("face ") for line in lines) == len(faces)
    number = faces.index(named["biden"])
    assert main(["explain", str(people_head), str(photo), "--face", str(number)]) == 0
    assert capsys.readouterr().out.startswith(f"face {number} [")


@pytest.mark.realdata
def test_photos_with_nothing_to_explain(people_head, tmp_path, capsys):
    head = str(people_head)
    Image.new("RGB", (80, 80)).save(tmp_path / "black.png")
    assert main(["explain", head, str(tmp_path / "black.png"), "--plot", str(tmp_path / "e.png")]) == 0
    assert capsys.readouterr().out == f"{tmp_path / 'black.png'}: no face\n"
    assert not (tmp_path / "e.png").exists()
    (tmp_path / "text.jpg").write_text("text")
    for arguments, message in [
        ([str(tmp_path / "black.png"), "--face", "0"], "expected a face number below 0, the faces found, got 0"),
        ([str(tmp_path / "black.png"), "--max-pixels", "100"], "expected at most 100 pixels, found 80 x 80"),
        ([str(tmp_path / "text.jpg")], "text.jpg"),
        ([str(tmp_path / "missing.jpg")], "missing.jpg"),
    ]:
        assert main(["explain", head, *arguments]) == 2
        errors = capsys.readouterr().err
        assert message in errors
        assert len(errors.splitlines()) == 1
