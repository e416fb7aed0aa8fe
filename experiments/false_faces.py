"""A second witness for what is no face: which of a detector's false boxes it knows, and how many true ones it loses.

    python -m experiments.false_faces --wider WIDER [--json FILE]

Every box that MTCNN finds on WIDER FACE is held against the boxes drawn by people, as in `experiments.detection`; a box
with less than a fifth of its union and three tenths of its area on drawn faces is on no face at all. Witnesses: the
detector's own score; the norm of the vector before it gets unit length; how likely the vector is under the background
model, and how much of it lies within that model's directions; and the best score that CenterFace gives a face at the
same place (IoU above 0.4), on the whole photo and on what is around the face alone, as
`embedder.finding.second_score` asks it. Each is asked for the threshold that loses 0.5 % of the true boxes, and for the
share of pairs of a true and a false box that it puts in the right order (AUC).
"""

import argparse
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np

from classifiers.scores.normalization import Background, choose_background
from embedder import FaceEmbedder, read_image
from embedder.detection.boxes import pairwise_overlap
from embedder.detection.detector import load_detector
from embedder.detection.faces import Faces
from embedder.finding.second_score import load_second_scorer
from experiments.detection import counted_faces, match, read_ground_truth
from foundation.command_line import EXIT_DONE, run_script, write_json

PRESETS = ("facenet-casia-20180408", "mobilefacenet-ms1m")
LOST = 0.005
"""Share of the true boxes that may be lost."""

_SAME_PLACE = 0.4
_LEAST_SCORE = 0.1
"""Of what CenterFace finds beside MTCNN's box."""

_MOST_UNION, _MOST_PART = 0.2, 0.3
_SMALLEST_VARIANCE = 1e-9


class _Vectors:
    """A network's vectors before they get unit length, and the background model of faces in general."""

    def __init__(self, preset: str) -> None:
        import onnx
        import onnxruntime

        self._embedder = FaceEmbedder(preset, threads=1)
        space = {**self._embedder.space, **self._embedder.crop_rule.space}
        self.background = choose_background({"space": space, "provenance": {}})
        model = onnx.load(str(self._embedder._network.path))
        self._output = 0
        last = next(node for node in model.graph.node if model.graph.output[0].name in node.output)
        if last.op_type == "Mul":  # FaceNet's last layer divides by the norm: what comes before it is asked for, too
            model.graph.output.append(onnx.helper.make_tensor_value_info(last.input[0], onnx.TensorProto.FLOAT, None))
            self._output = 1
        self._session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])

    def of(self, image: np.ndarray, faces: Faces) -> np.ndarray:
        """Return the vectors of faces, float32 (n, d)."""
        crops = self._embedder.crop_rule.crop(image, faces.boxes, faces.landmarks)
        batch = self._embedder.preset.standardize(crops)
        name = self._session.get_inputs()[0].name
        return np.concatenate(
            [self._session.run(None, {name: batch[[row]]})[self._output].reshape(1, -1) for row in range(len(batch))]
        )


def likelihood(background: Background, units: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the log-likelihood of unit vectors (n, d) in a background model's directions, and minus what lies outside.

    Both are up to a constant.
    """
    centred = background.center(units).astype(np.float64)
    inside = centred @ background.components.T
    variances = background.variances + _SMALLEST_VARIANCE
    distances = ((inside[:, None] - background.means) ** 2 / variances).sum(axis=2) + np.log(variances).sum(axis=1)
    parts = np.log(background.weights) - distances / 2
    outside = (centred**2).sum(axis=1) - (inside**2).sum(axis=1)
    return np.logaddexp.reduce(parts, axis=1), -outside


def ask(values: np.ndarray, is_true: np.ndarray, is_clear: np.ndarray) -> dict[str, float]:
    """Return which shares of false boxes, and of those on no face at all, are below the threshold, and the AUC."""
    threshold = np.quantile(values[is_true], LOST)
    pairs = values[is_true][:, None] > values[is_clear][None]
    return {
        "threshold": float(threshold),
        "false": float((values[~is_true] < threshold).mean()),
        "no_face_at_all": float((values[is_clear] < threshold).mean()),
        "auc": float(pairs.mean()),
    }


def _witnesses(
    folder: Path, truth: Mapping[str, np.ndarray]
) -> Iterator[tuple[dict[str, np.ndarray], np.ndarray, np.ndarray]]:
    """Yield for each photo what the witnesses say of MTCNN's boxes, which are true, and which are on no face at all."""
    plain = load_detector("mtcnn", min_face_size=20, threads=1)
    other = load_detector("centerface", min_face_size=20, thresholds=[_LEAST_SCORE], threads=1)
    second = load_second_scorer("centerface")
    networks = {preset: _Vectors(preset) for preset in PRESETS}
    for name, rows in sorted(truth.items()):
        image = read_image(folder / "images" / name)
        faces, found = plain.detect(image), other.detect(image)
        if not len(faces):
            continue
        boxes, (drawn, _) = faces.boxes.astype(np.float64), counted_faces(rows)
        at_place = pairwise_overlap(boxes, found.boxes) > _SAME_PLACE
        said = {
            "own score": faces.scores,
            "CenterFace on the photo": np.where(at_place, found.scores, 0).max(axis=1, initial=0),
            "CenterFace on the face": second.scores(image, faces.boxes),
        }
        for preset, network in networks.items():
            vectors = network.of(image, faces)
            norms = np.linalg.norm(vectors, axis=1)
            said[f"{preset} norm"] = norms
            if network.background is not None:
                both = likelihood(network.background, vectors / norms[:, None])
                said[f"{preset} likelihood"], said[f"{preset} inside"] = both
        union = pairwise_overlap(boxes, drawn).max(axis=1, initial=0)
        part = pairwise_overlap(boxes, drawn, measure="minimum").max(axis=1, initial=0)
        is_true = match(boxes, drawn) >= 0
        yield said, is_true, ~is_true & (union < _MOST_UNION) & (part < _MOST_PART)


def _add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--wider", type=Path, required=True, metavar="DIR", help="WIDER's images and ground_truth.txt")
    parser.add_argument("--json", type=Path, metavar="FILE")


def _run(arguments: argparse.Namespace) -> int:
    truth = read_ground_truth(arguments.wider / "ground_truth.txt")
    said, true, clear = zip(*_witnesses(arguments.wider, truth), strict=True)
    is_true, is_clear = np.concatenate(true), np.concatenate(clear)
    print(f"{is_true.sum()} true boxes, {(~is_true).sum()} false ones, {is_clear.sum()} of them on no face at all")
    figures = {name: ask(np.concatenate([one[name] for one in said]), is_true, is_clear) for name in said[0]}
    for name, figure in figures.items():
        print(
            f"{name}: below {figure['threshold']:.3f} are {figure['false']:.0%} of the false boxes, "
            f"{figure['no_face_at_all']:.0%} of those on no face; AUC {figure['auc']:.3f}"
        )
    if arguments.json:
        write_json(arguments.json, figures)
    return EXIT_DONE


if __name__ == "__main__":
    sys.exit(
        run_script("python -m experiments.false_faces", "Look for a second witness.", _add_arguments, _run, argv=None)
    )
