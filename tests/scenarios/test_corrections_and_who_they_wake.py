"""Correcting the record wakes nobody, unless what it leaves is an open incident that nobody has in hand."""

from datetime import timedelta
from typing import Any

from events import Event, Fact, Write
from events.alert import AlertFired
from services.command import Done
from tests.scenario import Scenario

FIRED = AlertFired(
    integration="key-alertmanager",
    sender="alertmanager",
    fingerprint="CheckoutErrors",
    occurrence=1,
    title="CheckoutErrors",
    severity="critical",
    service="checkout",
)


async def position_of(world: Scenario, tag: str) -> int:
    return (await world.facts(tag))[-1].seq


async def fires(world: Scenario, *, minutes_ago: float, fact: Fact = FIRED) -> None:
    """An alert reaches the log now that began earlier."""
    at = world.clock.now() - timedelta(minutes=minutes_ago)
    history = await world.log.read("alert.errors")
    event = Event(id=f"alert-{len(history)}", fact=fact, happened_at=at, source="recount/intake")
    await world.log.append(Write("alert.errors", history[-1].seq if history else 0, (event,)))
    await world.settle()


async def declares_afterwards(world: Scenario, **more: Any) -> str:
    """An incident of three hours ago that was over after an hour."""
    now = world.clock.now()
    answer = await world.order(
        "incident",
        "declare",
        title="checkout was down",
        severity="sev1",
        service="checkout",
        declared_at=now - timedelta(hours=3),
        resolved_at=now - timedelta(hours=2),
        **more,
    )
    assert isinstance(answer, Done), answer
    return answer.target


async def test_an_incident_declared_when_it_is_over_wakes_nobody(world: Scenario):
    incident_id = await declares_afterwards(world)
    await world.fast_forward(days=1)
    await world.expect_silence()
    assert not await world.facts("escalation.started", "page.requested", "page.withheld")
    loaded = await world.log.read(f"incident.{incident_id}")
    assert [past.happened_at for past in loaded] == [
        world.clock.now() - timedelta(days=1, hours=3),
        world.clock.now() - timedelta(days=1, hours=2),
    ]


async def test_it_leaves_the_alerts_of_its_service_to_whatever_happens_now(world: Scenario):
    await declares_afterwards(world)
    await fires(world, minutes_ago=1)
    assert len(await world.facts("incident.declared")) == 2
    await world.expect_page("ada")


async def test_an_acknowledgement_that_is_taken_back_resumes_nothing(world: Scenario):
    incident_id = await world.declare()
    await world.expect_page("ada")
    await world.acknowledge(incident_id, by="ada")
    await world.command("retract", incident_id, seq=await position_of(world, "incident.acknowledged"), reason="not me")
    await world.fast_forward(days=1)
    await world.expect_silence()


async def test_a_resolution_that_is_taken_back_calls_again_when_nobody_has_it_in_hand(world: Scenario):
    incident_id = await world.declare()
    await world.expect_page("ada")
    await world.command("resolve", incident_id)
    await world.command("retract", incident_id, seq=await position_of(world, "incident.resolved"), reason="the other")
    await world.expect_page("ada")


async def test_a_resolution_that_is_taken_back_wakes_nobody_when_somebody_has_it_in_hand(world: Scenario):
    incident_id = await world.declare()
    await world.expect_page("ada")
    await world.acknowledge(incident_id, by="ada")
    await world.command("resolve", incident_id)
    await world.command("retract", incident_id, seq=await position_of(world, "incident.resolved"), reason="the other")
    await world.fast_forward(days=1)
    await world.expect_silence()


async def test_a_reopening_that_is_taken_back_stops_its_call(world: Scenario):
    incident_id = await world.declare()
    await world.command("resolve", incident_id)
    await world.command("reopen", incident_id, kind="relapse", reason="the wrong one")
    world.mail.take("ada@example.org")
    await world.command("retract", incident_id, seq=await position_of(world, "incident.reopened"), reason="wrong one")
    await world.fast_forward(days=1)
    await world.expect_silence("bob", "grace")


async def test_a_severity_that_should_have_been_paged_for_is(world: Scenario):
    incident_id = await world.declare(severity="sev4")
    await world.expect_silence()
    await world.command("correct_severity", incident_id, severity="sev1", reason="all customers")
    await world.expect_page("ada")


async def test_a_late_alert_joins_the_incident_that_lasted_then_and_wakes_nobody(world: Scenario):
    incident_id = await world.declare()
    await world.acknowledge(incident_id, by="ada")
    await world.fast_forward(minutes=40)
    await world.command("resolve", incident_id)
    await world.fast_forward(hours=1)
    world.mail.take("ada@example.org")
    await fires(world, minutes_ago=90)
    linked = await world.only_fact("incident.alert_linked")
    assert linked.reason == (
        "severity critical is at least error; heard of late, it was so while this incident about checkout lasted"
    )
    await world.redeliver_everything()
    await world.fast_forward(days=1)
    await world.expect_silence()
    assert len(await world.facts("incident.declared")) == 1


async def test_the_detection_follows_a_late_alert_that_came_before_it(world: Scenario):
    incident_id = await world.declare()
    await world.command("impact", incident_id, scope="checkout", level=3)
    impact = (await world.facts("incident.impact_started"))[0]
    await world.command(
        "correct",
        incident_id,
        milestone="impact_started",
        occurred_at=impact.happened_at - timedelta(minutes=20),
        reason="the graph",
    )
    await world.command("contain", incident_id)
    await world.command("resolve", incident_id)
    await world.fast_forward(hours=1)
    await fires(world, minutes_ago=75)
    corrected = [past.fact for past in await world.facts("incident.milestone_corrected")][-1]
    declared = (await world.facts("incident.declared"))[0]
    assert (corrected.milestone, corrected.replaces_seq) == ("detected", declared.seq)
    assert corrected.occurred_at == world.clock.now() - timedelta(minutes=75)
    assert corrected.evidence == "alert.errors"


async def test_what_somebody_said_of_the_detection_stands_against_a_late_alert(world: Scenario):
    incident_id = await world.declare()
    began = world.clock.now()
    await world.command("correct", incident_id, milestone="impact_started", occurred_at=began, reason="the graph")
    for minutes in (-30, 5):
        at = began + timedelta(minutes=minutes)
        world.clock.moment = max(world.clock.moment, at)
        await world.command("correct", incident_id, milestone="detected", occurred_at=at, reason="the mail")
    await world.fast_forward(minutes=10)
    await world.command("resolve", incident_id)
    await world.fast_forward(hours=1)
    await fires(world, minutes_ago=73)
    assert len(await world.facts("incident.alert_linked")) == 1
    assert len(await world.facts("incident.milestone_corrected")) == 3


async def test_an_alert_that_is_heard_of_in_time_is_news_however_shortly_it_began_before_the_resolution(
    world: Scenario,
):
    incident_id = await world.declare()
    await world.fast_forward(minutes=20)
    await world.command("resolve", incident_id)
    world.mail.take("ada@example.org")
    await world.fast_forward(minutes=5)
    await fires(world, minutes_ago=8)
    assert len(await world.facts("incident.declared")) == 2
    await world.expect_page("ada")


async def test_a_late_alert_that_began_after_the_resolution_opens_an_incident(world: Scenario):
    incident_id = await world.declare()
    await world.command("resolve", incident_id)
    world.mail.take("ada@example.org")
    await world.fast_forward(hours=1)
    await fires(world, minutes_ago=30)
    assert len(await world.facts("incident.declared")) == 2
    await world.expect_page("ada")
