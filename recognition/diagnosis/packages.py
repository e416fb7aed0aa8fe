"""Which packages are installed, of those that Facetable declares."""

import re
from importlib.metadata import PackageNotFoundError, requires, version
from pathlib import Path

from foundation.installation import describe_opencv_conflict, opencv_wheels
from recognition.diagnosis.check import Findings

_REQUIREMENT = re.compile(r"""(?P<package>[\w.-]+)[^;]*(?:;.*extra\s*==\s*["'](?P<extra>[\w-]+)["'])?""")
_ALL = "all"
_OPENCV = "opencv-python"


def check_packages() -> Findings:
    """Return the versions of all packages that are there, and what is missing."""
    found = Findings()
    versions: dict[str, str] = {}
    for extra, packages in declared_packages().items():
        missing = []
        for package in packages:
            installed = _version(package)
            if installed:
                versions[package] = installed
            else:
                missing.append(package)
        remedy = " ".join(f"'{packages[package]}'" for package in missing)
        if missing and extra:
            found.lines.append(f"without {', '.join(missing)} (extra `{extra}`); who needs it: pip install {remedy}")
        elif missing:
            found.problems.append(f"not installed: {', '.join(missing)}; run: pip install {remedy}")
    found.lines.insert(0, ", ".join(f"{package} {number}" for package, number in versions.items()))
    found.facts["versions"] = versions
    return found


def declared_packages() -> dict[str, dict[str, str]]:
    """Return package -> what pip takes, for each extra, and under ``""`` for what everybody needs."""
    declared: dict[str, dict[str, str]] = {"": {}}
    for line in _requirements():
        match = _REQUIREMENT.match(line)
        if match is not None and match["extra"] != _ALL:
            declared.setdefault(match["extra"] or "", {})[match["package"]] = line.partition(";")[0].strip()
    return declared


def _requirements() -> list[str]:
    """Return what the checkout declares that this module lies in, else what the installed package does."""
    record = Path(__file__).resolve().parents[2] / "pyproject.toml"
    if not record.is_file():
        return requires("facetable") or []
    import tomllib

    project = tomllib.loads(record.read_text(encoding="utf-8"))["project"]
    extras = project["optional-dependencies"].items()
    return [*project["dependencies"], *(f"{line}; extra == '{extra}'" for extra, lines in extras for line in lines)]


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        # Each of OpenCV's wheels is as good as the one that is declared, but for windows.
        return next(iter(opencv_wheels().values()), "") if package == _OPENCV else ""


def check_opencv() -> Findings:
    """Return which OpenCV is installed and what it can do; several beside each other are a problem."""
    wheels = opencv_wheels()
    found = Findings(facts={"wheels": wheels})
    conflict = describe_opencv_conflict()
    if conflict:
        found.problems.append(conflict)
    import cv2

    from recognition.viewer.window import has_windows

    named = ", ".join(wheels) or "another build"
    build = cv2.getBuildInformation()
    has_ffmpeg = re.search(r"^\s*FFMPEG:\s+YES", build, re.MULTILINE) is not None
    abilities = {"windows": has_windows(), "ffmpeg": has_ffmpeg}
    can = [f"{name if is_there else f'no {name}'}" for name, is_there in abilities.items()]
    found.lines.append(f"{cv2.__version__} of {named}; {', '.join(can)}")
    found.facts.update(abilities)
    return found
