from pathlib import Path

import pytest

from foundation.errors import InputError
from foundation.paths import check_folder, check_folder_of, describe_dangling, describe_missing


def test_a_folder_that_is_not_there(tmp_path: Path) -> None:
    check_folder(None, "--photos")
    check_folder(tmp_path, "--photos")
    with pytest.raises(FileNotFoundError, match="expected a folder for --photos, found nothing; check the path"):
        check_folder(tmp_path / "no", "--photos")
    (tmp_path / "a").touch()
    with pytest.raises(NotADirectoryError, match="expected a folder for --photos, found a file; name the folder it is"):
        check_folder(tmp_path / "a", "--photos")


def test_a_link_that_leads_nowhere(tmp_path: Path) -> None:
    (tmp_path / "a.jpg").symlink_to("照 片/gone.jpg")
    assert describe_dangling(tmp_path / "a.jpg") == "a dangling link to 照 片/gone.jpg"
    assert describe_missing(tmp_path / "a.jpg") == (
        "a dangling link to 照 片/gone.jpg; mend the link or check the path"
    )


def test_a_folder_on_the_way_that_leads_nowhere(tmp_path: Path) -> None:
    (tmp_path / "album").symlink_to("/no/such/disk")
    link = f"a dangling link at {(tmp_path / 'album').as_posix()} to /no/such/disk"
    assert describe_dangling(tmp_path / "album" / "2020" / "a.jpg") == link


def test_no_link_and_a_whole_one(tmp_path: Path) -> None:
    (tmp_path / "b.jpg").touch()
    (tmp_path / "a.jpg").symlink_to("b.jpg")
    for path in (tmp_path / "a.jpg", tmp_path / "b.jpg", tmp_path / "c.jpg"):
        assert describe_dangling(path) is None
    assert describe_missing(tmp_path / "c.jpg") == "nothing; check the path"


def test_a_loop_of_links_leads_nowhere(tmp_path: Path) -> None:
    (tmp_path / "a").symlink_to("b")
    (tmp_path / "b").symlink_to("a")
    assert describe_dangling(tmp_path / "a") == "a dangling link to b"


def test_a_file_whose_folder_is_not_there_or_takes_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    check_folder_of(tmp_path / "people.csv")
    with pytest.raises(InputError, match=r"people\.csv: expected a folder that exists, .* does not; make it first"):
        check_folder_of(tmp_path / "absent" / "people.csv")
    # Whoever runs the tests may be allowed everything.
    monkeypatch.setattr("os.access", lambda folder, mode: Path(folder) != tmp_path)
    with pytest.raises(PermissionError, match=r"Permission denied.*people\.csv"):
        check_folder_of(tmp_path / "people.csv")


def test_a_file_below_a_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "faces.h5").write_bytes(b"")
    with pytest.raises(InputError, match=r"expected a file in a folder, .*faces\.h5 is a file; name another place"):
        check_folder_of(tmp_path / "faces.h5" / "head.skops")
