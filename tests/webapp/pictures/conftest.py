"""A folder of photos and a workspace of it, as the tests of pictures need them."""

import pytest

from tests.webapp.made import make_photos, make_workspace


@pytest.fixture
def photos(tmp_path):
    make_photos(tmp_path / "photos")
    return tmp_path / "photos"


@pytest.fixture
def workspace(tmp_path, photos):
    return make_workspace(tmp_path / "family", photos)
