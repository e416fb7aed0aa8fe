"""What packages offer is found by name and loaded when it is asked for; what cannot be loaded says so."""

import sys

import pytest

from foundation.errors import InputError
from foundation.plug_ins.loading import import_object, load_plug_in, plug_in_names


@pytest.fixture
def offer(tmp_path, monkeypatch):
    """Return a function that installs a package with entry points."""
    monkeypatch.syspath_prepend(str(tmp_path))

    def install(package: str, *entries: str, group: str = "facetable.heads") -> None:
        folder = tmp_path / f"{package}-1.0.dist-info"
        folder.mkdir()
        (folder / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {package}\nVersion: 1.0\n")
        (folder / "entry_points.txt").write_text("\n".join([f"[{group}]", *entries]))

    return install


def test_nothing_is_loaded_that_nobody_names(offer, tmp_path):
    (tmp_path / "offered_thing.py").write_text("class Thing: pass\n")
    offer("one", "thing = offered_thing:Thing", "other = no_such_module:Thing")
    assert plug_in_names("facetable.heads") == ["other", "thing"]
    assert "offered_thing" not in sys.modules
    assert load_plug_in("facetable.heads", "thing").__name__ == "Thing"
    assert load_plug_in("facetable.heads", "nothing") is None
    assert load_plug_in("facetable.sources", "thing") is None
    with pytest.raises(InputError, match=r"'other' of no_such_module:Thing cannot be loaded \(ModuleNotFoundError"):
        load_plug_in("facetable.heads", "other")


def test_a_name_that_two_packages_offer_is_refused(offer):
    offer("one", "thing = json:loads")
    offer("two", "thing = json:dumps")
    with pytest.raises(InputError, match=r"'thing' is offered by several packages \(json:dumps, json:loads\)"):
        load_plug_in("facetable.heads", "thing")


@pytest.mark.parametrize("place", ["", "json", ":loads", "json:", "nothing."])
def test_what_is_no_place_is_refused(place):
    with pytest.raises(InputError, match="must be module:Name"):
        import_object(place)


def test_what_is_not_there_says_what_to_do():
    assert import_object("json:loads") is import_object("json.loads")
    for place in ("json:no_such", "no_such_module:Head", "no_such_module.Head"):
        with pytest.raises(InputError, match=r"cannot be imported .*put its folder into PYTHONPATH"):
            import_object(place)


def test_a_package_offers_presets(offer, tmp_path, monkeypatch):
    from embedder.networks import presets

    (tmp_path / "offered_presets.py").write_text("def wrong():\n    return 5\nhere = '/no/such/preset.json'\n")
    offer("one", "wrong = offered_presets:wrong", "here = offered_presets:here", group="facetable.presets")
    with pytest.raises(InputError, match="`preset` wrong: expected its package to give the path of a JSON file, got 5"):
        presets.get_preset("wrong")
    with pytest.raises((OSError, ValueError), match=r"/no/such/preset\.json"):
        presets.get_preset("here")
    made = presets.PRESETS[presets.DEFAULT_PRESET]
    monkeypatch.setattr(presets, "read_preset", lambda path: made if str(path) == "/no/such/preset.json" else None)
    assert presets.get_preset("here") is made
    with pytest.raises(InputError, match=r"must be one of facenet-casia-20180408, .*, here, wrong"):
        presets.get_preset("nowhere")
