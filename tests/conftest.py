"""What all tests share: the real photos, converted networks and a trained head, made once for all worker processes.

Several workers (``pytest -n 2 --dist loadfile``) split the cores among themselves, so that a test that measures time is
not slowed down by the tests of another worker. A file's tests run in one worker, for they share fixtures.
"""

import importlib.util
import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests import PROJECT

_BESIDE_THE_PROJECT = PROJECT.parent / "shared" / "data"
DATA = Path(os.environ.get("FACETABLE_TEST_DATA", _BESIDE_THE_PROJECT))

SLOWEST_FIRST = ("servers", "cluster", "browser", "realdata", "tensorflow")
"""Markers of slow tests: what takes longest begins first, so that the workers end together."""

# Which marker a test gets, by the fixtures that it uses and by where it stands.
MARKED_FIXTURES = {
    "reference_embeddings": "tensorflow",
    "broker": "servers",
    "page": "browser",
}
MARKED_PLACES = {
    "embedder/training": "tensorflow",
    "tests/embedder/commands/test_train.py": "tensorflow",
    "tests/embedder/engines/test_clusters.py": "cluster",
    "tests/embedder/training": "tensorflow",
    "tests/experiments/test_center_loss_digits.py": "tensorflow",
    "tests/recognition/test_cameras.py": "servers",
}


def _own_cores() -> None:
    """Keep a worker process and its children to its share of the cores."""
    worker, n_workers = os.environ.get("PYTEST_XDIST_WORKER"), int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))
    if worker is None or not hasattr(os, "sched_setaffinity"):
        return
    cores = sorted(os.sched_getaffinity(0))
    if len(cores) >= n_workers:
        os.sched_setaffinity(0, cores[int(worker.removeprefix("gw")) % n_workers :: n_workers])


_own_cores()  # before a library counts the cores


HAS_TENSORFLOW = importlib.util.find_spec("tensorflow") is not None


def pytest_configure(config: pytest.Config) -> None:
    """Keep TensorFlow out where its tests are not wanted: what loads it is not collected, and nothing else may."""
    is_unwanted = "not tensorflow" in config.option.markexpr
    if is_unwanted:
        sys.modules["tensorflow"] = None  # type: ignore[assignment]
    if is_unwanted or not HAS_TENSORFLOW:
        places = [str(PROJECT / place) for place in _places_of_tensorflow()]
        config.option.ignore = [*(config.option.ignore or []), *places]


def pytest_report_header() -> str:
    """Say what is not collected where the packages of training are not installed."""
    return "" if HAS_TENSORFLOW else f"TensorFlow is not installed, without {', '.join(_places_of_tensorflow())}"


def _places_of_tensorflow() -> list[str]:
    return [place for place, marker in MARKED_PLACES.items() if marker == "tensorflow"]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Set markers, begin with the slow files, and skip, saying so, what needs photos or packages that are absent."""
    skip = pytest.mark.skip(reason=f"real photos not found in {DATA}; set FACETABLE_TEST_DATA to their folder")
    skip_training = pytest.mark.skip(reason="TensorFlow is not installed; pip install -r requirements.txt")
    has_photos = (DATA / "lfw" / "images").is_dir()
    for item in items:
        for marker in _markers_by_rule(item):
            item.add_marker(marker)
        if item.get_closest_marker("realdata") and not has_photos:
            item.add_marker(skip)
        if item.get_closest_marker("tensorflow") and not HAS_TENSORFLOW:
            item.add_marker(skip_training)
    ranks: dict[Path, int] = {}
    for item in items:
        found = [rank for rank, marker in enumerate(SLOWEST_FIRST) if item.get_closest_marker(marker)]
        ranks[item.path] = min([*found, ranks.get(item.path, len(SLOWEST_FIRST))])
    items.sort(key=lambda item: ranks[item.path])


def _markers_by_rule(item: pytest.Item) -> Iterator[str]:
    place = item.path.relative_to(PROJECT)
    yield from {marker for path, marker in MARKED_PLACES.items() if place.is_relative_to(path)}
    yield from {MARKED_FIXTURES[name] for name in getattr(item, "fixturenames", ()) if name in MARKED_FIXTURES}


@pytest.fixture(scope="session")
def data() -> Path:
    """Return the folder of real photos (`lfw`, `people`, `groups`, `wider`, `video`, `formats`)."""
    return DATA


@pytest.fixture(scope="session")
def run_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder that all worker processes of this test run share; write to it under a lock."""
    own = tmp_path_factory.getbasetemp()
    return own.parent if "PYTEST_XDIST_WORKER" in os.environ else own


@pytest.fixture(scope="session")
def networks() -> None:
    """Convert the networks of detector and default preset, unless they are, before a test is told that it waits."""
    from embedder import MTCNN, FaceEmbedder

    MTCNN()
    FaceEmbedder()


@pytest.fixture(scope="session")
def people_head(data: Path, networks: None, run_folder: Path) -> Path:
    """Return a head on real photos of five people, trained with the command line's own settings; never change it.

    The table it is trained on lies beside it, as ``people.h5``.
    """
    import filelock

    import train_classifier
    from embedder import embed_folder

    head = run_folder / "people" / "people.skops"
    with filelock.FileLock(run_folder / "people.lock"):
        if not head.is_file():
            table = head.with_suffix(".h5")
            embed_folder(data / "people" / "train", table, min_face_size="auto")
            assert train_classifier.main([str(table), "-o", str(head)]) == 0
    return head


@pytest.fixture
def drawing() -> None:
    """Skip a test of plots where the package that draws them is not installed."""
    pytest.importorskip("matplotlib")


@pytest.fixture(autouse=True)
def _networks_of_real_photos(request: pytest.FixtureRequest) -> None:
    if request.node.get_closest_marker("realdata"):
        request.getfixturevalue("networks")
