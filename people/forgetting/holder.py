"""What every kind of file offers: is it mine, what does it hold of a person, remove it."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from classifiers.members.audit import Finding
from people.forgetting.person import Person


@dataclass(frozen=True)
class Outcome:
    """What came of removing a person from a file.

    Attributes
    ----------
    removed : str
        What was removed, "" for nothing; of a whole file it begins with ``deleted``.
    by_hand : list of str
        What only a person can do, with the reason.
    """

    removed: str = ""
    by_hand: list[str] = field(default_factory=list)

    @property
    def is_deleted(self) -> bool:
        """Return whether the file is gone as a whole."""
        return self.removed.startswith("deleted")


class Holder(Protocol):
    """A kind of file that may hold a person.

    All methods but `claims` raise ``ValueError`` or ``OSError`` where the file cannot be read or written; it stays as
    it was then.
    """

    noun: str

    def claims(self, path: Path, beginning: bytes) -> bool:
        """Return whether a file is of this kind, by its name, its first 64 bytes, or more where these leave doubt."""

    def learn(self, path: Path, person: Person) -> None:
        """Let `person` know what the file tells of their faces."""

    def find(self, path: Path, person: Person) -> list[Finding]:
        """Return what the file holds of the person."""

    def forget(self, path: Path, person: Person) -> Outcome:
        """Remove the person from the file, in one step."""


MENTIONED = "it holds paths that mention the name, such as an album's: rename the folder and make the file again"


def finding(kind: str, examples: Iterable[Any]) -> list[Finding]:
    """Return what was found as a list: empty for no examples, else one finding with their number and the first."""
    found = [str(example) for example in examples]
    return [Finding(kind, len(found), next((text for text in found if text), ""))] if found else []
