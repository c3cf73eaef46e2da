"""Secrets with which senders sign: kept in the data folder with mode 0600, never in the log.

A signature is checked with the secret itself, so its hash, which is all that the log ever holds of an integration key,
would not do. The log holds an id of the secret: whoever has the log but not this file can forge nothing, and a machine
without the file knows that it must not let anything pass unchecked.
"""

from pathlib import Path

import msgspec

from events.errors import RecountError
from events.ids import new_id
from services.secrets import write_private

FILE_NAME = "signing.json"
# Secrets of one key that are kept: the present one, and the former until every process has heard of the present one.
PER_KEY_MAX = 2


class SigningSecret(msgspec.Struct, frozen=True, kw_only=True):
    """A secret that a sender signs with."""

    id: str
    """What the log knows it by."""
    key_id: str
    """The integration key that it belongs to."""
    secret: str


_DECODER = msgspec.json.Decoder(tuple[SigningSecret, ...])


class SigningSecrets:
    """The signing secrets of a data folder. Several processes read it; only the web writes it.

    Args:
        data: the data folder.
    """

    def __init__(self, data: Path) -> None:
        self._path = data / FILE_NAME
        self._seen: tuple[int, int] | None = None
        self._kept: tuple[SigningSecret, ...] = ()

    def get(self, signing_id: str) -> str | None:
        """The secret with an id; None when this machine does not have it.

        Raises:
            RecountError: the file cannot be used.
        """
        return next((kept.secret for kept in self._read() if kept.id == signing_id), None)

    def keep(self, key_id: str, secret: str) -> str:
        """Keep a secret of a key; it is on disk when this returns.

        Returns:
            Its id, the one that it has already when it is the key's present one.

        Raises:
            RecountError: the file cannot be used.
        """
        kept = self._read()
        own = [one for one in kept if one.key_id == key_id]
        if own and own[-1].secret == secret:
            return own[-1].id
        made = SigningSecret(id=new_id("sig"), key_id=key_id, secret=secret)
        others = tuple(one for one in kept if one.key_id != key_id)
        self._write((*others, *own[-(PER_KEY_MAX - 1) :], made))
        return made.id

    def forget(self, signing_id: str) -> None:
        """Drop a secret that no key took.

        Raises:
            RecountError: the file cannot be used.
        """
        self._write(tuple(one for one in self._read() if one.id != signing_id))

    def _write(self, secrets: tuple[SigningSecret, ...]) -> None:
        try:
            write_private(self._path, msgspec.json.format(msgspec.json.encode(secrets)))
        except OSError as error:
            raise RecountError(
                f"{self._path} cannot be written: {error}", hint="Look at its owner and mode."
            ) from error

    def _read(self) -> tuple[SigningSecret, ...]:
        try:
            status = self._path.stat()
            # It is replaced as a whole, so another file means another content.
            seen = (status.st_ino, status.st_mtime_ns)
            if seen != self._seen:
                self._kept = _DECODER.decode(self._path.read_bytes())
                self._seen = seen
        except FileNotFoundError:
            self._kept, self._seen = (), None
        except (OSError, msgspec.DecodeError) as error:
            raise RecountError(
                f"{self._path} cannot be used: {error}", hint="Restore it from a backup, or set the secrets again."
            ) from error
        return self._kept
