"""Heads: who is it, or nobody enrolled? Decision rules, scikit-learn estimators, the open-set wrapper.

In: vectors (n, d) with identities (n,).
Out: `Head` and `OpenSetClassifier`, which name probes or refuse them.
May import: foundation, foundation.head_files, foundation.plug_ins, classifiers.scores.
"""

from typing import TYPE_CHECKING

from foundation import lazy_names

if TYPE_CHECKING:
    from classifiers.heads.registry import HEADS

__all__ = ["HEADS"]

__getattr__, __dir__ = lazy_names(__name__, {"HEADS": "registry"})
