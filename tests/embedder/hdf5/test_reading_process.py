from pathlib import Path

import h5py
import numpy as np

from embedder.hdf5.reading_process import answer


def ask(path: Path, *, outline_only: bool = False, size: int | None = None) -> dict:
    return answer(str(path).encode(), path.stat().st_size if size is None else size, outline_only=outline_only)


def test_reads_all_that_a_file_holds(tmp_path: Path) -> None:
    path = tmp_path / "a.h5"
    with h5py.File(path, "w") as file:
        file["group/numbers"] = np.arange(100_000)
        file["scalar"], file["text"], file["nothing"] = 7, ["Zoë", ""], h5py.Empty("f4")
        file["again"] = file["group"]  # a circle would be read for ever
        file["group/up"] = file["/"]
        file["link"], file["other"] = h5py.SoftLink("/none"), h5py.ExternalLink("none.h5", "x")
        file.create_dataset("lists", (2,), h5py.vlen_dtype(np.int32))[:] = [np.arange(3), np.arange(2)]
        file["text"].attrs["names"] = ["a", "b"]
        file.attrs["reference"] = file["text"].ref
    assert ask(path) == ask(path, outline_only=True)
    assert ask(path)["attributes"] == {"reference": None}
    assert ask(path)["members"] == ["again", "group", "link", "lists", "nothing", "other", "scalar", "text"]


def test_sizes_are_bounded_before_anything_is_read(tmp_path: Path) -> None:
    path = tmp_path / "a.h5"
    with h5py.File(path, "w") as file:
        file["numbers"] = np.arange(1000)
    assert ask(path, size=7999)["damage"] == "it says that it holds 8,000 bytes, more than the 7,999 of the file"
    with h5py.File(path, "w") as file:
        file.attrs["numbers"] = np.arange(1000)
    assert "8,000 bytes" in ask(path, size=7999)["damage"]
    with h5py.File(path, "w") as file:
        file.create_dataset("text", data=["x" * 9000])
    assert "9,000 bytes" in ask(path, size=8999)["damage"]


def test_compressed_data_may_be_larger_than_the_file(tmp_path: Path) -> None:
    path = tmp_path / "a.h5"
    with h5py.File(path, "w") as file:
        file.create_dataset("numbers", data=np.arange(4000) // 100, compression="gzip")
    assert path.stat().st_size < 32_000 and ask(path)["members"] == ["numbers"]


def test_a_file_that_is_no_hdf5_says_so_in_one_line(tmp_path: Path) -> None:
    path = tmp_path / "a.h5"
    path.write_bytes(b"\x89HDF\r\n\x1a\n" + bytes(40))
    damage = ask(path)["damage"]
    assert damage and "\n" not in damage
