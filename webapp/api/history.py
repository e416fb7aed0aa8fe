"""History: every decision, the newest first, and taking it back."""

from typing import Annotated

from fastapi import APIRouter, Query

from webapp.api.context import Reader, Store
from webapp.api.expectations import check_revision
from webapp.api.models import Answer, Ask, DecisionAnswer, Limit, Number

router = APIRouter(prefix="/history", tags=["history"])


class HistoryPage(Answer):
    """Some decisions; `more` says whether there are older ones, `revision` is the number of the newest of all."""

    decisions: list[DecisionAnswer]
    more: bool
    revision: int


class Undo(Ask):
    """Which decision to take back; without `decision` the newest, if `revision` is still the newest of all."""

    decision: Number | None = None
    revision: Number | None = None


class Redo(Ask):
    """Take back the newest undo, if `revision` is still the newest decision."""

    revision: Number | None = None


@router.get("", operation_id="list_decisions")
def list_decisions(
    reader: Reader,
    person: Annotated[Number | None, Query(description="only those about a person")] = None,
    before: Annotated[Number | None, Query(description="only those with a smaller number")] = None,
    limit: Limit = 100,
) -> HistoryPage:
    """Return decisions, the newest first."""
    found = reader.history(person=person, before=before, limit=limit + 1)
    return HistoryPage(
        decisions=[DecisionAnswer.of(reader, decision) for decision in found[:limit]],
        more=len(found) > limit,
        revision=reader.revision,
    )


@router.post("/undo", operation_id="undo")
def undo(store: Store, wanted: Undo) -> DecisionAnswer:
    """Take back a decision."""
    with store.provided(lambda: None if wanted.revision is None else check_revision(store, wanted.revision)):
        return DecisionAnswer.of(store, store.undo(wanted.decision))


@router.post("/redo", operation_id="redo")
def redo(store: Store, wanted: Redo) -> DecisionAnswer:
    """Take back the newest undo, if nothing new was decided after it."""
    with store.provided(lambda: None if wanted.revision is None else check_revision(store, wanted.revision)):
        return DecisionAnswer.of(store, store.redo())
