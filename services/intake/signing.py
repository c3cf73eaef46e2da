"""Whether a key expects signatures. Pure."""

from collections.abc import Sequence

from events.audit import KeySigningChanged
from events.ids import is_id
from events.recorded import Recorded
from services.command import CommandRefused
from services.intake.adapters import Adapter, adapters
from services.intake.standing_key import require_standing


def change_signing(key_id: str, signing_id: str, history: Sequence[Recorded]) -> KeySigningChanged | None:
    """What it changes to expect signatures on what comes with a key.

    Args:
        key_id: the key.
        signing_id: of the secret that its sender signs with; empty to expect none any more.
        history: of the key.

    Returns:
        None when that holds already.

    Raises:
        CommandRefused: there is no such key, or its sender does not sign with a secret.
    """
    asked = f"Cannot change the signing secret of {key_id}"
    created = require_standing(asked, history)
    if signing_id and not is_id(signing_id):
        raise CommandRefused(
            asked, because=f"{signing_id!r} is no id", instead="use 1 to 64 of A-Z a-z 0-9 _ -", code="invalid"
        )
    adapter = adapters().get(created.sender)
    if signing_id and (adapter is None or not _takes_secret(adapter)):
        how = "signs with a certificate of its own" if adapter and adapter.signature else "does not sign with a secret"
        those = ", ".join(sorted(name for name, one in adapters().items() if _takes_secret(one)))
        raise CommandRefused(
            asked, because=f"{created.sender} {how}", instead=f"leave it; those who do are {those}", code="invalid"
        )
    facts = [recorded.fact for recorded in history]
    present = next((fact.signing_id for fact in reversed(facts) if isinstance(fact, KeySigningChanged)), "")
    return KeySigningChanged(signing_id=signing_id) if signing_id != present else None


def _takes_secret(adapter: Adapter) -> bool:
    return adapter.signature is not None and adapter.signature.needs_secret
