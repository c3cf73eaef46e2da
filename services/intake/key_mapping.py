"""Which mapping a key reads its payloads by. Pure."""

from collections.abc import Sequence

from events.audit import KeyMappingChanged
from events.recorded import Recorded
from services.command import CommandRefused
from services.intake.adapters import adapters
from services.intake.mapping import InvalidMapping, read_mapping
from services.intake.standing_key import require_standing


def check_mapping(asked: str, sender: str, mapping: str) -> None:
    """Refuse a mapping that is none, or is for a sender whose payloads need none. A key may be made before its mapping
    is written: what comes meanwhile is refused with that reason, and kept.

    Raises:
        CommandRefused: says what is wrong and what to do instead.
    """
    adapter = adapters().get(sender)
    if (adapter is None or adapter.configured is None) and mapping:
        those = ", ".join(sorted(name for name, one in adapters().items() if one.configured))
        raise CommandRefused(
            asked,
            because=f"payloads of {sender} are read without a mapping",
            instead=f"leave it out, or make a key for {those}",
            code="invalid",
        )
    if not mapping:
        return
    try:
        read_mapping(mapping)
    except InvalidMapping as error:
        raise CommandRefused(
            asked,
            because=str(error),
            instead="try it: recount intake try mapped --mapping FILE PAYLOAD",
            code="invalid",
        ) from error


def change_mapping(key_id: str, mapping: str, history: Sequence[Recorded]) -> KeyMappingChanged | None:
    """What it changes to read a key's payloads by a mapping.

    Args:
        key_id: the key.
        mapping: as TOML or JSON.
        history: of the key.

    Returns:
        None when that holds already.

    Raises:
        CommandRefused: there is no such key, or the mapping does not fit.
    """
    asked = f"Cannot change the mapping of {key_id}"
    created = require_standing(asked, history)
    if not mapping.strip():
        raise CommandRefused(asked, because="there is no mapping", instead="revoke the key to take nothing any more")
    check_mapping(asked, created.sender, mapping)
    present = created.mapping
    for recorded in history:
        if isinstance(recorded.fact, KeyMappingChanged):
            present = recorded.fact.mapping
    return KeyMappingChanged(mapping=mapping) if mapping != present else None
