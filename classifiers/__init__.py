"""Small heads on embedding tables: naming people, refusing strangers, grouping unknown faces.

Names load on first use: importing the package loads neither NumPy nor scikit-learn.
"""

import importlib
from typing import TYPE_CHECKING, Any

_MODULE_OF_NAME = {
    "HEADS": "heads",
    "UNKNOWN": "gallery",
    "Gallery": "gallery",
    "Head": "serving",
    "OpenSetClassifier": "open_set",
    "load_head": "persistence",
    "save_head": "persistence",
}

__all__ = ["HEADS", "UNKNOWN", "Gallery", "Head", "OpenSetClassifier", "load_head", "save_head"]

if TYPE_CHECKING:
    from classifiers.gallery import UNKNOWN, Gallery
    from classifiers.heads import HEADS
    from classifiers.open_set import OpenSetClassifier
    from classifiers.persistence import load_head, save_head
    from classifiers.serving import Head


def __getattr__(name: str) -> Any:
    """Load the module that defines `name` on first use."""
    if name not in _MODULE_OF_NAME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_MODULE_OF_NAME[name]}"), name)


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
