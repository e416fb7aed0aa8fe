"""Say what is installed of packages that come in several wheels: OpenCV's, of which there may be one."""

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
