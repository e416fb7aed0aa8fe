"""Small heads on embedding tables: naming people, refusing strangers, grouping unknown faces.

Names load on first use: importing the package loads neither NumPy nor scikit-learn.
"""

from typing import TYPE_CHECKING

from foundation import lazy_names

_MODULE_OF_NAME = {
    "HEADS": "heads.registry",
    "UNKNOWN": "scores.gallery",
    "Gallery": "scores.gallery",
    "Head": "heads.head",
    "HeadEstimator": "heads.protocol",
    "OpenSetClassifier": "scikit_learn.open_set_classifier",
    "check_head": "scikit_learn.check",
    "cluster_table": "groups.grouping",
    "load_head": "files.head_file",
    "save_head": "files.head_file",
    "tpir_at_fpir_scorer": "scikit_learn.scorers",
    "train_head": "training.train",
}

__all__ = [
    "HEADS",
    "UNKNOWN",
    "Gallery",
    "Head",
    "HeadEstimator",
    "OpenSetClassifier",
    "check_head",
    "cluster_table",
    "load_head",
    "save_head",
    "tpir_at_fpir_scorer",
    "train_head",
]

if TYPE_CHECKING:
    from classifiers.files.head_file import load_head, save_head
    from classifiers.groups.grouping import cluster_table
    from classifiers.heads.head import Head
    from classifiers.heads.protocol import HeadEstimator
    from classifiers.heads.registry import HEADS
    from classifiers.scikit_learn.check import check_head
    from classifiers.scikit_learn.open_set_classifier import OpenSetClassifier
    from classifiers.scikit_learn.scorers import tpir_at_fpir_scorer
    from classifiers.scores.gallery import UNKNOWN, Gallery
    from classifiers.training.train import train_head


__getattr__, __dir__ = lazy_names(__name__, _MODULE_OF_NAME)
