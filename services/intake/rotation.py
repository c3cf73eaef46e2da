"""A new secret for an integration key, and how long the former one is accepted. Pure."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from events.audit import KeyRotated
from events.recorded import Recorded
from services.command import CommandRefused
from services.intake.standing_key import require_standing


def rotate(
    key_id: str, secret_sha256: str, former_for: timedelta, history: Sequence[Recorded], now: datetime
) -> KeyRotated | None:
    """What it changes to give a key a new secret.

    Args:
        key_id: the key.
        secret_sha256: of the new secret.
        former_for: how long the former secret is accepted beside it; zero: no longer.
        history: of the key.
        now: from when on.

    Returns:
        None when the key has that secret already.

    Raises:
        CommandRefused: there is no such key, it was revoked, or it had that secret before.
    """
    asked = f"Cannot rotate {key_id}"
    created = require_standing(asked, history)
    secrets = [created.secret_sha256, *(one.fact.secret_sha256 for one in history if isinstance(one.fact, KeyRotated))]
    if secrets[-1] == secret_sha256:
        return None
    if secret_sha256 in secrets:
        raise CommandRefused(
            asked, because="the key had that secret before", instead="make a new secret", code="invalid"
        )
    return KeyRotated(secret_sha256=secret_sha256, former_until_at=now + former_for if former_for else None)
