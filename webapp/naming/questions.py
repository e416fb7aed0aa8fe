"""Questions whose answer settles most faces, one at a time, with their evidence and what an answer does."""

from typing import Annotated, Literal

from fastapi import APIRouter, Path

from people.errors import ConflictError
from people.store.reader import PeopleReader
from people.suggestions.answers import answer
from people.suggestions.questions import QuestionKind, Suggestion
from people.suggestions.saved import load_questions
from webapp.api.context import ContextOf, Reader, Store
from webapp.api.models import Answer, Ask, DecisionAnswer, FaceAnswer, PersonAnswer

router = APIRouter(prefix="/questions", tags=["questions"])

_MOST_SHOWN = 8
_MOST_SENT = 50


class Pair(Answer):
    """Two faces, and how alike they are."""

    one: FaceAnswer
    two: FaceAnswer
    similarity: float


class QuestionAnswer(Answer):
    """A question: `faces` against `others` or `person`; "yes" would settle `n_settled` faces.

    `similarity` is how alike they are, `threshold` from where they would be taken for one person. Of each side at most
    eight faces are sent.
    """

    id: str
    kind: QuestionKind
    n_settled: int
    n_faces: int
    n_others: int
    faces: list[FaceAnswer]
    others: list[FaceAnswer]
    person: PersonAnswer | None
    other: PersonAnswer | None
    similarity: float
    threshold: float
    evidence: list[Pair]


class QuestionsAnswer(Answer):
    """Questions that are open, in the order in which to ask them.

    `revision` is the newest decision that was known when they were looked for, -1 if nobody has looked yet: begin the
    job ``suggest`` then, or once it is smaller than `now` and no question is left.
    """

    questions: list[QuestionAnswer]
    revision: int
    now: int


class Given(Ask):
    """An answer; ``later`` asks it no more until it comes up anew."""

    answer: Literal["yes", "no", "later"]


class GivenAnswer(Answer):
    """The decision that an answer made; null for ``later`` and where nothing had to be decided."""

    decision: DecisionAnswer | None


@router.get("", operation_id="list_questions")
def list_questions(context: ContextOf, reader: Reader) -> QuestionsAnswer:
    """Return the questions that are still open."""
    revision, questions = load_questions(context.workspace.questions, reader, limit=_MOST_SENT)
    return QuestionsAnswer(
        questions=[_as_answer(question, reader) for question in questions], revision=revision, now=reader.revision
    )


@router.post("/{question}/answer", operation_id="answer_question")
def answer_question(
    context: ContextOf, store: Store, question: Annotated[str, Path(max_length=40)], given: Given
) -> GivenAnswer:
    """Answer a question: yes and no are decisions, which can be taken back like all others."""
    _, questions = load_questions(context.workspace.questions, store)
    found = next((one for one in questions if one.id == question), None)
    if found is None:
        raise ConflictError("this question was answered or settled meanwhile; look at the next one")
    decision = answer(store, found, given.answer)
    return GivenAnswer(decision=None if decision is None else DecisionAnswer.of(store, decision))


def _as_answer(question: Suggestion, reader: PeopleReader) -> QuestionAnswer:
    numbers = [number for number in (question.person, question.other) if number is not None]
    covers = reader.covers(numbers)
    person, other = (
        None if number is None else PersonAnswer.of(reader.person(number), covers)
        for number in (question.person, question.other)
    )
    return QuestionAnswer(
        id=question.id,
        kind=question.kind,
        n_settled=question.n_settled,
        n_faces=len(question.faces),
        n_others=len(question.others),
        faces=[FaceAnswer.of(face) for face in question.faces[:_MOST_SHOWN]],
        others=[FaceAnswer.of(face) for face in question.others[:_MOST_SHOWN]],
        person=person,
        other=other,
        similarity=question.similarity,
        threshold=question.threshold,
        evidence=[
            Pair(one=FaceAnswer.of(one), two=FaceAnswer.of(two), similarity=alike)
            for one, two, alike in question.evidence
        ],
    )
