"""Visits: list them, ask who it was and whether they were here before, and say who it was."""

from typing import Annotated, Literal

from fastapi import APIRouter, Path, Query, Response
from pydantic import Field

from webapp.api.context import Context, ContextOf, Store
from webapp.api.models import Answer, Ask, DecisionAnswer, Limit, Name
from webapp.live.visits import Visit, Visits

router = APIRouter(prefix="/visits", tags=["cameras"])

VisitId = Annotated[str, Path(max_length=40, pattern=r"^[0-9a-z]+-\d+$")]

_N_NEAREST, _N_BEFORE = 3, 20


class VisitAnswer(Answer):
    """A visit; `began` and `seen` are seconds since 1970, `name` is "" where nobody was recognized.

    `decided` is what somebody said of it: ``is``, ``is_not`` or "".
    """

    id: str
    camera: str
    began: float
    seen: float
    ended: bool
    name: str
    decided: str

    @classmethod
    def of(cls, visit: Visit) -> "VisitAnswer":
        """Return a visit as it is sent."""
        return cls(**{name: getattr(visit, name) for name in cls.model_fields})


class VisitsAnswer(Answer):
    """The newest visits since the server began, the newest first."""

    visits: list[VisitAnswer]


class LikePerson(Answer):
    """A person, and how alike the most similar of their faces is."""

    name: str
    score: float


class EarlierVisit(Answer):
    """An earlier visit of the same face, and the cosine of both."""

    visit: VisitAnswer
    similarity: float


class WhoAnswer(Answer):
    """Who a visit may have been: the `nearest` people, named from `threshold` on, and earlier visits of the face."""

    visit: VisitAnswer
    nearest: list[LikePerson]
    threshold: float
    before: list[EarlierVisit]


class VisitDecision(Ask):
    """What holds of a visit: it was (``is``) or was not (``is_not``) somebody."""

    kind: Literal["is", "is_not"]
    name: Name


class VisitDecided(Answer):
    """The decision; `reasons` say why cameras do not heed it before the next scan, where that is so."""

    decision: DecisionAnswer
    reasons: Annotated[list[str], Field(max_length=20)]


def visits_of(context: Context) -> Visits:
    """Return the visits of a running application."""

    def make() -> Visits:
        visits = Visits()
        context.on_forget.append(visits.forget)
        return visits

    return context.kept("visits", make)


@router.get("", operation_id="list_visits")
def list_visits(
    context: ContextOf,
    camera: Annotated[str | None, Query(max_length=100, description="of this camera alone")] = None,
    limit: Limit = 100,
) -> VisitsAnswer:
    """Return the newest visits."""
    return VisitsAnswer(visits=[VisitAnswer.of(visit) for visit in visits_of(context).newest(camera, limit)])


@router.get(
    "/{visit}/picture",
    operation_id="get_visit_picture",
    response_class=Response,
    responses={200: {"content": {"image/jpeg": {}}}},
)
def get_picture(context: ContextOf, visit: VisitId) -> Response:
    """Return the best picture of a visit."""
    return Response(visits_of(context).get(visit).jpeg, media_type="image/jpeg")


@router.get("/{visit}/who", operation_id="ask_who_visited")
def ask_who(context: ContextOf, visit: VisitId) -> WhoAnswer:
    """Return whom a visit is like, and whether the same face was here before."""
    from webapp.naming.head import workspace_head

    visits = visits_of(context)
    asked, head = visits.get(visit), workspace_head(context)
    scores = head.similarity(asked.vector[None])[0]
    nearest = (-scores).argsort(kind="stable")[:_N_NEAREST].tolist()
    return WhoAnswer(
        visit=VisitAnswer.of(asked),
        nearest=[LikePerson(name=head.labels[i], score=round(float(scores[i]), 4)) for i in nearest],
        threshold=round(float(head.threshold), 4),
        before=[
            EarlierVisit(visit=VisitAnswer.of(one.visit), similarity=round(one.similarity, 4))
            for one in visits.like(asked)[:_N_BEFORE]
        ],
    )


@router.post("/{visit}/decide", operation_id="decide_about_visit")
def decide(context: ContextOf, store: Store, visit: VisitId, wanted: VisitDecision) -> VisitDecided:
    """Say who a visit was, or was not; its picture is kept in the workspace."""
    from webapp.live.deciding import deny_visit, name_visit

    visits = visits_of(context)
    asked = visits.get(visit)
    say = name_visit if wanted.kind == "is" else deny_visit
    said = say(context.workspace, store, asked, wanted.name)
    visits.note_decision(asked.id, wanted.kind)
    return VisitDecided(decision=DecisionAnswer.of(store, said.decision), reasons=list(said.reasons))
