"""What the cameras of tests and studies show; standard library only, for one runs on the system's Python."""


def picture_at(now_s: float, rate: float, n_pictures: int) -> int:
    """Return which of `n_pictures` a camera of `rate` frames a second shows when ``time.monotonic()`` is `now_s`.

    >>> [picture_at(now_s, 10, 25) for now_s in (0.0, 0.19, 2.4, 2.5)]
    [0, 1, 24, 0]
    """
    return int(now_s * rate) % n_pictures
