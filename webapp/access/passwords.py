"""The password of a page that other machines may reach: kept as its Argon2 hash in a file."""

from pathlib import Path

from foundation.atomic import write_bytes_atomically
from foundation.errors import InputError
from foundation.paths import display_path

MIN_LENGTH = 8


class Password:
    """A password, known by its hash alone.

    Parameters
    ----------
    hashed : str
        As `hash_password` makes it.
    """

    def __init__(self, hashed: str) -> None:
        self._hashed = hashed

    def verify(self, text: str) -> bool:
        """Return whether `text` is the password; takes about 50 ms."""
        from argon2 import PasswordHasher
        from argon2.exceptions import InvalidHashError, VerificationError

        try:
            return PasswordHasher().verify(self._hashed, text)
        except (VerificationError, InvalidHashError):
            return False


def hash_password(text: str) -> str:
    """Return the Argon2id hash of a password.

    Raises
    ------
    InputError
        If it is too short.
    """
    from argon2 import PasswordHasher

    if len(text) < MIN_LENGTH:
        raise InputError(f"a password must have {MIN_LENGTH} letters or more, got {len(text)}")
    return PasswordHasher().hash(text)


def write_password(path: Path, text: str) -> None:
    """Write the hash of a password to a file that only its owner may read.

    Raises
    ------
    InputError
        If it is too short.
    OSError
        If the file cannot be written.
    """
    write_bytes_atomically(path, f"{hash_password(text)}\n".encode(), is_private=True)


def read_password(path: Path) -> Password:
    """Read what `write_password` wrote.

    Raises
    ------
    InputError
        If it is no hash.
    OSError
        If it cannot be read.
    """
    text = path.read_text("utf-8").strip()
    if not text.startswith("$argon2"):
        raise InputError(
            f"{display_path(path)}: expected the hash of a password, found other text; make it: "
            f"facetable serve WORKSPACE --password-file {display_path(path)} --set-password"
        )
    return Password(text)
