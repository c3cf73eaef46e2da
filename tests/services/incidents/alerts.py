"""Alerts as the tests of incidents tell them, in a log or out of one."""

from datetime import datetime
from typing import Any

import msgspec

from events import Event, EventLog, Fact, Recorded, Write
from events.alert import AlertCleared, AlertFired, AlertSeverity, AlertUpdated
from events.ids import key_of
from services.clock import Clock
from services.command import Answer, Done, Order
from services.incidents.grouping import Firing, Rules, Ruling
from services.incidents.service import Incidents
from services.rules.ruleset import from_settings
from services.rules.verdict import Situation, verdict
from tests.services.incidents.story import ADA


def alert_key(name: str) -> str:
    """The key of an alert with this fingerprint."""
    return key_of("key-alertmanager", name)


def fired(
    name: str, *, severity: AlertSeverity = "critical", service: str = "checkout", occurrence: int = 1
) -> AlertFired:
    """An alert with a name for its title and fingerprint."""
    return AlertFired(
        integration="key-alertmanager",
        sender="alertmanager",
        fingerprint=name,
        occurrence=occurrence,
        title=name,
        severity=severity,
        service=service,
    )


def updated(name: str, severity: AlertSeverity) -> AlertUpdated:
    """A firing alert became more or less severe."""
    return AlertUpdated(title=name, severity=severity)


def ruled(firing: Firing, rules: Rules) -> Ruling:
    """What the settings say about a firing."""
    found = verdict(
        Situation(
            alert_key=firing.alert_key,
            occurrence=firing.occurrence,
            labels=firing.labels_to_match(),
            severity=firing.severity,
            service=firing.service,
            fired_at=firing.fired_at,
            rules=from_settings(rules.opens_at, rules.severity),
            now=firing.heard_at,
        )
    )
    return Ruling(found, 0)


async def happens(log: EventLog, clock: Clock, name: str, fact: Fact, *, at: datetime | None = None) -> Recorded:
    """Put an alert fact into the log."""
    stream = f"alert.{alert_key(name)}"
    history = await log.read(stream)
    event = Event(id=f"{name}-{len(history)}", fact=fact, happened_at=at or clock.now(), source="recount/intake")
    await log.append(Write(stream, history[-1].seq if history else 0, (event,)))
    return (await log.read(stream))[-1]


async def clears(log: EventLog, clock: Clock, name: str) -> Recorded:
    """The condition stops."""
    return await happens(log, clock, name, AlertCleared())


class People:
    """Those who ask things of the incidents service."""

    def __init__(self, incidents: Incidents, clock: Clock) -> None:
        self._incidents = incidents
        self._clock = clock
        self._asked = 0

    async def ask(self, verb: str, target: str = "", *, actor: str = ADA, order_id: str = "", **command: Any) -> Answer:
        """Give an order and hear the answer."""
        self._asked += 1
        order = Order(
            id=order_id or f"order-{self._asked}",
            actor=actor,
            issued_at=self._clock.now(),
            target=target,
            command=msgspec.Raw(msgspec.json.encode(command)),
        )
        return await self._incidents.handle(order, verb)

    async def do(self, verb: str, target: str = "", **command: Any) -> Done:
        """Give an order that is carried out."""
        answer = await self.ask(verb, target, **command)
        assert isinstance(answer, Done), answer
        return answer


async def incident_ids(log: EventLog) -> list[str]:
    """Every incident that was declared, oldest first."""
    history = await log.read_category("incident")
    return list(dict.fromkeys(past.stream.partition(".")[2] for past in history))


async def story_of(log: EventLog, stream: str) -> list[str]:
    """The types of a stream's facts."""
    return [str(past.fact.__struct_config__.tag) for past in await log.read(stream)]
