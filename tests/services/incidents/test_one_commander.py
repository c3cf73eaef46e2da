"""Command passes and is never shared, whatever two people ask of two copies of the service in the same moment."""

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any, NamedTuple

import msgspec
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as some

from events import Recorded
from events.incident import RoleAssigned, RoleHandoffAccepted, RoleHandoffOffered, RoleRelieved
from events.memory_log import MemoryLog
from services.clock import FakeClock
from services.command import Done, Order
from services.incidents.service import Incidents
from services.incidents.state import fold
from tests.services.incidents.story import ADA, BOB, GRACE
from tests.simulation.faults import FaultyLog
from tests.simulation.laws import Command

INC = "INC-1"
OTHER = "INC-2"
ROLE = {"role": "commander"}
ROLE_FACTS = RoleAssigned | RoleHandoffOffered | RoleHandoffAccepted | RoleRelieved
# An assignment, an offer, its acceptance, a relief and what takes two of them back, with others between.
ROUNDS_MIN, ROUNDS_MAX = 4, 12

people = some.sampled_from([ADA, BOB, GRACE])


class Wish(NamedTuple):
    """What one person asks. An empty actor or person is whoever commands then."""

    verb: str
    actor: str = ""
    person: str = ""
    command: dict[str, Any] = {}
    back: int = 0
    """For a retraction: which of what was said about the role, counted from the newest."""


wishes: some.SearchStrategy[Wish] = some.one_of(
    people.map(lambda person: Wish("assign", person=person)),
    people.map(lambda person: Wish("offer", person=person)),
    people.map(lambda person: Wish("accept", actor=person)),
    some.just(Wish("relieve")),
    some.integers(0, 5).map(lambda back: Wish("retract", back=back)),
    some.sampled_from(
        [
            Wish("declare", command={"title": "it is down", "commander": BOB}),
            Wish("resolve"),
            Wish("reopen", command={"kind": "relapse", "reason": "it is back"}),
            Wish("merge", command={"into_incident_id": OTHER}),
            Wish("unmerge"),
        ]
    ),
)


@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    some.sampled_from([[], [[Wish("assign", person=ADA)], [Wish("offer", person=BOB)]]]),
    some.lists(some.lists(wishes, min_size=1, max_size=2), min_size=ROUNDS_MIN, max_size=ROUNDS_MAX),
    some.randoms(use_true_random=True),
)
def test_command_is_never_shared(before: list[list[Wish]], rounds: list[list[Wish]], chance: Random):
    asyncio.run(_ask_at_once([*before, *rounds], chance))


async def _ask_at_once(rounds: Sequence[Sequence[Wish]], chance: Random) -> None:
    clock = FakeClock(datetime(2026, 3, 1, 14, 0, tzinfo=UTC))
    log = MemoryLog(clock.now)
    copies = [Incidents(FaultyLog(log, chance, fault_rate=0.0), clock) for _ in range(2)]
    # In triage, so that the declaration may name a commander.
    for verb in ("open", "declare"):
        begun = _order(f"order-{verb}", ADA, "", clock.now(), {"title": "it is down", "severity": "sev2"})
        assert isinstance(await copies[0].handle(begun, verb), Done)
    for number, wanted in enumerate(rounds):
        clock.moment += timedelta(minutes=1)
        history = await log.read(f"incident.{INC}")
        asking = []
        for copy, wish in zip(copies, wanted, strict=False):
            order_id = f"order-{number}-{len(asking)}"
            asking.append(copy.handle(_order_of(wish, order_id, history, clock.now()), wish.verb))
        await asyncio.gather(*asking)
    history, command = await log.read(f"incident.{INC}"), Command()
    for event in history:
        command.follow(event)
        assert command.shared_by(event.stream) == set(), [past.fact for past in history]
    assert {fold(past.event for past in history).commander} - {""} == command.holders(f"incident.{INC}")


def _order_of(wish: Wish, order_id: str, history: Sequence[Recorded], now: datetime) -> Order:
    commander = fold(past.event for past in history).commander
    match wish.verb:
        case "assign" | "offer" | "relieve":
            command = {**ROLE, "person_id": wish.person or commander or ADA}
        case "accept":
            command = ROLE
        case "retract":
            said = [past.seq for past in history if isinstance(past.fact, ROLE_FACTS)] or [history[-1].seq]
            command = {"seq": said[-1 - wish.back % len(said)], "reason": "a typo"}
        case _:
            command = wish.command
    return _order(order_id, wish.actor or commander or ADA, INC, now, command)


def _order(order_id: str, actor: str, target: str, now: datetime, command: dict[str, Any]) -> Order:
    return Order(
        id=order_id, actor=actor, issued_at=now, target=target, command=msgspec.Raw(msgspec.json.encode(command))
    )
