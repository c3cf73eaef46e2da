"""Climbing a policy: pure, told as histories of an incident and of its escalation."""

from datetime import UTC, datetime, timedelta

import msgspec
import pytest

from events import Event, Fact, Recorded
from events.escalation import EscalationExhausted, EscalationStarted, EscalationStopped, Level, LevelReached
from events.incident import (
    IncidentAcknowledged,
    IncidentContained,
    IncidentDeclared,
    IncidentDismissed,
    IncidentMerged,
    IncidentOpened,
    IncidentRegressed,
    IncidentReinstated,
    IncidentReopened,
    IncidentResolved,
    IncidentSeverityChanged,
    IncidentUnmerged,
    Noted,
    TitleChanged,
)
from events.oncall import PolicyConfigured
from events.page import PageRequested, PageWithheld
from services.attention import attention_of
from services.oncall.escalation import (
    Ask,
    Asked,
    Begin,
    Exhaust,
    Step,
    Stop,
    escalation_of,
    next_at,
    next_steps,
    pages,
    wakes_at,
)

NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
LEVELS = (
    Level(targets=("rotation.primary",), answer_within_s=300),
    Level(targets=("person.per-grace",), answer_within_s=600),
)
POLICY = PolicyConfigured(name="default", levels=LEVELS)

DECLARED = IncidentDeclared(title="checkout is down", severity="sev1", service="checkout")
STARTED = EscalationStarted(run=1, policy_id="default", levels=LEVELS)
SUMMARY, REOPENED = IncidentResolved(summary="ok"), IncidentReopened(kind="relapse", reason="back", episode=2)


def reached(level: int, *, run: int = 1, round_number: int = 0, next_s: int = 300) -> LevelReached:
    return LevelReached(
        run=run, round=round_number, level=level, page_ids=("pg-1",), next_at=NOON + timedelta(seconds=next_s)
    )


def histories(*facts: Fact) -> tuple[list[Recorded], list[Recorded]]:
    """Facts of an incident and of its escalation in the order of the log, taken apart."""
    apart: dict[str, list[Recorded]] = {"incident": [], "escalation": []}
    for seq, fact in enumerate(facts, start=1):
        category = str(fact.__struct_config__.tag).partition(".")[0]
        event = Event(id=str(seq), fact=fact, happened_at=NOON, source="t")
        recorded = Recorded(seq=seq, stream=f"{category}.INC-42", recorded_at=NOON, event=event)
        apart[category].append(recorded)
    return apart["incident"], apart["escalation"]


def steps(*facts: Fact, after_s: int = 0, policy: PolicyConfigured | None = POLICY) -> tuple[Step, ...]:
    incident, escalation = histories(*facts)
    return next_steps(
        escalation_of(escalation),
        attention_of(incident),
        policy,
        threshold="sev3",
        now=NOON + timedelta(seconds=after_s),
    )


def ask(level: int, *, run: int = 1, round_number: int = 0) -> Ask:
    asked = LEVELS[level - 1]
    return Ask(run=run, round=round_number, level=level, targets=asked.targets, answer_within_s=asked.answer_within_s)


def test_an_incident_starts_a_run_and_asks_the_first_level_at_once():
    assert steps(DECLARED) == (Begin(STARTED), ask(1))


def test_triage_pages_too():
    assert steps(IncidentOpened(title="checkout", severity="sev2")) == (Begin(STARTED), ask(1))


def test_nothing_happens_before_the_level_has_had_its_time():
    assert steps(DECLARED, STARTED, reached(1), after_s=299) == ()


def test_the_next_level_is_asked_when_its_time_has_come():
    assert steps(DECLARED, STARTED, reached(1), after_s=300) == (ask(2),)


def test_after_the_last_level_the_run_is_exhausted():
    assert steps(DECLARED, STARTED, reached(1), reached(2), after_s=300) == (Exhaust(1),)


def test_a_policy_that_repeats_begins_another_round():
    twice = EscalationStarted(run=1, policy_id="default", levels=LEVELS, repeat=1)
    assert steps(DECLARED, twice, reached(1), reached(2), after_s=300) == (ask(1, round_number=1),)
    last = (reached(1, round_number=1), reached(2, round_number=1))
    assert steps(DECLARED, twice, reached(1), reached(2), *last, after_s=300) == (Exhaust(1),)


def test_an_exhausted_run_is_not_started_again():
    assert steps(DECLARED, STARTED, reached(1), EscalationExhausted(run=1), after_s=9_000) == ()


@pytest.mark.parametrize(
    ("fact", "reason"),
    [
        (IncidentAcknowledged(), "acknowledged"),
        (SUMMARY, "resolved"),
        (IncidentDismissed(reason="false_positive"), "dismissed"),
        (IncidentMerged(into_incident_id="INC-41"), "merged"),
    ],
)
def test_a_run_stops_when_nobody_is_needed(fact: Fact, reason: str):
    assert steps(DECLARED, STARTED, reached(1), fact, after_s=300) == (Stop(1, reason),)
    assert steps(DECLARED, STARTED, reached(1), fact, EscalationStopped(run=1, reason=reason), after_s=300) == ()
    assert steps(DECLARED, fact) == (), "what was over before a run began needs none"


def test_a_reopened_incident_starts_a_new_run():
    stopped = EscalationStopped(run=1, reason="acknowledged")
    before = (DECLARED, STARTED, reached(1), IncidentAcknowledged(), stopped, SUMMARY, REOPENED)
    second = EscalationStarted(run=2, policy_id="default", levels=LEVELS)
    assert steps(*before) == (Begin(second), ask(1, run=2))
    assert steps(*before, second, reached(1, run=2), after_s=299) == ()


def test_a_run_whose_end_was_not_heard_of_stops_before_the_next_begins():
    second = EscalationStarted(run=2, policy_id="default", levels=LEVELS)
    missed = (DECLARED, STARTED, reached(1), SUMMARY, REOPENED)
    assert steps(*missed, after_s=300) == (Stop(1, "resolved"), Begin(second), ask(1, run=2))


@pytest.mark.parametrize(
    "again",
    [
        (IncidentDismissed(reason="benign"), IncidentReinstated(reason="it is real")),
        (IncidentMerged(into_incident_id="INC-41"), IncidentUnmerged(from_incident_id="INC-41", reason="not the same")),
    ],
)
def test_an_incident_that_comes_back_calls_again(again: tuple[Fact, Fact]):
    gone, back = again
    stopped = EscalationStopped(run=1, reason="dismissed")
    assert isinstance(steps(DECLARED, STARTED, reached(1), gone, stopped, back)[0], Begin)


def test_an_acknowledged_incident_that_is_separated_again_stays_silent():
    merged = IncidentMerged(into_incident_id="INC-41")
    assert steps(DECLARED, IncidentAcknowledged(), merged, IncidentUnmerged(from_incident_id="INC-41")) == ()


def test_less_severe_incidents_wait_until_they_grow():
    minor = IncidentDeclared(title="typo", severity="sev4")
    assert steps(minor) == ()
    assert steps(minor, IncidentSeverityChanged(severity="sev3", previous="sev4")) == (Begin(STARTED), ask(1))


def test_a_run_goes_on_when_severity_falls():
    falls = IncidentSeverityChanged(severity="sev4", previous="sev1")
    assert steps(DECLARED, STARTED, reached(1), falls, after_s=300) == (ask(2),)


def test_containment_cuts_no_run_and_begins_none():
    assert steps(DECLARED, STARTED, reached(1), IncidentContained(), after_s=300) == (ask(2),)
    assert steps(DECLARED, IncidentContained()) == ()
    assert steps(DECLARED, IncidentContained(), IncidentRegressed(reason="it is back")) == (Begin(STARTED), ask(1))


def test_without_a_policy_nothing_starts_and_the_run_says_why():
    assert steps(DECLARED, policy=None) == (Exhaust(1, because="no policy 'default' is configured"),)
    without_levels = PolicyConfigured(name="default", levels=())
    assert steps(DECLARED, policy=without_levels) == (Exhaust(1, because="the policy 'default' has no level"),)


def test_a_call_that_found_nobody_to_ask_is_not_called_again_and_the_next_one_is():
    nobody = EscalationExhausted(run=1, because="nobody is paged: no policy 'default' is configured")
    assert steps(DECLARED, nobody, policy=POLICY) == ()
    back = (IncidentResolved(), IncidentReopened(kind="relapse", reason="slow again", episode=2))
    again = msgspec.structs.replace(STARTED, run=2)
    assert steps(DECLARED, nobody, *back) == (Begin(again), ask(1, run=2))


def test_notes_and_titles_change_nothing_but_the_title():
    incident, _none = histories(DECLARED, Noted(text="looking"), TitleChanged(title="payments fail"))
    attention = attention_of(incident)
    assert (attention.title, attention.version, attention.call_seq) == ("payments fail", 3, 1)
    assert steps(Noted(text="before anything")) == ()


def test_a_person_is_paged_once_a_level_however_many_targets_lead_there():
    asked = pages(
        ask(1),
        "INC-42",
        [
            Asked(target="rotation.primary", person_id="per-ada"),
            Asked(target="person.per-ada", person_id="per-ada"),
            Asked(target="rotation.other", unreachable="nobody is on call in other"),
        ],
    )
    assert [type(page) for page in asked.values()] == [PageRequested, PageWithheld]
    first = next(iter(asked.values()))
    assert isinstance(first, PageRequested)
    assert (first.person_id, first.target) == ("per-ada", "rotation.primary")


def test_the_same_person_at_another_level_is_another_page():
    ada = [Asked(target="person.per-ada", person_id="per-ada")]
    ids = {*pages(ask(1), "INC-42", ada), *pages(ask(2), "INC-42", ada), *pages(ask(1, run=2), "INC-42", ada)}
    assert len(ids) == 3


def test_a_level_that_reaches_nobody_is_not_waited_for():
    assert next_at(ask(1), NOON, anybody=True) == NOON + timedelta(seconds=300)
    assert next_at(ask(1), NOON, anybody=False) == NOON


def test_an_early_timer_is_told_when_to_come_back():
    _incident, running = histories(STARTED, reached(1))
    assert wakes_at(escalation_of(running), NOON) == NOON + timedelta(seconds=300)
    assert wakes_at(escalation_of(running), NOON + timedelta(seconds=300)) is None
    assert wakes_at(escalation_of([]), NOON) is None
