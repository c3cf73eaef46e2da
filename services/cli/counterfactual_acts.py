"""What people did, carried over into a run of history that may have other incidents.

An act on an incident is done, at its time, on the incident of the run that has the alerts which that one had: the
first of them that is in any. An act that finds none is dropped, and counted.
"""

from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from events import Recorded
from events.fact import tag_of
from events.incident import (
    AlertLinked,
    IncidentAcknowledged,
    IncidentClosed,
    IncidentDeclared,
    IncidentDismissed,
    IncidentOpened,
    IncidentReopened,
    IncidentResolved,
    IncidentSeverityChanged,
)
from events.subjects import split
from services.cli.counterfactual import Run
from services.command import Command, Order, Refused, verb_of
from services.incidents.commands import (
    Acknowledge,
    ChangeSeverity,
    Close,
    Declare,
    Dismiss,
    Open,
    Reopen,
    Resolve,
)

Occurrence = tuple[str, int]

_COMMANDS: Mapping[type[Any], Callable[[Any], Command]] = {
    IncidentOpened: lambda fact: Open(
        title=fact.title, severity=fact.severity, profile=fact.profile, service=fact.service, reason=fact.reason
    ),
    IncidentDeclared: lambda fact: Declare(
        title=fact.title, severity=fact.severity, profile=fact.profile, service=fact.service, reason=fact.reason
    ),
    IncidentAcknowledged: lambda _fact: Acknowledge(),
    IncidentSeverityChanged: lambda fact: ChangeSeverity(severity=fact.severity, reason=fact.reason),
    IncidentResolved: lambda fact: Resolve(summary=fact.summary, waiver=fact.waiver or "as it was resolved then"),
    IncidentClosed: lambda fact: Close(waiver=fact.waiver or "as it was closed then"),
    IncidentReopened: lambda fact: Reopen(kind=fact.kind, reason=fact.reason),
    IncidentDismissed: lambda fact: Dismiss(reason=fact.reason, explanation=fact.explanation),
}


class Acts:
    """Carries acts into one run.

    Args:
        run: where to.
        through: the last position before the beginning; incidents that were there are the same in the run.
    """

    def __init__(self, run: Run, through: int) -> None:
        self._run = run
        self._through = through
        self._then: dict[str, list[Occurrence]] = {}
        self._now: dict[Occurrence, str] = {}
        self._same: dict[str, str] = {}
        self._looked = 0
        self.carried = 0
        self.dropped: list[str] = []

    def remember(self, recorded: Recorded) -> None:
        """Hear of what was so then, before and after the beginning."""
        category, identifier = split(recorded.stream)
        if category == "incident" and recorded.seq <= self._through:
            self._same[identifier] = identifier
        if isinstance(recorded.fact, AlertLinked):
            occurrence = (recorded.fact.alert_key, recorded.fact.occurrence)
            self._then.setdefault(identifier, []).append(occurrence)
            if recorded.seq <= self._through:
                self._now[occurrence] = identifier

    def is_act(self, recorded: Recorded) -> bool:
        """Whether an event says what a person did, and not a service or an import."""
        event = recorded.event
        return (
            type(event.fact) in _COMMANDS
            and bool(event.actor)
            and not event.actor.startswith("service:")
            and event.known_at is None
        )

    async def carry(self, recorded: Recorded) -> None:
        """Do in the run what somebody did then."""
        event, then = recorded.event, split(recorded.stream)[1]
        await self._run.pass_until(recorded.recorded_at)
        self._look()
        begins = isinstance(event.fact, IncidentDeclared | IncidentOpened)
        target = self._target(then)
        if target is None and not begins:
            self.dropped.append(f"{tag_of(type(event.fact))} of {then} (#{recorded.seq}): no incident has its alerts")
            return
        command = _COMMANDS[type(event.fact)](event.fact)
        order = Order(
            id=event.id,
            actor=event.actor,
            issued_at=self._run.clock.now(),
            command=msgspec.Raw(msgspec.json.encode(command)),
            target=target or "",
            auth_id=event.auth_id,
        )
        answer = await self._run.incidents.handle(order, verb_of(command))
        if isinstance(answer, Refused):
            self.dropped.append(f"{tag_of(type(event.fact))} of {then} (#{recorded.seq}): {answer.because}")
        else:
            self.carried += 1
            if begins and target is None:
                self._same[then] = answer.target
        await self._run.settle()

    def _target(self, then: str) -> str | None:
        if then in self._same:
            return self._same[then]
        return next((self._now[each] for each in self._then.get(then, ()) if each in self._now), None)

    def _look(self) -> None:
        for recorded in self._run.news[self._looked :]:
            if isinstance(recorded.fact, AlertLinked):
                occurrence = (recorded.fact.alert_key, recorded.fact.occurrence)
                self._now[occurrence] = split(recorded.stream)[1]
        self._looked = len(self._run.news)
