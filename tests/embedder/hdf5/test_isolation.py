import subprocess
import sys
import textwrap
import time
from pathlib import Path

import h5py
import numpy as np
import pytest

from embedder.hdf5 import isolation
from embedder.hdf5.isolation import read_isolated
from tests import PROJECT
from tests.embedder.hdf5.test_examination import make


def stand_in(monkeypatch: pytest.MonkeyPatch, source: str) -> None:
    """Let another program do the reading: what HDF5 does on damaged files differs from version to version."""

    def start(interpreter: str) -> "subprocess.Popen[str]":
        return subprocess.Popen(
            [interpreter, "-I", "-S", "-c", textwrap.dedent(source)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )

    monkeypatch.setattr(isolation, "_start", start)


LOOPS_ON_THE_SECOND = """
import json, signal, sys
files = json.loads(sys.stdin.readline())["files"]
print("ready", flush=True)
for i, (name, seconds) in enumerate(files):
    if b"bad" in bytes.fromhex(name):
        signal.setitimer(signal.ITIMER_PROF, 0.05)
        while True:
            pass
    print("{}", flush=True)
"""


def test_a_file_that_never_ends_is_named_and_the_others_are_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    paths = [make(tmp_path / name) for name in ("1.h5", "bad.h5", "3.h5", "bad-too.h5")]
    stand_in(monkeypatch, LOOPS_ON_THE_SECOND)
    endless = {"damage": "reading it does not come to an end"}
    assert read_isolated(paths, outline_only=False) == dict(zip(paths, [{}, endless, {}, endless], strict=True))


def test_who_sleeps_is_stopped_by_the_clock(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = make(tmp_path / "a.h5")
    stand_in(monkeypatch, "import time; print('ready', flush=True); time.sleep(60)")
    monkeypatch.setattr(isolation, "_WAITING_S", 0.2)
    begun = time.monotonic()
    assert read_isolated([path], outline_only=False) == {path: {"damage": "reading it does not come to an end"}}
    assert time.monotonic() - begun < 30


def test_a_crash_is_the_files_fault(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = make(tmp_path / "a.h5")
    stand_in(monkeypatch, "import os; print('ready', flush=True); os.abort()")
    assert read_isolated([path], outline_only=False) == {path: {"damage": "it crashes the HDF5 library"}}


@pytest.mark.parametrize("source", ["raise SystemExit(1)", "import no_such_package"])
def test_a_process_that_cannot_even_begin_is_no_files_fault(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, source: str
) -> None:
    path = make(tmp_path / "a.h5")
    stand_in(monkeypatch, source)
    assert read_isolated([path], outline_only=False) == {path: {}}


def test_a_frozen_program_is_not_started_a_second_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = make(tmp_path / "a.h5")
    monkeypatch.setattr(isolation, "_start", None)
    monkeypatch.setattr(sys, "frozen", True, raising=False)
    assert read_isolated([path], outline_only=False) == {path: {}}


def test_a_program_that_embeds_python_is_not_taken_for_an_interpreter(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = tmp_path / "server"
    server.write_text("")
    server.chmod(0o700)
    monkeypatch.setattr(sys, "executable", str(server))
    assert isolation._interpreter() != str(server)
    monkeypatch.setattr(sys, "_base_executable", str(server), raising=False)
    monkeypatch.setattr(sys, "prefix", str(tmp_path))
    assert isolation._interpreter() is None


def test_a_file_that_says_it_holds_more_than_it_can(tmp_path: Path) -> None:
    path = tmp_path / "a.h5"
    with h5py.File(path, "w") as file:
        file.create_dataset("numbers", (1 << 40,), "f8")  # HDF5 takes no room for what was never written
    (answer,) = read_isolated([path], outline_only=False).values()
    assert answer["damage"].startswith("it says that it holds 8,796,093,022,208 bytes, more than the ")


def repeat_first_text(path: Path, *, n: int, length: int) -> None:
    """Write a file whose `n` texts are all one and the same of `length` bytes, which no program does."""
    with h5py.File(path, "w") as file:
        texts = file.create_dataset("texts", (n,), h5py.string_dtype())
        texts[0] = "x" * length
        start = texts.id.get_offset()
        n_bytes = texts.id.get_storage_size()
    content = bytearray(path.read_bytes())
    reference = content[start : start + n_bytes // n]
    content[start : start + n_bytes] = reference * n
    path.write_bytes(content)


def test_texts_that_are_longer_than_the_file_are_refused(tmp_path: Path) -> None:
    repeat_first_text(tmp_path / "a.h5", n=100, length=9000)
    (answer,) = read_isolated([tmp_path / "a.h5"], outline_only=False).values()
    assert answer["damage"].startswith("it says that it holds 900,000 bytes, more than the ")


@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="the system does not bound a process's memory")
def test_memory_is_bounded(tmp_path: Path) -> None:
    repeat_first_text(tmp_path / "a.h5", n=10_000, length=100_000)
    (answer,) = read_isolated([tmp_path / "a.h5"], outline_only=False).values()
    # A gigabyte of text: it does not come so far as to count it.
    assert answer["damage"] and not answer["damage"].startswith("it says that it holds 1,000,000,000 bytes")


def test_works_from_a_main_module_that_cannot_be_imported(tmp_path: Path) -> None:
    """As in a notebook, or where Python reads a program from standard input."""
    path = make(tmp_path / "a.h5", numbers=np.zeros(3))
    program = f"""
import sys
sys.path.insert(0, {str(PROJECT)!r})
from pathlib import Path
from embedder.hdf5.isolation import read_isolated
print(read_isolated([Path({str(path)!r})], outline_only=True))
"""
    done = subprocess.run(
        [sys.executable, "-I", "-"], input=program, capture_output=True, text=True, cwd=tmp_path, check=False
    )
    assert "'members': ['numbers']" in done.stdout, done.stderr
