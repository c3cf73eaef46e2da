"""What ``recount rules try`` tries: alerts out of a payload or out of the log, and what stands beside them."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec

from events import RecountError
from events.ids import is_id, key_of
from events.receipt import Receipt
from services.cli.client import Api, connect
from services.cli.console import note
from services.cli.reading import catch_up
from services.cli.times import parsed
from services.intake.adapters import InvalidPayload, adapters
from services.intake.signal import Signal, fit
from services.rules.matchers import parse_all
from services.rules.rules_document import parse_rules
from services.rules.ruleset import RuleSet
from services.rules.silences import Silence
from services.rules.trying import Happening, Trial, Tried

_STANDING = """
    select alert_key, title, severity, coalesce(service, '') as service, sender, integration, labels, occurrence
    from alerts
    where state <> 'cleared' and occurrence > 0
"""
_SILENCES = "select silence_id, matchers, starts_at, ends_at, reason from silences"
_HAPPENED = """
    select
        stream_id as alert_key, replace(type, 'alert.', '') as kind, recorded_at as at, seq, title, severity, service,
        sender, integration, labels, occurrence, until_at
    from alert_facts
    where type in ('alert.fired', 'alert.updated', 'alert.cleared', 'alert.snoozed') and {wanted}
    order by seq
"""


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """What is to be tried. One of payload, alert key and hour."""

    payload: Path | None
    sender: str
    service: str
    content_type: str
    alert_key: str
    hour: str
    at: str
    rules: RuleSet | None
    """None: those that decide now."""


def tried_alerts(data: Path, asked: Asked) -> list[Tried]:
    """What the rules make of what is asked, in order.

    Raises:
        RecountError: it cannot be read, does not exist, or needs a running platform.
    """
    if sum((asked.payload is not None, bool(asked.alert_key), bool(asked.hour))) != 1:
        raise RecountError(
            "say what to try: a payload, --alert or --hour",
            hint="recount rules try payload.json --sender alertmanager",
        )
    if asked.payload is not None:
        happenings = list(_of_payload(asked))
        try:
            return _with_platform(data, asked, happenings)
        except RecountError as error:
            if asked.rules is None:
                raise
            note(f"Silences and other alerts are left out: {error}")
            return _run(Trial(asked.rules), happenings)
    return _with_platform(data, asked, None)


def _with_platform(data: Path, asked: Asked, happenings: list[Happening] | None) -> list[Tried]:
    with connect(data) as api:
        catch_up(api)
        rules = asked.rules or parse_rules(api.get("/api/rules")["text"], "the published rules")
        before: int | None = None
        if happenings is None:
            happenings, before = _of_hour(api, asked) if asked.hour else _of_alert(api, asked)
        silences = [_silence(row) for row in _rows(api, _SILENCES)]
        trial = Trial(rules, [each for each in silences if _may_hold(each, happenings)])
        # Before the first event there is nothing that stands.
        standing = _rows(api, _STANDING, as_of=before) if before != 0 else []
    tried = {happening.alert_key for happening in happenings}
    for row in standing:
        # What is tried fires when its turn comes; in a stored hour it may have fired before that, too.
        if row["alert_key"] not in tried or asked.hour:
            trial.stand(
                _happening(row | {"kind": "fired", "at": happenings[0].at if happenings else datetime.now(UTC)})
            )
    return _run(trial, happenings)


def _run(trial: Trial, happenings: Sequence[Happening]) -> list[Tried]:
    return [tried for happening in happenings if (tried := trial.take(happening)) is not None]


def _of_payload(asked: Asked) -> Iterator[Happening]:
    assert asked.payload is not None
    adapter = adapters().get(asked.sender)
    if adapter is None:
        raise RecountError(f"there is no sender {asked.sender!r}", hint=f"One of {', '.join(sorted(adapters()))}.")
    try:
        body = asked.payload.read_bytes()
    except OSError as error:
        raise RecountError(f"{asked.payload} cannot be read: {error.strerror}", hint="Name a file.") from error
    at = _moment(asked.at) if asked.at else datetime.now(UTC)
    integration = f"key-{asked.sender}"
    receipt = Receipt(
        seq=1,
        source=asked.sender,
        integration=integration,
        received_at=at,
        content_type=asked.content_type,
        body=body,
    )
    try:
        said = adapter.translate(receipt)
    except InvalidPayload as error:
        raise RecountError(
            f"{asked.payload} is no payload of {asked.sender}: {error}", hint="Name its sender with --sender."
        ) from error
    for signal in said:
        if isinstance(signal, Signal) and signal.state == "firing":
            yield _of_signal(fit(signal), asked, integration, at)


def _of_signal(signal: Signal, asked: Asked, integration: str, at: datetime) -> Happening:
    return Happening(
        kind="fired",
        at=at,
        alert_key=key_of(integration, signal.fingerprint),
        title=signal.title,
        severity=signal.severity,
        service=signal.service or asked.service,
        sender=asked.sender,
        integration=integration,
        labels=signal.labels,
    )


def _of_hour(api: Api, asked: Asked) -> tuple[list[Happening], int]:
    """What was recorded in an hour, and the log position before it."""
    begins = _moment(asked.hour)
    bounds = (f"timestamp '{moment:%Y-%m-%d %H:%M:%S.%f}'" for moment in (begins, begins + timedelta(hours=1)))
    rows = _rows(api, _HAPPENED.format(wanted="recorded_at >= {} and recorded_at < {}".format(*bounds)))
    return [_happening(row) for row in rows], int(rows[0]["seq"]) - 1 if rows else 0


def _of_alert(api: Api, asked: Asked) -> tuple[list[Happening], int]:
    """The last firing of an alert, and the log position before it."""
    if not is_id(asked.alert_key):
        raise RecountError(
            f"{asked.alert_key!r} is no key of an alert", hint="`select alert_key from alerts` lists them."
        )
    rows = _rows(api, _HAPPENED.format(wanted=f"stream_id = '{asked.alert_key}'"))
    fired = [row for row in rows if row["kind"] == "fired"]
    if not fired:
        raise RecountError(
            f"no alert {asked.alert_key} ever fired",
            hint='`recount sql "select alert_key, title from alerts"` lists them.',
        )
    happening = _happening(fired[-1])
    if asked.at:
        happening = msgspec.structs.replace(happening, at=_moment(asked.at))
    return [happening], int(fired[-1]["seq"]) - 1


def _may_hold(silence: Silence, happenings: Sequence[Happening]) -> bool:
    return bool(happenings) and silence.starts_at <= happenings[-1].at and silence.ends_at > happenings[0].at


def _silence(row: dict[str, Any]) -> Silence:
    starts_at, ends_at = parsed(row["starts_at"]), parsed(row["ends_at"])
    assert starts_at is not None
    assert ends_at is not None
    return Silence(
        silence_id=row["silence_id"],
        matchers=parse_all(row["matchers"]),
        starts_at=starts_at,
        ends_at=ends_at,
        reason=row["reason"],
    )


def _happening(row: dict[str, Any]) -> Happening:
    told = {name: value for name, value in row.items() if value is not None and name != "seq"}
    times = {name: parsed(told[name]) for name in ("at", "until_at") if isinstance(told.get(name), str)}
    return Happening(**(told | times))


def _rows(api: Api, sql: str, *, as_of: int | None = None) -> list[dict[str, Any]]:
    answer = api.post("/api/sql", json={"sql": sql} | ({"as_of": as_of} if as_of is not None else {}))
    if answer["truncated"]:
        note(f"Only the first {len(answer['rows']):,} rows of the log's answer are tried.")
    names = [column["name"] for column in answer["columns"]]
    return [dict(zip(names, row, strict=True)) for row in answer["rows"]]


def _moment(text: str) -> datetime:
    try:
        moment = parsed(text)
    except ValueError as error:
        raise RecountError(f"{text!r} is no time", hint="Write 2026-03-01T14:05:00Z.") from error
    assert moment is not None
    return moment
