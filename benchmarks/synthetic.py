"""A realistic log of any length, the same for the same seed: incidents with their alerts, pages and people, a score of
them at a time, between alerts that recur and open nothing.

Every body has the bytes that `events.encode` writes. A few dozen stories are encoded once and then told again under
other ids and at other times by replacing text, because encoding each event would take longer than what is measured.
"""

import math
import random
import sys
import tempfile
from collections import deque
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import islice
from pathlib import Path

import duckdb

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from events import Event, Fact, Stored, encode  # noqa: E402  the root is no package
from events.alert import AlertCleared, AlertFired, AlertPassedOver, AlertUpdated  # noqa: E402
from events.escalation import EscalationStarted, EscalationStopped, Level, LevelReached  # noqa: E402
from events.incident import (  # noqa: E402
    SEVERITIES,
    AlertLinked,
    ImpactEnded,
    ImpactStarted,
    IncidentAcknowledged,
    IncidentClosed,
    IncidentContained,
    IncidentDeclared,
    IncidentOpened,
    IncidentReopened,
    IncidentResolved,
    IncidentSeverityChanged,
    Noted,
    RoleAssigned,
)
from events.page import PageAnswered, PageAttempted, PageRequested, PageSent  # noqa: E402
from projections.warehouse import Warehouse  # noqa: E402
from services.projector.loading import LOAD_EVENTS  # noqa: E402

EPOCH = datetime(2026, 1, 5, 9, 0, tzinfo=UTC)
STORIES = 40
OPEN_AT_ONCE = 20
# An alert comes back again and again: about one distinct alert for this many incidents.
INCIDENTS_PER_ALERT = 25
EVENTS_PER_STORY = 32
PEOPLE = tuple(f"per-{n:010d}" for n in range(40))
SERVICES = ("checkout", "search", "payments", "catalogue", "login")

# Placeholders of the length of what replaces them, so that bodies keep their size.
_INCIDENT, _ALERT, _PAGE, _TIME, _ID = "INC-0000000", "alert000000", "page-000000", "2000-01-01T00:00:00Z", "i" * 16
_OCCURRENCE = 7_000_007

_Line = tuple[str, bytes]

TOLD_ONCE = 1_000_000
# The first digit of an incident's, page's and alert's number is 0 when it is told for the first time.
NUMBERS = "0123456789abcdefghijklmnopqrstuvwxyz"
_UNIX_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_RENUMBERED = (
    "replace(replace(replace({text}, 'INC-0', 'INC-' || $letter), 'page-0', 'page-' || $letter), "
    "'alert0', 'alert' || $letter)"
)
_TELL_AGAIN = f"""
select
    seq + $again * $once,
    {_RENUMBERED.format(text="subject")},
    epoch_us(recorded_at + to_years($again)),
    encode(replace(
        replace({_RENUMBERED.format(text="decode(body)")}, '"00000', '"' || $letter || '0000'),
        '"2026-', '"' || 2026 + $again || '-'
    ))
from told
where seq + $again * $once <= $last
order by seq
"""


def synthetic_log(events: int, *, seed: int = 1) -> Iterator[Stored]:
    """A log of so many events, from position 1.

    A longer one than `TOLD_ONCE` is that many events told again and again: with other incidents, pages and alerts, and
    a year later each time.
    """
    return _told(events, seed) if events <= TOLD_ONCE else _told_again(events, seed)


def _told_again(events: int, seed: int) -> Iterator[Stored]:
    with tempfile.TemporaryDirectory() as folder, duckdb.connect(str(Path(folder) / "told.duckdb")) as store:
        store.execute("set threads = 1")
        store.execute("create table told (seq bigint, subject varchar, recorded_at timestamptz, body blob)")
        first = _told(TOLD_ONCE, seed)
        while stretch := list(islice(first, LOAD_EVENTS)):
            with store.appender("told") as appender:
                appender.append_rows([(each.seq, each.subject, each.recorded_at, each.body) for each in stretch])
        for again in range(math.ceil(events / TOLD_ONCE)):
            store.execute(_TELL_AGAIN, {"again": again, "letter": NUMBERS[again], "last": events, "once": TOLD_ONCE})
            while rows := store.fetchmany(LOAD_EVENTS):
                for seq, subject, microseconds, body in rows:
                    yield Stored(seq, subject, _UNIX_EPOCH + timedelta(microseconds=microseconds), body)


def _told(events: int, seed: int) -> Iterator[Stored]:
    dice = random.Random(seed)
    templates = [_story(random.Random(seed * 1_000 + number)) for number in range(STORIES)]
    alerts = max(20, events // EVENTS_PER_STORY // INCIDENTS_PER_ALERT)
    occurrences: dict[str, int] = {}
    told: deque[Iterator[_Line]] = deque()
    incidents = 0
    for seq in range(1, events + 1):
        while len(told) < OPEN_AT_ONCE:
            incidents += 1
            alert = f"alert{dice.randrange(alerts):06d}"
            occurrences[alert] = occurrences.get(alert, 0) + 1
            told.append(_retell(dice.choice(templates), incidents, alert, occurrences[alert]))
        told.rotate(-dice.randrange(OPEN_AT_ONCE))
        line = next(told[0], None)
        while line is None:
            told.popleft()
            line = next(told[0], None)
        recorded_at = EPOCH + timedelta(seconds=2 * seq)
        happened_at = (recorded_at - timedelta(seconds=seq % 7)).strftime("%Y-%m-%dT%H:%M:%SZ")
        subject, body = line
        body = body.replace(_TIME.encode(), happened_at.encode()).replace(_ID.encode(), b"%016x" % seq)
        yield Stored(seq, subject, recorded_at, body)


def _retell(template: list[_Line], number: int, alert: str, occurrence: int) -> Iterator[_Line]:
    incident, page = f"INC-{number:07d}", f"page-{number:06d}"
    replaced = ((_INCIDENT, incident), (_ALERT, alert), (_PAGE, page), (str(_OCCURRENCE), str(occurrence)))
    for subject, body in template:
        for old, new in replaced:
            subject = subject.replace(old, new)
            body = body.replace(old.encode(), new.encode())
        yield subject, body


def _story(dice: random.Random) -> list[_Line]:
    """One incident from its alert to its end, as encoded lines."""
    ada, bob = dice.sample(PEOPLE, 2)
    service, severity = dice.choice(SERVICES), dice.choice(SEVERITIES)
    incident, alert, page = f"incident.{_INCIDENT}", f"alert.{_ALERT}", f"page.{_PAGE}"
    title = f"{service}: error rate above {dice.randrange(1, 9)} %"
    fired = AlertFired(
        integration="key-alertmanager",
        sender="alertmanager",
        fingerprint=_ALERT,
        occurrence=_OCCURRENCE,
        title=title,
        severity="critical",
        service=service,
        labels={"alertname": "ErrorRate", "service": service, "instance": f"{service}-{dice.randrange(9)}:9090"},
        annotations={"summary": title, "runbook_url": f"https://runbooks.example.org/{service}"},
    )
    lines: list[_Line] = []

    def tell(stream: str, fact: Fact, by: str = "") -> None:
        event = Event(
            id=_ID,
            fact=fact,
            happened_at=datetime.fromisoformat(_TIME),
            source="recount/incidents",
            actor=by,
            causation_id=_ID,
            correlation_id=_INCIDENT,
        )
        lines.append(encode(stream, event))

    tell(alert, fired)
    if dice.random() < 0.25:
        tell(alert, AlertPassedOver(occurrence=_OCCURRENCE, rule="severity", reason="below error"))
        tell(alert, AlertCleared())
        return lines
    tell(incident, IncidentOpened(title=title, severity=severity, service=service, rule="same service"))
    tell(incident, AlertLinked(alert_key=_ALERT, occurrence=_OCCURRENCE, title=title, rule="same service"))
    levels = (Level(targets=("rotation.primary",), answer_within_s=300),)
    tell(f"escalation.{_INCIDENT}", EscalationStarted(run=1, policy_id="default", levels=levels))
    tell(
        page,
        PageRequested(
            incident_id=_INCIDENT,
            person_id=ada,
            run=1,
            round=0,
            level=1,
            answer_within_s=300,
            target="rotation.primary",
        ),
    )
    tell(
        f"escalation.{_INCIDENT}",
        LevelReached(run=1, round=0, level=1, page_ids=(_PAGE,), next_at=datetime.fromisoformat(_TIME)),
    )
    tell(page, PageAttempted(channel="smtp", contact=0, attempt=1))
    tell(page, PageSent(channel="smtp", contact=0, attempt=1, provider_reference=f"<{_PAGE}@recount>"))
    tell(page, PageAnswered(answer="link"), ada)
    tell(incident, IncidentAcknowledged(page_id=_PAGE), ada)
    tell(f"escalation.{_INCIDENT}", EscalationStopped(run=1, reason="acknowledged"))
    tell(incident, ImpactStarted(scope=service, level=dice.randrange(1, 5)), ada)
    tell(incident, IncidentDeclared(title=title, severity=severity, service=service, reason="users affected"), ada)
    tell(incident, RoleAssigned(role="commander", person_id=bob), bob)
    tell(alert, AlertUpdated(title=f"{title}, rising", severity="critical"))
    for number in range(dice.randrange(2, 12)):
        tell(
            incident,
            Noted(text=f"step {number}: looked at {service}, nothing conclusive so far"),
            dice.choice((ada, bob)),
        )
    tell(incident, IncidentSeverityChanged(severity="sev1", previous=severity, reason="more regions"), bob)
    tell(incident, IncidentContained(summary="rolled back"), bob)
    tell(incident, ImpactEnded(scope=service), bob)
    tell(alert, AlertCleared())
    tell(incident, IncidentResolved(summary="error rate is back to normal"), bob)
    if dice.random() < 0.1:
        tell(incident, IncidentReopened(kind=dice.choice(("relapse", "mistaken")), reason="again", episode=2), ada)
        tell(incident, IncidentResolved(summary="now it is"), ada)
    if dice.random() < 0.7:
        tell(incident, IncidentClosed(waiver="small"), bob)
    return lines


def filled_warehouse(path: Path, log: Iterator[Stored], events: int) -> Warehouse:
    """A warehouse that has read so many events of a log, with its projections computed."""
    warehouse = Warehouse.open(path)
    while events:
        stretch = list(islice(log, min(events, LOAD_EVENTS)))
        events -= len(stretch)
        warehouse.load(stretch)
    warehouse.rebuild()
    return warehouse
