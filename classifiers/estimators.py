"""Where heads written before version 0.2 look for their estimators, which `classifiers.heads.estimators` defines."""

from classifiers.heads.estimators import (
    GalleryClassifier,
    KNNClassifier,
    LDAClassifier,
    LogisticClassifier,
    SVMClassifier,
)

__all__ = ["GalleryClassifier", "KNNClassifier", "LDAClassifier", "LogisticClassifier", "SVMClassifier"]
