"""Bars on a terminal for commands that work on large tables; nothing where the output goes elsewhere."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from tqdm import tqdm
from tqdm.contrib.logging import logging_redirect_tqdm

LARGE_TABLE = 20_000
"""Faces from which a bar stands there from the start: on smaller tables a command mostly ends before one is seen."""


@contextmanager
def share_bar(what: str, n_faces: int) -> Iterator[Callable[[float], None]]:
    """Show a bar and yield a function that is told the share of the work that is done, 0 to 1.

    Parameters
    ----------
    what : str
        What is being done, shown before the bar.
    n_faces : int
        From `LARGE_TABLE` on the bar is there at once, otherwise when the work takes longer than a second.
    """
    form = "{desc}: {percentage:3.0f}%|{bar}| {elapsed}"
    with tqdm(total=100, desc=what, disable=None, delay=0 if n_faces >= LARGE_TABLE else 1, bar_format=form) as bar:

        def show(share: float) -> None:
            bar.update(max(0.0, 100 * share - bar.n))

        yield show


@contextmanager
def step_bar(steps: Sequence[str], n_faces: int) -> Iterator[Callable[[], None]]:
    """Show a bar of named steps and yield a function that is called when one ends; the bar is gone afterwards.

    Parameters
    ----------
    steps : sequence of str
        What is being done in each; the first begins at once.
    n_faces : int
        The bar is for tables of `LARGE_TABLE` faces or more.
    """
    shown = None if n_faces >= LARGE_TABLE else True
    form = "{desc}: step {n_fmt} of {total_fmt}|{bar}| {elapsed}"
    with (
        logging_redirect_tqdm(),
        tqdm(total=len(steps), initial=1, desc=steps[0], disable=shown, bar_format=form, leave=False) as bar,
    ):

        def end_step() -> None:
            bar.set_description_str(steps[min(bar.n, len(steps) - 1)], refresh=False)
            bar.update()
            bar.refresh()

        yield end_step
