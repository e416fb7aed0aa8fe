"""The networks of a workspace, loaded when somebody first asks, and used by one request at a time."""

from threading import Lock
from typing import TYPE_CHECKING, Any

from webapp.api.context import Context

if TYPE_CHECKING:
    import numpy as np

    from embedder.networks.encoder import EncodedFaces, FaceEncoder


class WorkspaceEncoder:
    """Turns pictures into faces with vectors as the workspace's scans do.

    Parameters
    ----------
    context : Context
    """

    def __init__(self, context: Context) -> None:
        self._context = context
        self._lock = Lock()
        self._preset = ""
        self._encoder: FaceEncoder | None = None

    def encode(self, picture: "np.ndarray") -> "EncodedFaces":
        """Return the faces of a picture with their vectors.

        Raises
        ------
        WeightsError
            If the workspace's network is not here.
        """
        with self._lock:
            return self._loaded().encode(picture)

    @property
    def fingerprint(self) -> dict[str, dict[str, Any]]:
        """What tells whether vectors may be compared with others."""
        with self._lock:
            return self._loaded().fingerprint.to_json()

    def _loaded(self) -> "FaceEncoder":
        from embedder.networks.encoder import EncoderOptions, FaceEncoder

        settings = self._context.workspace.settings
        if self._encoder is None or self._preset != settings.preset:
            options = EncoderOptions(
                preset=settings.preset or None, min_face_size=settings.min_face_size, detector=settings.detector
            )
            self._encoder, self._preset = FaceEncoder.for_fingerprint({}, options), settings.preset
        return self._encoder


def encoder_of(context: Context) -> WorkspaceEncoder:
    """Return the one of a running application."""
    return context.kept("encoder", lambda: WorkspaceEncoder(context))
