"""What every endpoint needs: the workspace, its store, and who asks."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Lock
from typing import Annotated, Any, TypeVar

from fastapi import Depends, Request

from people.store.reader import PeopleReader
from people.store.store import PeopleStore
from people.workspace.workspace import Workspace
from webapp.access.tokens import Access

_MOST_KEPT = 8

Kept = TypeVar("Kept")


class StorePool:
    """Open stores of one workspace, each used by one request at a time.

    Opening a store checks it, which takes longer than most questions.

    Parameters
    ----------
    workspace : Workspace
    """

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace
        self._lock = Lock()
        self._kept: list[tuple[PeopleReader, int]] = []

    @contextmanager
    def reader(self) -> Iterator[PeopleReader]:
        """Lend a reader."""
        reader, file = self._take()
        try:
            yield reader
        except BaseException:
            reader.close()
            raise
        with self._lock:
            if len(self._kept) < _MOST_KEPT:
                self._kept.append((reader, file))
                return
        reader.close()

    @contextmanager
    def store(self, by: str) -> Iterator[PeopleStore]:
        """Open the store for decisions of somebody."""
        with PeopleStore(self._workspace.store, by=by) as store:
            yield store

    def close(self) -> None:
        """Close all."""
        with self._lock:
            while self._kept:
                self._kept.pop()[0].close()

    def _take(self) -> tuple[PeopleReader, int]:
        file = self._workspace.store.stat().st_ino  # another one after a backup was restored
        with self._lock:
            while self._kept:
                reader, of_file = self._kept.pop()
                if of_file == file:
                    return reader, file
                reader.close()
        return PeopleReader(self._workspace.store), file


class Context:
    """What the endpoints share; ``app.state.context``.

    Attributes
    ----------
    workspace : Workspace
    pool : StorePool
    access : Access
    cookie : str
        Name of the session's cookie.
    on_forget : list of callable
        Hear the name of somebody who was forgotten: what is kept of them in memory goes, too.
    """

    def __init__(self, workspace: Workspace, access: Access, *, cookie: str) -> None:
        self.workspace, self.access, self.cookie = workspace, access, cookie
        self.on_forget: list[Callable[[str], None]] = []
        self.pool = StorePool(workspace)
        self._kept: dict[str, Any] = {}
        self._lock = Lock()

    def kept(self, name: str, make: Callable[[], Kept]) -> Kept:
        """Return what other wings keep between requests under `name`, made the first time."""
        with self._lock:
            if name not in self._kept:
                self._kept[name] = make()
            found: Kept = self._kept[name]
            return found


def _context(request: Request) -> Context:
    context: Context = request.app.state.context
    return context


def _reader(context: Annotated[Context, Depends(_context)]) -> Iterator[PeopleReader]:
    with context.pool.reader() as reader:
        yield reader


def _store(request: Request, context: Annotated[Context, Depends(_context)]) -> Iterator[PeopleStore]:
    with context.pool.store(request.state.caller.name) as store:
        yield store


ContextOf = Annotated[Context, Depends(_context)]
Reader = Annotated[PeopleReader, Depends(_reader)]
Store = Annotated[PeopleStore, Depends(_store)]
