"""Random histories that keep the promises of the writers, and try whatever those allow: alerts that come back, links
taken back, merges and their undoing, reopenings of both kinds, pages of every fate, corrections, retractions of events
of any stream (some with a mistake in them), and events of other families between them. The same dice give the same
history."""

import random
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from events import Event, Fact, Stored, decode, encode
from events.alert import AlertAcknowledged, AlertCleared, AlertClearedUnseen, AlertFired, AlertPassedOver, AlertUpdated
from events.audit import (
    DeadLetterRecorded,
    DeadLetterReplayed,
    KeyCreated,
    KeyRevoked,
    KeySigningChanged,
    KeySubscriptionAsked,
    KeySubscriptionFailed,
)
from events.cause import CauseIdentified, ChangeLinked, ChangePart, ChangeUnlinked
from events.change import ChangeRecorded
from events.escalation import EscalationExhausted, EscalationStopped
from events.fact import tag_of
from events.incident import (
    ROLES,
    SEVERITIES,
    AlertLinked,
    AlertUnlinked,
    DeterminationCorrected,
    DeterminationSet,
    EventRetracted,
    ImpactEnded,
    ImpactLevelChanged,
    ImpactStarted,
    IncidentAbsorbed,
    IncidentAcknowledged,
    IncidentClosed,
    IncidentContained,
    IncidentDeclared,
    IncidentDismissed,
    IncidentEradicated,
    IncidentMerged,
    IncidentOpened,
    IncidentRegressed,
    IncidentReinstated,
    IncidentReopened,
    IncidentResolved,
    IncidentSeverityChanged,
    IncidentUnmerged,
    MilestoneCorrected,
    Noted,
    RoleAssigned,
    RoleHandoffAccepted,
    RoleRelieved,
    SeverityCorrected,
    TitleChanged,
)
from events.oncall import ShiftEnded, ShiftStarted
from events.page import PageAnswered, PageAttempted, PageFailed, PageRequested, PageSent, PageWithheld
from events.review import ActionAgreed, ActionDone
from tests.spec import ADA, BOB, GRACE

PEOPLE = (ADA, BOB, GRACE)
INCIDENTS = 6
ALERTS = 5
PAGES = 8
CHANGES = 3


def seeds(short: int, *, soak: int = 20) -> list[Any]:
    """Seeds of a property that takes seconds a history: a few in every run, the others in the long one."""
    return [*range(short), *(pytest.param(seed, marks=pytest.mark.soak) for seed in range(short, soak))]


def random_history(seed: int | random.Random, length: int) -> list[Stored]:
    """A log of ``length`` events."""
    return _History(seed if isinstance(seed, random.Random) else random.Random(seed)).tell(length)


class _History:
    def __init__(self, dice: random.Random) -> None:
        self._dice = dice
        self._stored: list[Stored] = []
        self._now = datetime(2026, 1, 5, 9, 0, tzinfo=UTC)
        self._occurrences: dict[str, int] = {}

    def tell(self, length: int) -> list[Stored]:
        families = (self._incident, self._incident, self._incident, self._alert, self._alert, self._page, self._page)
        while len(self._stored) < length:
            self._dice.choice((*families, self._other, self._correction))()
        return self._stored

    def _say(self, stream: str, fact: Fact, *, by: str = "") -> None:
        seq = len(self._stored) + 1
        # The log's clock may step back, and things are told late.
        self._now += timedelta(seconds=self._dice.choice((0, 1, 30, 400, -2)))
        happened_at = self._now - timedelta(seconds=self._dice.choice((0, 0, 1, 900)))
        event = Event(id=f"event-{seq}", fact=fact, happened_at=happened_at, source="recount/test", actor=by)
        self._stored.append(Stored(seq, encode(stream, event)[0], self._now, encode(stream, event)[1]))

    def _one(self, prefix: str, count: int) -> str:
        return f"{prefix}{self._dice.randrange(count)}"

    def _incident(self) -> None:
        dice, person = self._dice, self._dice.choice(PEOPLE)
        number = dice.randrange(INCIDENTS)
        other = f"INC-{(number + 1 + dice.randrange(INCIDENTS - 1)) % INCIDENTS}"
        severity, role, scope = dice.choice(SEVERITIES), dice.choice(ROLES[:3]), dice.choice(("checkout", "search"))
        alert_key = self._one("a", ALERTS)
        occurrence = self._occurrences.get(alert_key, 1)
        part: ChangePart = dice.choice(("cause", "remedy"))
        fact: Fact = dice.choice(
            (
                IncidentOpened(title="checkout is slow", severity=severity, service=dice.choice(("", "checkout"))),
                IncidentDeclared(title="checkout is down", severity=severity, service="checkout"),
                IncidentAcknowledged(automatic=dice.random() < 0.3),
                IncidentSeverityChanged(severity=severity, previous="sev3"),
                IncidentContained(),
                IncidentEradicated(),
                IncidentResolved(),
                IncidentRegressed(reason="it spread"),
                IncidentClosed(),
                IncidentReopened(kind=dice.choice(("relapse", "mistaken")), reason="back", episode=2),
                IncidentDismissed(reason="benign"),
                IncidentReinstated(reason="real"),
                IncidentMerged(into_incident_id=other),
                IncidentUnmerged(from_incident_id=other),
                IncidentAbsorbed(from_incident_id=other),
                ImpactStarted(scope=scope, level=2),
                ImpactLevelChanged(scope=scope, level=4),
                ImpactEnded(scope=scope),
                DeterminationSet(determination=dice.choice(("confirmed", "exercise", "false_positive"))),
                RoleAssigned(role=role, person_id=person),
                RoleHandoffAccepted(role=role, person_id=person, previous_person_id=dice.choice(PEOPLE)),
                RoleRelieved(role=role, person_id=person),
                AlertLinked(alert_key=alert_key, occurrence=occurrence, title="5xx"),
                AlertLinked(alert_key=alert_key, occurrence=occurrence, title="5xx"),
                AlertUnlinked(alert_key=alert_key),
                CauseIdentified(summary="the index is missing"),
                ChangeLinked(change_key=self._one("c", CHANGES), part=part, title="checkout 1.4"),
                ChangeUnlinked(change_key=self._one("c", CHANGES), part=part),
                Noted(text="looking"),
                TitleChanged(title="payments are down"),
            )
        )
        self._say(f"incident.INC-{number}", fact, by=dice.choice((*PEOPLE, "service:incidents", "")))

    def _correction(self) -> None:
        dice, reason = self._dice, "a mistake"
        if not self._stored:
            return
        wrong = decode(dice.choice(self._stored))
        names = {"replaces_event_id": wrong.event.id, "replaces_seq": wrong.seq}
        fits = dice.random() < 0.9
        retracted = EventRetracted(
            event_id=wrong.event.id,
            event_seq=wrong.seq if fits else wrong.seq + 1,
            event_stream=wrong.stream,
            event_type=tag_of(type(wrong.fact)),
            reason=reason,
        )
        milestone = dice.choice(
            ("impact_started", "detected", "declared", "identified", "contained", "mitigated", "resolved")
        )
        fact: Fact = dice.choice(
            (
                retracted,
                retracted,
                retracted,
                MilestoneCorrected(
                    milestone=milestone,
                    occurred_at=self._now - timedelta(seconds=dice.choice((0, 60, 4_000))),
                    reason=reason,
                    **(names if dice.random() < 0.7 else {}),
                ),
                SeverityCorrected(severity=dice.choice(SEVERITIES), previous="sev3", reason=reason, **names),
                DeterminationCorrected(determination="false_positive", reason=reason, **names),
            )
        )
        category, _, identifier = wrong.stream.partition(".")
        ours = wrong.stream if category == "incident" else self._one("incident.INC-", INCIDENTS)
        if category in ("escalation", "review"):
            ours = f"incident.{identifier}"
        self._say(ours, fact, by=dice.choice(PEOPLE))

    def _alert(self) -> None:
        key = self._one("a", ALERTS)
        occurrence = self._occurrences.get(key, 0)
        sender = {"integration": "key-1", "sender": "alertmanager", "fingerprint": key}
        fired = AlertFired(
            **sender, occurrence=occurrence + 1, title="5xx", severity="critical", labels={"service": "checkout"}
        )
        fact: Fact = self._dice.choice(
            (
                fired,
                fired,
                AlertUpdated(title="5xx again", severity="warning"),
                AlertAcknowledged(),
                AlertCleared(),
                AlertClearedUnseen(**sender),
                AlertPassedOver(occurrence=max(occurrence, 1), rule="severity", reason="below error"),
            )
        )
        if isinstance(fact, AlertFired):
            self._occurrences[key] = occurrence + 1
        self._say(f"alert.{key}", fact)

    def _page(self) -> None:
        number = self._dice.randrange(PAGES)
        # A page is for one incident, always the same.
        incident_id, person = f"INC-{number % INCIDENTS}", PEOPLE[number % len(PEOPLE)]
        fact: Fact = self._dice.choice(
            (
                PageRequested(
                    incident_id=incident_id,
                    person_id=person,
                    run=1,
                    round=0,
                    level=1,
                    answer_within_s=300,
                    target="rotation.primary",
                ),
                PageWithheld(incident_id=incident_id, reason="nobody is on call"),
                PageAttempted(channel="smtp", contact=0, attempt=1, possibly_duplicate=self._dice.random() < 0.2),
                PageSent(channel="smtp", contact=0, attempt=1),
                PageFailed(channel="smtp", contact=0, attempt=1, error="refused", final=self._dice.random() < 0.5),
                PageAnswered(answer="link"),
            )
        )
        self._say(f"page.pg-{number}", fact, by=person if isinstance(fact, PageAnswered) else "")

    def _other(self) -> None:
        incident_id, person = self._one("INC-", INCIDENTS), self._dice.choice(PEOPLE)
        letter = DeadLetterRecorded(
            service="intake", source_stream="INTAKE", source_seq=1, source_subject="intake.json", error="x", attempts=1
        )
        change = ChangeRecorded(
            integration="key-1",
            sender="cdevents",
            external_id="41",
            title="checkout 1.4",
            kind="deployment",
            outcome=self._dice.choice(("started", "finished", "failed")),
            service=self._dice.choice(("", "checkout")),
        )
        stream, fact = self._dice.choice(
            (
                (f"escalation.{incident_id}", EscalationExhausted(run=1)),
                (f"escalation.{incident_id}", EscalationStopped(run=1, reason="acknowledged")),
                (f"review.{incident_id}", ActionAgreed(action_id="act-1", text="alert earlier", owner_id=person)),
                (f"review.{incident_id}", ActionDone(action_id="act-1", dropped=self._dice.random() < 0.5)),
                ("rotation.primary", ShiftStarted(person_id=person, ends_at=self._now)),
                ("rotation.primary", ShiftEnded(person_id=person)),
                (f"change.{self._one('c', CHANGES)}", change),
                ("deadletter.d1", letter),
                ("deadletter.d1", DeadLetterReplayed(outcome="handled")),
                ("key.key-1", KeyCreated(sender="json", secret_sha256="0" * 64)),
                ("key.key-1", KeyRevoked(reason="leaked")),
                ("key.key-1", KeySigningChanged(signing_id="sig-1")),
                ("key.key-1", KeySubscriptionAsked(topic="t", receipt_seq=1)),
                ("key.key-1", KeySubscriptionFailed(topic="t", receipt_seq=1, because="away")),
            )
        )
        self._say(stream, fact)
