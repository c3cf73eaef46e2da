"""What caused an incident and what ended it: as somebody says, once, and of a change that there is."""

import pytest

from events import Event, EventLog, Write
from events.cause import CauseIdentified, ChangeLinked, ChangeUnlinked
from events.change import ChangeRecorded
from events.incident import MilestoneCorrected
from services.clock import FakeClock
from services.command import Refused
from services.incidents.commands import CorrectMilestone, IdentifyCause, LinkChange, UnlinkChange
from services.incidents.service import Incidents
from tests.services.incidents.alerts import People
from tests.services.incidents.story import (
    BOB,
    TWO_O_CLOCK,
    after,
    declared,
    dismissed_by_grace,
    given,
    resolved_by_bob,
    said,
)

KEY = "9a8b7c6d5e4f3a2b1c0d"
WHY = "the stack trace names it"
FOUND = "the new index is missing"
linked = said(ChangeLinked(change_key=KEY, part="cause", title="checkout 1.4"), minutes=3)


def test_the_cause_is_identified_once():
    given(declared).when(IdentifyCause(summary=FOUND)).then(CauseIdentified(summary=FOUND))
    identified = said(CauseIdentified(summary=FOUND), minutes=3)
    given(declared, identified).when(IdentifyCause(summary="another")).then_nothing()
    given(declared, resolved_by_bob).when(IdentifyCause(summary=FOUND)).then(CauseIdentified(summary=FOUND))
    given(declared, dismissed_by_grace).when(IdentifyCause(summary=FOUND)).then_refused("dismissed it")


def test_when_it_was_identified_can_be_said_later():
    correction = CorrectMilestone(milestone="identified", occurred_at=after(minutes=3), reason=WHY)
    given(declared, resolved_by_bob).when(correction).then(
        MilestoneCorrected(milestone="identified", occurred_at=after(minutes=3), reason=WHY)
    )


def test_a_change_is_linked_and_taken_out_once():
    link = LinkChange(change_key=KEY, part="cause", reason=WHY)
    given(declared).when(link, BOB, change_title="checkout 1.4").then(
        ChangeLinked(change_key=KEY, part="cause", title="checkout 1.4", reason=WHY)
    )
    given(declared, linked).when(link, change_title="checkout 1.4").then_nothing()
    given(declared, linked).when(UnlinkChange(change_key=KEY, part="cause", reason="another one")).then(
        ChangeUnlinked(change_key=KEY, part="cause", reason="another one")
    )
    given(declared).when(UnlinkChange(change_key=KEY, part="cause")).then_nothing()
    given(declared, linked).when(UnlinkChange(change_key=KEY, part="remedy")).then_nothing()
    # A rollback may itself have done harm.
    remedy = LinkChange(change_key=KEY, part="remedy")
    given(declared, linked).when(remedy, change_title="checkout 1.4").then(
        ChangeLinked(change_key=KEY, part="remedy", title="checkout 1.4")
    )


def test_it_is_often_found_in_the_review_and_never_of_what_was_no_incident():
    link = LinkChange(change_key=KEY, part="cause")
    given(declared, resolved_by_bob).when(link, change_title="checkout 1.4").then(
        ChangeLinked(change_key=KEY, part="cause", title="checkout 1.4")
    )
    given(declared, dismissed_by_grace).when(link, change_title="checkout 1.4").then_refused("dismissed it")
    given().when(UnlinkChange(change_key=KEY, part="cause")).then_refused("there is no INC-42", code="not_found")


def test_nobody_told_of_such_a_change():
    given(declared).when(LinkChange(change_key=KEY, part="cause")).then_refused("nobody told", code="not_found")


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock(TWO_O_CLOCK)


async def test_the_change_is_looked_up_in_the_log(log: EventLog, clock: FakeClock):
    people = People(Incidents(log, clock), clock)
    await people.do("declare", title="checkout is down", severity="sev1")
    refused = await people.ask("link_change", "INC-1", change_key=KEY, part="cause")
    assert isinstance(refused, Refused)
    assert refused.code == "not_found"
    told = {"integration": "key-ci", "sender": "cdevents", "external_id": "41"}
    titles = ("checkout: deployment started", "checkout: deployment finished")
    events = [
        Event(id=title, fact=ChangeRecorded(title=title, **told), happened_at=clock.now(), source="recount/intake")
        for title in titles
    ]
    await log.append(Write(f"change.{KEY}", 0, tuple(events)))
    await people.do("link_change", "INC-1", change_key=KEY, part="cause")
    fact = (await log.read("incident.INC-1"))[-1].fact
    assert fact == ChangeLinked(change_key=KEY, part="cause", title="checkout: deployment finished")
