"""The threshold of the named people's head: what it is, what their own faces say about others, and choosing one."""

from typing import TYPE_CHECKING, Annotated

from fastapi import APIRouter
from pydantic import Field

from people.errors import ConflictError
from people.workspace.workspace import Workspace
from webapp.api.context import Context, ContextOf
from webapp.api.models import Answer, Ask
from webapp.errors import NoHeadError
from webapp.naming.head import workspace_head

if TYPE_CHECKING:
    from classifiers.heads.head import Head
    from classifiers.scores.thresholds import ThresholdCurve
    from people.threshold.rates import Band, OwnRates

router = APIRouter(prefix="/threshold", tags=["threshold"])

MOST_AT_ONCE = 150
"""So many faces are measured while somebody waits, which holds up all other requests; more by a job of its own."""

Score = Annotated[float, Field(ge=-1, le=1)]


class BandAnswer(Answer):
    """A rate at each threshold with its 95 % interval, as fractions."""

    value: list[float]
    low: list[float]
    high: list[float]

    @classmethod
    def of(cls, band: "Band | None") -> "BandAnswer | None":
        """Return a band as it is sent."""
        return None if band is None else cls(value=list(band.value), low=list(band.low), high=list(band.high))


class RatesAnswer(Answer):
    """What the named people say: `fpir` of strangers get a name, `tpir` of their own faces get theirs.

    Each of `n_photos` faces was looked for among everybody else's as a stranger's; `n_probes` faces of
    `n_probed_people` were looked for among all others. A band is null where too few people are named.
    """

    n_people: int
    n_photos: int
    n_probed_people: int
    n_probes: int
    thresholds: list[float]
    fpir: BandAnswer | None
    tpir: BandAnswer | None

    @classmethod
    def of(cls, measured: "OwnRates | None") -> "RatesAnswer | None":
        """Return what was measured as it is sent."""
        if measured is None:
            return None
        numbers = {name: getattr(measured, name) for name in ("n_people", "n_photos", "n_probed_people", "n_probes")}
        fpir, tpir = BandAnswer.of(measured.fpir), BandAnswer.of(measured.tpir)
        return cls(**numbers, thresholds=list(measured.thresholds), fpir=fpir, tpir=tpir)


class CurveAnswer(Answer):
    """The preset's curve: the threshold that 1 in 100 strangers reaches, by number of enrolled faces."""

    n_photos: list[int]
    thresholds: list[float]
    measured_on: str

    @classmethod
    def of(cls, curve: "ThresholdCurve | None") -> "CurveAnswer | None":
        """Return a curve as it is sent."""
        if curve is None:
            return None
        return cls(n_photos=list(curve.n_exemplars), thresholds=list(curve.thresholds), measured_on=curve.measured_on)


class ThresholdAnswer(Answer):
    """The threshold: `threshold` is what holds, `chosen` what somebody has chosen, `preset` what it is otherwise.

    `rates` is null until the job ``measure`` has measured them, which is to be begun where `needs_job`. They need
    `least_people` named people for strangers, and `least_probed_people` with a second photo for finding.
    """

    threshold: float
    chosen: float | None
    preset: float | None
    n_people: int
    n_photos: int
    least_people: int
    least_probed_people: int
    needs_job: bool
    rates: RatesAnswer | None
    curve: CurveAnswer | None


class ThresholdEdit(Ask):
    """From which score a face is given a name, null for the preset's own; `expected` is the `chosen` that was seen."""

    threshold: Score | None
    expected: Score | None


@router.get("", operation_id="get_threshold")
def get_threshold(context: ContextOf) -> ThresholdAnswer:
    """Return the threshold, and what the people that the last scan has learned say about others."""
    from people.threshold.choice import preset_threshold
    from people.threshold.rates import LEAST_PEOPLE, LEAST_PROBED_PEOPLE

    head = workspace_head(context)
    measured = _measured(context, head)
    preset = preset_threshold(head, measured)
    chosen = Workspace(context.workspace.folder).settings.threshold
    return ThresholdAnswer(
        threshold=round(float(head.threshold), 4),
        chosen=None if chosen == "auto" else chosen,
        preset=None if preset.value is None else round(preset.value, 4),
        n_people=len(head.labels),
        n_photos=len(head.gallery),
        least_people=LEAST_PEOPLE,
        least_probed_people=LEAST_PROBED_PEOPLE,
        needs_job=measured is None,
        rates=RatesAnswer.of(measured),
        curve=CurveAnswer.of(preset.curve),
    )


@router.put("", operation_id="choose_threshold")
def choose_threshold(context: ContextOf, edit: ThresholdEdit) -> ThresholdAnswer:
    """Name faces from another score on; it lasts over scans until somebody goes back to the preset's own."""
    from people.threshold import choice

    workspace = Workspace(context.workspace.folder)
    now = workspace.settings.threshold
    if (None if now == "auto" else now) != edit.expected:
        raise ConflictError("the threshold was changed meanwhile; look again before changing it")
    try:
        choice.choose_threshold(workspace, edit.threshold)
    except FileNotFoundError:
        raise NoHeadError("expected named people that a scan has learned, found none; name somebody and scan") from None
    context.workspace = workspace
    return get_threshold(context)


def _measured(context: Context, head: "Head") -> "OwnRates | None":
    """Return what was measured on the faces of a head; measured now where they are few."""
    from people.threshold.rates import mark_of, measure_rates, read_rates

    marked: list[tuple[Head, str]] = context.kept("head and its mark", list)
    known = next((mark for one, mark in marked if one is head), None)
    mark = mark_of(head) if known is None else known
    marked[:] = [(head, mark)]
    kept: dict[str, OwnRates] = context.kept("rates", dict)
    measured = kept.get(mark)
    if measured is None:
        measured = read_rates(context.workspace, mark)
        if measured is None and len(head.gallery) <= MOST_AT_ONCE:
            measured = measure_rates(head)
        if measured is not None:
            kept.clear()
            kept[mark] = measured
    return measured
