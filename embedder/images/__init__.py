"""Image files to upright RGB pixels, and the image files of a folder.

In: paths of files and folders.
Out: uint8 (h, w, 3) arrays, `ImageListing`, `Photo`.
May import: foundation.
"""

from typing import TYPE_CHECKING

from foundation import lazy_names

if TYPE_CHECKING:
    from embedder.images.listing import ImageListing, list_images
    from embedder.images.reading import read_image

__all__ = ["ImageListing", "list_images", "read_image"]

__getattr__, __dir__ = lazy_names(
    __name__, {"ImageListing": "listing", "list_images": "listing", "read_image": "reading"}
)
