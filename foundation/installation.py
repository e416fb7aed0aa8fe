"""Say what is missing of the packages that are needed, and which of OpenCV's wheels are there, of which one may be."""

import re
import sys
from pathlib import Path

OPENCV_WHEELS = (
    "opencv-python",
    "opencv-contrib-python",
    "opencv-python-headless",
    "opencv-contrib-python-headless",
)
"""All bring the same module; those without ``-headless`` can also show windows."""

_RECORDS = (".dist-info", ".egg-info")

_MISSING_LIBRARY = re.compile(r"(?P<library>lib[\w.+-]+\.so[\w.]*): cannot open shared object file")

EXTRA_OF_PACKAGE = {
    **dict.fromkeys(("tensorflow", "keras", "tensorboard"), "train"),
    **dict.fromkeys(("distributed", "ray"), "distributed"),
    "pandas": "export",
    "pyarrow": "export",
    "paho": "mqtt",
    "matplotlib": "plots",
    "watchfiles": "watch",
    **dict.fromkeys(("fastapi", "uvicorn", "jinja2", "argon2", "websockets"), "web"),
}
"""Packages that not everybody installs, and the extra in ``pyproject.toml`` that names each."""

# What `opencv-python` takes from the system; slim images of Debian and Ubuntu come without.
_OPENCV_LIBRARIES = ("libGL", "libgthread", "libglib")


def opencv_wheels() -> dict[str, str]:
    """Return the version of each of `OPENCV_WHEELS` that is installed."""
    from importlib.metadata import PackageNotFoundError, version

    found = {}
    for wheel in OPENCV_WHEELS:
        try:
            found[wheel] = version(wheel)
        except PackageNotFoundError:
            continue
    return found


def _n_opencv_records() -> int:
    """Return how many records of installation look like OpenCV's; importing importlib.metadata takes 20 ms more."""
    records = {path.name for folder in sys.path for path in Path(folder).glob("opencv*") if path.suffix in _RECORDS}
    return len(records)


def describe_opencv_conflict() -> str:
    """Return what is wrong where several of OpenCV's wheels are installed, with the remedy; nothing if one is."""
    if _n_opencv_records() < 2:
        return ""
    found = opencv_wheels()
    if len(found) < 2:
        return ""
    listed = " and ".join(f"{wheel} {version}" for wheel, version in found.items())
    return (
        f"expected one of OpenCV's packages, found {listed}, which overwrite each other's files; run: "
        f"pip uninstall -y {' '.join(found)}; then: pip install {next(iter(found))}"
    )


def warn_of_opencv_conflict() -> None:
    """Print `describe_opencv_conflict` on standard error where there is one."""
    conflict = describe_opencv_conflict()
    if conflict:
        print(f"warning: {conflict}", file=sys.stderr)


def explain_import_error(error: ImportError) -> str:
    """Return one line that says what to install.

    >>> explain_import_error(ImportError("libGL.so.1: cannot open shared object file: No such file or directory"))
    'OpenCV needs the system library libGL.so.1, which is missing; install it with: apt-get install libgl1 libglib2.0-0'
    >>> explain_import_error(ModuleNotFoundError("No module named 'h5py'", name="h5py"))
    'the package `h5py` is not installed; run: pip install -r requirements.txt'
    >>> explain_import_error(ModuleNotFoundError("No module named 'keras'", name="keras"))
    'the package `keras`, of the extra `train`, is not installed; run: pip install -r requirements.txt'
    """
    match = _MISSING_LIBRARY.search(str(error))
    if match is not None and match["library"].startswith(_OPENCV_LIBRARIES):
        return (
            f"OpenCV needs the system library {match['library']}, which is missing; install it with: "
            "apt-get install libgl1 libglib2.0-0"
        )
    if match is not None:
        return (
            f"the system library {match['library']} is missing ({error.name or 'needed by an installed package'}); "
            "install it with your system's package manager"
        )
    if isinstance(error, ModuleNotFoundError) and error.name is not None:
        package = error.name.partition(".")[0]
        extra = f", of the extra `{EXTRA_OF_PACKAGE[package]}`," if package in EXTRA_OF_PACKAGE else ""
        return f"the package `{package}`{extra} is not installed; run: pip install -r requirements.txt"
    what = " ".join(str(error).split())
    return f"{what}; a package is of another version than expected, run: pip install -r requirements.txt"
