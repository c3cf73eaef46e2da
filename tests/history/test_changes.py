"""What an edit in another system becomes here: few facts that say it, and corrections are corrections."""

from collections.abc import Sequence
from typing import Any

from events import Event, Write
from events.incident import EventRetracted, MilestoneCorrected, Noted
from events.memory_log import MemoryLog
from tests.history.conftest import Importing
from tests.history.feed import reached, state

MONDAY, TUESDAY, WEDNESDAY = "2026-03-02T12:00:00Z", "2026-03-03T12:00:00Z", "2026-03-04T12:00:00Z"
DETECTED, DECLARED = reached("detected", "2026-03-02T10:00:00Z"), reached("declared", "2026-03-02T10:05:00Z")
RESOLVED = reached("resolved", "2026-03-02T11:00:00Z")


def first(**fields: Any) -> dict[str, Any]:
    """An incident as it was known on Monday."""
    described = {"title": "Checkout is down", "severity": "sev2", "milestones": [DETECTED, DECLARED]}
    return state("checkout", MONDAY, **{**described, **fields})


async def changes(importing: Importing, before: dict[str, Any], **fields: Any) -> Sequence[str]:
    """What is said when this is known on Tuesday."""
    await importing.record(before)
    answer = await importing.record(state("checkout", TUESDAY, **fields), dry_run=True)
    assert not answer.outcomes[0].problem, answer.outcomes[0]
    return answer.outcomes[0].headlines


async def test_a_new_incident_is_told_in_order_of_time_and_begins_with_its_detection(importing: Importing):
    impact = {"scope": "api", "level": 3, "start": "2026-03-02T09:50:00Z", "end": "2026-03-02T10:50:00Z"}
    note = {"at": "2026-03-02T10:30:00Z", "text": "Rolling back."}
    answer = await importing.record(
        first(milestones=[DETECTED, DECLARED, RESOLVED], impact=[impact], updates=[note]), dry_run=True
    )
    assert answer.outcomes[0].headlines == (
        "opened for triage: Checkout is down",
        "impact level 3 on api began",
        "declared sev2: Checkout is down",
        "import:statuspage: Rolling back.",
        "impact on api ended",
        "resolved",
    )


async def test_what_a_state_leaves_out_is_as_it_was(importing: Importing):
    assert await changes(importing, first(updates=[{"at": MONDAY, "text": "Hello."}]), title="Checkout is down") == ()


async def test_an_empty_list_says_that_there_is_none(importing: Importing):
    said = await changes(importing, first(updates=[{"at": MONDAY, "text": "Hello."}]), updates=[])
    assert [text.partition(" at position")[0] for text in said] == ["incident.noted"]
    assert said[0].endswith("taken back: deleted in statuspage")


async def test_a_milestone_that_is_told_otherwise_is_corrected_and_names_its_event(
    importing: Importing, memory_log: MemoryLog
):
    await importing.record(first(milestones=[DETECTED, DECLARED, RESOLVED]))
    later = reached("resolved", "2026-03-02T11:20:00Z", earliest="2026-03-02T11:15:00Z", latest="2026-03-02T11:30:00Z")
    await importing.record(state("checkout", TUESDAY, milestones=[DETECTED, DECLARED, later]))
    told = await memory_log.read("incident.INC-1")
    resolved, corrected = told[2], told[-1]
    assert isinstance(corrected.fact, MilestoneCorrected)
    assert corrected.fact.milestone == "resolved"
    assert (corrected.fact.replaces_event_id, corrected.fact.replaces_seq) == (resolved.event.id, resolved.seq)
    assert corrected.fact.occurred_at.isoformat() == "2026-03-02T11:20:00+00:00"
    assert corrected.fact.occurred_latest_at is not None
    assert corrected.happened_at.isoformat() == corrected.event.known_at.isoformat() == "2026-03-03T12:00:00+00:00"


async def test_a_milestone_that_was_put_in_between_is_told_with_what_follows_it(importing: Importing):
    contained = reached("contained", "2026-03-02T10:30:00Z")
    said = await changes(
        importing,
        first(milestones=[DETECTED, DECLARED, RESOLVED]),
        milestones=[DETECTED, DECLARED, contained, RESOLVED],
    )
    assert said[0].startswith("incident.resolved at position ")
    assert said[1:] == ("contained", "resolved")


async def test_taking_a_phase_back_says_which_one_is_left(importing: Importing, memory_log: MemoryLog):
    await importing.record(first(milestones=[DETECTED, DECLARED, RESOLVED]))
    await importing.record(state("checkout", TUESDAY, milestones=[DETECTED, DECLARED]))
    retracted = (await memory_log.read("incident.INC-1"))[-1].fact
    assert isinstance(retracted, EventRetracted)
    assert (retracted.event_type, retracted.phase) == ("incident.resolved", "active")


async def test_another_severity_of_an_open_incident_is_a_change_between_two_states(
    importing: Importing, memory_log: MemoryLog
):
    await importing.record(first())
    await importing.record(state("checkout", TUESDAY, severity="sev1"))
    changed = (await memory_log.read("incident.INC-1"))[-1].event
    assert (changed.happened_earliest, changed.happened_at, changed.happened_latest) == (
        (await memory_log.read("incident.INC-1"))[0].event.known_at,
        changed.known_at,
        changed.known_at,
    )


async def test_another_severity_of_an_incident_that_is_over_is_a_correction(importing: Importing):
    said = await changes(importing, first(milestones=[DETECTED, DECLARED, RESOLVED]), severity="sev1")
    # Both facts carry it.
    assert said == ("severity corrected from sev2 to sev1: changed in statuspage",) * 2


async def test_severities_with_times_are_changes_wherever_they_lie(importing: Importing):
    severities = [
        {"severity": "sev3", "at": "2026-03-02T10:00:00Z"},
        {"severity": "sev1", "at": "2026-03-02T10:20:00Z"},
    ]
    answer = await importing.record(first(severity="sev1", severities=severities), dry_run=True)
    assert answer.outcomes[0].headlines == (
        "opened for triage: Checkout is down",
        "declared sev3: Checkout is down",
        "severity sev3 → sev1",
    )


async def test_a_later_severity_is_told_after_what_described_the_incident_anew(importing: Importing):
    severities = [
        {"severity": "sev3", "at": "2026-03-02T10:00:00Z"},
        {"severity": "sev1", "at": "2026-03-02T10:20:00Z"},
    ]
    said = await changes(importing, first(severity="sev1", severities=severities), service="checkout")
    assert said[-3:] == (
        "opened for triage: Checkout is down",
        "declared sev3: Checkout is down",
        "severity sev3 → sev1",
    )


async def test_the_start_and_the_end_of_impact_are_corrected(importing: Importing):
    impact = {"scope": "api", "level": 3, "start": "2026-03-02T09:50:00Z", "end": "2026-03-02T10:50:00Z"}
    moved = impact | {"start": "2026-03-02T09:40:00Z", "end": "2026-03-02T10:55:00Z"}
    said = await changes(importing, first(impact=[impact]), impact=[moved])
    assert [text.partition(" to ")[0] for text in said] == ["impact_started corrected", "mitigated corrected"]


async def test_another_level_is_told_anew_with_what_follows_on_that_scope_alone(importing: Importing):
    api = {"scope": "api", "level": 3, "start": "2026-03-02T09:50:00Z", "end": "2026-03-02T10:50:00Z"}
    web = {"scope": "web", "level": 1, "start": "2026-03-02T10:00:00Z"}
    said = await changes(importing, first(impact=[api, web]), impact=[api | {"level": 4}, web])
    assert [text.partition(" at position")[0] for text in said] == [
        "incident.impact_ended",
        "incident.impact_started",
        "impact level 4 on api began",
        "impact on api ended",
    ]


async def test_an_edited_update_is_taken_back_and_told_with_its_first_time(importing: Importing, memory_log: MemoryLog):
    update = {"id": "u1", "at": "2026-03-02T10:10:00Z", "text": "We look into it.", "author": "ada"}
    await importing.record(first(updates=[update]))
    await importing.record(state("checkout", TUESDAY, updates=[update | {"text": "We looked.", "edited_at": TUESDAY}]))
    told = await memory_log.read("incident.INC-1")
    retracted, noted = told[-2:]
    assert isinstance(retracted.fact, EventRetracted)
    assert retracted.fact.reason == "edited in statuspage"
    assert noted.happened_at.isoformat() == "2026-03-02T10:10:00+00:00"


async def test_a_notification_is_asserted_because_nothing_of_ours_was_sent(importing: Importing):
    notified = reached("notified", "2026-03-02T10:01:00Z")
    later = reached("notified", "2026-03-02T10:02:00Z")
    said = await changes(
        importing, first(milestones=[DETECTED, notified, DECLARED]), milestones=[DETECTED, later, DECLARED]
    )
    assert said[0].startswith("incident.milestone_corrected at position ")
    assert said[1] == "notified corrected to 2026-03-02 10:02:00 UTC: sent by statuspage"


async def test_a_determination_is_set_while_open_and_corrected_afterwards(importing: Importing):
    said = await changes(importing, first(), determination="confirmed")
    assert said == ("determined to be confirmed",)
    await importing.record(
        state("checkout", TUESDAY, determination="confirmed", milestones=[DETECTED, DECLARED, RESOLVED])
    )
    answer = await importing.record(state("checkout", WEDNESDAY, determination="benign"), dry_run=True)
    assert answer.outcomes[0].headlines == ("determination corrected to benign: changed in statuspage",)


async def test_what_people_add_here_is_neither_seen_nor_undone(importing: Importing, memory_log: MemoryLog):
    answer = await importing.record(first(updates=[]))
    event = (await memory_log.read("incident.INC-1"))[0].event
    mine = Event(id="mine", fact=Noted(text="ours"), happened_at=event.happened_at, source="recount/incidents")
    await memory_log.append(Write("incident.INC-1", answer.seq, (mine,)))
    answer = await importing.record(state("checkout", TUESDAY, updates=[]))
    assert answer.outcomes[0].facts == 0


async def test_a_name_never_enters_the_log_and_a_person_of_ours_is_that_person(
    importing: Importing, memory_log: MemoryLog
):
    acknowledged = [{"at": "2026-03-02T10:02:00Z", "by": "Ada Lovelace"}]
    roles = [{"role": "commander", "person": "bob", "start": "2026-03-02T10:05:00Z"}]
    await importing.record(first(acknowledgements=acknowledged, roles=roles), people={"bob": "per-b2c4d6f8h3"})
    told = await memory_log.read("incident.INC-1")
    assert all("Lovelace" not in repr(past) for past in told)
    assert any(past.event.actor.startswith("ext-") for past in told)
    assert any(getattr(past.fact, "person_id", "") == "per-b2c4d6f8h3" for past in told)
