"""A storm, short: the log grows by what changes, every alert is placed once, and the appends are few."""

from datetime import timedelta

import msgspec

from events import EventLog, Write
from events.incident import AlertLinked, IncidentDeclared
from events.nats_log import NatsLog
from events.receipt import Receipt
from services.clock import SystemClock
from services.incidents.service import Incidents
from services.intake.keys import Keys
from services.intake.translator import Translator

SERVICES = ("checkout", "search")
ALERTS, REPEATS, ALERTS_PER_RECEIPT = 400, 20, 40


class Counting:
    """A log that counts what is asked of it."""

    def __init__(self, log: EventLog) -> None:
        self._log = log
        self.appends = self.reads = 0

    def __getattr__(self, name: str) -> object:
        return getattr(self._log, name)

    async def append(self, *writes: Write) -> int:
        self.appends += 1
        return await self._log.append(*writes)

    async def read(self, stream: str, *, after: int = 0) -> object:
        self.reads += 1
        return await self._log.read(stream, after=after)


def receipts(clock: SystemClock) -> list[Receipt]:
    """Every alert, again and again, as Alertmanager groups them."""
    began_at = clock.now()
    alerts = [
        {
            "status": "firing",
            "labels": {"alertname": f"Host{n}", "severity": "critical", "service": SERVICES[n % len(SERVICES)]},
            "fingerprint": f"fp-{n}",
            "startsAt": began_at,
        }
        for n in range(ALERTS)
    ]
    chunks = [alerts[first : first + ALERTS_PER_RECEIPT] for first in range(0, ALERTS, ALERTS_PER_RECEIPT)]
    return [
        Receipt(
            seq=number,
            source="alertmanager",
            integration="key-alertmanager",
            received_at=began_at + timedelta(milliseconds=number),
            content_type="application/json",
            body=msgspec.json.encode({"version": "4", "alerts": chunk}),
        )
        for number, chunk in enumerate(chunks * REPEATS, start=1)
    ]


async def test_the_log_grows_by_what_changes_and_the_appends_are_few(nats_log: NatsLog):
    clock = SystemClock()
    intake_log, incidents_log = Counting(nats_log), Counting(nats_log)
    translator = Translator(intake_log, Keys(nats_log))  # type: ignore[arg-type]
    incidents = Incidents(incidents_log, clock)  # type: ignore[arg-type]
    sent = receipts(clock)
    for first in range(0, len(sent), 50):
        assert await translator.handle(sent[first : first + 50], settled=True) == {}
    assert intake_log.reads == 0  # that an alert is new is asked for many at once, and a repeat asks nothing
    fired = await nats_log.read_named("alert", "fired")
    assert len(fired) == ALERTS == await nats_log.last_position()
    await incidents.on_events(fired)
    placed = [past.fact for past in await nats_log.read_category("incident")]
    linked = [fact.alert_key for fact in placed if isinstance(fact, AlertLinked)]
    assert len(linked) == len(set(linked)) == ALERTS
    declared = [fact.service for fact in placed if isinstance(fact, IncidentDeclared)]
    assert sorted(declared) == sorted(SERVICES)
    assert incidents_log.appends <= 2 * ALERTS / 200
    position = await nats_log.last_position()
    await incidents.on_events(fired)
    assert await nats_log.last_position() == position
