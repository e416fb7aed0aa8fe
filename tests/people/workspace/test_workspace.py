"""A workspace's folder and settings: made private, read strictly."""

import os
import shutil
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from people.errors import WorkspaceError
from people.workspace.workspace import Workspace, WorkspaceSettings, create_workspace, is_workspace


@pytest.fixture
def photos(tmp_path):
    (tmp_path / "Bilder, «2019»").mkdir()
    return tmp_path / "Bilder, «2019»"


def test_it_is_private_and_read_again_as_it_was_made(photos, tmp_path):
    made = create_workspace(tmp_path / "family", [photos, photos], exclude=("*.gif", 'a "b" \\c'), min_face_size=30)
    again = Workspace(tmp_path / "family")
    assert (
        again.settings
        == made.settings
        == WorkspaceSettings((str(photos),), exclude=("*.gif", 'a "b" \\c'), min_face_size=30)
    )
    assert stat.S_IMODE((tmp_path / "family").stat().st_mode) == 0o700
    assert stat.S_IMODE((tmp_path / "family" / "workspace.toml").stat().st_mode) == 0o600
    assert is_workspace(tmp_path / "family") and not is_workspace(photos)


def test_where_none_can_be_made(photos, tmp_path):
    with pytest.raises(WorkspaceError, match="lies within the photo folder"):
        create_workspace(photos / "family", [photos])
    with pytest.raises(FileNotFoundError, match="expected a folder of photos, found nothing"):
        create_workspace(tmp_path / "family", [tmp_path / "nowhere"])
    (tmp_path / "diary.txt").write_text("a diary")
    with pytest.raises(FileNotFoundError, match="found a file"):
        create_workspace(tmp_path / "family", [tmp_path / "diary.txt"])
    with pytest.raises(WorkspaceError, match="expected an empty folder or none, found something"):
        create_workspace(tmp_path, [photos])
    create_workspace(tmp_path / "family", [photos])
    with pytest.raises(WorkspaceError, match="is a workspace already; scan it"):
        create_workspace(tmp_path / "family", [photos])


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("photos = [", "expected settings in TOML"),
        ('photos = ["a"]', "`version` must be 1, got None"),
        ('version = 2\nphotos = ["a"]', "`version` must be 1, got 2; update facetable"),
        ("version = 1", "`photos` is missing"),
        ('version = 1\nphotos = "a"', "`photos` must be a list of texts"),
        ('version = 1\nphotos = ["a"]\ncolour = 1', "`colour` is no setting; valid ones: photos, preset"),
        ('version = 1\nphotos = ["a"]\nidentity_from = "file"', "must be none or folder, got 'file'"),
        ('version = 1\nphotos = ["a"]\nmin_face_size = 0', "must be auto or a number of pixels, got 0"),
        ('version = 1\nphotos = ["a"]\ndetector = "yolo"', "`detector` must be mtcnn or centerface, got 'yolo'"),
        ('version = 1\nphotos = ["a"]\npreset = 3', "`preset` must be a text, got 3"),
        ('version = 1\nphotos = ["a"]\nthreshold = 2.0', "`threshold` must be auto or a score from -1 to 1, got 2.0"),
        ('version = 1\nphotos = ["a"]\nthreshold = true', "`threshold` must be auto or a score from -1 to 1, got True"),
        ("a = " + "[" * 5000, "expected settings in TOML"),
    ],
)
def test_settings_that_cannot_be_used(text, message, tmp_path):
    (tmp_path / "workspace.toml").write_text(text)
    with pytest.raises(WorkspaceError, match=f"workspace.toml: .*{message}"):
        Workspace(tmp_path)


def test_a_folder_that_may_not_be_read_is_none(tmp_path):
    question = "import sys; from people.workspace.workspace import is_workspace; print(is_workspace(sys.argv[1]))"
    tmp_path.chmod(0o000)
    try:
        command = [sys.executable, "-c", question, str(tmp_path)]
        if os.geteuid() == 0:  # who may read everything gives that up first
            if shutil.which("setpriv") is None:
                pytest.skip("needs setpriv of util-linux")
            command = ["setpriv", "--bounding-set=-all", "--inh-caps=-all", "--ambient-caps=-all", *command]
        done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=Path(__file__).parents[3])
        assert (done.stdout, done.stderr) == ("False\n", "")
    finally:
        tmp_path.chmod(0o700)


def test_a_folder_that_is_none_says_how_to_make_one(tmp_path):
    with pytest.raises(WorkspaceError, match=r"no workspace.toml in it.; make one: facetable init"):
        Workspace(tmp_path)
