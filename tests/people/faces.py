"""Made faces: one a photo, or several side by side."""

import hashlib

from people.store.records import Face


def face(photo: int | str, place: int = 0, *, time_s: float = 0.0) -> Face:
    """Return the face at the `place` (0 to 3) of a photo."""
    sha256 = hashlib.sha256(str(photo).encode()).hexdigest()
    return Face(sha256, (0.05 + 0.25 * place, 0.2, 0.2 + 0.25 * place, 0.5), time_s)
