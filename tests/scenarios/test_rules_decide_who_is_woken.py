"""Rules name the policy of an incident, and what is held back wakes nobody until its reason is over."""

from datetime import timedelta
from hashlib import sha256

from events import Event, Fact, Write
from events.rules import RulesPublished
from events.silence import SilenceCreated
from tests.scenario import SETTINGS, Scenario
from tests.services.incidents.alerts import fired, happens

NIGHT_SHIFT = """
[policies.database]
levels = [{ targets = ["person.grace"], answer_within_s = 600 }]
"""
RULES = """
[route]
[[route.routes]]
name = "database"
matchers = ['service="database"']
policy = "database"
[[route.routes]]
name = "search"
matchers = ['service="search"']
policy = "nobody-configured-it"
"""


async def test_the_policy_that_a_route_names_is_climbed(world: Scenario):
    await world.configure(SETTINGS + NIGHT_SHIFT)
    await _say(world, "rules.default", RulesPublished(text=RULES, text_sha256=sha256(RULES.encode()).hexdigest()))
    await _fire(world, "DatabaseDown", "database")
    await world.expect_page("grace")
    await _fire(world, "CheckoutDown", "checkout")
    await world.expect_page("ada")
    started = [recorded.fact.policy_id for recorded in await world.facts("escalation.started")]
    assert started == ["database", "default"]


async def test_a_policy_that_is_not_configured_leaves_no_incident_without_anybody(world: Scenario):
    await _say(world, "rules.default", RulesPublished(text=RULES, text_sha256=sha256(RULES.encode()).hexdigest()))
    await _fire(world, "SearchDown", "search")
    await world.expect_page("ada")


async def test_a_silenced_alert_wakes_somebody_when_the_silence_runs_out_and_it_still_fires(world: Scenario):
    now = world.clock.now()
    matchers = ('service="checkout"',)
    silence = SilenceCreated(
        matchers=matchers, starts_at=now, ends_at=now + timedelta(hours=1), reason="moving the checkout"
    )
    await _say(world, "silence.sil-1", silence)
    await _fire(world, "CheckoutDown", "checkout")
    await world.fast_forward(minutes=59)
    await world.expect_silence()
    await world.fast_forward(minutes=1)
    await world.expect_page("ada")
    await world.redeliver_everything()
    await world.expect_silence()


async def _fire(world: Scenario, name: str, service: str) -> None:
    await happens(world.log, world.clock, name, fired(name, service=service))
    await world.settle()


async def _say(world: Scenario, stream: str, fact: Fact) -> None:
    event = Event(id=f"{stream}-1", fact=fact, happened_at=world.clock.now(), source="recount/signals")
    await world.log.append(Write(stream, 0, (event,)))
    await world.settle()
