"""Look for a person in folders of files of every kind, and remove them from these."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from classifiers.members.audit import Finding
from embedder.images.photo import failure_reason
from embedder.runtime.cache import cache_folder
from foundation.errors import FacetableError
from foundation.formats import N_FIRST_BYTES, describe_kind
from foundation.paths import display_path
from people.forgetting.csv_files import CsvFiles, ResultSheets
from people.forgetting.documents import ContactSheets, Results, TrainingRuns
from people.forgetting.heads import Heads
from people.forgetting.holder import Holder, Outcome
from people.forgetting.line_files import LineFiles
from people.forgetting.other_files import (
    AlignedFaces,
    EnrolledPictures,
    LeftOvers,
    LivePictures,
    OtherFiles,
    Photos,
    SavedPictures,
    Thumbnails,
)
from people.forgetting.person import Person
from people.forgetting.stores import Stores
from people.forgetting.tables import ParquetTables, Tables

# What tells whose faces are in other files goes last, so that a run that was killed can be repeated.
_LAST = (CsvFiles, LineFiles, Stores)
_NAMED_KINDS = ("rows", "exemplars")


def holders(trust: Iterable[str] = ()) -> tuple[Holder, ...]:
    """Return all kinds of files; the first that claims a file has it.

    Heads may run the code of the types in `trust`.
    """
    return (
        LeftOvers(),
        Stores(),
        Tables(),
        ParquetTables(),
        Heads(trust),
        TrainingRuns(),
        ResultSheets(),
        CsvFiles(),
        LineFiles(),
        ContactSheets(),
        Results(),
        LivePictures(),
        SavedPictures(),
        Thumbnails(),
        EnrolledPictures(),
        AlignedFaces(),
        Photos(),
        OtherFiles(),
    )


@dataclass
class Survey:
    """What files hold of a person.

    Attributes
    ----------
    n_files : int
        Files of known kinds that were looked into.
    held : dict
        File to (who reads it, what it holds).
    failures : dict
        File to why it could not be looked into.
    """

    n_files: int = 0
    held: dict[Path, tuple[Holder, list[Finding]]] = field(default_factory=dict)
    failures: dict[Path, str] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """Return it as what JSON can hold."""
        return {
            "n_files": self.n_files,
            "held": bool(self.held),
            "files": {display_path(path): [one._asdict() for one in found] for path, (_, found) in self.held.items()},
            "not_checked": {display_path(path): why for path, why in self.failures.items()},
        }


@dataclass
class ForgettingReport:
    """What came of forgetting a person; holds no name.

    Attributes
    ----------
    outcomes : dict
        File to what was removed from it and what is to be done by hand.
    failures : dict
        File to why it could not be read or changed.
    left : list of str
        Files that still hold the person.
    n_files : int
        Files that were looked into afterwards.
    """

    outcomes: dict[str, Outcome] = field(default_factory=dict)
    failures: dict[str, str] = field(default_factory=dict)
    left: list[str] = field(default_factory=list)
    n_files: int = 0

    def to_json(self) -> dict[str, Any]:
        """Return it as what JSON can hold."""
        return asdict(self)

    def lines(self) -> list[str]:
        """Return it as lines of text."""
        lines = [f"{path}: {one.removed}" for path, one in self.outcomes.items() if one.removed]
        lines += [f"by hand: {path}: {what}" for path, one in self.outcomes.items() for what in one.by_hand]
        lines += [f"failed: {path}: {why}" for path, why in self.failures.items()]
        lines += [f"still holds the person: {path}" for path in self.left]
        lines.append(f"{len(self.left):,} of {self.n_files:,} files still hold the person")
        return lines

    def redacted(self, person: Person) -> "ForgettingReport":
        """Return the report with ``[name]`` in the name's place, in paths and reasons."""
        outcomes: dict[str, Outcome] = {}
        for path, one in self.outcomes.items():
            outcomes[_unused(person.redacted(path), outcomes)] = Outcome(
                person.redacted(one.removed), [person.redacted(what) for what in one.by_hand]
            )
        failures = {person.redacted(path): person.redacted(why) for path, why in self.failures.items()}
        return ForgettingReport(outcomes, failures, [person.redacted(path) for path in self.left], self.n_files)


def survey(places: Sequence[Path], person: Person, *, trust: Iterable[str] = ()) -> Survey:
    """Return what files hold of a person.

    First all files say what they know of the person's faces, then each is asked about these: a row without a name is
    found by a head, a people file or a decision that names the same face.

    Parameters
    ----------
    places : sequence of Path
        Files, and folders with all that is below them.
    person : Person
        Learns what the files know.
    trust : iterable of str
        Types whose code a head may run beside the trusted ones, see `classifiers.load_head`.

    Raises
    ------
    OSError
        If one of `places` is not there.
    """
    result = Survey()
    person.looked_in = tuple(places)
    files = []
    kinds = holders(trust)
    for path in list_files(places):
        holder = _claim(path, result, kinds)
        if holder is not None:
            files.append((path, holder))
        elif path in places and path not in result.failures:
            result.failures[path] = (
                f"{display_path(path)}: expected a file that Facetable writes, or a text, found {describe_kind(path)}; "
                "name another"
            )
    # A table that a people file or a decision is about is asked after these.
    for path, holder in sorted(files, key=lambda one: not isinstance(one[1], _LAST)):
        _try(result, path, lambda holder=holder, path=path: holder.learn(path, person))
    for path, holder in files:
        if path in result.failures:
            continue
        person.not_compared = ""
        found = _try(result, path, lambda holder=holder, path=path: holder.find(path, person))
        result.n_files += path not in result.failures and not isinstance(holder, (Photos, OtherFiles, AlignedFaces))
        if found:
            result.held[path] = (holder, found)
        if person.not_compared:
            result.failures[path] = f"{display_path(path)}: {person.not_compared}"
    return result


def forget_everywhere(places: Sequence[Path], person: Person, *, trust: Iterable[str] = ()) -> ForgettingReport:
    """Remove a person from all files in which `survey` finds them; a second look says what is left.

    Each file is changed in one step. A file that cannot be read or written stays as it is and is listed; photos and
    files of other programs are listed, never changed. `trust` is as in `survey`.

    Raises
    ------
    OSError
        If one of `places` is not there.
    """
    trusted = tuple(trust)
    found = survey(places, person, trust=trusted)
    report = ForgettingReport(failures={display_path(path): why for path, why in found.failures.items()})
    has_failed = False
    for path, (holder, held) in sorted(found.held.items(), key=lambda item: _rank(*item[1])):
        if has_failed and _rank(holder, held):
            report.failures[display_path(path)] = "left as it is until the other files can be changed; run this again"
            continue
        outcome = _try(found, path, lambda holder=holder, path=path: holder.forget(path, person))
        has_failed |= outcome is None and not _rank(holder, held)
        if outcome is None:
            report.failures[display_path(path)] = found.failures[path]
        else:
            report.outcomes[display_path(path)] = outcome
    again = survey([place for place in places if place.exists()], person, trust=trusted)
    report.left = [display_path(path) for path in again.held]
    report.n_files = again.n_files
    return report


def list_files(places: Iterable[Path]) -> Iterator[Path]:
    """Yield all files below `places`, each once, those of the cache of `verify` included; links are not followed.

    Raises
    ------
    OSError
        If one of `places` is not there or cannot be opened.
    """
    seen = set()
    verification = cache_folder() / "verification"
    for place in [*places, *([verification] if verification.is_dir() else [])]:
        if not place.is_dir():
            place.open("rb").close()
        for path in sorted(place.rglob("*")) if place.is_dir() else [place]:
            if (path == place or not path.is_symlink()) and path.is_file() and path.resolve() not in seen:
                seen.add(path.resolve())
                yield path


def _rank(holder: Holder, held: list[Finding]) -> int:
    """Return when a file is changed: first those in which the person is only known by what others (1, 2) tell."""
    if isinstance(holder, _LAST):
        return 2
    return int(any(one.kind in _NAMED_KINDS for one in held))


def _claim(path: Path, result: Survey, kinds: Sequence[Holder]) -> Holder | None:
    def claim() -> Holder | None:
        with path.open("rb") as stream:
            beginning = stream.read(N_FIRST_BYTES)
        return next((holder for holder in kinds if holder.claims(path, beginning)), None)

    holder: Holder | None = _try(result, path, claim)
    return holder


def _try(result: Survey, path: Path, action: Any) -> Any:
    """Return what `action` gives, or None after noting why it could not be done: one bad file never stops a run."""
    try:
        return action()
    except (OSError, ValueError, FacetableError) as error:
        shown = display_path(path)
        reason = failure_reason(error, path) if isinstance(error, OSError) else str(error)
        result.failures[path] = reason if reason.startswith((shown, str(path))) else f"{shown}: {reason}"
        return None


def _unused(name: str, taken: dict[str, Any]) -> str:
    number, candidate = 2, name
    while candidate in taken:
        candidate = f"{name} ({number})"
        number += 1
    return candidate
