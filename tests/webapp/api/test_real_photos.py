"""Real photos: faces of a workspace that a scan would make are cut out as browsers show them."""

import io

import numpy as np
import pytest
from fastapi.testclient import TestClient
from PIL import Image

from foundation.formats import hash_file
from people.store.scanned import ScannedFile
from people.store.store import PeopleStore
from people.workspace.workspace import create_workspace
from tests.webapp.conftest import ADDRESS, TOKEN
from webapp.access.tokens import Access
from webapp.server.app import create_app


@pytest.mark.realdata
def test_a_real_face_is_cut_out(data, tmp_path):
    folder = data / "lfw" / "images" / "Junichiro_Koizumi"
    photo = sorted(folder.glob("*.jpg"))[0]
    workspace = create_workspace(tmp_path / "family", [folder])
    with PeopleStore(workspace.store, create=True, by="test") as store:
        places = np.array([[0.3, 0.25, 0.7, 0.75, 0.0]])
        file = ScannedFile(photo.name, hash_file(photo), *Image.open(photo).size)
        store.record_table([file], np.array([0]), face_indices=np.array([0]), places=places)
        key = store.faces_in_table()[0].face.key
    headers = {"Authorization": f"Bearer {TOKEN}"}
    with TestClient(create_app(workspace, Access(start_token=TOKEN)), base_url=ADDRESS, headers=headers) as client:
        content = client.get(f"/api/v1/faces/{key}/thumbnail").content
    shown = np.asarray(Image.open(io.BytesIO(content)).convert("RGB"), np.float64)
    wanted = np.asarray(Image.open(photo).convert("RGB").resize((192, 192), box=(20, 20, 230, 230)), np.float64)
    assert np.abs(shown.mean((0, 1)) - wanted.mean((0, 1))).max() < 12 and shown.std() > 20
