"""What every package stands on: errors, text, paths, atomic files; standard library only, but for `drawing`.

In: paths, text, numbers.
Out: the same, checked, with one kind of error and one way to write a file for all.
May import: nothing.
"""

import importlib
import warnings
from collections.abc import Callable, Mapping
from typing import Any

__version__ = "0.2.0"


def lazy_names(package: str, module_of_name: Mapping[str, str]) -> tuple[Callable[[str], Any], Callable[[], list[str]]]:
    """Return ``__getattr__`` and ``__dir__`` of a package that loads a module when its name is first used.

    Parameters
    ----------
    package : str
        The package's ``__name__``.
    module_of_name : mapping
        Public name -> module that defines it, relative to the package.
    """

    def load(name: str) -> Any:
        if name not in module_of_name:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        return getattr(importlib.import_module(f"{package}.{module_of_name[name]}"), name)

    def names() -> list[str]:
        return sorted([*vars(importlib.import_module(package)), *module_of_name])

    return load, names


def moved_names(module: str, place_of_name: Mapping[str, str], *, gone_in: str) -> Callable[[str], Any]:
    """Return the ``__getattr__`` of a module whose names are elsewhere now: a `DeprecationWarning` says where.

    Parameters
    ----------
    module : str
        The module's ``__name__``.
    place_of_name : mapping
        Name -> module or package that has it now.
    gone_in : str
        The version of this project from which on the old place no longer works.
    """

    def load(name: str) -> Any:
        if name not in place_of_name:
            raise AttributeError(f"module {module!r} has no attribute {name!r}")
        place = place_of_name[name]
        warnings.warn(
            f"{module}.{name} is {place}.{name} now, and gone from here in version {gone_in}; import it from {place}",
            DeprecationWarning,
            stacklevel=2,
        )
        return getattr(importlib.import_module(place), name)

    return load
