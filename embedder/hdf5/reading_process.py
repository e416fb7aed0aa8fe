"""What runs in a process of its own: read HDF5 files as their users will, within a time and a memory limit.

The parent gives this source to a fresh interpreter (``python -I -S -c``), so it stands on nothing of this project. It
reads one line of JSON, says ``ready`` when its imports are done, and answers each file with one line of JSON. Whatever
happens to it inside the HDF5 library, an endless loop, a crash, the end of its memory, happens to no other process.
"""

import json
import os
import signal
import sys
from collections.abc import Iterator
from typing import Any

READY = "ready"

_BASE_BYTES = 256 << 20
_BYTES_A_BYTE = 2
"""Memory a file may take beyond what the interpreter has: 256 MiB and twice its own size."""

_BLOCK_BYTES = 8 << 20
_MOST_COMPRESSION = 16
"""How many times its size a compressed file may hold; embeddings, most of a table, hardly shrink at all."""


class Unsound(Exception):
    """What is wrong with a file."""


def main() -> None:
    """Answer the request on standard input."""
    request = json.loads(sys.stdin.readline())
    sys.path[:] = request["sys_path"]
    import h5py  # noqa: F401 - imported before the limits hold

    print(READY, flush=True)
    for encoded, seconds in request["files"]:
        name = bytes.fromhex(encoded)
        size = os.stat(name).st_size  # noqa: PTH116 - a name of any bytes
        _limit(size, seconds)
        print(json.dumps(answer(name, size, outline_only=request["outline_only"])), flush=True)
    if hasattr(signal, "setitimer"):
        signal.setitimer(signal.ITIMER_PROF, 0)


def answer(name: bytes, size: int, *, outline_only: bool) -> dict[str, Any]:
    """Return what a file holds at its root, or with ``damage`` alone what is wrong with it.

    Parameters
    ----------
    name : bytes
        The file.
    size : int
        Its bytes.
    outline_only : bool
        Read the root's own attributes and names, not all data.
    """
    import h5py

    try:
        with h5py.File(name, "r", locking=False) as file:
            outline = _outline(file, size)
            if not outline_only:
                _Reader(size).read_all(file)
            return outline
    except Unsound as reason:
        return {"damage": str(reason)}
    except MemoryError:
        return {"damage": "it asks for more memory than a file of its size can fill"}
    except Exception as error:  # noqa: BLE001 - whatever damaged data makes the library raise
        return {"damage": " ".join(str(error).split())[:300] or type(error).__name__}


def _limit(size: int, seconds: float) -> None:
    """Let the next file take `seconds` of computing, and memory by its size; where the system can do that."""
    if hasattr(signal, "setitimer"):
        # Its default action ends the process also inside C, where no Python handler would run.
        signal.signal(signal.SIGPROF, signal.SIG_DFL)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGPROF})
        signal.setitimer(signal.ITIMER_PROF, seconds)
    try:
        import resource

        with open("/proc/self/statm", encoding="ascii") as statm:  # noqa: PTH123 - pathlib is not loaded here
            taken = int(statm.read().split()[0]) * os.sysconf("SC_PAGE_SIZE")
        _, hard = resource.getrlimit(resource.RLIMIT_AS)
        wanted = taken + _BASE_BYTES + _BYTES_A_BYTE * size
        soft = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
        resource.setrlimit(resource.RLIMIT_AS, (soft, hard))
    except (ImportError, OSError, ValueError):
        return  # no such limit on this system


def _outline(file: Any, size: int) -> dict[str, Any]:
    reader = _Reader(size)
    attributes = dict(reader.attributes(file))
    shown = {name: value if isinstance(value, (str, int)) else None for name, value in attributes.items()}
    return {"attributes": shown, "members": list(file)}


class _Reader:
    """Reads all of a file, block by block, and counts what comes out: never more than the file can hold."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._n_text_bytes = 0
        self._n_bytes = 0

    def read_all(self, file: Any) -> None:
        """Read every attribute and dataset that is inside the file, each once."""
        import h5py

        seen: set[int] = set()
        to_read = [file]
        while to_read:
            item = to_read.pop()
            address = h5py.h5o.get_info(item.id).addr
            if address in seen:
                continue
            seen.add(address)
            for _ in self.attributes(item):
                pass
            if isinstance(item, h5py.Group):
                links = ((name, item.get(name, getlink=True)) for name in item)
                to_read += [item[name] for name, link in links if isinstance(link, h5py.HardLink)]
            elif isinstance(item, h5py.Dataset):
                self._read(item)

    def attributes(self, item: Any) -> Iterator[tuple[str, Any]]:
        """Yield the attributes of a group or dataset."""
        for name in item.attrs:
            handle = item.attrs.get_id(name)
            self._check(handle.get_space().get_simple_extent_npoints() * handle.get_type().get_size())
            try:
                value = item.attrs[name]
            except TypeError:
                continue  # of a type that NumPy does not have: nobody reads it
            self._count(value)
            yield name, value

    def _read(self, dataset: Any) -> None:
        shape = dataset.shape
        if shape is None or dataset.external or dataset.is_virtual:
            return  # no data, or data of other files, which nobody reads
        n_cells = 1
        for length in shape:
            n_cells *= length
        n_bytes = n_cells * dataset.id.get_type().get_size()
        self._n_bytes += n_bytes // (_MOST_COMPRESSION if dataset.id.get_create_plist().get_nfilters() else 1)
        self._check(self._n_bytes)
        try:
            _ = dataset.dtype
        except TypeError:
            return
        if not shape or not n_cells:
            self._count(dataset[()])
            return
        step = max(1, _BLOCK_BYTES * shape[0] // n_bytes)
        for start in range(0, shape[0], step):
            self._count(dataset[start : start + step])

    def _check(self, n_bytes: int) -> None:
        if n_bytes > self._size:
            raise Unsound(f"it says that it holds {n_bytes:,} bytes, more than the {self._size:,} of the file")

    def _count(self, value: Any) -> None:
        """Count text and lists of varying length: their bytes are not part of the shape."""
        if isinstance(value, str):
            self._n_text_bytes += len(value)
        elif value.__class__.__name__ == "ndarray" and value.dtype.hasobject:
            self._n_text_bytes += sum(map(_n_bytes, value.ravel()))
        self._check(self._n_text_bytes)


def _n_bytes(cell: Any) -> int:
    """Return the length of a text or list in HDF5's heap; other objects, such as references, have none."""
    if isinstance(cell, (bytes, str)):
        return len(cell)
    return int(getattr(cell, "nbytes", 0))


if __name__ == "__main__":
    main()
