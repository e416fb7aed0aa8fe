"""Find, cut out and embed a drawn face with networks converted anew, and compare with what comes out elsewhere.

It runs in a process of its own: a broken library may end that process or never answer.
"""

import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from foundation.threads import device_name
from recognition.diagnosis.check import Findings

_TIMEOUT_S = 120.0
"""Converting and running takes three seconds on two free cores."""

EXPECTED_BOX = (70.6, 66.6, 171.5, 196.7)
EXPECTED_VALUES = (
    *(-0.0365, 0.0442, -0.0036, -0.0718, -0.0290, -0.0918, -0.0313, -0.0178),
    *(-0.0220, -0.0694, 0.0574, -0.0052, -0.0260, 0.0018, 0.0328, -0.0377),
)
"""Every 32nd value of the vector of `draw_face`, by the default preset in fp32; running this module prints both."""

_BOX_TOLERANCE = 3.0
_VALUE_TOLERANCE = 0.01
"""Another photo of the same person differs by ten times as much; rounding by less than a hundredth of it."""


def check_self(timeout_s: float = _TIMEOUT_S) -> Findings:
    """Return whether a drawn face is found and gives the vector that it gives elsewhere."""
    from embedder.runtime.cache import CACHE_VARIABLE

    root = str(Path(__file__).resolve().parents[2])
    paths = os.pathsep.join([root, *filter(None, [os.environ.get("PYTHONPATH")])])
    # -P: modules that lie in the user's current folder must not hide real ones.
    command = [sys.executable, "-P", "-m", "recognition.diagnosis.self_test"]
    with tempfile.TemporaryDirectory() as cache:
        environment = {**os.environ, "PYTHONPATH": paths, CACHE_VARIABLE: cache}
        begun = time.perf_counter()
        try:
            done = subprocess.run(
                command, env=environment, capture_output=True, text=True, timeout=timeout_s, check=False
            )
        except subprocess.TimeoutExpired:
            return Findings(problems=[f"no answer within {timeout_s:g} s; see whether another program takes all cores"])
        seconds = time.perf_counter() - begun
    said = done.stderr.strip().splitlines()
    if done.returncode != 0:
        last = said[-1] if said else "nothing said"
        return Findings(problems=[f"the process ended with code {done.returncode}: {last}"])
    found = judge(json.loads(done.stdout.splitlines()[-1]), seconds)
    ran_on = found.facts["device"]
    if device_name() not in ("auto", ran_on):
        found.problems.append(f"{device_name()} was chosen, but networks ran on {ran_on}: {said[-1] if said else ''}")
    return found


def judge(result: dict[str, Any], seconds: float) -> Findings:
    """Compare what `run` returned with what is expected."""
    found = Findings(facts={**result, "seconds": round(seconds, 1)})
    if result["n_faces"] != 1:
        found.problems.append(f"expected one face on the drawn picture, found {result['n_faces']}")
        return found
    shift = max(abs(a - b) for a, b in zip(result["box"], EXPECTED_BOX, strict=True))
    change = max(abs(a - b) for a, b in zip(result["values"], EXPECTED_VALUES, strict=True))
    if not shift <= _BOX_TOLERANCE:
        found.problems.append(f"the face was found {shift:.1f} pixels from where it is, expected {_BOX_TOLERANCE:g}")
    if not change <= _VALUE_TOLERANCE:
        found.problems.append(
            f"the vector differs by {change:.4f} from the one expected, at most {_VALUE_TOLERANCE:g}: faces would get "
            "wrong names; try --device cpu, and install the packages again"
        )
    if not found.problems:
        found.lines.append(
            f"networks converted, face found and embedded on {result['device']} as expected "
            f"(box {shift:.2f} pixels, vector {change:.4f} off), {seconds:.1f} s"
        )
    return found


def run() -> dict[str, Any]:
    """Return what the networks make of the drawn face."""
    from embedder.networks.encoder import FaceEncoder
    from recognition.diagnosis.synthetic_face import draw_face

    encoder = FaceEncoder()
    encoded = encoder.encode(draw_face())
    every = encoder.embedding_length // len(EXPECTED_VALUES)
    return {
        "n_faces": len(encoded),
        "box": [round(float(edge), 1) for edge in encoded.faces.boxes[0]] if len(encoded) else [],
        "values": [round(float(value), 4) for value in encoded.embeddings[0, ::every]] if len(encoded) else [],
        "device": encoder.fingerprint.provenance.get("device", "cpu"),
    }


if __name__ == "__main__":
    print(json.dumps(run()))
