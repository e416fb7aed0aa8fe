import os
from dataclasses import replace
from pathlib import Path

import pytest

from embedder.images.listing import list_images
from embedder.pipeline.plan import EmbedPlan, cut_into_shards, make_plan
from embedder.tables.assembly import Entry
from foundation.formats import hash_file


def photo(root: Path, name: str, content: str = "") -> Path:
    path = root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content or name)
    return path


def entry_of(root: Path, name: str, **changes) -> Entry:
    file = root / name
    status = file.stat()
    rows = (Path("t.h5"), 0, name)
    entry = Entry(name, "ok", "", 1, 50, 40, hash_file(file), status.st_size, status.st_mtime_ns, 0, "", "photo", *rows)
    return replace(entry, **changes)


def plan(root: Path, *entries: Entry, same_photos: dict[str, str] | None = None) -> EmbedPlan:
    return make_plan(list_images(root), {entry.path: entry for entry in entries}, same_photos=same_photos)


def summary(made: EmbedPlan) -> tuple[list[str], list[str], list[str]]:
    return (
        [entry.path for entry in made.kept],
        [photo.name for photo in made.pending],
        [entry.path for entry in made.deleted],
    )


def test_all_is_new(tmp_path: Path) -> None:
    photo(tmp_path, "b.jpg"), photo(tmp_path, "a/1.jpg")
    made = plan(tmp_path)
    assert summary(made) == ([], ["a/1.jpg", "b.jpg"], []) and not made.changed


@pytest.mark.parametrize("status", ["ok", "no_face", "unreadable"])
def test_unchanged_files_are_kept_without_reading_them(
    tmp_path: Path, status: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    photo(tmp_path, "1.jpg")
    entry = entry_of(tmp_path, "1.jpg", status=status)
    monkeypatch.setattr("embedder.pipeline.plan.hash_file", None)
    made = plan(tmp_path, entry)
    assert made.kept == [entry] and not made.changed and not made.pending


def test_a_touched_file_is_kept_by_its_hash_and_takes_the_new_time(tmp_path: Path) -> None:
    file = photo(tmp_path, "1.jpg")
    entry = entry_of(tmp_path, "1.jpg")
    os.utime(file, ns=(1, 12345))
    made = plan(tmp_path, entry)
    assert made.kept == [replace(entry, mtime_ns=12345)] and made.changed and made.n_moved == 0


@pytest.mark.parametrize("content", ["changed", "x.jpg"])  # another size; the same size
def test_a_changed_file_is_embedded_again(tmp_path: Path, content: str) -> None:
    file = photo(tmp_path, "1.jpg")
    entry = entry_of(tmp_path, "1.jpg")
    file.write_text(content)
    os.utime(file, ns=(1, 12345))
    assert summary(plan(tmp_path, entry)) == ([], ["1.jpg"], [])


def test_failures_that_may_pass_are_tried_again(tmp_path: Path) -> None:
    for name in ("1.jpg", "2.jpg", "3.jpg"):
        photo(tmp_path, name)
    made = plan(
        tmp_path,
        entry_of(tmp_path, "1.jpg", status="error"),
        entry_of(tmp_path, "2.jpg", status="unreadable", image_sha256=""),
        entry_of(tmp_path, "3.jpg", status="unreadable"),
    )
    assert summary(made) == (["3.jpg"], ["1.jpg", "2.jpg"], [])


def test_a_moved_file_takes_its_entry_along(tmp_path: Path) -> None:
    file = photo(tmp_path, "Ada/1.jpg")
    entry = entry_of(tmp_path, "Ada/1.jpg")
    (tmp_path / "Bob").mkdir()
    file.rename(tmp_path / "Bob" / "9.jpg")
    made = plan(tmp_path, entry)
    assert made.kept == [replace(entry, path="Bob/9.jpg")]
    assert made.kept[0].stored_path == "Ada/1.jpg"
    assert (made.n_moved, made.changed, made.pending, made.deleted) == (1, True, [], [])


def write_names(file: Path) -> tuple[str, str]:
    """Write names into a photo; return the SHA-256 of what it was and of what it is."""
    before = hash_file(file)
    file.write_text(file.read_text() + " and names")
    return before, hash_file(file)


def test_a_photo_with_names_written_into_it_keeps_its_entry_and_is_known_by_its_new_hash(tmp_path: Path) -> None:
    file = photo(tmp_path, "1.jpg")
    entry = entry_of(tmp_path, "1.jpg")
    first, second = write_names(file)
    status = file.stat()
    made = plan(tmp_path, entry, same_photos={second: first})
    expected = replace(entry, image_sha256=second, size=status.st_size, mtime_ns=status.st_mtime_ns)
    assert made.kept == [expected] and made.changed and not made.pending
    # Written to once more: both are the first one's picture.
    again, third = write_names(file)
    assert again == second
    made = plan(tmp_path, expected, same_photos={second: first, third: first})
    assert [one.image_sha256 for one in made.kept] == [third] and not made.pending


def test_a_photo_with_names_takes_its_entry_along_wherever_it_goes(tmp_path: Path) -> None:
    file = photo(tmp_path, "Ada/1.jpg")
    entry = entry_of(tmp_path, "Ada/1.jpg")
    first, second = write_names(file)
    file.rename(tmp_path / "9.jpg")
    made = plan(tmp_path, entry, same_photos={second: first})
    assert summary(made) == (["9.jpg"], [], []) and made.n_moved == 1
    assert (made.kept[0].stored_path, made.kept[0].image_sha256) == ("Ada/1.jpg", second)


def test_what_was_not_said_to_be_the_same_picture_is_embedded_again(tmp_path: Path) -> None:
    file, other = photo(tmp_path, "1.jpg"), photo(tmp_path, "2.jpg")
    entries = entry_of(tmp_path, "1.jpg"), entry_of(tmp_path, "2.jpg")
    first, second = write_names(file)
    write_names(other)
    made = plan(tmp_path, *entries, same_photos={second: first})
    assert summary(made) == (["1.jpg"], ["2.jpg"], [])
    assert summary(plan(tmp_path, *entries)) == ([], ["1.jpg", "2.jpg"], [])


def test_a_copy_of_a_file_that_is_still_there_is_new(tmp_path: Path) -> None:
    photo(tmp_path, "1.jpg", "same"), photo(tmp_path, "2.jpg", "same")
    assert summary(plan(tmp_path, entry_of(tmp_path, "1.jpg"))) == (["1.jpg"], ["2.jpg"], [])


def test_one_entry_moves_to_one_file(tmp_path: Path) -> None:
    photo(tmp_path, "old1.jpg", "same"), photo(tmp_path, "old2.jpg", "same")
    entries = [entry_of(tmp_path, "old1.jpg"), entry_of(tmp_path, "old2.jpg")]
    (tmp_path / "old1.jpg").unlink(), (tmp_path / "old2.jpg").unlink()
    for name in ("new1.jpg", "new2.jpg", "new3.jpg"):
        photo(tmp_path, name, "same")
    made = plan(tmp_path, *entries)
    assert summary(made) == (["new1.jpg", "new2.jpg"], ["new3.jpg"], [])
    assert [entry.stored_path for entry in made.kept] == ["old1.jpg", "old2.jpg"]


def test_a_file_moved_over_another_replaces_it(tmp_path: Path) -> None:
    photo(tmp_path, "a.jpg", "from a"), photo(tmp_path, "b.jpg", "from bb")
    entries = [entry_of(tmp_path, "a.jpg"), entry_of(tmp_path, "b.jpg")]
    (tmp_path / "a.jpg").replace(tmp_path / "b.jpg")
    made = plan(tmp_path, *entries)
    assert summary(made) == (["b.jpg"], [], []) and made.kept[0].stored_path == "a.jpg"


def test_a_file_that_failed_does_not_move(tmp_path: Path) -> None:
    photo(tmp_path, "1.jpg")
    entry = entry_of(tmp_path, "1.jpg", status="error")
    (tmp_path / "1.jpg").rename(tmp_path / "2.jpg")
    assert summary(plan(tmp_path, entry)) == ([], ["2.jpg"], ["1.jpg"])


def test_deleted_files_are_listed(tmp_path: Path) -> None:
    photo(tmp_path, "1.jpg"), photo(tmp_path, "2.jpg")
    entries = [entry_of(tmp_path, "1.jpg"), entry_of(tmp_path, "2.jpg")]
    (tmp_path / "1.jpg").unlink()
    made = plan(tmp_path, *entries)
    assert summary(made) == (["2.jpg"], [], ["1.jpg"]) and not made.changed


def test_photos_in_a_folder_nobody_may_open_are_not_gone(tmp_path: Path) -> None:
    photo(tmp_path, "Ada/x/1.jpg"), photo(tmp_path, "b.jpg")
    entry = entry_of(tmp_path, "Ada/x/1.jpg")
    (tmp_path / "Ada" / "x" / "1.jpg").unlink()
    listing = replace(list_images(tmp_path), unreadable_folders=(Path("Ada"),))
    made = make_plan(listing, {entry.path: entry})
    assert summary(made) == (["Ada/x/1.jpg"], ["b.jpg"], [])


def test_a_file_that_cannot_be_opened_is_left_to_the_reader(tmp_path: Path) -> None:
    photo(tmp_path, "1.jpg")
    entry = entry_of(tmp_path, "1.jpg")
    (tmp_path / "1.jpg").unlink()
    (tmp_path / "1.jpg").symlink_to("nowhere")
    assert summary(plan(tmp_path, entry)) == ([], ["1.jpg"], [])


def test_two_names_stored_alike_are_one_and_a_warning(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    photo(tmp_path, "caf\udce9.jpg", "one"), photo(tmp_path, "caf\\xe9.jpg", "two")
    made = plan(tmp_path)
    assert len(made.pending) == 1 and "two files have this name" in caplog.text


def test_every_file_is_counted_once(tmp_path: Path) -> None:
    photo(tmp_path, "1.jpg"), photo(tmp_path, "2.jpg")
    seen = []
    make_plan(list_images(tmp_path), {"1.jpg": entry_of(tmp_path, "1.jpg")}, on_checked=lambda: seen.append(1))
    assert len(seen) == 2


@pytest.mark.parametrize(
    ("n", "n_jobs", "sizes"),
    [
        (0, 2, []),
        (1, 2, [1]),
        (100, 2, [16] * 6 + [4]),
        (1000, 2, [125] * 8),
        (1000, 1, [250] * 4),
        (10_000, 4, [256] * 39 + [16]),
    ],
)
def test_shards_hold_all_paths_in_order(n: int, n_jobs: int, sizes: list[int]) -> None:
    paths = [Path(f"{i}.jpg") for i in range(n)]
    shards = cut_into_shards(paths, n_jobs)
    assert [len(shard) for shard in shards] == sizes
    assert [path for shard in shards for path in shard] == paths
