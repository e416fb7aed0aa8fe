"""A person's faces by date, and how many of their photos were taken when."""

from dataclasses import dataclass

from people.store.reader import PeopleReader

_OF_PERSON = (
    "FROM face_now AS n JOIN scanned_faces AS s ON s.face = n.face JOIN scanned_files AS f ON f.id = s.file "
    "JOIN person_now AS p ON p.person = n.person WHERE p.root = ?"
)


@dataclass(frozen=True)
class Months:
    """How many photos of a person were taken in each month, ``2019-06``, in order; and how many nobody knows when."""

    n_photos: dict[str, int]
    n_undated: int


def count_months(reader: PeopleReader, person: int) -> Months:
    """Return when the photos of a person were taken; equal photos in several folders are counted once.

    Raises
    ------
    PersonError
        If there is no such person.
    """
    rows = reader.select(
        f"SELECT substr(f.taken, 1, 7), count(DISTINCT f.sha256) {_OF_PERSON} GROUP BY 1 ORDER BY 1",
        (reader.person(person).number,),
    )
    counts = dict(rows)
    return Months({month: n for month, n in counts.items() if month}, counts.get("", 0))


def rows_of_person(reader: PeopleReader, person: int, *, since: str = "", until: str = "") -> list[int]:
    """Return the rows of the newest table that show a person, of photos from then till then.

    Parameters
    ----------
    reader : PeopleReader
    person : int
    since, until : str
        As `people.store.queries.PhotoQuery` has them; photos without a date are left out where one is given.

    Raises
    ------
    PersonError
        If there is no such person.
    """
    condition, values = "", list[object]()
    if since:
        condition += " AND f.taken >= ?"
        values.append(since)
    if until:
        condition += " AND f.taken <> '' AND substr(f.taken, 1, length(?)) <= ?"
        values += [until, until]
    rows = reader.select(
        f"SELECT s.row {_OF_PERSON}{condition} ORDER BY s.row", (reader.person(person).number, *values)
    )
    return [row for (row,) in rows]
