"""The key that a command would change. Pure."""

from collections.abc import Sequence

from events.audit import KeyCreated, KeyRevoked
from events.recorded import Recorded
from services.command import CommandRefused


def require_standing(asked: str, history: Sequence[Recorded]) -> KeyCreated:
    """How a key was created that is not revoked.

    Raises:
        CommandRefused: there is no such key, or it was revoked.
    """
    created = history[0].fact if history else None
    if not isinstance(created, KeyCreated):
        raise CommandRefused(
            asked, because="there is no such key", instead="list them: recount keys list", code="not_found"
        )
    if any(isinstance(recorded.fact, KeyRevoked) for recorded in history):
        raise CommandRefused(asked, because="the key was revoked", instead="make a new one: recount keys create")
    return created
