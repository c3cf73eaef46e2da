"""Splunk, the webhook alert action (docs.splunk.com, "Use a webhook alert action").

Splunk posts a fixed object with the first row of the result, and can send neither headers nor another body: so the key
is in the URL, and what Recount should know beyond the search's name belongs into that row
(``| eval severity="critical", service="checkout", key=host``). The URL must be on Splunk's webhook allow list (9.0 and
later).

Splunk never says that an alert is over, and sends once. The alert is the saved search, each run (``sid``) an
occurrence; with the field ``key`` in the row it is one per value, as a search that triggers for each result needs.
"""

import re
from datetime import datetime
from typing import Any

import msgspec

from events.receipt import Receipt
from services.intake.adapters import Adapter, InvalidPayload
from services.intake.payload import accepted, epoch_moment, identity, object_of, said, text_at, unknown_severity
from services.intake.signal import Signal, severity_of, words

# ``scheduler__admin__search__RMD5…_at_1427942640_178``; a real-time search, ``rt_…``, keeps one id for all its results.
_SCHEDULED = re.compile(r"(?P<search>.+)_at_(?P<epoch>\d+)_.*")
_AD_HOC = re.compile(r"(?P<epoch>\d+)\.\d+.*")
# Seconds since 1970, from 2001 to 2286.
EPOCH_DIGITS = 10
# Fields of the row that say where it happened.
_LABELS = ("host", "source", "sourcetype", "index", "user", "src", "dest")
_OURS = ("severity", "service", "title", "key")


class Payload(msgspec.Struct, frozen=True):
    """What the action posted, checked."""

    search: str
    started_at: datetime | None
    row: dict[str, Any]
    whole: dict[str, Any]


def parse(receipt: Receipt) -> Payload:
    """See `Adapter.parse`."""
    whole = object_of(receipt, "what Splunk's webhook action sends")
    sid, name, row = text_at(whole, "sid"), text_at(whole, "search_name"), whole.get("result")
    if not sid and not name:
        raise InvalidPayload("neither sid nor search_name is there")
    if row is not None and not isinstance(row, dict):
        raise InvalidPayload("result is not an object: it is the first row of the search")
    is_real_time = sid.startswith("rt_")
    scheduled = _SCHEDULED.fullmatch(sid)
    run = scheduled or _AD_HOC.fullmatch(sid)
    search = name or (scheduled["search"] if scheduled else sid)
    epoch = run["epoch"] if run and not is_real_time else ""
    return Payload(search, epoch_moment(epoch) if len(epoch) == EPOCH_DIGITS else None, row or {}, whole)


def signals(payload: Payload, receipt: Receipt) -> tuple[Signal, ...]:
    """See `Adapter.signals`."""
    row = {name: words(value) for name, value in payload.row.items()}
    labels = {"search_name": payload.search, "app": text_at(payload.whole, "app")} | {
        name: row.get(name, "") for name in _LABELS
    }
    annotations = {f"result_{name}": value for name, value in row.items() if name not in _OURS}
    annotations |= {"sid": text_at(payload.whole, "sid"), "owner": text_at(payload.whole, "owner")}
    severity = row.get("severity") or row.get("urgency") or ""
    labels |= unknown_severity(severity)
    return (
        Signal(
            state="firing",
            fingerprint=identity(text_at(payload.whole, "app"), payload.search, row.get("key", "")),
            title=row.get("title") or payload.search,
            severity=severity_of(severity),
            service=row.get("service", ""),
            labels=said(labels),
            annotations=said(annotations),
            url=text_at(payload.whole, "results_link"),
            started_at=payload.started_at or receipt.received_at,
        ),
    )


ADAPTER = Adapter(
    name="splunk",
    parse=parse,
    signals=signals,
    accepted=lambda _payload, _receipt: accepted(1),
)
