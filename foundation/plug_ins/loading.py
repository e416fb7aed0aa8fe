"""Load what another package offers under a name, or what stands in a module.

A package offers something by an entry point of its installation (PyPA, "Entry points specification"), in one of the
groups below; naming it loads its module. Nothing is loaded that nobody names, and no file decides what is.
"""

import importlib
from typing import Any, Final

from foundation.errors import InputError

HEADS: Final = "facetable.heads"
PRESETS: Final = "facetable.presets"
SOURCES: Final = "facetable.sources"
OUTPUTS: Final = "facetable.outputs"


def plug_in_names(group: str) -> list[str]:
    """Return what installed packages offer in a group of entry points, sorted."""
    from importlib.metadata import entry_points  # takes 20 ms, which nobody waits for who uses none

    return sorted(entry_points(group=group).names)


def load_plug_in(group: str, name: str) -> Any:
    """Return what an installed package offers under a name; None where none does.

    Raises
    ------
    InputError
        If two packages offer that name, or it cannot be loaded.
    """
    from importlib.metadata import entry_points

    found = list(entry_points(group=group, name=name))
    places = sorted({entry.value for entry in found})
    if len(places) > 1:
        raise InputError(f"{name!r} is offered by several packages ({', '.join(places)}); uninstall all but one")
    if not places:
        return None
    try:
        return found[0].load()
    except Exception as error:  # what a module of somebody else raises when it is loaded can be anything
        raise InputError(
            f"{name!r} of {found[0].value} cannot be loaded ({type(error).__name__}: {error}); mend or uninstall it"
        ) from error


def import_object(place: str) -> Any:
    """Return what stands at ``module:Name``, or at the dotted path ``module.Name``.

    Raises
    ------
    InputError
        If the text is no such place, or nothing can be imported from there.

    >>> import_object("foundation.errors:InputError").__name__
    'InputError'
    """
    module, colon, name = place.partition(":") if ":" in place else place.rpartition(".")
    if not (module and colon and name):
        raise InputError(f"{place!r} must be module:Name")
    try:
        return getattr(importlib.import_module(module), name)
    except (ImportError, AttributeError, ValueError) as error:
        raise InputError(
            f"{place!r} cannot be imported ({error}); install its package, or put its folder into PYTHONPATH"
        ) from error
