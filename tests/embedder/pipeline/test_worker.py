from embedder.pipeline.worker import Progress


def test_progress_adds_up() -> None:
    assert Progress(1, 2, 3) + Progress(10, 20, 30) == Progress(11, 22, 33)
