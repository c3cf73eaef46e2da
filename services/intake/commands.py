"""What may be asked of intake, on ``cmd.intake.<verb>``."""

from typing import Annotated

import msgspec

from services.command import Command, read_command, verbs_of

# A former secret that is accepted for longer was not replaced: 90 days.
FORMER_FOR_MAX_S = 90 * 24 * 3_600

EXPIRY_PURPOSE = "alert_expiry"
"""What the timer is for that intake sets, and each repeat moves, of an alert that may expire."""


class CreateKey(Command, frozen=True, tag="create_key"):
    """Let a sender in. The asker makes the secret and keeps it, so that it crosses neither the bus nor the log."""

    sender: str
    """The adapter, such as ``alertmanager``."""
    secret_sha256: str
    """SHA-256 of the secret, 64 hex digits."""
    name: str = ""
    service: str = ""
    """Service of alerts that do not name one themselves."""
    key_id: str = ""
    """Chosen by intake when empty."""
    mapping: str = ""
    """How payloads are read, as TOML or JSON: for the sender ``mapped``, which needs one."""


class RotateKey(Command, frozen=True, tag="rotate_key"):
    """Give a key a new secret. The asker makes it, as with `CreateKey`."""

    secret_sha256: str
    """SHA-256 of the new secret, 64 hex digits."""
    key_id: str = ""
    """May be given as the order's target instead."""
    former_for_s: Annotated[int, msgspec.Meta(ge=0, le=FORMER_FOR_MAX_S)] = 0
    """How long the former secret is accepted beside the new one, in seconds; 0: no longer."""


class RevokeKey(Command, frozen=True, tag="revoke_key"):
    """Shut a sender out."""

    key_id: str = ""
    """May be given as the order's target instead."""
    reason: str = ""


class SignKey(Command, frozen=True, tag="sign_key"):
    """Expect signatures on what comes with a key. The asker keeps the secret, so that it crosses neither the bus nor
    the log."""

    key_id: str = ""
    """May be given as the order's target instead."""
    signing_id: str = ""
    """What `services.signing_secrets` knows the secret by; empty: expect none any more."""


class MapKey(Command, frozen=True, tag="map_key"):
    """Read the payloads of a key by another mapping from now on."""

    mapping: str
    """TOML or JSON."""
    key_id: str = ""
    """May be given as the order's target instead."""


class Replay(Command, frozen=True, tag="replay"):
    """Try a dead letter of intake again, with today's adapter."""

    dead_letter_id: str = ""
    """May be given as the order's target instead."""


class ShowReceipt(Command, frozen=True, tag="receipt"):
    """Tell how one payload came and how it begins. Changes nothing."""

    receipt_seq: int
    """Its position in INTAKE."""


IntakeCommand = CreateKey | RotateKey | RevokeKey | SignKey | MapKey | Replay | ShowReceipt
VERBS: dict[str, type[IntakeCommand]] = verbs_of(IntakeCommand)
"""Every verb with its command: ``{"create_key": CreateKey, …}``."""


def parse(verb: str, body: bytes) -> IntakeCommand:
    """Read a command from its JSON. See `services.command.read_command`."""
    return read_command("intake", VERBS, verb, body)
