"""The errors this package raises on purpose; each message names what was found and the remedy."""

from foundation.errors import FacetableError


class ImageError(FacetableError, ValueError):
    """A file that is not a readable image, or one larger than allowed."""


class MissingReaderError(ImageError):
    """A photo of a format whose reader is not installed; it can be read once that is."""


class VideoError(ImageError):
    """A file that is not a readable video, or has no frame at the time asked for."""


class WeightsError(FacetableError, ValueError):
    """Weights that are missing, damaged, or not those the preset names."""


class TableError(FacetableError, ValueError):
    """A table file that is damaged, of another version, or holds what it must not."""


class TableLockedError(FacetableError, OSError):
    """Another process is writing this table."""


class CacheError(FacetableError, OSError):
    """A cache folder that cannot be written, or that somebody else decides about."""
