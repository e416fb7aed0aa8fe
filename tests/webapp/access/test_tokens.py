"""Files of tokens and passwords: private, read strictly."""

import stat

import pytest

from foundation.errors import InputError
from webapp.access.passwords import read_password, write_password
from webapp.access.tokens import Access, Caller, TooManyTriesError, read_tokens


def write(path, text, mode=0o600):
    path.write_text(text, "utf-8")
    path.chmod(mode)
    return path


def test_tokens_have_scopes_and_names(tmp_path):
    file = write(tmp_path / "tokens", "# mine\n\n4fd2c7a91be03c55 read,recognize front door\n")
    assert read_tokens(file) == {"4fd2c7a91be03c55": Caller("front door", frozenset({"read", "recognize"}))}


@pytest.mark.parametrize("line", ["short read x", "4fd2c7a91be03c55 write x", "4fd2c7a91be03c55 read", "4fd2"])
def test_lines_that_are_no_tokens(tmp_path, line):
    with pytest.raises(InputError, match="line 1: expected a token of 16 letters"):
        read_tokens(write(tmp_path / "tokens", line + "\n"))


def test_others_may_not_read_the_tokens(tmp_path):
    with pytest.raises(InputError, match="found mode 644; run: chmod 600"):
        read_tokens(write(tmp_path / "tokens", "", 0o644))


def test_a_password_is_kept_as_its_hash(tmp_path):
    file = tmp_path / "password"
    write_password(file, "correct horse")
    assert file.read_text().startswith("$argon2id$") and stat.S_IMODE(file.stat().st_mode) == 0o600
    access = Access(password=read_password(file))
    assert access.opens_session("correct horse", "1.2.3.4") and not access.opens_session("correct horsE", "1.2.3.4")
    with pytest.raises(InputError, match="8 letters or more, got 5"):
        write_password(file, "short")
    with pytest.raises(InputError, match="--set-password"):
        read_password(write(file, "correct horse"))


def test_one_address_cannot_lock_out_another():
    access = Access(start_token="right")
    for _ in range(5):
        assert access.caller_of_token("wrong", "1.2.3.4") is None
    with pytest.raises(TooManyTriesError):
        access.caller_of_token("right", "1.2.3.4")
    assert access.caller_of_token("right", "5.6.7.8") is not None


def test_the_memory_of_wrong_tries_and_sessions_is_bounded():
    access = Access()
    first = access.open_session()
    for number in range(1_100):
        access.caller_of_token("wrong", str(number))
        access.open_session()
    assert len(access._wrong_tries) == len(access.sessions._opened) == 1_000
    assert access.caller_of_session(first) is None
