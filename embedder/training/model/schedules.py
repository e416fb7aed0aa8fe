"""Learning rates over a run: fixed, cosine, or read from a schedule file; each with an optional warm-up.

Epochs count from 1, as in the field's training scripts: ``91: -1`` means that epoch 90 is the last.
"""

import math
from dataclasses import dataclass
from pathlib import Path

from foundation.errors import FacetableError


class ScheduleError(FacetableError, ValueError):
    """A schedule file that cannot be read; the message names the file and the line."""


@dataclass(frozen=True)
class LearningRateSchedule:
    """Learning rate of every step of a run.

    Attributes
    ----------
    steps : tuple of (int, float)
        First epoch and the rate that holds from it on, in rising order of epochs.
    stop_epoch : int or None
        First epoch that is not trained any more; None never stops.
    cosine_epochs : int
        Length in epochs of a half cosine down to zero that multiplies the rate; 0 for none.
    warmup_epochs : float
        The rate rises linearly from nearly zero over so many epochs.
    """

    steps: tuple[tuple[int, float], ...]
    stop_epoch: int | None = None
    cosine_epochs: int = 0
    warmup_epochs: float = 0.0

    def rate(self, epoch: int, step: int, epoch_size: int) -> float:
        """Return the rate of one step.

        Parameters
        ----------
        epoch : int
            From 1.
        step : int
            Step inside the epoch, from 0.
        epoch_size : int
            Steps in an epoch.
        """
        rate = self.steps[0][1]
        for first_epoch, value in self.steps:
            if first_epoch <= epoch:
                rate = value
        done = epoch - 1 + step / epoch_size
        if self.warmup_epochs > 0 and done < self.warmup_epochs:
            return rate * (done * epoch_size + 1) / (self.warmup_epochs * epoch_size + 1)
        if self.cosine_epochs > 0:
            # Loshchilov & Hutter, "SGDR", ICLR 2017, equation 5, one period without restarts.
            span = max(self.cosine_epochs - self.warmup_epochs, 1e-9)
            rate *= 0.5 * (1.0 + math.cos(math.pi * min((done - self.warmup_epochs) / span, 1.0)))
        return rate


def read_schedule_text(path: str | Path) -> str:
    """Return the text of a schedule file.

    Raises
    ------
    OSError
        If the file cannot be read.
    """
    return Path(path).read_bytes().decode("utf-8", errors="replace")


def parse_schedule(text: str, name: str) -> LearningRateSchedule:
    """Return the schedule of lines ``epoch: rate``; ``#`` begins a comment and the rate -1 stops the run.

    Parameters
    ----------
    text : str
    name : str
        How messages call the text: its file.

    Raises
    ------
    ScheduleError
        If a line is not ``epoch: rate``, epochs do not rise, a rate is not positive, or the file has no rate for
        the first epoch; the message names file and line.
    """
    steps: list[tuple[int, float]] = []
    stop_epoch: int | None = None
    for number, line in enumerate(text.splitlines(), start=1):
        content = line.split("#")[0].strip()
        if not content:
            continue
        where = f"{name}, line {number}"
        epoch, rate = _parse_line(content, where)
        if stop_epoch is not None:
            raise ScheduleError(
                f"{where}: expected nothing after the line whose rate is -1, got {content!r}; remove it"
            )
        if steps and epoch <= steps[-1][0]:
            raise ScheduleError(
                f"{where}: expected an epoch above {steps[-1][0]}, got {epoch}; sort the lines by epoch"
            )
        if not steps and epoch > 1:
            raise ScheduleError(
                f"{where}: expected the first line to begin at epoch 0 or 1, got {epoch}; add a line '0: RATE'"
            )
        if rate == -1:
            stop_epoch = epoch
        else:
            steps.append((epoch, rate))
    if not steps:
        raise ScheduleError(
            f"{name}: expected lines 'epoch: rate', found none with a rate; add a line such as '0: 0.05'"
        )
    return LearningRateSchedule(tuple(steps), stop_epoch)


def _parse_line(content: str, where: str) -> tuple[int, float]:
    """Return epoch and rate of one line; -1 for a rate that stops."""
    remedy = "write 'epoch: rate', such as '60: 0.005'"
    parts = content.split(":")
    if len(parts) != 2:
        raise ScheduleError(f"{where}: expected 'epoch: rate', got {content!r}; {remedy}")
    try:
        epoch = int(parts[0])
    except ValueError:
        epoch = -1
    if epoch < 0:
        raise ScheduleError(
            f"{where}: expected a whole number of at least 0 before the colon, got {parts[0].strip()!r}; {remedy}"
        )
    # Some of the field's files write a bare '-' where others write -1.
    text = "-1" if parts[1].strip() == "-" else parts[1].strip()
    try:
        rate = float(text)
    except ValueError:
        rate = math.nan
    if not (rate == -1 or 0 < rate < math.inf):
        raise ScheduleError(
            f"{where}: expected a positive rate or -1 after the colon, got {parts[1].strip()!r}; {remedy}"
        )
    return epoch, rate
