"""The cache: entries made once, whole or made again, and folders that others may write to refused."""

import hashlib
import json
import os
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest

from embedder.errors import CacheError, WeightsError
from embedder.runtime import cache as cache_module
from embedder.runtime.cache import cache_folder, cached_file, describe_others, open_cache_folder


def written(content: bytes, calls: list[int]) -> Callable[[Path], None]:
    def produce(target: Path) -> None:
        calls.append(1)
        target.write_bytes(content)

    return produce


def test_cached_file_is_made_once(cache: Path) -> None:
    calls: list[int] = []
    paths = {cached_file("net", ["a"], written(b"content", calls)) for _ in range(3)}
    assert len(calls) == 1
    assert paths.pop().read_bytes() == b"content"


def test_every_setting_is_part_of_the_key(cache: Path) -> None:
    calls: list[int] = []
    for settings in (["a", "b"], ["ab"], ["a", "c"], ["b", "a"]):
        cached_file("net", settings, written(b"content", calls))
    assert len(calls) == 4


@pytest.mark.parametrize(
    "damage",
    [
        lambda path: path.write_bytes(b""),
        lambda path: path.write_bytes(path.read_bytes()[:-1]),
        lambda path: path.write_bytes(b"cOntent"),
        lambda path: path.unlink(),
        lambda path: path.with_suffix(".json").unlink(),
        lambda path: path.with_suffix(".json").write_bytes(b""),
        lambda path: path.with_suffix(".json").write_text("[]"),
    ],
)
def test_a_damaged_entry_is_made_again(cache: Path, damage: Callable[[Path], None]) -> None:
    calls: list[int] = []
    path = cached_file("net", ["a"], written(b"content", calls))
    damage(path)
    assert cached_file("net", ["a"], written(b"content", calls)).read_bytes() == b"content"
    cached_file("net", ["a"], written(b"content", calls))
    assert len(calls) == 2


def test_a_failed_attempt_leaves_nothing_but_the_lock(cache: Path) -> None:
    def produce(target: Path) -> None:
        target.write_bytes(b"half")
        raise WeightsError("stopped")

    with pytest.raises(WeightsError, match="stopped"):
        cached_file("net", ["a"], produce)
    assert [path.suffix for path in cache.iterdir()] == [".lock"]


def test_leftovers_of_a_killed_run_are_removed(cache: Path) -> None:
    path = cached_file("net", ["a"], written(b"content", []))
    leftover = cache / f".{path.stem}.abc.tmp"
    leftover.write_bytes(b"half")
    path.unlink()
    cached_file("net", ["a"], written(b"content", []))
    assert not leftover.exists()


def test_a_name_cannot_lead_out_of_the_cache(cache: Path) -> None:
    assert cached_file("../../net/x", ["a"], written(b"content", [])).parent == cache


def test_an_unwritable_cache_names_the_remedy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "file"
    file.write_text("")
    monkeypatch.setenv("FACETABLE_CACHE", str(file / "cache"))
    with pytest.raises(OSError, match=r"cannot write the cache folder .*; set FACETABLE_CACHE to a folder") as caught:
        cached_file("net", ["a"], written(b"content", []))
    assert "\n" not in str(caught.value)


def test_cache_folder_defaults_to_the_platforms(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FACETABLE_CACHE", "")
    assert cache_folder().name == "facetable"
    monkeypatch.setenv("FACETABLE_CACHE", "/some/where")
    assert cache_folder() == Path("/some/where")


def test_the_record_holds_the_hash_of_the_file(cache: Path) -> None:
    path = cached_file("net", ["a"], written(b"content", []))
    record = json.loads(path.with_suffix(".json").read_text())
    assert record == {"sha256": hashlib.sha256(b"content").hexdigest(), "source": "a"}


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_entries_of_other_versions_go_when_a_new_one_is_made(cache: Path) -> None:
    old = cached_file("net", ["weights", "1"], written(b"old", []))
    probe = cached_file(f"{old.stem}-probe", [old.stem], written(b"2", []), suffix=".txt")
    before_sources = cache / f"net-{'0' * 16}.onnx"
    before_sources.write_bytes(b"older")
    before_sources.with_suffix(".json").write_text(json.dumps({"sha256": "0" * 64}))
    kept = [
        cached_file("net", ["other weights", "1"], written(b"of other weights", [])),
        cached_file("net-int8", ["weights", "1"], written(b"int8", [])),
        cached_file("other", ["weights", "1"], written(b"other", [])),
        cache / "net-notes.onnx",
    ]
    kept[-1].write_bytes(b"not ours")
    new = cached_file("net", ["weights", "2"], written(b"new", []))
    assert new.read_bytes() == b"new"
    assert all(path.is_file() for path in kept)
    assert not old.exists() and not probe.exists() and not before_sources.exists()
    assert [name for name in names(cache) if name.startswith((old.stem, before_sources.stem))] == []


def test_a_whole_entry_is_used_without_cleaning(cache: Path) -> None:
    old = cached_file("net", ["weights", "1"], written(b"old", []))
    new = cached_file("net", ["weights", "2"], written(b"new", []))
    cached_file("net", ["weights", "1"], written(b"old", []))
    assert old.exists() and not new.exists()
    before = names(cache)
    cached_file("net", ["weights", "1"], written(b"old", []))
    assert names(cache) == before


def test_the_folder_is_made_for_its_owner_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FACETABLE_CACHE", str(tmp_path / "a" / "cache"))
    umask = os.umask(0)
    try:
        folder = open_cache_folder()
    finally:
        os.umask(umask)
    assert folder.stat().st_mode & 0o777 == 0o700


def owned_by(user: int, *, group: int = 0, mode: int = 0o700) -> os.stat_result:
    return SimpleNamespace(st_uid=user, st_gid=group, st_mode=0o40000 | mode)  # type: ignore[return-value]


ME, OTHER = 54321, 54322  # numbers without names, as in containers


@pytest.mark.parametrize(
    ("folder", "expected"),
    [
        (owned_by(ME), ""),
        (owned_by(0, mode=0o755), ""),
        (owned_by(ME, group=OTHER, mode=0o755), ""),
        (owned_by(ME, group=ME, mode=0o775), ""),
        (owned_by(0, group=0, mode=0o2775), ""),
        (owned_by(OTHER), f"user {OTHER} owns it"),
        (owned_by(ME, group=OTHER, mode=0o770), f"group {OTHER} may write to it"),
        (owned_by(ME, mode=0o777), "everybody may write to it"),
        (owned_by(0, mode=0o1777), "everybody may write to it"),
        (owned_by(ME, mode=0o702), "everybody may write to it"),
    ],
)
def test_whoever_else_may_write_is_named(folder: os.stat_result, expected: str) -> None:
    assert describe_others(folder, ME) == expected


@pytest.mark.parametrize(
    ("group", "members", "expected"),
    [
        ("ada", [], ""),
        ("ada", ["ada"], ""),
        ("ada", ["ada", "eve"], "group ada may write to it"),
        ("users", [], "group users may write to it"),
    ],
)
def test_a_group_of_the_users_own_may_write(
    group: str, members: list[str], expected: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    import grp
    import pwd

    monkeypatch.setattr(grp, "getgrgid", lambda _: SimpleNamespace(gr_name=group, gr_mem=members))
    monkeypatch.setattr(pwd, "getpwuid", lambda _: SimpleNamespace(pw_name="ada"))
    assert describe_others(owned_by(ME, group=77, mode=0o770), ME) == expected


def test_a_folder_that_all_may_write_to_is_refused_even_where_it_holds_the_file(cache: Path) -> None:
    cached_file("net", ["a"], written(b"content", []))
    cache.chmod(0o777)
    with pytest.raises(
        CacheError,
        match=r"cache: expected a cache folder that only you may write to, found that everybody may write to it, .*; "
        r"run chmod go-w .* after emptying it, or set FACETABLE_CACHE to a folder of your own",
    ) as caught:
        cached_file("net", ["a"], written(b"content", []))
    assert "\n" not in str(caught.value)


def test_a_file_that_somebody_else_left_is_made_again(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[int] = []
    cached_file("net", ["a"], written(b"content", calls))
    monkeypatch.setattr(cache_module, "_is_ours", lambda path: False)
    cached_file("net", ["a"], written(b"content", calls))
    assert len(calls) == 2


def test_a_link_to_a_folder_is_followed(cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = cached_file("net", ["a"], written(b"content", []))
    (tmp_path / "link").symlink_to(cache)
    monkeypatch.setenv("FACETABLE_CACHE", str(tmp_path / "link"))
    assert cached_file("net", ["a"], written(b"content", [])).samefile(path)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_read_only_cache_serves_what_it_holds(cache: Path) -> None:
    cached_file("net", ["a"], written(b"content", []))
    cache.chmod(0o500)
    try:
        assert cached_file("net", ["a"], written(b"content", [])).read_bytes() == b"content"
        with pytest.raises(CacheError, match="cannot write the cache folder"):
            cached_file("net", ["b"], written(b"content", []))
    finally:
        cache.chmod(0o700)
