"""The command reject, on a real photo and on bad input."""

import json
import shutil

import pytest

from classifiers.commands.main import main
from classifiers.files.head_file import load_head


@pytest.mark.realdata
def test_rejecting_a_real_face(data, people_head, tmp_path, capsys):
    head, result = tmp_path / "people.skops", tmp_path / "r.json"
    shutil.copy(people_head, head)
    photo = data / "people" / "test" / "obama_and_biden.jpg"
    arguments = ["reject", str(head), str(photo), "--name", "obama", "--json", str(result)]
    assert main(arguments) == 0
    first = json.loads(result.read_text())
    assert (first["is_new"], first["before"], first["after"], first["n_removed"]) == (True, "obama", "unknown", 0)
    assert load_head(head).rejections.identities.tolist() == ["obama"]
    written = head.read_bytes()
    assert main([*arguments, "--face", str(first["face"])]) == 0
    assert "as it was before" in capsys.readouterr().out
    assert json.loads(result.read_text())["n_rejections"] == 1
    assert head.read_bytes() == written
    enrolled = data / "people" / "train" / "obama" / "obama.jpg"
    assert main(["reject", str(head), str(enrolled), "--name", "obama"]) == 0
    assert "it was enrolled as obama and is no more" in capsys.readouterr().out
    assert load_head(head).gallery.photos_per_identity["obama"] == 1


@pytest.mark.realdata
def test_what_cannot_be_rejected_changes_nothing(data, people_head, tmp_path, capsys):
    head = tmp_path / "people.skops"
    shutil.copy(people_head, head)
    before, photo = head.read_bytes(), str(data / "people" / "test" / "obama1.jpg")
    for arguments, message in [
        ([photo, "--name", "Zoe"], "'Zoe' is not enrolled"),
        ([photo, "--name", "obama", "--face", "-1"], "expected a face number below 1"),
        (["missing.jpg", "--name", "obama"], "missing.jpg"),
        (
            [str(data / "people" / "train" / "alex_lacamoire" / "img1.jpg"), "--name", "alex_lacamoire"],
            "is the only one enrolled",
        ),
    ]:
        assert main(["reject", str(head), *arguments]) == 2
        assert message in capsys.readouterr().err
        assert head.read_bytes() == before
