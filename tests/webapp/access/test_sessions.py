"""Sessions: they outlive a restart, but not another password, another reader's rights or their time."""

import json
import stat

import pytest

from webapp.access import sessions as sessions_module
from webapp.access.sessions import LONGEST_S, Sessions


def test_a_session_outlives_a_restart_and_ends_by_signing_out(tmp_path):
    path = tmp_path / "sessions.json"
    session = Sessions(path, opened_by="one").open()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600 and session not in path.read_text()
    again = Sessions(path, opened_by="one")
    assert again.has(session) and not again.has(session[:-1])
    again.close(session)
    assert not again.has(session) and not Sessions(path, opened_by="one").has(session)


def test_what_another_password_opened_counts_no_more(tmp_path):
    session = Sessions(tmp_path / "s", opened_by="one").open()
    assert not Sessions(tmp_path / "s", opened_by="two").has(session)


def test_a_session_ends_with_its_time(tmp_path):
    now = [1_000.0]
    sessions = Sessions(tmp_path / "s", clock=lambda: now[0])
    session = sessions.open()
    now[0] += LONGEST_S - 1
    assert sessions.has(session)
    now[0] += 2
    assert not sessions.has(session)
    now[0] = 0.0  # the clock was set back
    assert sessions.has(session)


@pytest.mark.parametrize("content", [b"", b"[", b"[]", b'{"opened_by": 1}', b"\xff"])
def test_a_damaged_file_opens_nothing_and_is_written_anew(tmp_path, content):
    path = tmp_path / "s"
    path.write_bytes(content)
    sessions = Sessions(path)
    session = sessions.open()
    assert Sessions(path).has(session)


def test_a_file_that_others_may_write_opens_nothing(tmp_path):
    session = Sessions(tmp_path / "s").open()
    (tmp_path / "s").chmod(0o644)
    assert not Sessions(tmp_path / "s").has(session)
    Sessions(tmp_path / "s").open()
    assert stat.S_IMODE((tmp_path / "s").stat().st_mode) == 0o600


def test_where_nothing_can_be_written_sessions_end_with_the_server(tmp_path):
    sessions = Sessions(tmp_path / "nowhere" / "s")
    assert sessions.has(sessions.open()) and not (tmp_path / "nowhere").exists()


def test_the_oldest_go_first(tmp_path, monkeypatch):
    monkeypatch.setattr(sessions_module, "MOST_SESSIONS", 2)
    sessions = Sessions(tmp_path / "s")
    opened = [sessions.open() for _ in range(3)]
    assert [sessions.has(one) for one in opened] == [False, True, True]
    assert len(json.loads((tmp_path / "s").read_text())["sessions"]) == 2
