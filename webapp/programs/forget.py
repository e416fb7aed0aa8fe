"""Forgetting somebody: what the workspace holds of them, and its removal, which cannot be taken back."""

from fastapi import APIRouter

from people.errors import PersonError
from webapp.api.context import Context, ContextOf
from webapp.api.models import Answer, Ask, Name

router = APIRouter(prefix="/forget", tags=["forget"])


class HeldPart(Answer):
    """What a file holds of a person: such as ``rows``, ``faces`` or ``pictures``, and how many."""

    kind: str
    n: int


class Held(Answer):
    """A file of the workspace, and what it holds of a person."""

    file: str
    what: list[HeldPart]


class SurveyAnswer(Answer):
    """What the workspace holds of a person, and files that could not be looked into."""

    files: list[Held]
    not_checked: list[str]


class Wanted(Ask):
    """Whom."""

    name: Name


class Confirmed(Ask):
    """Whom to forget; `confirm` is the name once more, as somebody has typed it."""

    name: Name
    confirm: Name


class Removed(Answer):
    """A file that held a person: what was removed from it, for programs, or whether it was deleted as a whole."""

    file: str
    what: str
    deleted: bool


class ForgottenAnswer(Answer):
    """What was removed, what is left to be done by hand, what could not be done, and what still holds the person."""

    removed: list[Removed]
    by_hand: list[str]
    failures: list[str]
    left: list[str]


@router.post("/survey", operation_id="survey_person")
def survey_person(context: ContextOf, wanted: Wanted) -> SurveyAnswer:
    """Return what the files of the workspace hold of somebody; changes nothing."""
    from people.forgetting.forgetting import survey
    from people.forgetting.person import Person

    found = survey([context.workspace.folder], Person(wanted.name))
    return SurveyAnswer(
        files=[
            Held(file=_below(context, str(path)), what=[HeldPart(kind=one.kind, n=one.n_found) for one in held])
            for path, (_, held) in found.held.items()
        ],
        not_checked=[f"{_below(context, str(path))}: {why}" for path, why in found.failures.items()],
    )


@router.post("", operation_id="forget_person")
def forget_person(context: ContextOf, wanted: Confirmed) -> ForgottenAnswer:
    """Remove somebody from everything the workspace holds; photos stay. This cannot be taken back."""
    from people.forgetting.forgetting import forget_everywhere
    from people.forgetting.person import Person

    if wanted.confirm != wanted.name:
        raise PersonError("expected the same name twice, found two; nothing was changed")
    report = forget_everywhere([context.workspace.folder], Person(wanted.name))
    for let_go in context.on_forget:
        let_go(wanted.name)
    return ForgottenAnswer(
        removed=[
            Removed(file=_below(context, path), what=one.removed, deleted=one.is_deleted)
            for path, one in report.outcomes.items()
            if one.removed
        ],
        by_hand=[f"{_below(context, path)}: {what}" for path, one in report.outcomes.items() for what in one.by_hand],
        failures=[f"{_below(context, path)}: {why}" for path, why in report.failures.items()],
        left=[_below(context, path) for path in report.left],
    )


def _below(context: Context, path: str) -> str:
    """Return a path below the workspace, without where that lies; of a file elsewhere, as in the cache, its name."""
    for root in (context.workspace.folder, context.workspace.folder.resolve()):
        path = path.removeprefix(f"{root}/")
    return path if not path.startswith("/") else path.rpartition("/")[2]
