"""The files that networks come from, and the cache of what was made of them."""

import os
import stat
from collections.abc import Iterator

from foundation.errors import FacetableError
from recognition.diagnosis.check import Findings

_DIGITS = 12
"""Digits of a SHA-256 that are shown."""


def check_weights() -> Findings:
    """Return the weights files of all networks that packages bring; what is missing or another file is a problem."""
    from embedder.runtime.weights import check_sha256, package_file

    found = Findings(facts={"weights": {}})
    for package, file, sha256 in _weights_files():
        try:
            check_sha256(package_file(package, file), sha256)
        except FacetableError as error:
            found.problems.append(str(error))
            continue
        found.facts["weights"][file] = sha256
    found.lines += [f"{file} {sha256[:_DIGITS]}" for file, sha256 in found.facts["weights"].items()]
    found.lines = [", ".join(found.lines)] if found.lines else []
    return found


def _weights_files() -> Iterator[tuple[str, str, str]]:
    """Yield package, file and SHA-256 of all weights that packages bring."""
    from embedder.detection.mtcnn import WEIGHTS_PACKAGE, WEIGHTS_SHA256
    from embedder.networks.presets import PRESETS

    for preset in PRESETS.values():
        if preset.weights_package:
            yield preset.weights_package, preset.weights_file, preset.weights_sha256
    for name, sha256 in WEIGHTS_SHA256.items():
        yield WEIGHTS_PACKAGE, f"{name}.onnx", sha256


def check_cache() -> Findings:
    """Return what is in the cache of converted networks; one that cannot be used is a problem."""
    from embedder.runtime.cache import CACHE_VARIABLE, cache_folder, open_cache_folder

    folder = cache_folder()
    place = f"${CACHE_VARIABLE}" if os.environ.get(CACHE_VARIABLE) else "the usual place"
    if not folder.exists():
        return Findings([f"{place}, made when a network is first used"], facts={"entries": 0, "bytes": 0})
    found = Findings()
    try:
        open_cache_folder()
        sizes = [path.stat().st_size for path in folder.iterdir() if path.suffix == ".onnx"]
        mode = stat.S_IMODE(folder.stat().st_mode)
    except OSError as error:
        found.problems.append(str(error))
        return found
    if not os.access(folder, os.W_OK):
        found.problems.append(f"{place}: expected a folder that can be written to; set {CACHE_VARIABLE} to another")
    found.lines.append(f"{place}: {len(sizes)} networks, {sum(sizes) / 1e6:.0f} MB, permissions {mode:o}")
    found.facts.update({"entries": len(sizes), "bytes": sum(sizes), "permissions": f"{mode:o}"})
    return found
