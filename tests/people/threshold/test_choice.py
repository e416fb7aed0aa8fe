"""A chosen threshold stands in the settings, changes the head at once, and can be taken back."""

import pytest
from filelock import FileLock

from classifiers.errors import ThresholdError
from classifiers.files.head_file import load_head
from people.errors import WorkspaceError
from people.threshold.choice import choose_threshold, preset_threshold, threshold_for
from people.threshold.rates import measure_rates
from people.workspace.workspace import Workspace
from tests.people.threshold.made import RECORD, made_head, made_workspace


@pytest.fixture
def workspace(tmp_path):
    return made_workspace(tmp_path, made_head(30, 2))


def test_it_lasts_and_is_taken_back(workspace):
    before = load_head(workspace.head)
    file = workspace.folder / "workspace.toml"
    file.write_text(file.read_text() + "# mine\n")
    assert choose_threshold(workspace, 0.371) == 0.371
    changed = load_head(workspace.head)
    assert (changed.threshold, changed.threshold_record.source) == (0.371, "given")
    assert Workspace(workspace.folder).settings.threshold == 0.371 and file.read_text().endswith("# mine\n")
    assert choose_threshold(workspace, None) == pytest.approx(before.threshold)
    assert load_head(workspace.head).threshold_record == before.threshold_record
    assert Workspace(workspace.folder).settings.threshold == "auto"


def test_settings_of_before_get_a_line(workspace):
    file = workspace.folder / "workspace.toml"
    kept = [line for line in file.read_text().splitlines() if not line.startswith("threshold")]
    file.write_text("\n".join(kept))  # without an end of the last line, as editors leave it
    choose_threshold(Workspace(workspace.folder), 0.5)
    assert file.read_text().splitlines() == [*kept, "threshold = 0.5"]


def test_what_is_no_score_changes_nothing(workspace):
    before = (workspace.folder / "workspace.toml").read_text(), workspace.head.read_bytes()
    with pytest.raises(WorkspaceError, match=r"`threshold` must be auto or a score from -1 to 1, got 1\.5"):
        choose_threshold(workspace, 1.5)
    workspace.head.rename(workspace.head.with_suffix(".gone"))
    with pytest.raises(FileNotFoundError):
        choose_threshold(workspace, 0.5)
    workspace.head.with_suffix(".gone").rename(workspace.head)
    assert ((workspace.folder / "workspace.toml").read_text(), workspace.head.read_bytes()) == before


def test_a_network_without_a_curve_has_nothing_to_go_back_to(tmp_path):
    workspace = made_workspace(tmp_path, made_head(5, is_measured=False))
    choose_threshold(workspace, 0.4)
    with pytest.raises(ThresholdError, match="no threshold curve is known for these weights, and 5 people cannot"):
        choose_threshold(workspace, None)
    assert Workspace(workspace.folder).settings.threshold == 0.4


def test_while_a_scan_runs_the_head_is_left_to_it(workspace):
    before = workspace.head.read_bytes()
    with FileLock(workspace.lock):
        choose_threshold(workspace, 0.4)
    assert workspace.head.read_bytes() == before
    assert Workspace(workspace.folder).settings.threshold == 0.4


def test_the_presets_own_is_read_from_its_curve_or_measured(workspace):
    head = load_head(workspace.head)
    found = preset_threshold(head, None)
    assert found.value == pytest.approx(head.threshold)
    assert found.curve.thresholds == tuple(RECORD["curves"]["cosine"]["thresholds"])
    own = made_head(30, 2, is_measured=False)
    assert preset_threshold(own, None).value is None
    measured = measure_rates(own)
    assert preset_threshold(own, measured).value == measured.lowest_for(0.01)


def test_a_rate_needs_people_enough():
    assert threshold_for(measure_rates(made_head(30, 2)), 0.1) > 0
    with pytest.raises(ThresholdError, match="needs at least 30 named people, who play strangers in turn, got 29"):
        threshold_for(measure_rates(made_head(29, 2)), 0.1)
    with pytest.raises(ThresholdError, match="above 0 and below 1"):
        threshold_for(measure_rates(made_head(30, 2)), 1.0)
