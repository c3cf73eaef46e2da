"""Secrets: made at the first start, kept in the data folder with mode 0600. The log holds only their hashes."""

import hashlib
import os
import secrets
import string
from pathlib import Path
from typing import Literal, get_args

import msgspec

from events.errors import RecountError
from events.ids import new_id

FILE_NAME = "secrets.json"
FILE_MODE = 0o600
FOLDER_MODE = 0o700

Source = Literal["alertmanager", "pagerduty", "cloudevents", "json"]
"""Senders that get an integration key at the first start."""
SOURCES: tuple[Source, ...] = get_args(Source)

NatsUser = Literal["admin", "actors", "readers", "producer"]
"""Users of the embedded server, one a role."""
NATS_USERS: tuple[NatsUser, ...] = get_args(NatsUser)

# 32 letters and digits hold 190 bits. PagerDuty's clients expect a routing key of exactly 32 characters.
KEY_CHARACTERS = 32
_ALPHABET = string.ascii_letters + string.digits
# Bytes of a key for HMAC-SHA-256: as long as its digest (RFC 2104 section 3).
SIGNING_KEY_BYTES = 32


class Credential(msgspec.Struct, frozen=True, kw_only=True):
    """A secret and the id under which the log knows it."""

    id: str
    secret: str

    @property
    def sha256(self) -> str:
        """What the log holds of it."""
        return hash_secret(self.secret)


class Secrets(msgspec.Struct, frozen=True, kw_only=True):
    """Everything secret except the keys of people, which lie in ``people/``."""

    admin_token: Credential
    """Opens the web, the HTTP API and the command line."""
    keys: dict[Source, Credential]
    """One integration key a source."""
    nats: dict[NatsUser, str]
    """Passwords of the embedded server's users."""
    session_key: str
    """Signs session cookies and CSRF tokens; hexadecimal."""
    page_link_key: str
    """Signs acknowledgement links; hexadecimal."""


def new_secret() -> str:
    """A fresh random secret of letters and digits, fit for a URL."""
    return "".join(secrets.choice(_ALPHABET) for _ in range(KEY_CHARACTERS))


def hash_secret(secret: str) -> str:
    """SHA-256 in hexadecimal. The secrets are random and long, so no slow hash is needed."""
    return hashlib.sha256(secret.encode()).hexdigest()


def new_secrets() -> Secrets:
    """A complete fresh set."""
    return Secrets(
        admin_token=Credential(id=new_id("tok"), secret=new_secret()),
        keys={source: Credential(id=new_id("key"), secret=new_secret()) for source in SOURCES},
        nats={user: new_secret() for user in NATS_USERS},
        session_key=secrets.token_hex(SIGNING_KEY_BYTES),
        page_link_key=secrets.token_hex(SIGNING_KEY_BYTES),
    )


def load_secrets(data: Path) -> Secrets:
    """Read the secrets of a data folder.

    Raises:
        RecountError: there are none, or the file cannot be used.
    """
    path = data / FILE_NAME
    try:
        return msgspec.json.decode(path.read_bytes(), type=Secrets)
    except FileNotFoundError as error:
        raise RecountError(
            f"{data} holds no secrets yet", hint="`recount up` makes them at its first start."
        ) from error
    except (OSError, msgspec.DecodeError) as error:
        raise RecountError(
            f"{path} cannot be used: {error}", hint="Restore it from a backup, or move it away to make new secrets."
        ) from error


def ensure_secrets(data: Path) -> Secrets:
    """Read the secrets of a data folder, and make them when there are none. Makes the folder too, for its owner only.

    Raises:
        RecountError: the folder or the file cannot be used.
    """
    try:
        data.mkdir(mode=FOLDER_MODE, parents=True, exist_ok=True)
        if not (data / FILE_NAME).exists():
            write_private(data / FILE_NAME, msgspec.json.format(msgspec.json.encode(new_secrets())))
    except OSError as error:
        raise RecountError(
            f"the data folder {data} cannot be written: {error}", hint="Choose another with --data DIR."
        ) from error
    return load_secrets(data)


def write_private(path: Path, content: bytes) -> None:
    """Write a file that only its owner may read, whole or not at all."""
    part = path.with_name(f"{path.name}.part")
    part.unlink(missing_ok=True)
    descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, FILE_MODE)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    part.replace(path)
