"""Zabbix, the webhook media type whose script and parameters are in ``docs/senders.md``.

Zabbix has no body of its own: the script posts the macros of "Supported macros" (zabbix.com/documentation) as one
object. It throws when it is not answered with a 2xx, and Zabbix then tries again as the media type says.

The alert is the problem, ``EVENT.ID``, as in Zabbix's own media types for PagerDuty and Opsgenie: a recovery and an
update carry the id of the problem, and a trigger may have several problems at once. A macro that Zabbix could not
expand stays as ``{MACRO}`` or becomes ``*UNKNOWN*``; both count as nothing said. The button *Test* of a media type
expands none at all: it is answered as any other, and says nothing.
"""

import re
from typing import Any

import msgspec

from events.alert import AlertSeverity
from events.receipt import Receipt
from services.intake.adapters import Adapter, InvalidPayload, Reply
from services.intake.payload import epoch_moment, object_of, said, text_at
from services.intake.signal import Signal, State, words

# Not classified, information, warning, average, high, disaster (Zabbix's trigger severities).
_SEVERITIES: tuple[AlertSeverity, ...] = ("unknown", "info", "warning", "warning", "error", "critical")
_UNEXPANDED = re.compile(r"\{[A-Z0-9.<>\"$_:-]+\}|\*UNKNOWN\*")
_LABELS = ("host_name", "host_ip", "host_groups", "trigger_id")
_ANNOTATIONS = ("message", "opdata", "trigger_description", "event_id", "recovery_id")
# Tags whose value names what the problem is about, the most telling first.
_SERVICE_TAGS = ("service", "application", "component")


class Payload(msgspec.Struct, frozen=True):
    """What the script posted, checked: the macros that Zabbix expanded, and the tags of the event."""

    event_id: str
    """Empty for a test."""
    is_problem: bool
    is_update: bool
    macros: dict[str, str]
    tags: dict[str, str]


def parse(receipt: Receipt) -> Payload:
    """See `Adapter.parse`."""
    posted = object_of(receipt, "what the media type posts")
    macros = {name: _expanded(value) for name, value in posted.items()}
    event_id, value = macros.get("event_id", ""), macros.get("event_value", "")
    if posted.get("event_id") == "{EVENT.ID}" and not value:
        return Payload("", False, False, {}, {})
    errors = [] if event_id else ["event_id is missing: the media type needs the parameter {EVENT.ID}"]
    if value not in ("0", "1"):
        errors.append(f"event_value {value[:40]!r} is neither 1 (problem) nor 0 (recovery), as {{EVENT.VALUE}} is")
    if errors:
        raise InvalidPayload(*errors)
    return Payload(event_id, value == "1", macros.get("update_status") == "1", macros, _tags(macros.get("tags", "")))


def _expanded(value: Any) -> str:
    text = words(value).strip()
    return "" if _UNEXPANDED.fullmatch(text) else text


def _tags(text: str) -> dict[str, str]:
    # {EVENT.TAGSJSON}: a list of {"tag": …, "value": …}; a tag may be there several times.
    try:
        listed = msgspec.json.decode(text) if text else []
    except msgspec.MsgspecError:
        return {}
    found: dict[str, str] = {}
    for each in listed if isinstance(listed, list) else []:
        name, value = text_at(each, "tag"), text_at(each, "value")
        if name:
            found[name] = f"{found[name]},{value}" if name in found else value
    return found


def signals(payload: Payload, _receipt: Receipt) -> tuple[Signal, ...]:
    """See `Adapter.signals`."""
    if not payload.event_id:
        return ()
    macros = payload.macros
    labels = {name: macros.get(name, "") for name in _LABELS}
    level = macros.get("nseverity", "")
    is_over = not payload.is_problem and not payload.is_update
    began_at, ended_at = epoch_moment(macros.get("timestamp")), epoch_moment(macros.get("recovery_timestamp"))
    told = Signal(
        state=_state(payload),
        fingerprint=payload.event_id,
        title=macros.get("event_name") or f"Zabbix problem {payload.event_id}",
        severity=_SEVERITIES[int(level)] if level in ("0", "1", "2", "3", "4", "5") else "unknown",
        service=next((payload.tags[name] for name in _SERVICE_TAGS if payload.tags.get(name)), ""),
        # Not "severity": rules then see Recount's own word for it.
        labels=said(payload.tags | labels | {"trigger_severity": macros.get("severity", "")}),
        annotations=said({name: macros.get(name, "") for name in _ANNOTATIONS}),
        url=macros.get("url", ""),
        started_at=began_at,
        ended_at=ended_at if is_over else None,
        note=_note(macros) if payload.is_update else "",
        author=macros.get("update_user", "") if payload.is_update else "",
    )
    if payload.is_update and payload.is_problem and told.state != "resolved":
        # It may be the first that is heard of the problem, and its severity may be another now.
        return msgspec.structs.replace(told, state="firing", note="", author=""), told
    return (told,)


def _state(payload: Payload) -> State:
    if not payload.is_update:
        return "firing" if payload.is_problem else "resolved"
    # {EVENT.UPDATE.ACTION} is a sentence: "acknowledged, commented", "unacknowledged", "closed", "changed severity …".
    acts = [act.strip() for act in payload.macros.get("update_action", "").split(",")]
    if "closed" in acts:
        return "resolved"
    return "acknowledged" if "acknowledged" in acts else "noted"


def _note(macros: dict[str, str]) -> str:
    return ": ".join(text for text in (macros.get("update_action", ""), macros.get("update_message", "")) if text)


ADAPTER = Adapter(
    name="zabbix",
    parse=parse,
    signals=signals,
    accepted=lambda payload, _receipt: Reply(
        200, msgspec.json.encode({"status": "accepted", "event_id": payload.event_id})
    ),
)
