"""How many of something, as people read it."""


def counted(n: int, noun: str, plural: str | None = None) -> str:
    """Return a number with its noun; `plural` is for nouns that do not only take an "s".

    >>> counted(1, "face"), counted(0, "face"), counted(2000, "person", "people")
    ('1 face', '0 faces', '2,000 people')
    """
    if n == 1:
        return f"1 {noun}"
    return f"{n:,} {f'{noun}s' if plural is None else plural}"
