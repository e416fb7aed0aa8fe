import multiprocessing
import os
import subprocess
import sys
from pathlib import Path

import pytest

from embedder.errors import TableLockedError
from embedder.tables.file import Header, TableFileReader
from embedder.tables.parts import PartsFolder, parts_folder, write_part
from embedder.tables.table import EmbeddingTable
from tests.embedder.fakes import make_table, names
from tests.embedder.table_files import changed, write_version_1


def write_some_part(folder: Path, created: str, n_faces: tuple[int, ...] = (1, 2, 0)) -> Path:
    source = folder / "source.tmp"
    make_table(n_faces).write(source)
    with TableFileReader(source) as file:
        header = Header(file.header.photo_root, file.header.fingerprint, created)
        part = write_part(folder, header, file.rows(), file.images())
    source.unlink()
    return part


def test_parts_folder_is_beside_the_table() -> None:
    assert parts_folder(Path("out/faces.h5")) == Path("out/faces.h5.parts")


def test_a_part_is_a_table_of_its_own_and_named_by_its_photos(tmp_path: Path) -> None:
    part = write_some_part(tmp_path, "2026-01-01")
    assert EmbeddingTable.read(part).paths.tolist() == ["a/0.jpg", "a/1.jpg", "a/1.jpg"]
    assert write_some_part(tmp_path, "2026-01-02") == part
    assert write_some_part(tmp_path, "2026-01-02", (1,)) != part
    assert len(names(tmp_path)) == 2


def test_parts_come_oldest_first_and_clear_deletes_them(tmp_path: Path) -> None:
    with PartsFolder(tmp_path / "t.h5") as parts:
        newest = write_some_part(parts.path, "2026-03-01", (1,))
        oldest = write_some_part(parts.path, "2026-01-01", (1, 1))
        between = write_some_part(parts.path, "2026-02-01", (2,) * 3)
        assert parts.parts() == [oldest, between, newest]
        parts.clear()
        assert parts.parts() == []
    assert names(tmp_path) == []


def test_what_is_left_stays_for_the_next_writer(tmp_path: Path) -> None:
    with PartsFolder(tmp_path / "t.h5") as parts:
        part = write_some_part(parts.path, "2026-03-01")
        (parts.path / ".123-abc.tmp").write_bytes(b"half a file")
    with PartsFolder(tmp_path / "t.h5") as parts:
        assert parts.parts() == [part] and not list(parts.path.glob(".*.tmp"))


def test_a_damaged_part_is_removed_with_a_warning(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with PartsFolder(tmp_path / "t.h5") as parts:
        part = write_some_part(parts.path, "2026-03-01")
        part.write_bytes(part.read_bytes()[:300])
        assert parts.parts() == [] and not part.exists()
    assert str(part) in caplog.text and "embedded again" in caplog.text


def test_a_part_with_a_value_no_table_may_hold_is_removed(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with PartsFolder(tmp_path / "t.h5") as parts:
        part = write_some_part(parts.path, "2026-03-01")
        with changed(part) as file:
            file["box"][2, 1] = float("nan")
        assert parts.parts() == [] and not part.exists()
    assert "expected finite numbers in `box`" in caplog.text and "embedded again" in caplog.text


def test_a_part_whose_content_was_changed_is_removed(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with PartsFolder(tmp_path / "t.h5") as parts:
        part = write_some_part(parts.path, "2026-03-01")
        part.write_bytes(part.read_bytes().replace("王小明".encode(), "王大明".encode()))
        assert parts.parts() == []
    assert "expected the content that its checksum stands for" in caplog.text


def test_parts_of_version_1_are_taken(tmp_path: Path) -> None:
    with PartsFolder(tmp_path / "t.h5") as parts:
        old = write_version_1(parts.path / "old.h5", make_table([1, 1]))
        assert parts.parts() == [old]
        parts.clear()


def test_a_second_writer_is_refused_in_this_process(tmp_path: Path) -> None:
    with PartsFolder(tmp_path / "t.h5"):
        with pytest.raises(TableLockedError, match=f"{tmp_path / 't.h5'}: expected to be its only writer"):
            PartsFolder(tmp_path / "t.h5").__enter__()
        with PartsFolder(tmp_path / "other.h5"):
            pass
    with PartsFolder(tmp_path / "t.h5"):
        pass


HOLDER = """
import sys, time
from pathlib import Path
from embedder.tables.parts import PartsFolder
with PartsFolder(Path(sys.argv[1])):
    print("locked", flush=True)
    time.sleep(60)
"""


def test_a_killed_writer_holds_nothing_and_a_lock_file_alone_means_nothing(tmp_path: Path) -> None:
    holder = subprocess.Popen([sys.executable, "-c", HOLDER, str(tmp_path / "t.h5")], stdout=subprocess.PIPE, text=True)
    assert holder.stdout is not None and holder.stdout.readline() == "locked\n"
    with pytest.raises(TableLockedError):
        PartsFolder(tmp_path / "t.h5").__enter__()
    holder.kill()
    holder.wait()
    assert (tmp_path / "t.h5.lock").exists()
    with PartsFolder(tmp_path / "t.h5"):
        pass
    assert names(tmp_path) == []


def take_and_leave(table: Path, n_times: int, queue: multiprocessing.Queue) -> None:
    n_held = 0
    for _ in range(n_times):
        try:
            with PartsFolder(table):
                witness = table.with_name("witness")
                os.close(os.open(witness, os.O_CREAT | os.O_EXCL))  # fails if another one is in here too
                witness.unlink()
                n_held += 1
        except TableLockedError:
            pass
    queue.put(n_held)


def test_writers_that_come_and_go_are_never_in_together(tmp_path: Path) -> None:
    context = multiprocessing.get_context("spawn")
    queue = context.Queue()
    workers = [context.Process(target=take_and_leave, args=(tmp_path / "t.h5", 300, queue)) for _ in range(2)]
    for worker in workers:
        worker.start()
    held = [queue.get(timeout=30) for _ in workers]
    for worker in workers:
        worker.join()
        assert worker.exitcode == 0
    assert sum(held) > 0 and names(tmp_path) == []


def test_a_file_in_the_place_of_the_folder_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "t.h5.parts").write_bytes(b"")
    with pytest.raises(FileExistsError):
        PartsFolder(tmp_path / "t.h5").__enter__()
    assert names(tmp_path) == ["t.h5.parts"]


def test_a_folder_without_room_for_the_lock_names_the_table(tmp_path: Path) -> None:
    (tmp_path / "t.h5.lock").mkdir()
    with pytest.raises(OSError, match="expected to write here, the lock beside it cannot be made") as raised:
        PartsFolder(tmp_path / "t.h5").__enter__()
    assert raised.value.filename == str(tmp_path / "t.h5")
