"""Whole files of every kind, small, made of nobody's photos: what is damaged."""

import json
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from classifiers import OpenSetClassifier
from classifiers.files.head_file import save_head
from classifiers.scores.normalization import BACKGROUND_FOLDER, read_background
from embedder.networks.presets import Preset, write_preset
from embedder.runtime.weights import write_safetensors
from embedder.tables.table import EmbeddingTable, ImageLedger
from foundation.fingerprint import Fingerprint

_LENGTH = 512
_PEOPLE = ("Ada", "Jos\u00e9", "\u738b\u5c0f\u660e", "Zo\u00eb")
_PHOTOS = 4
_FINGERPRINT: dict[str, Any] = {
    "space": {
        "alignment": "box",
        "crop_size": 160,
        "embedding_length": _LENGTH,
        "standardization": "fixed",
        "margin": {"mode": "scaled", "value": 32.0},
        "weights_sha256": "704afe26766ce6215931b0bde68650835be9518613d40ce101e641708c7d5c78",
    },
    "provenance": {"detector": "mtcnn", "faces": "all", "precision": "fp32", "versions": {"numpy": "2"}},
}


def make_tables(folder: Path) -> list[Path]:
    """Write a table of four people with four photos each."""
    folder.mkdir(parents=True, exist_ok=True)
    identities = [name for name in _PEOPLE for _ in range(_PHOTOS)]
    n, paths = len(identities), np.array(_paths(), object)
    hashes = np.array([f"{row:064x}" for row in range(n)], object)
    images = ImageLedger(
        path=paths,
        status=np.array(["ok"] * n, object),
        message=np.array([""] * n, object),
        n_faces=np.ones(n, np.int32),
        width=np.full(n, 250, np.int32),
        height=np.full(n, 250, np.int32),
        image_sha256=hashes,
        size=np.ones(n, np.int64),
        mtime_ns=np.ones(n, np.int64),
    )
    table = EmbeddingTable(
        embeddings=_vectors(identities),
        identities=np.array(identities, object),
        paths=paths,
        face_indices=np.zeros(n, np.int32),
        boxes=np.tile([10.0, 20, 90, 110], (n, 1)).astype(np.float32),
        landmarks=np.full((n, 5, 2), 50, np.float32),
        detection_scores=np.full(n, 0.99, np.float32),
        image_sha256=hashes,
        images=images,
        photo_root="/photos",
        created="2026-01-01T00:00:00+00:00",
        fingerprint=Fingerprint.of(_FINGERPRINT),
    )
    table.write(folder / "faces.h5")
    return [folder / "faces.h5"]


def make_heads(folder: Path) -> list[Path]:
    """Write heads of each rule: nearest, votes, linear, and two fitted estimators; some with a background model."""
    from sklearn.ensemble import RandomForestClassifier
    from sklearn.naive_bayes import GaussianNB

    folder.mkdir(parents=True, exist_ok=True)
    identities = [name for name in _PEOPLE for _ in range(_PHOTOS)]
    n, background = len(identities), read_background(next(BACKGROUND_FOLDER.glob("704afe*.npz")))
    for name, estimator, model in (
        ("gallery", "gallery", background),
        ("knn", "knn", None),
        ("svm", "svm", background),
        ("bayes", GaussianNB(), None),
        ("forest", RandomForestClassifier(2, max_depth=2, random_state=0), background),
    ):
        classifier = OpenSetClassifier(estimator, 0.5, background=model)
        classifier.fit(
            _vectors(identities),
            identities,
            paths=[f"{row}.jpg" for row in range(n)],
            image_sha256=[f"{row:064x}" for row in range(n)],
            boxes=np.tile([10.0, 20, 90, 110], (n, 1)),
            fingerprint=_FINGERPRINT,
        )
        save_head(classifier.head_, folder / f"{name}.skops")
    return sorted(folder.iterdir())


def make_photos(folder: Path) -> list[Path]:
    """Write a photo in every format, depth and layout that is read."""
    import pillow_heif

    folder.mkdir(parents=True, exist_ok=True)
    y, x = np.mgrid[0:90, 0:120]
    pixels = np.stack([x * 2, y * 2, (x * y) % 256], axis=2).astype(np.uint8)
    rgb, grey = Image.fromarray(pixels), Image.fromarray(pixels[:, :, 0])
    rgba = Image.fromarray(np.dstack([pixels, (x * 2).astype(np.uint8)]))
    exif = Image.Exif()
    exif[0x0112] = 6
    pictures: dict[str, tuple[Image.Image, dict[str, Any]]] = {
        "a.jpg": (rgb, {"exif": exif}),
        "progressive.jpg": (rgb, {"progressive": True, "subsampling": 0}),
        "grey.jpg": (grey, {}),
        "cmyk.jpg": (rgb.convert("CMYK"), {}),
        "rgb.png": (rgb, {"exif": exif}),
        "rgba.png": (rgba, {}),
        "palette.png": (rgb.convert("P"), {"transparency": 3}),
        "bilevel.png": (grey.convert("1"), {}),
        "grey16.png": (Image.fromarray(pixels[:, :, 0].astype(np.uint16) * 257), {}),
        "grey_alpha.png": (rgba.convert("LA"), {}),
        "raw.tif": (rgb, {}),
        "lzw.tif": (rgb, {"compression": "tiff_lzw"}),
        "deflate.tif": (rgba, {"compression": "tiff_adobe_deflate"}),
        "jpeg.tif": (rgb, {"compression": "jpeg"}),
        "float.tif": (Image.fromarray(pixels[:, :, 0].astype(np.float32) / 255), {}),
        "int32.tif": (Image.fromarray(pixels[:, :, 0].astype(np.int32) * 1000), {}),
        "lossy.webp": (rgb, {}),
        "lossless.webp": (rgba, {"lossless": True}),
        "animated.webp": (rgb, {"save_all": True, "append_images": [rgb.transpose(Image.Transpose.ROTATE_180)]}),
        "a.avif": (rgb, {"quality": 60}),
        "rgba.avif": (rgba, {"quality": 60, "subsampling": "4:4:4"}),
        "a.gif": (rgb, {"save_all": True, "append_images": [rgb.transpose(Image.Transpose.ROTATE_180)]}),
        "a.bmp": (rgb, {}),
        "a.jp2": (rgb, {}),
        "a.ppm": (rgb, {}),
        "grey.pgm": (grey, {}),
    }
    for name, (picture, options) in pictures.items():
        picture.save(folder / name, **options)
    for name, picture in (("a.heic", rgb), ("rgba.heic", rgba)):
        pillow_heif.from_pillow(picture).save(folder / name, quality=60)
    return sorted(folder.iterdir())


def make_csvs(folder: Path) -> list[Path]:
    """Write the lists that people edit: a people file, constraints, and pairs for verification."""
    folder.mkdir(parents=True, exist_ok=True)
    paths = _paths()
    rows = [f"{path},0,{row // _PHOTOS},{path.split('/')[0] if row % 3 else ''},0.5" for row, path in enumerate(paths)]
    (folder / "people.csv").write_text("\n".join(["path,face_index,cluster,name,score", *rows]) + "\n", "utf-8")
    pairs = [f"{kind},{paths[i]},0,{paths[j]},0" for i, j, kind in ((0, 1, "must"), (0, 5, "cannot"), (4, 9, "cannot"))]
    columns = "kind,path_a,face_index_a,path_b,face_index_b"
    (folder / "constraints.csv").write_text("\n".join([columns, *pairs]) + "\n", "utf-8")
    lines = ["2\t1", "Ada\t1\t2", "Ada\t1\tZo\u00eb\t1", "Zo\u00eb\t1\t2", "Ada\t2\tJos\u00e9\t1"]
    (folder / "pairs.txt").write_text("\n".join(lines) + "\n", "utf-8")
    return sorted(folder.iterdir())


def make_runs(folder: Path) -> list[Path]:
    """Write the folders of a training run: one that goes on, and one that is a preset."""
    config = {
        "format": "facetable-run",
        "version": 1,
        "folder": "/faces",
        "n_faces": 48,
        "n_identities": 6,
        "settings": {"loss": "softmax", "epochs": 2, "pretrained": None},
        "versions": {"keras": "3"},
    }
    for name in ("unfinished", "preset"):
        run = folder / name
        (run / "checkpoints").mkdir(parents=True, exist_ok=True)
        (run / "config.json").write_text(json.dumps(config))
        (run / "identities.txt").write_text("Ada\nBo\n")
        (run / "checkpoints" / "step-000000040.safetensors").write_bytes(b"\0" * 64)
    weights = make_weights(folder.with_name(f"{folder.name}-weights"))[-1].read_bytes()
    (folder / "preset" / "w.safetensors").write_bytes(weights)
    write_preset(
        folder / "preset",
        Preset(
            name="run",
            builder="embedder.networks.inception_resnet_v1:from_safetensors",
            weights_file="w.safetensors",
            weights_sha256="0" * 64,
            input_size=160,
            embedding_size=512,
            standardization="fixed",
            accuracy="not measured",
            licence="yours",
        ),
    )
    return [folder / "preset", folder / "unfinished"]


def make_weights(folder: Path) -> list[Path]:
    """Write small weights files: HDF5 as Keras writes it, and safetensors."""
    import h5py

    folder.mkdir(parents=True, exist_ok=True)
    chance = np.random.default_rng(0)
    names = [*(f"Conv2d_{number}/kernel" for number in range(3)), "Bottleneck/kernel"]
    arrays = {name: chance.normal(size=(3, 3, 4, 4)).astype(np.float32) for name in names}
    with h5py.File(folder / "a.h5", "w") as file:
        file.attrs["layer_names"] = [name.split("/")[0].encode() for name in arrays]
        for name, array in arrays.items():
            group = file.create_group(name.split("/")[0])
            group.attrs["weight_names"] = [name.encode()]
            group.create_dataset(name, data=array)
    write_safetensors(folder / "b.safetensors", arrays, {"format": "facetable"})
    return sorted(folder.iterdir())


def _paths() -> list[str]:
    return [f"{name}/{name}_{number:04d}.jpg" for name in _PEOPLE for number in range(1, _PHOTOS + 1)]


def _vectors(identities: list[str]) -> np.ndarray:
    chance = np.random.default_rng(0)
    centres = {name: chance.normal(size=_LENGTH) for name in dict.fromkeys(identities)}
    rows = np.stack([centres[name] + 0.3 * chance.normal(size=_LENGTH) for name in identities])
    units: np.ndarray = (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)
    return units
