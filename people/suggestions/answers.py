"""Turn answers to questions into decisions."""

from collections.abc import Sequence
from typing import Literal

from people.errors import DecisionError
from people.store.records import Decision, Face
from people.store.store import PeopleStore
from people.suggestions.questions import Suggestion

Answer = Literal["yes", "no", "later"]
ANSWERS: tuple[Answer, ...] = ("yes", "no", "later")


def answer(store: PeopleStore, question: Suggestion, given: Answer, *, name: str | None = None) -> Decision | None:
    """Record an answer; return the decision that it makes, None for ``later`` and where nothing has to be decided.

    A question is not asked again, unless the decision is taken back.

    Parameters
    ----------
    store : PeopleStore
    question : Suggestion
    given : {"yes", "no", "later"}
    name : str, optional
        Who both are, where two sets without a name are one person: one decision says it all.

    Raises
    ------
    DecisionError
        If the answer is none of `ANSWERS`, or a name goes with another answer or question.
    PersonError
        If nobody can be called `name`.
    """
    if given not in ANSWERS:
        raise DecisionError(f"an answer must be one of {', '.join(ANSWERS)}, got {given!r}")
    if name is not None:
        if given != "yes" or not question.is_about_unnamed:
            raise DecisionError(
                f"expected a name with a yes that two sets of unnamed faces are one person, got {name!r} with {given} "
                f"to: {question.text or question.kind}"
            )
        decision: Decision | None = store.name([face.face for face in (*question.faces, *question.others)], name)
    else:
        decision = None if given == "later" else _decide(store, question, is_so=given == "yes")
    store.record_answer(question.id, given, decision)
    return decision


def answer_together(
    store: PeopleStore, answers: Sequence[tuple[Suggestion, Answer | Literal["likely"], str | None]]
) -> list[Decision | None]:
    """Record answers to questions, all or none; return the decision of each, see `answer`.

    Parameters
    ----------
    store : PeopleStore
    answers : sequence of (Suggestion, str, str or None)
        Questions, what is answered, where ``likely`` stands for the likelier of yes and no, and a name or None.

    Raises
    ------
    DecisionError, PersonError
        As `answer`, and if two questions decide about the same faces.
    """
    check_independent([question for question, _, _ in answers])
    with store.at_once():
        return [
            answer(store, question, question.likely if given == "likely" else given, name=name)
            for question, given, name in answers
        ]


def check_independent(questions: Sequence[Suggestion]) -> None:
    """Refuse questions that decide about the same faces: what to ask next of them depends on the answer.

    Those that `people.suggestions.questions.find_questions` returns together decide about other faces each.

    Raises
    ------
    DecisionError
        If two are about the same.
    """
    met: dict[Face, Suggestion] = {}
    for question in questions:
        decided = {face.face for face in (*question.faces, *question.others) if face.person is None}
        if question.kind != "same_person":
            decided.update(face.face for face in question.faces)
        before = next((met[face] for face in decided if face in met), None)
        if before is not None:
            raise DecisionError(
                f"expected questions about other faces each, got {before.id} and {question.id}, which share some; "
                "answer one of them, then ask for suggestions again"
            )
        met.update(dict.fromkeys(decided, question))


def _decide(store: PeopleStore, question: Suggestion, *, is_so: bool) -> Decision | None:
    faces = [face.face for face in question.faces]
    if question.kind == "not_a_face":
        return store.mark_not_a_face(faces) if is_so else None
    if question.kind == "one_event" and not is_so:
        return store.part([*faces, question.others[0].face])
    if question.kind != "same_person":
        person = store.person(question.person or 0)
        return store.name(faces, person.name) if is_so else store.deny(faces, person.number)
    if not is_so:
        return store.part([faces[0], question.others[0].face])
    if question.person is not None and question.other is not None:
        one, other = store.person(question.person), store.person(question.other)
        # Two answers of before may have made one of them already.
        return None if one.number == other.number else store.merge(one.number, other.number)
    return store.join([*faces, *(face.face for face in question.others)])
