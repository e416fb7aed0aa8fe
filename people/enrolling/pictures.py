"""Pictures as they are kept: written anew, so that nothing of the sent file but its pixels stays."""

import hashlib
import io
from dataclasses import dataclass
from typing import Self

import numpy as np

from foundation.atomic import write_bytes_atomically
from people.workspace.workspace import Workspace

_QUALITY = 95
_FULL_COLOUR = 0  # Pillow's subsampling: none
_HASH_DIGITS = 16
_PRIVATE_FOLDER = 0o700


@dataclass(frozen=True, eq=False)
class EnrolledPicture:
    """A picture as it would be kept.

    Attributes
    ----------
    content : bytes
        Of the JPEG file, without metadata.
    pixels : numpy.ndarray
        uint8 (h, w, 3), RGB, as that file is read again: a scan finds the very faces that are found in them.
    sha256 : str
        Of `content`.
    """

    content: bytes
    pixels: np.ndarray
    sha256: str

    @classmethod
    def of(cls, pixels: np.ndarray) -> Self:
        """Return the picture of `pixels`, uint8 (h, w, 3), upright RGB."""
        import PIL.Image

        stream = io.BytesIO()
        PIL.Image.fromarray(pixels).save(stream, "JPEG", quality=_QUALITY, subsampling=_FULL_COLOUR)
        content = stream.getvalue()
        with PIL.Image.open(io.BytesIO(content)) as again:
            read = np.asarray(again.convert("RGB"))
        return cls(content, read, hashlib.sha256(content).hexdigest())

    @property
    def name(self) -> str:
        """Its file's name, which says nothing of whom it shows."""
        return f"enrolled-{self.sha256[:_HASH_DIGITS]}.jpg"


def keep_picture(workspace: Workspace, picture: EnrolledPicture) -> bool:
    """Keep a picture, readable by its owner alone; return whether it was not there yet.

    Raises
    ------
    OSError
        If it cannot be written.
    """
    place = workspace.enrolled / picture.name
    if place.is_file():
        return False
    workspace.enrolled.mkdir(mode=_PRIVATE_FOLDER, exist_ok=True)
    write_bytes_atomically(place, picture.content, is_private=True)
    return True
