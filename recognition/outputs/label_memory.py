"""Remember what the label of each track looked like, so that it does not jump from frame to frame."""

from typing import NamedTuple

from recognition.outputs.label_places import Spot

# Tracks whose labels are remembered: more than are ever on one frame, so that a face comes back as it went.
_MOST_TRACKS = 256


class KeptLabel(NamedTuple):
    """The last label of a track.

    Attributes
    ----------
    size : int
        Height of its letters, pixels.
    max_width : int
        Pixels to which its text was shortened.
    spot : Spot or None
        Where it stood; None without a label.
    """

    size: int
    max_width: int
    spot: Spot | None = None


class LabelMemory:
    """The last label of each track of a video; the tracks seen last are remembered."""

    def __init__(self) -> None:
        self._labels: dict[int, KeptLabel] = {}

    def label_of(self, track: int | None) -> KeptLabel | None:
        """Return the last label of a track; None for a new one, and for a face without a track."""
        return None if track is None else self._labels.get(track)

    def keep(self, track: int | None, label: KeptLabel) -> None:
        """Remember the label of a track; of a face without a track nothing."""
        if track is None:
            return
        self._labels.pop(track, None)
        self._labels[track] = label
        if len(self._labels) > _MOST_TRACKS:
            del self._labels[next(iter(self._labels))]
