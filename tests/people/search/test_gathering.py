"""Photos are gathered without anything being replaced, whatever lies in the folder already."""

import os

import pytest

from foundation.errors import InputError
from people.search.gathering import gather


@pytest.fixture
def roots(tmp_path):
    for root, name, content in (("one", "a/p.jpg", b"1"), ("one", "b/p.jpg", b"2"), ("two", "c.jpg", b"3")):
        path = tmp_path / root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        os.utime(path, (1_000_000_000, 1_000_000_000))
    return [tmp_path / "one", tmp_path / "two"]


PATHS = ["a/p.jpg", "b/p.jpg", "c.jpg"]


def content_of(folder):
    return {
        path.relative_to(folder).as_posix(): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()
    }


@pytest.mark.parametrize("as_links", [False, True])
def test_what_is_there_is_kept_and_the_photo_gets_another_name(roots, tmp_path, as_links):
    folder = tmp_path / "out"
    (folder / "a").mkdir(parents=True)
    (folder / "a" / "p.jpg").write_bytes(b"x")
    (folder / "a" / "p-2.jpg").symlink_to("nowhere")
    report = gather(PATHS, roots, folder, as_links=as_links)
    assert report.placed == {"a/p.jpg": "a/p-3.jpg", "b/p.jpg": "b/p.jpg", "c.jpg": "c.jpg"}
    assert content_of(folder) == {"a/p.jpg": b"x", "a/p-3.jpg": b"1", "b/p.jpg": b"2", "c.jpg": b"3"}
    assert (folder / "c.jpg").is_symlink() == as_links
    assert (folder / "c.jpg").stat().st_mtime == 1_000_000_000
    again = gather(PATHS, roots, folder, as_links=as_links)
    assert (again.placed, again.n_there, again.failures) == ({}, 3, {})


def test_photos_stay_as_they_are_and_a_missing_one_stops_nothing(roots, tmp_path):
    before = {root: content_of(root) for root in roots}
    (roots[0] / "a" / "p.jpg").chmod(0o400)
    report = gather(["a/p.jpg", "gone.jpg", "c.jpg"], roots, tmp_path / "out", as_links=False)
    assert report.failures == {
        "gone.jpg": "gone.jpg: expected the photo, found nothing; scan again, with --prune if it was deleted"
    }
    assert content_of(tmp_path / "out") == {"a/p.jpg": b"1", "c.jpg": b"3"}
    assert {root: content_of(root) for root in roots} == before


def test_a_link_that_leads_out_of_the_folder_is_not_followed(roots, tmp_path):
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "a").symlink_to(tmp_path / "elsewhere")
    report = gather(["a/p.jpg"], roots, tmp_path / "out", as_links=False)
    assert "found a link that leads elsewhere" in report.failures["a/p.jpg"]
    assert content_of(tmp_path / "elsewhere") == {}


def test_a_folder_among_the_photos_is_refused(roots):
    with pytest.raises(InputError, match="lies within the photo folder"):
        gather(PATHS, roots, roots[0] / "out", as_links=False)
    assert not (roots[0] / "out").exists()
