"""The commands of each page, typed one after the other on real photos, do what the page says, without a warning."""

import warnings
from pathlib import Path

import pytest

import facetable
from embedder.runtime.cache import cache_folder
from tests import PROJECT
from tests.docs.pages import COMMAND, PAGES, TERMINAL, blocks_of, shell_lines_in, words_of
from tests.docs.scenes import SCENES, Scene

PAGE_OF = {page.stem: page for page in PAGES}


def lines_to_run(page: Path) -> list[str]:
    """Return the lines for a terminal that a page does not say are not run."""
    blocks = [block for block in blocks_of(page) if block.language in TERMINAL and block.not_run is None]
    return [line for block in blocks for line in shell_lines_in(block)]


def in_this_scene(word: str, scene: Scene, folder: Path) -> str:
    """Return a word of a command as somebody would type it who works in `folder`."""
    return scene.words.get(word, word).replace("~", str(folder / "home"))


@pytest.mark.realdata
@pytest.mark.timeout(300)
@pytest.mark.parametrize("name", SCENES)
def test_the_commands_of_a_page_work(name, data, tmp_path, monkeypatch, capsys) -> None:
    pytest.importorskip("matplotlib")
    scene, lines = SCENES[name], lines_to_run(PAGE_OF[name])
    monkeypatch.setenv("FACETABLE_CACHE", str(cache_folder()))
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.syspath_prepend(tmp_path)  # where a class of one's own lies
    monkeypatch.chdir(tmp_path)
    for step in scene.before:
        step(tmp_path, data)
    used: set[str] = set()
    for line in lines:
        assert COMMAND.match(line), f"{line!r} is no command of ours; write why it is not run above the block"
        words = words_of(line)
        if any(key in line for key, is_here in scene.needs.items() if not is_here):
            continue
        command = " ".join(words)
        for beginning, step in scene.by_hand.items():
            if command.startswith(beginning):
                step(tmp_path, data)
                used.add(beginning)
        words = [in_this_scene(word, scene, tmp_path) for word in words]
        wanted = next((code for start, code in scene.exit_codes.items() if command.startswith(start)), 0)
        capsys.readouterr()
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            code = facetable.main([*words, *scene.more.get(words[0], [])])
        assert code == wanted, (command, capsys.readouterr().err)
    assert used == set(scene.by_hand)
    if scene.check is not None:
        scene.check(tmp_path, data)


def test_each_scene_has_commands() -> None:
    assert [name for name in SCENES if not lines_to_run(PAGE_OF[name])] == []
    assert (PROJECT / "README.md") in PAGES
