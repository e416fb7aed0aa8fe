"""The photos and videos that the benchmark runs on, in the sizes it needs."""

from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from embedder import MTCNN, read_image
from embedder.images.listing import list_images


@dataclass(frozen=True)
class Inputs:
    """What the sections work on.

    Attributes
    ----------
    images_250, images_1024 : list of uint8 (h, w, 3)
    crops : uint8 (n, 160, 160, 3)
    rounds : int
    videos : list of Path
    preset : str or None
        Another preset, to be measured beside the default one.
    """

    images_250: list[np.ndarray]
    images_1024: list[np.ndarray]
    crops: np.ndarray
    rounds: int
    videos: list[Path]
    preset: str | None = None


def load_inputs(photos: Path, rounds: int, videos: list[Path], *, preset: str | None = None) -> Inputs:
    """Return at most 64 photos of a folder as 250x250 images, ten of them 1024 wide, and the crops of their faces."""
    listing = list_images(photos)
    step = max(1, len(listing.paths) // 64)
    images = [read_image(photos / path) for path in listing.paths[::step][:64]]
    images_250 = [resized(square(image), 250) for image in images]
    images_1024 = [resized(image, 1024) for image in images[:10]]
    crops = [faces.crop(image) for image, faces in zip(images_250, MTCNN().detect_batch(images_250), strict=True)]
    return Inputs(images_250, images_1024, np.concatenate(crops)[:64], rounds, videos, preset)


def square(image: np.ndarray) -> np.ndarray:
    """Return the middle square of an image."""
    side = min(image.shape[:2])
    top, left = (image.shape[0] - side) // 2, (image.shape[1] - side) // 2
    return image[top : top + side, left : left + side]


def resized(image: np.ndarray, width: int) -> np.ndarray:
    """Return an image resized to `width`, its aspect kept."""
    height = round(image.shape[0] * width / image.shape[1])
    return cv2.resize(image, (width, height), interpolation=cv2.INTER_AREA)
