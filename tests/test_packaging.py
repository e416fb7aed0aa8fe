"""What is declared to be installed: pins, the part that serves, and the ranges and extras of the package."""

import fnmatch
import re
import tomllib

import pytest

from foundation.installation import EXTRA_OF_PACKAGE
from tests import PROJECT

TRAINING = {"tensorflow", "keras", "tensorboard"}
LARGE_AND_RARE = {"pandas", "matplotlib", "rawpy", "pyarrow", "watchfiles"}
"""Not among what serves: neither naming faces nor the sample run needs them."""

PYPROJECT = tomllib.loads((PROJECT / "pyproject.toml").read_text("utf-8"))
PACKAGES = PYPROJECT["tool"]["setuptools"]["packages"]["find"]["include"]
PROJECT_TABLE = PYPROJECT["project"]


def pins(name: str) -> dict[str, str]:
    """Return package -> version of a requirements file."""
    lines = (PROJECT / name).read_text("utf-8").splitlines()
    found = dict(line.split(";")[0].strip().split("==") for line in lines if "==" in line and not line.startswith("#"))
    assert len(found) == sum(bool(line) and not line.startswith(("#", "-r ")) for line in lines), "all are pinned"
    return found


def ranges() -> dict[str, tuple[str, str]]:
    """Return package -> specifier and extra, which is empty for what everybody gets."""
    listed = {"": PROJECT_TABLE["dependencies"], **PROJECT_TABLE["optional-dependencies"]}
    del listed["all"]
    parts = [(re.fullmatch(r"([\w-]+)(.+)", line), extra) for extra, lines in listed.items() for line in lines]
    return {match[1]: (match[2], extra) for match, extra in parts if match is not None}


def number(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split("."))


def test_every_file_of_a_package_is_packaged():
    packaged, unpackaged = PYPROJECT["tool"]["setuptools"]["package-data"], []
    for pattern in PACKAGES:
        package = pattern.removesuffix("*")
        for path in (PROJECT / package).rglob("*"):
            inside = path.relative_to(PROJECT / package).as_posix()
            if path.is_dir() or path.suffix in (".py", ".pyc"):
                continue
            if not any(fnmatch.fnmatch(inside, one) for one in packaged[package]):
                unpackaged.append(f"{package}/{inside}")
        assert all(any((PROJECT / package).glob(one)) for one in packaged[package])
    assert unpackaged == []


def test_every_folder_with_modules_is_a_package():
    """setuptools leaves a folder without an ``__init__`` out."""
    names = [pattern.removesuffix("*") for pattern in PACKAGES]
    folders = {path.parent for name in names for path in (PROJECT / name).rglob("*.py")}
    assert [str(folder) for folder in folders if not (folder / "__init__.py").is_file()] == []


def test_what_serves_is_a_part_of_all():
    everything, serving = pins("requirements.txt"), pins("requirements-serving.txt")
    assert serving.items() <= everything.items()
    assert everything.keys() - serving.keys() == TRAINING | LARGE_AND_RARE


def test_every_pin_is_declared_and_lies_in_its_range():
    declared = ranges()
    everything = pins("requirements.txt") | pins("requirements-distributed.txt")
    assert declared.keys() == everything.keys()
    for package, version in everything.items():
        exact = re.fullmatch(r"==(.+)", declared[package][0])
        bounds = re.fullmatch(r">=([\d.]+),<([\d.]+)", declared[package][0])
        if exact is not None:
            assert version == exact[1]
            continue
        assert bounds is not None, f"{package} needs a lower and an upper bound"
        assert number(bounds[1]) <= number(version) < number(bounds[2])


def test_what_everybody_gets_is_what_serves():
    core = {package for package, (_, extra) in ranges().items() if not extra}
    web = {package for package, (_, extra) in ranges().items() if extra == "web"}
    assert core == pins("requirements-serving.txt").keys() - {"paho-mqtt"} - web


def test_all_names_every_extra():
    extras = PROJECT_TABLE["optional-dependencies"]
    assert extras["all"] == [f"facetable[{','.join(name for name in extras if name != 'all')}]"]


@pytest.mark.parametrize(("module", "extra"), EXTRA_OF_PACKAGE.items())
def test_messages_name_the_extra_that_brings_a_package(module: str, extra: str):
    package = {"paho": "paho-mqtt", "argon2": "argon2-cffi"}.get(module, module)
    assert ranges()[package][1] == extra
