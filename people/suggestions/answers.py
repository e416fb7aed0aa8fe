"""Turn an answer to a question into a decision."""

from typing import Literal

from people.errors import DecisionError
from people.store.records import Decision
from people.store.store import PeopleStore
from people.suggestions.questions import Suggestion

Answer = Literal["yes", "no", "later"]
ANSWERS: tuple[Answer, ...] = ("yes", "no", "later")


def answer(store: PeopleStore, question: Suggestion, given: Answer) -> Decision | None:
    """Record an answer; return the decision that it makes, None for ``later`` and where nothing has to be decided.

    A question is not asked again, unless the decision is taken back.

    Raises
    ------
    DecisionError
        If the answer is none of `ANSWERS`.
    """
    if given not in ANSWERS:
        raise DecisionError(f"an answer must be one of {', '.join(ANSWERS)}, got {given!r}")
    decision = None if given == "later" else _decide(store, question, is_so=given == "yes")
    store.record_answer(question.id, given, decision)
    return decision


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
        return store.merge(question.person, question.other)
    return store.join([*faces, *(face.face for face in question.others)])
