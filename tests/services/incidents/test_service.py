"""The incidents service on each log: alerts find their incident, orders are done once."""

import asyncio
from datetime import UTC, datetime, timedelta

import msgspec
import pytest

from events import EventLog, Write
from events.errors import LogUnavailable
from events.incident import IncidentDeclared
from services.clock import FakeClock
from services.command import Done, Order, Refused
from services.incidents.service import Incidents
from services.orders import answer
from tests.services.incidents.alerts import (
    People,
    alert_key,
    clears,
    fired,
    happens,
    incident_ids,
    story_of,
    updated,
)
from tests.services.incidents.story import ADA, BOB, GRACE


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock(datetime(2026, 3, 1, 14, 0, tzinfo=UTC))


@pytest.fixture
def incidents(log: EventLog, clock: FakeClock) -> Incidents:
    return Incidents(log, clock)


@pytest.fixture
def people(incidents: Incidents, clock: FakeClock) -> People:
    return People(incidents, clock)


def later(clock: FakeClock, **time: float) -> None:
    clock.moment += timedelta(**time)


async def test_two_alerts_of_one_service_are_one_incident(log: EventLog, clock: FakeClock, incidents: Incidents):
    for name in ("CheckoutErrors", "CheckoutSlow"):
        await incidents.on_event(await happens(log, clock, name, fired(name)))
    assert await incident_ids(log) == ["INC-1"]
    assert await story_of(log, "incident.INC-1") == [
        "incident.declared",
        "incident.alert_linked",
        "incident.alert_linked",
    ]


async def test_an_incident_opened_by_an_alert_says_when_it_was_detected_and_by_which_rule(
    log: EventLog, clock: FakeClock, incidents: Incidents
):
    began = clock.now() - timedelta(minutes=3)
    event = await happens(log, clock, "CheckoutErrors", fired("CheckoutErrors"), at=began)
    await incidents.on_event(event)
    declared = (await log.read("incident.INC-1"))[0]
    assert isinstance(declared.fact, IncidentDeclared)
    assert (declared.fact.detected_at, declared.happened_at) == (began, clock.now())
    assert declared.fact.rule == "by service"
    assert declared.event.causation_id == event.event.id
    assert declared.event.actor == "service:incidents"


async def test_services_do_not_share_incidents(log: EventLog, clock: FakeClock, incidents: Incidents):
    await incidents.on_event(await happens(log, clock, "CheckoutErrors", fired("CheckoutErrors")))
    await incidents.on_event(await happens(log, clock, "SearchErrors", fired("SearchErrors", service="search")))
    assert await incident_ids(log) == ["INC-1", "INC-2"]


async def test_two_copies_that_hear_the_same_alerts_open_one_incident_a_group(log: EventLog, clock: FakeClock):
    copies = [Incidents(log, clock) for _ in range(2)]
    names = [f"{service}-{number}" for service in ("checkout", "search", "payments") for number in range(4)]
    heard = [await happens(log, clock, name, fired(name, service=name.partition("-")[0])) for name in names]
    await asyncio.gather(*(copy.on_event(event) for event in heard for copy in copies))
    assert len(await incident_ids(log)) == 3
    linked = [past for past in await log.read_category("incident") if past.event.fact.headline.startswith("alert")]
    assert len(linked) == len(names)


async def test_a_delivery_repeated_after_hours_says_nothing_new(log: EventLog, clock: FakeClock, people: People):
    incidents = Incidents(log, clock)
    heard = [await happens(log, clock, name, fired(name)) for name in ("CheckoutErrors", "CheckoutSlow")]
    for event in heard:
        await incidents.on_event(event)
    await clears(log, clock, "CheckoutErrors")
    await people.do("resolve", "INC-1")
    later(clock, hours=5)
    position = await log.last_position()
    for event in heard:
        await Incidents(log, clock).on_event(event)
    assert await log.last_position() == position


async def test_a_delivery_repeated_after_the_group_went_on_says_nothing_new(
    log: EventLog, clock: FakeClock, incidents: Incidents, people: People
):
    first = await happens(log, clock, "CheckoutErrors", fired("CheckoutErrors"))
    await incidents.on_event(first)
    await people.do("resolve", "INC-1")
    later(clock, hours=1)
    second = await happens(log, clock, "CheckoutSlow", fired("CheckoutSlow"))
    await incidents.on_event(second)
    assert await incident_ids(log) == ["INC-1", "INC-2"]
    later(clock, hours=5)
    position = await log.last_position()
    for event in (first, second):
        await Incidents(log, clock).on_event(event)
    assert await log.last_position() == position


async def test_an_alert_heard_late_for_the_first_time_joins_what_is_open_now(
    log: EventLog, clock: FakeClock, incidents: Incidents, people: People
):
    missed = await happens(log, clock, "CheckoutErrors", fired("CheckoutErrors"))
    await clears(log, clock, "CheckoutErrors")
    await incidents.on_event(await happens(log, clock, "CheckoutSlow", fired("CheckoutSlow")))
    await incidents.on_event(missed)
    assert await incident_ids(log) == ["INC-1"]
    assert (await story_of(log, "incident.INC-1")).count("incident.alert_linked") == 2


async def test_the_next_firing_after_the_end_opens_the_next_incident(
    log: EventLog, clock: FakeClock, incidents: Incidents, people: People
):
    await incidents.on_event(await happens(log, clock, "CheckoutErrors", fired("CheckoutErrors")))
    await clears(log, clock, "CheckoutErrors")
    assert await story_of(log, "incident.INC-1") == ["incident.declared", "incident.alert_linked"]
    await people.do("resolve", "INC-1")
    again = await happens(log, clock, "CheckoutErrors", fired("CheckoutErrors", occurrence=2))
    await incidents.on_event(again)
    assert await incident_ids(log) == ["INC-1", "INC-2"]


async def test_a_mild_alert_is_passed_over_until_it_becomes_severe(
    log: EventLog, clock: FakeClock, incidents: Incidents
):
    mild = await happens(log, clock, "CheckoutErrors", fired("CheckoutErrors", severity="warning"))
    await incidents.on_event(mild)
    await incidents.on_event(mild)
    stream = f"alert.{alert_key('CheckoutErrors')}"
    assert await story_of(log, stream) == ["alert.fired", "alert.passed_over"]
    severe = await happens(log, clock, "CheckoutErrors", updated("CheckoutErrors", "critical"))
    for event in (severe, mild, severe):
        await incidents.on_event(event)
    assert await incident_ids(log) == ["INC-1"]
    assert await story_of(log, "incident.INC-1") == ["incident.declared", "incident.alert_linked"]


async def test_alerts_of_a_merged_incident_go_to_the_one_that_carries_on(
    log: EventLog, clock: FakeClock, incidents: Incidents, people: People
):
    await incidents.on_event(await happens(log, clock, "CheckoutErrors", fired("CheckoutErrors")))
    await people.do("declare", title="the database is down", severity="sev1", service="database")
    await people.do("merge", "INC-1", into_incident_id="INC-2", reason="same cause")
    joined = await happens(log, clock, "CheckoutSlow", fired("CheckoutSlow"))
    await incidents.on_event(joined)
    assert await story_of(log, "incident.INC-2") == [
        "incident.declared",
        "incident.absorbed",
        "incident.alert_linked",
    ]
    await people.do("unmerge", "INC-1")
    position = await log.last_position()
    await incidents.on_event(joined)
    assert await log.last_position() == position


async def test_alerts_join_what_a_person_declared_about_their_service(
    log: EventLog, clock: FakeClock, incidents: Incidents, people: People
):
    await people.do("declare", title="checkout is down", severity="sev1", service="checkout")
    await incidents.on_event(await happens(log, clock, "CheckoutErrors", fired("CheckoutErrors")))
    assert await incident_ids(log) == ["INC-1"]


async def test_a_reopened_incident_takes_its_alerts_back_unless_another_has_them(
    log: EventLog, clock: FakeClock, incidents: Incidents, people: People
):
    await incidents.on_event(await happens(log, clock, "CheckoutErrors", fired("CheckoutErrors")))
    await people.do("resolve", "INC-1")
    await people.do("reopen", "INC-1", kind="relapse", reason="down again")
    await incidents.on_event(await happens(log, clock, "CheckoutSlow", fired("CheckoutSlow")))
    assert await incident_ids(log) == ["INC-1"]
    await people.do("resolve", "INC-1")
    await incidents.on_event(await happens(log, clock, "CheckoutLate", fired("CheckoutLate")))
    await people.do("reopen", "INC-1", kind="relapse", reason="down again")
    await incidents.on_event(await happens(log, clock, "CheckoutOdd", fired("CheckoutOdd")))
    assert await incident_ids(log) == ["INC-1", "INC-2"]
    assert (await story_of(log, "incident.INC-2")).count("incident.alert_linked") == 2


async def test_an_alert_that_a_person_took_out_stays_out(
    log: EventLog, clock: FakeClock, incidents: Incidents, people: People
):
    event = await happens(log, clock, "CheckoutErrors", fired("CheckoutErrors"))
    await incidents.on_event(event)
    await people.do("unlink", "INC-1", alert_key=alert_key("CheckoutErrors"), reason="a test host")
    await incidents.on_event(await happens(log, clock, "CheckoutErrors", updated("CheckoutErrors", "critical")))
    await incidents.on_event(event)
    assert (await story_of(log, "incident.INC-1"))[-1] == "incident.alert_unlinked"


async def test_the_same_order_twice_declares_one_incident(log: EventLog, clock: FakeClock, people: People):
    wish = {"title": "checkout is down", "severity": "sev1", "service": "checkout", "commander": ADA}
    first = await people.do("declare", order_id="idempotent-1", **wish)
    later(clock, hours=5)
    again = People(Incidents(log, clock), clock)
    second = await again.do("declare", order_id="idempotent-1", **wish)
    assert (first.target, second.target) == ("INC-1", "INC-1")
    assert await incident_ids(log) == ["INC-1"]
    assert second.seq >= 1
    third = await people.do("declare", order_id="idempotent-2", **wish)
    assert third.target == "INC-2"


async def test_a_suspicion_is_opened_once_and_the_alerts_of_its_service_join_it(
    log: EventLog, clock: FakeClock, incidents: Incidents, people: People
):
    wish = {"title": "checkout is slow", "severity": "sev3", "service": "checkout", "reason": "a user wrote"}
    first = await people.do("open", order_id="suspicion", **wish)
    assert first.message == "INC-1: opened for triage: checkout is slow"
    again = await People(Incidents(log, clock), clock).do("open", order_id="suspicion", **wish)
    assert again.target == first.target
    await incidents.on_event(await happens(log, clock, "CheckoutErrors", fired("CheckoutErrors")))
    assert await incident_ids(log) == ["INC-1"]
    later(clock, minutes=5)
    await people.do("declare", "INC-1", severity="sev1", commander=GRACE)
    assert await story_of(log, "incident.INC-1") == [
        "incident.opened",
        "incident.alert_linked",
        "incident.declared",
        "incident.role_assigned",
    ]
    declared = (await log.read("incident.INC-1"))[2].fact
    assert isinstance(declared, IncidentDeclared)
    assert (declared.severity, declared.detected_at) == ("sev1", clock.now() - timedelta(minutes=5))


async def test_the_same_order_twice_writes_one_note_and_answers_where(log: EventLog, people: People):
    await people.do("declare", title="checkout is down", severity="sev1")
    first = await people.do("note", "INC-1", order_id="note-1", text="restarted it")
    second = await people.do("note", "INC-1", order_id="note-1", text="restarted it")
    assert first.seq == second.seq > 0
    assert (await story_of(log, "incident.INC-1")).count("incident.noted") == 1


async def test_two_copies_asked_to_declare_at_once_use_two_numbers(log: EventLog, clock: FakeClock):
    asking = [People(Incidents(log, clock), clock) for _ in range(2)]
    answers = await asyncio.gather(
        *(
            person.do("declare", order_id=f"{number}-{which}", title="checkout is down", severity="sev2")
            for which, person in enumerate(asking)
            for number in range(5)
        )
    )
    assert {answer.target for answer in answers} == {f"INC-{number}" for number in range(1, 11)}


async def test_two_commanders_at_once_leave_one(log: EventLog, clock: FakeClock, people: People):
    await people.do("declare", title="checkout is down", severity="sev1")
    asking = [People(Incidents(log, clock), clock) for _ in range(2)]
    answers = await asyncio.gather(
        *(
            person.ask("assign", "INC-1", order_id=f"assign-{who}", role="commander", person_id=who)
            for person, who in zip(asking, (ADA, BOB), strict=True)
        )
    )
    assert sorted(type(answer).__name__ for answer in answers) == ["Done", "Refused"]


async def test_a_merge_is_said_on_both_incidents_or_on_neither(log: EventLog, people: People):
    for title in ("checkout is down", "payments fail"):
        await people.do("declare", title=title, severity="sev2")
    done = await people.do("merge", "INC-1", into_incident_id="INC-2")
    assert done.message == "INC-1: merged into INC-2"
    assert await story_of(log, "incident.INC-2") == ["incident.declared", "incident.absorbed"]
    await people.do("unmerge", "INC-1", reason="two causes")
    assert await story_of(log, "incident.INC-1") == ["incident.declared", "incident.merged", "incident.unmerged"]
    assert (await story_of(log, "incident.INC-2"))[-1] == "incident.disowned"


async def test_two_incidents_merged_into_each_other_at_once_make_no_circle(log: EventLog, clock: FakeClock):
    people = People(Incidents(log, clock), clock)
    for title in ("checkout is down", "payments fail"):
        await people.do("declare", title=title, severity="sev2")
    asking = [People(Incidents(log, clock), clock) for _ in range(2)]
    answers = await asyncio.gather(
        asking[0].ask("merge", "INC-1", order_id="m1", into_incident_id="INC-2"),
        asking[1].ask("merge", "INC-2", order_id="m2", into_incident_id="INC-1"),
    )
    assert sorted(type(answer).__name__ for answer in answers) == ["Done", "Refused"]


async def test_actions_are_agreed_on_and_finished(log: EventLog, people: People):
    await people.do("declare", title="checkout is down", severity="sev1")
    await people.do("resolve", "INC-1")
    agreed = await people.do("agree_action", "INC-1", text="alert on queue depth", purpose="detect", owner_id=BOB)
    assert agreed.message == "INC-1: action A1: alert on queue depth"
    await people.do("agree_action", "INC-1", text="write a runbook", due_on="2026-04-01")
    refused = await people.ask("close", "INC-1", waiver="small")
    assert isinstance(refused, Refused)
    assert refused.because == "nobody owns A2"
    nothing_said = await people.ask("finish_action", "INC-1", action_id="A2", dropped=True)
    assert isinstance(nothing_said, Refused)
    assert nothing_said.because == "`$.reason` is missing"
    await people.do("finish_action", "INC-1", action_id="A2", dropped=True, reason="there is one")
    await people.do("close", "INC-1", waiver="small")
    assert (await people.do("finish_action", "INC-1", action_id="A2", order_id="again")).seq == 0
    unknown = await people.ask("finish_action", "INC-1", action_id="A9")
    assert isinstance(unknown, Refused)
    assert (unknown.code, unknown.instead) == ("not_found", "agreed actions: A1, A2")


async def test_an_incident_is_closed_without_a_waiver_once_its_review_is_published(log: EventLog, people: People):
    await people.do("declare", title="checkout is down", severity="sev1")
    await people.do("resolve", "INC-1")
    refused = await people.ask("close", "INC-1")
    assert isinstance(refused, Refused)
    assert refused.because == "no review of it is published"
    await people.do("publish_review", "INC-1", made_from_seq=3, document_sha256="0" * 64)
    await people.do("close", "INC-1")


@pytest.mark.parametrize(
    ("order", "because"),
    [
        (b"{", "the order cannot be read"),
        (b'{"id":"1"}', "the order cannot be read"),
        (b'{"id":"","actor":"per-ada","issued_at":"2026-03-01T14:00:00Z","command":{}}', "`$.id` has 0 characters"),
        (b'{"id":"1","actor":"a b","issued_at":"2026-03-01T14:00:00Z","command":{}}', "`$.actor` is 'a b'"),
        (b'{"id":"1","actor":"per-ada","issued_at":"2026-03-01T14:00:00","command":{}}', "need a time zone"),
        (
            b'{"id":"1","actor":"per-ada","issued_at":"2026-03-01T14:00:00Z","target":"INC-1.>","command":{}}',
            "`$.target` is 'INC-1.>'",
        ),
        (
            b'{"id":"1","actor":"per-ada","issued_at":"2026-03-01T14:00:00Z","target":"INC-1","command":[1]}',
            "Expected `object`, got `array`",
        ),
        (
            b'{"id":"1","actor":"per-ada","issued_at":"2026-03-01T14:00:00Z","command":{"text":"x"}}',
            "the order names no incident",
        ),
    ],
)
async def test_an_order_that_cannot_be_read_is_answered_with_what_is_wrong(
    incidents: Incidents, order: bytes, because: str
):
    refused = await answer(incidents.handle, "note", order)
    assert isinstance(refused, Refused)
    assert because in refused.because
    assert refused.code == "invalid"


class Away:
    """A log that does not answer, for as long as it is away."""

    def __init__(self, log: EventLog) -> None:
        self._log = log

    def __getattr__(self, name: str) -> object:
        return getattr(self._log, name)

    async def append(self, *writes: Write) -> int:
        raise LogUnavailable("no answer to an append")


async def test_an_order_without_a_log_is_answered_as_unavailable(log: EventLog, clock: FakeClock):
    order = Order(
        id="1",
        actor=GRACE,
        issued_at=clock.now(),
        command=msgspec.Raw(b'{"title":"checkout is down","severity":"sev1"}'),
    )
    refused = await Incidents(Away(log), clock).handle(order, "declare")  # type: ignore[arg-type]
    assert isinstance(refused, Refused)
    assert refused.code == "unavailable"
    assert "same id" in refused.instead
    assert isinstance(await Incidents(log, clock).handle(order, "declare"), Done)


async def test_a_storm_of_alerts_about_one_service_is_one_incident(log: EventLog, clock: FakeClock):
    copies = [Incidents(log, clock) for _ in range(2)]
    heard = [await happens(log, clock, f"host-{number}", fired(f"host-{number}")) for number in range(60)]
    await asyncio.gather(*(copy.on_event(event) for event in heard for copy in copies))
    assert await incident_ids(log) == ["INC-1"]
    assert (await story_of(log, "incident.INC-1")).count("incident.alert_linked") == 60
