"""Where the real photos are, and the marker of the tests that need them."""

import os
from pathlib import Path

import pytest

from tests import PROJECT

_BESIDE_THE_PROJECT = PROJECT.parent / "shared" / "data"
DATA = Path(os.environ.get("FACETABLE_TEST_DATA", _BESIDE_THE_PROJECT))


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Skip `realdata` tests, saying so, where the photos are absent."""
    if (DATA / "lfw" / "images").is_dir():
        return
    skip = pytest.mark.skip(reason=f"real photos not found in {DATA}; set FACETABLE_TEST_DATA to their folder")
    for item in items:
        if item.get_closest_marker("realdata"):
            item.add_marker(skip)


@pytest.fixture(scope="session")
def data() -> Path:
    """Return the folder of real photos (`lfw`, `people`, `groups`, `wider`, `video`, `formats`)."""
    return DATA
