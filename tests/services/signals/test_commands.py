"""Rules and silences by command: checked, idempotent, and refused with a way out."""

from datetime import UTC, datetime, timedelta

import msgspec
import pytest

from events import NOTHING, Event, Write
from events.escalation import Level
from events.ids import new_event_id
from events.memory_log import MemoryLog
from events.oncall import PolicyConfigured
from events.rules import RulesPublished
from events.silence import SilenceChanged, SilenceCreated, SilenceEnded
from services.clock import FakeClock
from services.command import Answer, Command, Done, Order, Refused, verb_of
from services.rules.rules_document import TEXT_BYTES_MAX, parse_rules, written_settings
from services.rules.ruleset import BUILT_IN
from services.signals.commands import ChangeSilence, CreateSilence, EndSilence, PublishRules
from services.signals.service import Signals

NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
RULES = '[route]\nopens_at = "warning"\n'
SILENCE = CreateSilence(matchers=('service="checkout"',), reason="node-7 is being replaced", lasts_s=7_200)


class World:
    """Signals, and somebody who orders."""

    def __init__(self) -> None:
        self.clock = FakeClock(NOON)
        self.log = MemoryLog(now=self.clock.now)
        self.signals = Signals(self.log)

    async def ask(self, command: Command, target: str = "", *, order_id: str = "") -> Answer:
        order = Order(
            id=order_id or new_event_id(),
            actor="per-grace",
            issued_at=self.clock.now(),
            command=msgspec.Raw(msgspec.json.encode(command)),
            target=target,
        )
        return await self.signals.handle(order, verb_of(command))

    async def done(self, command: Command, target: str = "", *, order_id: str = "") -> Done:
        answer = await self.ask(command, target, order_id=order_id)
        assert isinstance(answer, Done), answer
        return answer

    async def refused(self, command: Command, target: str = "") -> Refused:
        before = await self.log.last_position()
        answer = await self.ask(command, target)
        assert isinstance(answer, Refused), answer
        assert await self.log.last_position() == before
        assert answer.instead
        return answer

    async def facts(self, stream: str) -> list[object]:
        return [recorded.fact for recorded in await self.log.read(stream)]


@pytest.fixture
def world() -> World:
    return World()


async def test_what_is_probably_not_meant_is_told_to_who_publishes_it(world: World):
    assert (await world.done(PublishRules(text=RULES))).message == "These rules decide from now on."
    circle = "[services.a]\ndepends_on = ['a']"
    told = (await world.done(PublishRules(text=circle))).message
    assert told.startswith("These rules decide from now on. Note: services depend on each other in a circle: a -> a;")


async def test_published_rules_are_kept_as_written_with_who_and_why(world: World):
    done = await world.done(PublishRules(text=RULES, note="warnings matter"))
    (recorded,) = await world.log.read("rules.default")
    assert (done.target, done.seq) == ("default", recorded.seq)
    assert isinstance(recorded.fact, RulesPublished)
    assert (recorded.fact.text, recorded.fact.note, recorded.event.actor) == (RULES, "warnings matter", "per-grace")


async def test_publishing_what_decides_already_writes_nothing(world: World):
    await world.done(PublishRules(text=RULES))
    assert (await world.done(PublishRules(text=RULES, note="again"))).seq == 0
    assert (await world.done(PublishRules(text=RULES.replace("\n", "\r\n")))).seq == 0
    assert len(await world.facts("rules.default")) == 1


async def test_an_order_sent_again_publishes_once_even_after_other_rules(world: World):
    await world.done(PublishRules(text=RULES), order_id="order-1")
    await world.done(PublishRules(text=""))
    assert (await world.done(PublishRules(text=RULES), order_id="order-1")).seq == 0
    assert len(await world.facts("rules.default")) == 2


async def test_settings_yield_to_rules_published_by_hand(world: World):
    settings = PublishRules(text=written_settings("warning", {"critical": "sev2"}), origin="settings")
    assert (await world.done(settings)).seq
    assert (await world.done(PublishRules(text=RULES))).seq
    assert (await world.done(settings)).seq == 0
    assert [fact.origin for fact in await world.facts("rules.default")] == ["settings", "person"]


def test_the_default_settings_stand_for_the_built_in_rules():
    assert parse_rules(written_settings("error", BUILT_IN.severity)) == BUILT_IN


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[rout]\n", "did you mean route"),
        ("not toml", "no TOML"),
        ('[route]\npolicy = "nobody"\n', "the policy 'nobody', which is not configured (there are none)"),
        ("# " + "x" * TEXT_BYTES_MAX, "at most 40 KiB"),
    ],
)
async def test_rules_that_cannot_decide_are_refused(world: World, text: str, said: str):
    refusal = await world.refused(PublishRules(text=text))
    assert said in refusal.because
    assert refusal.code == "invalid"


async def test_rules_may_name_a_policy_that_is_configured(world: World):
    policy = PolicyConfigured(name="night", levels=(Level(targets=("person.ada",), answer_within_s=60),), repeat=0)
    event = Event(id="e1", fact=policy, happened_at=NOON, source="test", actor="")
    await world.log.append(Write("policy.night", NOTHING, (event,)))
    assert (await world.done(PublishRules(text='[route]\npolicy = "night"\n'))).seq


async def test_a_silence_begins_now_and_lasts_as_said(world: World):
    done = await world.done(SILENCE)
    assert await world.facts(f"silence.{done.target}") == [
        SilenceCreated(
            matchers=('service="checkout"',),
            starts_at=NOON,
            ends_at=NOON + timedelta(hours=2),
            reason="node-7 is being replaced",
        )
    ]


async def test_a_maintenance_window_begins_later(world: World):
    tomorrow = NOON + timedelta(days=1)
    done = await world.done(msgspec.structs.replace(SILENCE, starts_at=tomorrow))
    (created,) = await world.facts(f"silence.{done.target}")
    assert (created.starts_at, created.ends_at) == (tomorrow, tomorrow + timedelta(hours=2))


async def test_the_same_order_creates_one_silence(world: World):
    first = await world.done(SILENCE, order_id="order-1")
    again = await world.done(SILENCE, order_id="order-1")
    assert (again.target, again.seq) == (first.target, 0)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"matchers": ('team=~".*"',)}, "it would hold back every alert"),
        ({"matchers": ('team!="a"', 'service=""')}, "it would hold back every alert"),
        ({"matchers": ('team=~"("',)}, "no RE2 expression"),
        ({"matchers": ("team",)}, "expected a name, an operator and a value"),
        ({"reason": "  "}, "it has no reason"),
        ({"lasts_s": 0}, "it has no end"),
        ({"lasts_s": -1}, "-1 s is no time"),
        ({"ends_at": NOON + timedelta(hours=1)}, "its end is said twice"),
        ({"lasts_s": 0, "ends_at": NOON - timedelta(hours=1)}, "before it begins"),
        ({"lasts_s": 0, "ends_at": NOON}, "before it begins"),
        ({"lasts_s": 0, "ends_at": NOON + timedelta(days=400)}, "longer than 366 days"),
        ({"lasts_s": 0, "ends_at": datetime(2026, 3, 3)}, "has no zone"),
        ({"starts_at": NOON + timedelta(days=400)}, "it would begin 2027"),
        ({"matchers": ()}, "length >= 1"),
        ({"matchers": ('a="' + "x" * 4_900 + '"',) * 5}, "more than 20000 characters"),
    ],
)
async def test_a_silence_that_makes_no_sense_is_refused(world: World, change: dict[str, object], said: str):
    refusal = await world.refused(msgspec.structs.replace(SILENCE, **change))
    assert said in refusal.because


async def test_one_matcher_that_asks_for_something_is_enough(world: World):
    await world.done(msgspec.structs.replace(SILENCE, matchers=('team=~".*"', 'service="checkout"')))


async def test_a_silence_is_prolonged(world: World):
    silence_id = (await world.done(SILENCE)).target
    world.clock.moment += timedelta(hours=1)
    assert (await world.done(ChangeSilence(lasts_s=7_200), silence_id)).seq
    assert (await world.facts(f"silence.{silence_id}"))[-1] == SilenceChanged(
        starts_at=NOON, ends_at=NOON + timedelta(hours=3), reason="node-7 is being replaced"
    )
    assert (await world.done(ChangeSilence(), silence_id)).seq == 0


async def test_a_silence_that_has_begun_keeps_its_start(world: World):
    silence_id = (await world.done(SILENCE)).target
    refusal = await world.refused(ChangeSilence(starts_at=NOON + timedelta(minutes=1)), silence_id)
    assert "it has begun" in refusal.because


async def test_a_silence_is_ended_once(world: World):
    silence_id = (await world.done(SILENCE)).target
    world.clock.moment += timedelta(minutes=5)
    assert (await world.done(EndSilence(reason="done"), silence_id)).seq
    assert (await world.done(EndSilence(reason="done"), silence_id)).seq == 0
    assert (await world.facts(f"silence.{silence_id}"))[1:] == [SilenceEnded(reason="done")]
    assert "it ended 2026-03-02 12:05" in (await world.refused(ChangeSilence(lasts_s=60), silence_id)).because


async def test_a_silence_that_ran_out_needs_no_end(world: World):
    silence_id = (await world.done(SILENCE)).target
    world.clock.moment += timedelta(hours=2)
    assert (await world.done(EndSilence(), silence_id)).seq == 0


@pytest.mark.parametrize("command", [ChangeSilence(lasts_s=60), EndSilence()])
@pytest.mark.parametrize("target", ["", "sil-unknown", "no id!"])
async def test_a_silence_that_does_not_exist_is_not_found(world: World, command: Command, target: str):
    assert (await world.refused(command, target)).code == "not_found"


async def test_what_nobody_understands_is_refused_with_what_is_taken(world: World):
    order = Order(id="o", actor="", issued_at=NOON, command=msgspec.Raw(b'{"textt":""}'))
    answer = await world.signals.handle(order, "publish_rules")
    assert isinstance(answer, Refused)
    assert "text (required)" in answer.instead
    assert isinstance(await world.signals.handle(order, "publish"), Refused)
