"""JSON of any shape, read by the mapping that the integration key carries (`services.intake.mapping`).

For a sender that has no file of its own here and does not let you write its payload. ``recount intake try mapped
--mapping FILE PAYLOAD`` shows what a payload becomes before anything is sent.
"""

from functools import lru_cache
from typing import Any

import msgspec

from events.receipt import Receipt
from services.intake.adapters import Adapter, InvalidPayload, Reply
from services.intake.mapping import InvalidMapping, Mapping, MissingValue, read_mapping
from services.intake.payload import as_parsed, json_of
from services.intake.signal import Signal

NO_MAPPING = "the integration key carries no mapping: recount keys update KEY --mapping FILE"


def parse(_receipt: Receipt) -> tuple[Signal, ...]:
    """See `Adapter.parse`. Without a mapping nothing can be read."""
    raise InvalidPayload(NO_MAPPING)


def _parse_by(mapping: Mapping, receipt: Receipt) -> tuple[Signal, ...]:
    try:
        return mapping.signals(json_of(receipt, "JSON"))
    except MissingValue as fault:
        raise InvalidPayload(*str(fault).splitlines()) from fault


@lru_cache(maxsize=256)
def _configured(text: str) -> Adapter:
    if not text:
        return ADAPTER
    try:
        mapping = read_mapping(text)
    except InvalidMapping as error:
        because = str(error)

        def refuse(_receipt: Receipt) -> Any:
            raise InvalidPayload(f"the mapping of the integration key is wrong: {because}")

        return msgspec.structs.replace(ADAPTER, parse=refuse)
    return msgspec.structs.replace(ADAPTER, parse=lambda receipt: _parse_by(mapping, receipt))


def _accepted(parsed: tuple[Signal, ...], _receipt: Receipt) -> Reply:
    keys = [signal.fingerprint for signal in parsed]
    return Reply(202, msgspec.json.encode({"status": "accepted", "alerts": len(parsed), "keys": keys}))


ADAPTER = Adapter(
    name="mapped",
    parse=parse,
    signals=as_parsed,
    accepted=_accepted,
    configured=_configured,
)
