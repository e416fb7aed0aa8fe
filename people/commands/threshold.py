"""``facetable people WORKSPACE threshold``: show what one's people say about thresholds, choose one, go back."""

import argparse
from typing import TYPE_CHECKING, Any

from foundation.text import pluralize
from people.errors import WorkspaceError

if TYPE_CHECKING:
    from people.threshold.choice import PresetThreshold
    from people.threshold.rates import Band, OwnRates
    from people.workspace.workspace import Workspace


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the action."""
    what = parser.add_mutually_exclusive_group()
    what.add_argument("--set", type=float, metavar="T", help="give a face a name from this score on")
    what.add_argument("--fpir", type=float, metavar="P", help="the lowest that lets this share of strangers through")
    what.add_argument("--reset", action="store_true", help="take the preset's own again")


def run(workspace: "Workspace", arguments: argparse.Namespace) -> dict[str, Any]:
    """Choose a threshold if one is given, print what holds, and return it as what JSON can hold."""
    from classifiers.files.head_file import load_head
    from people.threshold.choice import choose_threshold, preset_threshold, threshold_for
    from people.threshold.rates import mark_of, measure_rates, read_rates, save_rates

    if not workspace.head.is_file():
        raise WorkspaceError(
            f"{workspace.folder}: expected named people that a scan has learned, found none; name somebody, then scan"
        )
    head = load_head(workspace.head)
    measured = read_rates(workspace, mark_of(head))
    if measured is None:
        measured = measure_rates(head)
        save_rates(workspace, measured)
    if arguments.reset:
        choose_threshold(workspace, None)
    elif arguments.set is not None or arguments.fpir is not None:
        wanted = arguments.set if arguments.fpir is None else threshold_for(measured, arguments.fpir)
        choose_threshold(workspace, wanted)
    now = load_head(workspace.head).threshold
    preset, chosen = preset_threshold(head, measured), workspace.settings.threshold
    print("\n".join(_lines(measured, preset, now, is_chosen=chosen != "auto")))
    place = measured.at(now)
    return {
        "threshold": now,
        "chosen": None if chosen == "auto" else chosen,
        "preset": preset.value,
        "n_people": measured.n_people,
        "n_photos": measured.n_photos,
        "n_probed_people": measured.n_probed_people,
        "n_probes": measured.n_probes,
        "fpir": _at(measured.fpir, place),
        "tpir": _at(measured.tpir, place),
    }


def _lines(measured: "OwnRates", preset: "PresetThreshold", threshold: float, *, is_chosen: bool) -> list[str]:
    """Return what is known about a threshold, for people."""
    from people.threshold.rates import LEAST_PEOPLE, LEAST_PROBED_PEOPLE

    own = "" if preset.value is None else f"; the preset's own is {preset.value:.3f}"
    place, people = measured.at(threshold), pluralize(measured.n_people, "person", "people")
    lines = [f"threshold {threshold:.3f}, {'chosen' if is_chosen else 'not chosen by anybody'}{own}"]
    if measured.fpir is None:
        needed = f"strangers: not measured on your {people}, which takes {LEAST_PEOPLE}"
        curve = preset.curve
        lines.append(needed if curve is None else f"{needed}; the preset's is for 1 in 100 on {curve.measured_on}")
    else:
        lines.append(f"strangers given a name: {_percent(measured.fpir, place)}, each of {people} having played one")
    if measured.tpir is None:
        lines.append(
            f"found: not measured, {measured.n_probed_people:,} people have a second photo, which takes "
            f"{LEAST_PROBED_PEOPLE}"
        )
    else:
        lines.append(
            f"found: {_percent(measured.tpir, place)} of {pluralize(measured.n_probes, 'face')} of "
            f"{measured.n_probed_people:,} people, each looked for among all others"
        )
    return lines


def _at(band: "Band | None", place: int) -> dict[str, float] | None:
    return None if band is None else {name: getattr(band, name)[place] for name in ("value", "low", "high")}


def _percent(band: "Band", place: int) -> str:
    return f"{band.value[place]:.1%} ({band.low[place]:.1%} to {band.high[place]:.1%})"
