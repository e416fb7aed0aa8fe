"""Questions whose answer settles most faces, with their evidence and what an answer does; one answer or several."""

from collections.abc import Sequence
from pathlib import Path as FilePath
from typing import Annotated, Literal, Self

from fastapi import APIRouter, Path
from pydantic import Field, model_validator

from people.errors import ConflictError
from people.store.reader import PeopleReader
from people.suggestions.answers import answer_together
from people.suggestions.questions import QuestionKind, Suggestion
from people.suggestions.saved import load_questions
from webapp.api.context import ContextOf, Reader, Store
from webapp.api.models import Answer, Ask, DecisionAnswer, FaceAnswer, Name, PersonAnswer

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

    `similarity` is how alike they are, `threshold` from where they would be taken for one person, `likely` which answer
    is likelier. Of each side at most eight faces are sent.
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
    likely: Literal["yes", "no"]
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
    """An answer; ``later`` asks it no more until it comes up anew, ``likely`` stands for the likelier of yes and no.

    `name` goes with a yes that two sets of unnamed faces are one person: who that is.
    """

    answer: Literal["yes", "no", "later", "likely"]
    name: Name | None = None


class GivenTo(Given):
    """An answer to the question with the id `question`."""

    question: Annotated[str, Field(max_length=40)]


class GivenTogether(Ask):
    """Answers to questions that were listed together: all of them are decided, or none."""

    answers: Annotated[list[GivenTo], Field(min_length=1, max_length=_MOST_SENT)]

    @model_validator(mode="after")
    def _check_ids(self) -> Self:
        if len({one.question for one in self.answers}) < len(self.answers):
            raise ValueError("expected one answer to each question, got two to the same")
        return self


class GivenAnswer(Answer):
    """The decision that an answer made; null for ``later`` and where nothing had to be decided."""

    decision: DecisionAnswer | None


class GivenAnswers(Answer):
    """What `GivenAnswer` says, of each answer in the order in which they were given."""

    decisions: list[DecisionAnswer | None]


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
    (decision,) = _give(context.workspace.questions, store, [(question, given)])
    return GivenAnswer(decision=decision)


@router.post("/answer", operation_id="answer_questions")
def answer_questions(context: ContextOf, store: Store, given: GivenTogether) -> GivenAnswers:
    """Answer several questions, all or none; each answer is a decision of its own, which can be taken back alone."""
    answers = [(one.question, one) for one in given.answers]
    return GivenAnswers(decisions=_give(context.workspace.questions, store, answers))


def _give(path: FilePath, store: Store, answers: Sequence[tuple[str, Given]]) -> list[DecisionAnswer | None]:
    """Decide what answers say, all or none."""
    with store.at_once():
        _, questions = load_questions(path, store)
        found = {question.id: question for question in questions}
        if any(question not in found for question, _ in answers):
            raise ConflictError("a question was answered or settled meanwhile; look at those that are left")
        made = answer_together(store, [(found[question], given.answer, given.name) for question, given in answers])
        return [None if decision is None else DecisionAnswer.of(store, decision) for decision in made]


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
        likely=question.likely,
        evidence=[
            Pair(one=FaceAnswer.of(one), two=FaceAnswer.of(two), similarity=alike)
            for one, two, alike in question.evidence
        ],
    )
