"""`embed_folder` in several processes, and in one that is killed or has no room."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from embedder.pipeline import runner
from foundation.errors import FingerprintError
from tests import PROJECT
from tests.embedder.fakes import FakeDetector, names, write_photo
from tests.embedder.runs import embed, same


def test_two_processes_give_the_same_table(photos: Path, tmp_path: Path) -> None:
    for i in range(60):
        write_photo(photos / f"person {i % 7}" / f"{i}.png", i % 4, green=i)
    (photos / "text.jpg").write_text("no picture")
    alone = embed(photos, tmp_path / "1.h5")
    assert same(embed(photos, tmp_path / "2.h5", n_jobs=2), alone)
    assert names(tmp_path) == ["1.h5", "2.h5", "photos"]


def test_an_error_in_a_worker_reaches_the_caller(photos: Path, tmp_path: Path) -> None:
    class OtherThere(FakeDetector):
        """Has another setting once it is pickled."""

        def __reduce__(self):
            return FakeDetector, (), {"settings": {"min_face_size": 99}, "n_seen": 0}

    found = r"run's networks and packages, .* `min_face_size` absent before, 99 now"
    with pytest.raises(FingerprintError, match=found):
        embed(photos, tmp_path / "t.h5", n_jobs=2, detector=OtherThere())


class Dies(FakeDetector):
    def detect_batch(self, images):
        os.kill(os.getpid(), signal.SIGKILL)


def test_a_killed_worker_is_an_error_with_a_remedy(photos: Path, tmp_path: Path) -> None:
    with pytest.raises(ChildProcessError, match=r"a worker process was killed, .* run the same command again"):
        embed(photos, tmp_path / "t.h5", n_jobs=2, detector=Dies())
    assert len(embed(photos, tmp_path / "t.h5", n_jobs=2)) == 7


def test_photos_a_worker_has_not_done_are_missed(photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runner, "embed_photos", lambda *args, **options: None)
    with pytest.raises(ChildProcessError, match=r"5 photos from the workers, 5 missing, the first Ada/1\.png"):
        embed(photos, tmp_path / "t.h5")


SCRIPT = """
import sys
from pathlib import Path
from embedder.pipeline.settings import EmbedSettings
from embedder.pipeline.runner import embed_folder
from tests.embedder.fakes import FakeDetector, FakeEmbedder

class Slow(FakeDetector):
    def detect_batch(self, images):
        import time
        time.sleep(float(sys.argv[3]))
        return super().detect_batch(images)

embed_folder(sys.argv[1], sys.argv[2], n_jobs=int(sys.argv[4]), detector=Slow(), embedder=FakeEmbedder())
print("done")
"""


def start(photos: Path, out: Path, seconds: float, n_jobs: int, **options: Any) -> subprocess.Popen:
    return subprocess.Popen(
        [sys.executable, "-", str(photos), str(out), str(seconds), str(n_jobs)],
        cwd=PROJECT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        **options,
    )


def children_of(pid: int) -> set[int]:
    found = set()
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            parent = int((folder / "stat").read_text().rsplit(")", 1)[1].split()[1])
        except (OSError, IndexError, ValueError):
            continue
        if parent == pid:
            found.add(int(folder.name))
    return found


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="needs Linux's /proc")
def test_workers_end_when_their_parent_is_killed(photos: Path, tmp_path: Path) -> None:
    for i in range(40):
        write_photo(photos / f"{i}.png", 1, green=i)
    run = start(photos, tmp_path / "t.h5", 20.0, 2)  # the script has no main guard and is not even a file
    assert run.stdin is not None
    run.stdin.write(SCRIPT)
    run.stdin.close()
    deadline = time.monotonic() + 60
    while len(workers := children_of(run.pid)) < 2 and time.monotonic() < deadline:
        time.sleep(0.1)
    time.sleep(1.5)
    workers = children_of(run.pid)
    assert len(workers) >= 2
    run.kill()
    run.wait()
    deadline = time.monotonic() + 60
    while any(Path(f"/proc/{pid}").exists() for pid in workers) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert not [pid for pid in workers if Path(f"/proc/{pid}").exists()]


@pytest.mark.skipif(os.name != "posix", reason="file-size limits are POSIX")
@pytest.mark.parametrize("limit", [8_000, 40_000])  # too small for a part; for the table only
def test_no_room_leaves_the_table_from_before(photos: Path, tmp_path: Path, limit: int) -> None:
    embed(photos, tmp_path / "t.h5")
    before = (tmp_path / "t.h5").read_bytes()
    write_photo(photos / "new.png", 1, green=99)
    script = "import resource\n" + f"resource.setrlimit(resource.RLIMIT_FSIZE, ({limit}, {limit}))" + SCRIPT
    run = start(photos, tmp_path / "t.h5", 0, 1)
    _, errors = run.communicate(script)
    assert run.returncode == 1 and "OSError: [Errno 27] no room to write it (File too large)" in errors
    assert (tmp_path / "t.h5").read_bytes() == before
    assert not list(tmp_path.rglob("*.tmp"))
    assert len(embed(photos, tmp_path / "t.h5")) == 8
