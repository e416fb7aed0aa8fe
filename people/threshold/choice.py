"""Which threshold somebody has chosen for a workspace: it stands in the settings and lasts over scans."""

from dataclasses import dataclass

from filelock import FileLock, Timeout

from classifiers.errors import ThresholdError
from classifiers.files.head_file import load_head, save_head
from classifiers.heads.head import Head
from classifiers.scores.thresholds import ThresholdCurve, check_fpir, curve_for, threshold_from_curve
from foundation.text import pluralize
from people.threshold.rates import LEAST_PEOPLE, OwnRates
from people.workspace.heads import with_threshold
from people.workspace.workspace import Workspace

# A scan that writes its head just now has read the settings: so long it may take to end after that.
_LOCK_SECONDS = 0.5


@dataclass(frozen=True)
class PresetThreshold:
    """What a head's threshold is if nobody chooses one, and the curve it comes from, None where there is none."""

    value: float | None
    curve: ThresholdCurve | None


def preset_threshold(head: Head, measured: OwnRates | None) -> PresetThreshold:
    """Return the threshold of the preset's curve for a head; without a curve, that for 1 % of strangers in turn."""
    curve = curve_for(head.fingerprint, head.matcher.background)
    if curve is None:
        return PresetThreshold(None if measured is None else measured.lowest_for(0.01), None)
    value = threshold_from_curve(curve, len(head.gallery), n_compared=head.matcher.n_compared).value
    return PresetThreshold(value, curve)


def threshold_for(measured: OwnRates, fpir: float) -> float:
    """Return the lowest threshold at which at most the share `fpir` of strangers is given a name.

    Raises
    ------
    ThresholdError
        If `fpir` is no rate, or too few people are named to say.
    """
    found = measured.lowest_for(check_fpir(fpir))
    if found is None:
        raise ThresholdError(
            f"a threshold for FPIR {fpir:g} needs at least {LEAST_PEOPLE} named people, who play strangers in turn, "
            f"got {pluralize(measured.n_people, 'person', 'people')}; name more, or set the threshold itself"
        )
    return found


def choose_threshold(workspace: Workspace, threshold: float | None) -> float:
    """Name faces from another threshold on, None for the preset's own again; return what holds now.

    It stands in the workspace's settings, so that scans keep it. The head is changed at once; where a scan is running,
    that makes its head by the settings.

    Raises
    ------
    ThresholdError
        If the preset has none; nothing is changed then.
    WorkspaceError
        If `threshold` is no score.
    OSError
        If there is no head yet, or the workspace cannot be written.
    """
    head = with_threshold(load_head(workspace.head), threshold)
    workspace.set_threshold("auto" if threshold is None else threshold)
    try:
        with FileLock(workspace.lock, timeout=_LOCK_SECONDS, mode=0o600):
            head = with_threshold(load_head(workspace.head), threshold)
            save_head(head, workspace.head)
    except Timeout:
        pass  # the scan that holds it reads the settings when it makes its head
    return head.threshold
