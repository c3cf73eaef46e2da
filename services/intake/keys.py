"""Integration keys: who may send what. The log holds the SHA-256 of each secret, and so does this."""

import asyncio
import hashlib
import hmac
from datetime import datetime

import msgspec

from events import EventLog
from events.audit import KeyCreated, KeyMappingChanged, KeyRevoked, KeyRotated, KeySigningChanged
from events.subjects import split

# A secret that nobody knows may be new, so the log is asked before it is refused: a 4xx would be final for an
# Alertmanager. Guesses of an attacker share one question in this many seconds.
LOOK_AGAIN_S = 0.1


class Key(msgspec.Struct, frozen=True, kw_only=True):
    """One integration key."""

    key_id: str
    sender: str
    """The adapter that it may speak to."""
    secret_sha256: str
    former_sha256: str = ""
    """The secret before the present one."""
    former_until_at: datetime | None = None
    """How long that is accepted beside it; None: no longer."""
    service: str = ""
    name: str = ""
    is_revoked: bool = False
    mapping: str = ""
    """How its payloads are read, for adapters that need one; see `services.intake.mapping`."""
    signing_id: str = ""
    """The secret that its sender signs with, where one was told to us; see `services.signing_secrets`."""


def secret_sha256(secret: str) -> str:
    """What the log holds instead of a secret."""
    return hashlib.sha256(secret.encode()).hexdigest()


class Keys:
    """The integration keys, folded from the log."""

    def __init__(self, log: EventLog) -> None:
        self._log = log
        self._by_id: dict[str, Key] = {}
        self._by_sha256: dict[str, Key] = {}
        self._looked_at = 0.0
        self._next_look: asyncio.Task[None] | None = None

    async def refresh(self) -> None:
        """Fold the keys again. There are few, and they change rarely.

        Raises:
            LogUnavailable: no answer; the keys stay as they were.
        """
        by_id: dict[str, Key] = {}
        for recorded in await self._log.read_category("key"):
            _category, key_id = split(recorded.stream)
            fact = recorded.fact
            if isinstance(fact, KeyCreated):
                by_id[key_id] = Key(
                    key_id=key_id,
                    sender=fact.sender,
                    secret_sha256=fact.secret_sha256,
                    service=fact.service,
                    name=fact.name,
                    mapping=fact.mapping,
                )
            elif isinstance(fact, KeyMappingChanged) and key_id in by_id:
                by_id[key_id] = msgspec.structs.replace(by_id[key_id], mapping=fact.mapping)
            elif isinstance(fact, KeyRevoked) and key_id in by_id:
                by_id[key_id] = msgspec.structs.replace(by_id[key_id], is_revoked=True)
            elif isinstance(fact, KeyRotated) and key_id in by_id:
                by_id[key_id] = msgspec.structs.replace(
                    by_id[key_id],
                    secret_sha256=fact.secret_sha256,
                    former_sha256=by_id[key_id].secret_sha256,
                    former_until_at=fact.former_until_at,
                )
            elif isinstance(fact, KeySigningChanged) and key_id in by_id:
                by_id[key_id] = msgspec.structs.replace(by_id[key_id], signing_id=fact.signing_id)
        self._by_id = by_id
        former = {key.former_sha256: key for key in by_id.values() if key.former_sha256}
        self._by_sha256 = former | {key.secret_sha256: key for key in by_id.values()}

    def get(self, key_id: str) -> Key | None:
        """The key with an id."""
        return self._by_id.get(key_id)

    def with_sha256(self, digest: str) -> Key | None:
        """The key whose secret, present or former, has a SHA-256."""
        return self._by_sha256.get(digest)

    async def find(self, secret: str, at: datetime) -> Key | None:
        """The key that a secret opens at a moment, revoked or not; None when there is none.

        Raises:
            LogUnavailable: the secret is unknown and the log does not answer, so it may be new.
        """
        key = self._find(secret, at)
        if key is None and secret:
            if self._next_look is None:
                self._next_look = asyncio.get_running_loop().create_task(self._look_again())
            # Shielded, because others wait for the same look.
            await asyncio.shield(self._next_look)
            key = self._find(secret, at)
        return key

    async def _look_again(self) -> None:
        loop = asyncio.get_running_loop()
        await asyncio.sleep(self._looked_at + LOOK_AGAIN_S - loop.time())
        self._looked_at = loop.time()
        # Whoever comes from now on may know a key that this look misses.
        self._next_look = None
        await self.refresh()

    def _find(self, secret: str, at: datetime) -> Key | None:
        digest = secret_sha256(secret)
        key = self._by_sha256.get(digest)
        if key is None:
            return None
        # Only digests are ever looked up or compared, so time tells nothing about a secret.
        if hmac.compare_digest(key.secret_sha256, digest):
            return key
        return key if key.former_until_at is not None and at < key.former_until_at else None
