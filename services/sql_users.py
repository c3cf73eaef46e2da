"""Who may ask in SQL over the PostgreSQL wire: names and SCRAM verifiers, in a file of the data folder.

The file is read again when it has changed, so a user who is added or removed counts at the next login.
"""

import hashlib
import hmac
import re
import secrets
import stringprep
import unicodedata
from datetime import datetime
from pathlib import Path

import msgspec

from events.errors import RecountError
from services.secrets import write_private

FILE_NAME = "sql_users.json"
# A name is typed into connection strings, so it needs no escaping there.
NAME = re.compile(r"[a-z_][a-z0-9_-]{0,62}")
USERS_MAX = 10_000

# RFC 7677 section 4 asks for at least 4,096 and PostgreSQL uses that too: our passwords are random and long.
ITERATIONS = 4_096
SALT_BYTES = 16
KEY_BYTES = 32


class Verifier(msgspec.Struct, frozen=True):
    """What is kept of a password (RFC 5802 section 3): nobody can read it from this."""

    salt: bytes
    iterations: int
    stored_key: bytes
    server_key: bytes


class SqlUser(msgspec.Struct, frozen=True):
    """Somebody who may ask."""

    name: str
    created_at: datetime
    verifier: Verifier


class SqlUsers:
    """The users of one data folder."""

    def __init__(self, data: Path) -> None:
        self._path = data / FILE_NAME
        self._read_at: tuple[int, int] | None = None
        self._users: dict[str, SqlUser] = {}

    def find(self, name: str) -> SqlUser | None:
        """The user of a name.

        Raises:
            RecountError: the file cannot be used.
        """
        self._read()
        return self._users.get(name)

    def all(self) -> list[SqlUser]:
        """Everybody, by name."""
        self._read()
        return sorted(self._users.values(), key=lambda user: user.name)

    def add(self, name: str, password: str, now: datetime) -> SqlUser:
        """Let somebody ask.

        Raises:
            RecountError: the name cannot be one, or is taken.
        """
        if not NAME.fullmatch(name):
            raise RecountError(
                f"{name!r} cannot be a name", hint="It has 1 to 63 of a-z 0-9 _ - and begins with a letter or _."
            )
        self._read()
        if name in self._users:
            raise RecountError(f"there is a SQL user {name} already", hint="Remove it first for a new password.")
        if len(self._users) >= USERS_MAX:
            raise RecountError(f"there are {USERS_MAX} SQL users already", hint="Remove those that are not used.")
        user = SqlUser(name, now, make_verifier(password))
        self._write(self._users | {name: user})
        return user

    def remove(self, name: str) -> None:
        """Let somebody ask no more; who is connected stays so until they leave.

        Raises:
            RecountError: there is no such user.
        """
        self._read()
        if name not in self._users:
            raise RecountError(f"there is no SQL user {name}", hint="`recount sql-users list` names them.")
        self._write({key: user for key, user in self._users.items() if key != name})

    def _read(self) -> None:
        try:
            found = self._path.stat()
            if self._read_at == (found.st_mtime_ns, found.st_ino):
                return
            self._users = {user.name: user for user in msgspec.json.decode(self._path.read_bytes(), type=list[SqlUser])}
            self._read_at = (found.st_mtime_ns, found.st_ino)
        except FileNotFoundError:
            self._users, self._read_at = {}, None
        except (OSError, msgspec.DecodeError) as error:
            raise RecountError(
                f"{self._path} cannot be used: {error}", hint="Restore it from a backup, or remove it and add users."
            ) from error

    def _write(self, users: dict[str, SqlUser]) -> None:
        try:
            write_private(self._path, msgspec.json.format(msgspec.json.encode(list(users.values()))))
        except OSError as error:
            raise RecountError(f"{self._path} cannot be written: {error}", hint="Is there room on the disk?") from error
        self._read_at = None


def make_verifier(password: str, *, salt: bytes = b"", iterations: int = ITERATIONS) -> Verifier:
    """What to keep of a password; the salt is random when none is given."""
    salt = salt or secrets.token_bytes(SALT_BYTES)
    salted = hashlib.pbkdf2_hmac("sha256", _prepared(password).encode(), salt, iterations)
    client_key = hmac_sha256(salted, b"Client Key")
    return Verifier(salt, iterations, hashlib.sha256(client_key).digest(), hmac_sha256(salted, b"Server Key"))


def stand_in(name: str, key: bytes) -> Verifier:
    """The verifier of a user who does not exist: no password fits it, and its salt stays the same, so that a stranger
    cannot tell (RFC 5802 section 9).

    Args:
        name: the user's.
        key: a secret, or a stranger could compute the salt.
    """
    salt = hmac_sha256(key, b"salt of " + name.encode())[:SALT_BYTES]
    return Verifier(salt, ITERATIONS, secrets.token_bytes(KEY_BYTES), secrets.token_bytes(KEY_BYTES))


def hmac_sha256(key: bytes, content: bytes) -> bytes:
    """HMAC of RFC 5802."""
    return hmac.digest(key, content, "sha256")


def _prepared(password: str) -> str:
    """SASLprep (RFC 4013): mapped and normalised; a password that it forbids is used as it is, as PostgreSQL does."""
    mapped = "".join(
        " " if stringprep.in_table_c12(character) else character
        for character in password
        if not stringprep.in_table_b1(character)
    )
    prepared = unicodedata.ucd_3_2_0.normalize("NFKC", mapped)
    return password if any(map(_is_prohibited, prepared)) or not prepared else prepared


def _is_prohibited(character: str) -> bool:
    return any(
        table(character)
        for table in (
            stringprep.in_table_c12,
            stringprep.in_table_c21_c22,
            stringprep.in_table_c3,
            stringprep.in_table_c4,
            stringprep.in_table_c5,
            stringprep.in_table_c6,
            stringprep.in_table_c7,
            stringprep.in_table_c8,
            stringprep.in_table_c9,
        )
    )
