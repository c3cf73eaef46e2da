"""Taking states over: once, in order of knowledge, each whole or not at all."""

from datetime import UTC, datetime

import msgspec
import pytest

from events import EventLog, Write
from events.errors import LogUnavailable
from events.imported import ImportAssigned, ImportTaken
from events.log import EVENTS_PER_APPEND_MAX
from events.memory_log import MemoryLog
from services.command import CommandRefused, Refused
from services.history.commands import parse
from tests.history.conftest import Importing
from tests.history.feed import feed, reached, state

MONDAY, TUESDAY = "2026-03-02T12:00:00Z", "2026-03-03T12:00:00Z"
DECLARED = reached("declared", "2026-03-02T10:05:00Z")


def incident(identifier: str, known_at: str = MONDAY, **fields: object) -> dict[str, object]:
    """A state that says enough for a first one."""
    return state(identifier, known_at, title=f"{identifier} is down", severity="sev2", milestones=[DECLARED]) | fields


async def test_importing_twice_changes_nothing(log: EventLog):
    importing = Importing(log)
    lines = list(feed())
    first = await importing.record(*lines)
    assert first.seq == await log.last_position()
    assert sum(outcome.facts for outcome in first.outcomes) > 40
    again = await importing.record(*lines)
    assert again.seq == 0
    assert [outcome.facts for outcome in again.outcomes] == [0] * len(lines)
    assert await log.last_position() == first.seq


async def test_one_order_or_many_lead_to_the_same_facts():
    logs = [MemoryLog(lambda: datetime(2026, 11, 25, tzinfo=UTC)) for _ in range(2)]
    await Importing(logs[0]).record(*feed())
    for line in feed():
        await Importing(logs[1]).record(line)
    told = [[past.event.id for past in await log.read_category("incident")] for log in logs]
    assert told[0] == told[1]


async def test_the_same_state_later_says_nothing_new(importing: Importing, memory_log: MemoryLog):
    seq = (await importing.record(incident("api"))).seq
    again = await importing.record(incident("api", TUESDAY), incident("api", "2026-03-04T12:00:00Z"))
    assert (again.seq, await memory_log.last_position()) == (0, seq)


async def test_provenance_is_kept(importing: Importing, memory_log: MemoryLog):
    url = "https://status.example.org/1"
    extra = {"regions": ["eu-west-1"], "impact_override": None}
    await importing.record(incident("api", url=url, tags=["database"], extra=extra))
    assigned, taken = await memory_log.read_category("import")
    assert assigned.fact == ImportAssigned(system="statuspage", external_id="api", incident_id="INC-1")
    assert isinstance(taken.fact, ImportTaken)
    assert (taken.fact.url, taken.fact.tags, taken.fact.facts) == (url, ("database",), 1)
    assert msgspec.json.decode(taken.fact.extra) == extra
    [declared] = await memory_log.read("incident.INC-1")
    assert declared.event.source == "import/statuspage"
    assert declared.event.causation_id == taken.event.causation_id
    assert declared.event.known_at == datetime(2026, 3, 2, 12, tzinfo=UTC)
    assert declared.happened_at == datetime(2026, 3, 2, 10, 5, tzinfo=UTC)


async def test_a_state_from_before_what_is_known_is_refused(importing: Importing):
    await importing.record(incident("api", TUESDAY))
    [outcome] = (await importing.record(incident("api", MONDAY, severity="sev4"))).outcomes
    assert outcome.path == "$.known_at"
    assert "INC-1 was taken over as known at 2026-03-03T12:00:00+00:00, which is a later state of it" in outcome.problem


async def test_two_states_of_one_moment_are_refused(importing: Importing):
    [_first, second] = (await importing.record(incident("api"), incident("api", severity="sev4"))).outcomes
    assert "another state of it" in second.problem


async def test_the_first_state_must_say_what_it_is_about(importing: Importing):
    [outcome] = (await importing.record(state("api", MONDAY, severity="sev1"))).outcomes
    assert (outcome.path, outcome.incident_id) == ("$.title", "")
    assert "first snapshot" in outcome.hint


async def test_what_comes_after_a_refused_state_is_left_unless_it_is_to_be_skipped(
    importing: Importing, memory_log: MemoryLog
):
    lines = [incident("api"), state("bad", MONDAY), incident("web")]
    stopped = await importing.record(*lines)
    assert [bool(outcome.problem) for outcome in stopped.outcomes] == [False, True]
    assert stopped.message == "1 states taken over, 1 facts; 1 refused"
    skipped = await importing.record(*lines, skip_refused=True)
    assert [(outcome.incident_id, outcome.facts) for outcome in skipped.outcomes] == [
        ("INC-1", 0),
        ("", 0),
        ("INC-2", 1),
    ]
    assert len(await memory_log.read_category("incident")) == 2


async def test_an_incident_is_merged_into_one_that_is_there(importing: Importing, memory_log: MemoryLog):
    [outcome] = (await importing.record(incident("web", merged_into="api"))).outcomes
    assert (outcome.path, outcome.problem) == ("$.merged_into", "'api' of statuspage has not been taken over")
    await importing.record(incident("api"), incident("web", merged_into="api"))
    told = {past.stream: type(past.fact).__name__ for past in await memory_log.read_category("incident")}
    assert told == {"incident.INC-1": "IncidentAbsorbed", "incident.INC-2": "IncidentMerged"}


async def test_the_same_id_of_two_systems_are_two_incidents(importing: Importing):
    outcomes = (await importing.record(incident("1"), incident("1") | {"system": "pagerduty"})).outcomes
    assert [outcome.incident_id for outcome in outcomes] == ["INC-1", "INC-2"]


async def test_more_facts_than_one_append_takes_go_into_several(importing: Importing, memory_log: MemoryLog):
    updates = [{"at": MONDAY, "text": f"update {number}"} for number in range(400)]
    answer = await importing.record(*(incident(f"api-{number}", updates=updates) for number in range(5)))
    assert [outcome.facts for outcome in answer.outcomes] == [401] * 5
    assert await memory_log.last_position() == 5 * 403


async def test_one_state_is_never_split(importing: Importing, memory_log: MemoryLog):
    updates = [{"at": MONDAY, "text": f"update {number}"} for number in range(600)]
    impact = [{"scope": f"scope {number}", "level": 1, "start": MONDAY, "end": MONDAY} for number in range(300)]
    [outcome] = (await importing.record(incident("api", updates=updates, impact=impact))).outcomes
    assert outcome.problem == f"it leads to 1,203 facts; one append takes {EVENTS_PER_APPEND_MAX:,}"
    assert await memory_log.last_position() == 0


async def test_a_fact_that_is_too_large_is_refused_with_its_line_alone(importing: Importing):
    outcomes = (
        await importing.record(incident("api", extra={"page": "x" * 80_000}), incident("web"), skip_refused=True)
    ).outcomes
    assert "import.taken" in outcomes[0].problem
    assert outcomes[1].facts == 1


async def test_the_number_of_an_incident_is_the_next_free_one(importing: Importing):
    await importing.record(*(incident(f"api-{number}") for number in range(30)))
    # The last that was declared is not the one with the highest number.
    moved = [reached("detected", "2026-03-02T10:00:00Z"), DECLARED]
    await importing.record(state("api-3", TUESDAY, milestones=moved))
    assert (await importing.record(incident("web"))).outcomes[0].incident_id == "INC-31"


class _Dying(MemoryLog):
    """A log that goes away after some appends, and stores the one that it does not answer."""

    appends_left = 3

    async def append(self, *writes: Write) -> int:
        seq = await super().append(*writes)
        self.appends_left -= 1
        if self.appends_left < 0:
            raise LogUnavailable("the log is away")
        return seq


async def test_an_import_that_was_cut_off_goes_on_where_it_was():
    log = _Dying(lambda: datetime(2026, 11, 25, tzinfo=UTC))
    importing = Importing(log)
    refused = await importing.ask(*feed())
    assert isinstance(refused, Refused)
    assert (refused.code, refused.instead) == (
        "unavailable",
        "send it again: what is there already is not written twice",
    )
    log.appends_left = 1_000
    await importing.record(*feed())
    whole = MemoryLog(lambda: datetime(2026, 11, 25, tzinfo=UTC))
    await Importing(whole).record(*feed())
    assert [past.event.id for past in await log.read_category("incident")] == [
        past.event.id for past in await whole.read_category("incident")
    ]


@pytest.mark.parametrize(
    ("command", "because"),
    [
        ({"type": "record", "snapshots": []}, "Expected `array` of length >= 1 - at `$.snapshots`"),
        ({"type": "record", "snapshots": [{"system": "Status Page"}]}, "$.snapshots[0]"),
    ],
)
async def test_an_order_that_cannot_be_read_names_the_place(
    importing: Importing, command: dict[str, object], because: str
):
    with pytest.raises(CommandRefused, match="Cannot take a history over") as raised:
        parse("record", msgspec.json.encode(command))
    assert because in str(raised.value)
