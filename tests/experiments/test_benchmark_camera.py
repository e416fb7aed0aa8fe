"""Whether the camera's speed is measured on all frames and at the rate that is asked for, on stand-ins for networks."""

import time
from pathlib import Path

import numpy as np
import pytest

from embedder.networks.encoder import FaceEncoder
from experiments.benchmark_camera import PacedVideo, look_plainly, run_as_camera, run_fast, run_plain, size_of
from experiments.benchmark_peers import CvFaceNet, Peer
from recognition.outputs.video_writer import VideoWriter
from tests.recognition.fakes import ANN, FakeDetector, FakeEmbedder, FakeHead, fake_encoder, image_with

N_FRAMES = 30


@pytest.fixture
def video(tmp_path: Path) -> Path:
    path = tmp_path / "walk.avi"
    writer = VideoWriter(path, 25.0, (120, 200))
    for number in range(N_FRAMES):
        writer.write(image_with((ANN, (10 + 3 * number, 40, 50 + 3 * number, 80))))
    writer.close()
    return path


def test_a_file_as_fast_as_it_goes(video: Path) -> None:
    detector = FakeDetector()
    assert run_fast(video, FaceEncoder.like({}, detector, FakeEmbedder()), FakeHead()) > 0
    assert detector.n_calls == N_FRAMES / 3
    assert size_of(video) == (200, 120)


def test_a_camera_has_its_rate(video: Path) -> None:
    as_camera = run_as_camera(video, fake_encoder(), FakeHead(), seconds=2.5, rate=20.0)
    assert 2 < as_camera.speed.frames_per_second < 21
    assert 0 < as_camera.speed.p50_ms <= as_camera.speed.p95_ms
    assert 0 <= as_camera.dropped < 0.5


def test_a_paced_video_begins_again(video: Path) -> None:
    paced = PacedVideo(video, 200.0)
    started_s = time.monotonic()
    pictures = [paced.read() for _ in range(N_FRAMES + 1)]
    assert time.monotonic() - started_s > N_FRAMES / 200 * 0.9
    assert [len(of_read) for of_read in pictures] == [1] * (N_FRAMES + 1)
    assert np.array_equal(pictures[0][0], pictures[-1][0])
    paced.close()


def test_the_plain_loop_looks_at_frames_spread_over_the_video(video: Path) -> None:
    places = []

    def look(image: np.ndarray) -> None:
        colours = image.astype(int)
        places.append(int(np.flatnonzero((colours[:, :, 0] - colours[:, :, 2] > 60).any(axis=0)).min()))
        time.sleep(0.02)

    assert 0 < run_plain(video, look, n_frames=6) <= 50
    assert np.abs(np.subtract(places, [10 + 3 * 5 * number for number in range(6)])).max() < 6


def test_every_face_is_embedded_plainly() -> None:
    class Network(CvFaceNet):
        def __init__(self) -> None:
            pass

        def embed(self, crop: np.ndarray) -> np.ndarray:
            return np.array(crop.shape)

    peer = Peer("fake", lambda _: np.array([[10, 10, 50, 50], [60, 20, 110, 80]], np.float32))
    vectors = look_plainly(image_with(), peer, Network())
    assert [vector.tolist() for vector in vectors] == [[160, 160, 3]] * 2
