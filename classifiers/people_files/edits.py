"""Understand what a person has changed in a people file since it was written: names given, replaced, taken away.

Column `before` holds the name that each cell had when the file was written, so that a cell which is empty now and was
not then says "this face is not that person". Column `is_not` keeps what was said so for all later runs.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from classifiers.people_files.cannot_links import POOR


@dataclass(frozen=True)
class PeopleRow:
    """One row of a people file.

    Attributes
    ----------
    line : int
        Its last line in the file.
    path, face_index
        The face.
    cluster : int
        The group it was in, `POOR` for the faces too poor to be told apart.
    name : str
        "" for none.
    before : str or None
        The name when the file was written; None where the file does not say.
    is_not : tuple of str
        Names that the face does not have.
    is_present : bool
        Whether the table holds the face.
    """

    line: int
    path: str
    face_index: int
    cluster: int
    name: str
    before: str | None = None
    is_not: tuple[str, ...] = ()
    is_present: bool = True

    @property
    def is_emptied(self) -> bool:
        """Whether the name was taken away since the file was written."""
        return not self.name and bool(self.before)

    @property
    def is_replaced(self) -> bool:
        """Whether another name was written over the one the file had."""
        return bool(self.name and self.before) and self.name != self.before

    @property
    def is_edited(self) -> bool:
        """Whether the name may be other than when the file was written."""
        return self.name != (self.before or "")


@dataclass
class _Changes:
    """What happened to one name in one group, or in the whole file."""

    n_held: int = 0
    n_emptied: int = 0
    replaced_by: Counter[str] = field(default_factory=Counter)


def resolve(rows: Sequence[PeopleRow]) -> list[PeopleRow]:
    """Return `rows` with the names that they have now and the names that they are known not to have.

    - An emptied cell takes the face out: the name it had joins `is_not`.
    - A name typed over another does too, while other rows of the group keep the old name.
    - A name typed into a cell is taken back out of `is_not`: that is how one changes one's mind.
    - A name that no row has any more was renamed. Refusals of it follow to the new name, unless in their group more
      cells were emptied than replaced: then the group was named afresh, and only the old name is refused.
    """
    of_file, of_group = _count_changes(rows)
    return [_resolve_row(row, of_file, of_group) for row in rows]


def _count_changes(rows: Sequence[PeopleRow]) -> tuple[dict[str, _Changes], dict[tuple[int, str], _Changes]]:
    of_file: dict[str, _Changes] = defaultdict(_Changes)
    of_group: dict[tuple[int, str], _Changes] = defaultdict(_Changes)
    for row in rows:
        # A face that left the table stands at the end of the file with its old name, where nobody would change it.
        if row.is_present or row.is_edited:
            for changes, name in ((of_file[row.name], row.name), (of_group[row.cluster, row.name], row.name)):
                changes.n_held += bool(name)
        if row.before and row.is_edited:
            for changes in (of_file[row.before], of_group[row.cluster, row.before]):
                changes.n_emptied += row.is_emptied
                changes.replaced_by.update([row.name] if row.name else [])
    return of_file, of_group


def _resolve_row(
    row: PeopleRow, of_file: Mapping[str, _Changes], of_group: Mapping[tuple[int, str], _Changes]
) -> PeopleRow:
    name, refused = row.name, set(row.is_not)
    if name in refused:
        if row.before is not None and row.is_edited:
            refused.discard(name)
        else:
            name = ""
    renamed = {old for old in refused if _is_renamed(of_file, old)}
    for old in renamed:
        refused = (refused - {old}) | set(of_file[old].replaced_by)
    if row.before and row.is_edited:
        here = of_group[row.cluster, row.before]
        if row.is_emptied or here.n_held:
            refused.add(row.before)
        if row.is_emptied and not here.n_held:
            n_replaced = here.replaced_by.total()
            if n_replaced >= max(here.n_emptied, 1):
                refused |= set(here.replaced_by)
            elif not n_replaced and _is_renamed(of_file, row.before):
                refused |= set(of_file[row.before].replaced_by)
    if not row.is_present and not row.is_edited and _is_renamed(of_file, name) and len(of_file[name].replaced_by) == 1:
        (name,) = of_file[name].replaced_by
    return replace(row, name=name, is_not=tuple(sorted(refused - {name})))


def _is_renamed(of_file: Mapping[str, _Changes], name: str) -> bool:
    return name in of_file and not of_file[name].n_held and bool(of_file[name].replaced_by)


def spread_names(rows: Sequence[PeopleRow]) -> tuple[list[str], dict[int, list[str]]]:
    """Return the name of each row, its own or the only one in its group, and the groups with several names.

    A name is not given to a row that refuses it, nor to any row of the poor faces, who are nobody's group.

    Parameters
    ----------
    rows : sequence of PeopleRow
        As `resolve` returns them.
    """
    of_group: dict[int, set[str]] = defaultdict(set)
    for row in rows:
        if row.name and row.cluster != POOR and (row.is_present or row.is_edited):
            of_group[row.cluster].add(row.name)
    names = []
    for row in rows:
        given = of_group.get(row.cluster, set())
        only = next(iter(given)) if len(given) == 1 else ""
        names.append(row.name or ("" if only in row.is_not else only))
    return names, {group: sorted(given) for group, given in of_group.items() if len(given) > 1}


def name_groups(rows: Sequence[PeopleRow], names: Mapping[int, str]) -> list[PeopleRow]:
    """Return `rows` as if somebody had written each group's name of `names` into it, over the one that it has.

    Parameters
    ----------
    rows : sequence of PeopleRow
        Of one people file, in any order.
    names : mapping
        Group to name; groups that have several names must not be among them.
    """
    return [
        replace(row, name=names[row.cluster])
        if row.cluster in names and not row.is_emptied and names[row.cluster] not in row.is_not
        else row
        for row in rows
    ]


def names_in(rows: Iterable[PeopleRow], cluster: int) -> list[str]:
    """Return the names that stand in the rows of a group, sorted."""
    return sorted({row.name for row in rows if row.cluster == cluster} - {""})
