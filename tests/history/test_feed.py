"""A feed of successive states, imported in order of knowledge: the incident as known at each is that state."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from events import EventLog, Stored
from projections.lens import AsOf, Lens
from projections.warehouse import Warehouse
from services.history.phases import PHASE_AFTER
from tests.history.conftest import Importing
from tests.history.feed import feed

# Everything that a state tells of incidents, in one question.
EVERYTHING = """
select incident_id, 'is' as what, title as name, opened_at as since, null as until, null as level,
    [severity, service, determination, phase, merged_into, (commander is not null)::varchar] as said
from incidents
union all
select incident_id, 'reached', milestone, happened_at, latest, null, [earliest::varchar]
from incident_milestones
where milestone in ('declared', 'contained', 'eradicated', 'resolved', 'closed', 'reopened')
union all
-- A declaration is a detection as well when nothing else is.
select incident_id, 'reached', milestone, happened_at, latest, null, [earliest::varchar]
from incident_milestones
where milestone = 'detected' and incident_id in (select stream_id from incident_opened)
union all
select incident_id, 'impact', scope, started_at, ended_at, level_max, null from impact_intervals
union all
select stream_id, 'note', text, happened_at, null, null, null from incident_noted
"""


async def test_the_incident_as_known_at_each_state_is_that_state(nats_log: EventLog):
    importing = Importing(nats_log)
    believed: dict[str, dict[str, Any]] = {}
    names: dict[str, str] = {}
    states: list[tuple[str, int, dict[str, dict[str, Any]]]] = []
    for line in feed():
        answer = await importing.record(line)
        names[line["id"]] = answer.outcomes[0].incident_id
        # What a later state leaves out is as it was.
        believed = {**believed, line["id"]: {**believed.get(line["id"], {}), **line}}
        states.append((line["known_at"], answer.seq, believed))
    with Warehouse.open() as warehouse:
        warehouse.apply(await _everything_in(nats_log))
        for number, (known_at, position, then) in enumerate(states):
            wanted = sorted(row for state in then.values() for row in _rows_of(state, names))
            assert _shown(warehouse, position) == wanted, f"as of position {position}"
            if all(later != known_at for later, _seq, _then in states[number + 1 :]):
                lens = Lens(known_by=datetime.fromisoformat(known_at))
                assert _shown(warehouse, lens) == wanted, f"as known by {known_at}"


async def _everything_in(log: EventLog) -> list[Stored]:
    return [stored async for batch in log.bulk(after=0, through=await log.last_position()) for stored in batch]


def _shown(warehouse: Warehouse, as_of: AsOf) -> list[str]:
    return sorted(map(repr, warehouse.ask(EVERYTHING, as_of=as_of).rows))


def _rows_of(state: Mapping[str, Any], names: Mapping[str, str]) -> list[str]:
    incident, milestones = names[state["id"]], state["milestones"]
    merged_into = names.get(state.get("merged_into") or "")
    phase = "merged" if merged_into else PHASE_AFTER[milestones[-1]["milestone"]]
    determination = state.get("determination", "suspected")
    commander = "true" if state.get("roles") else "false"
    said = [state["severity"], state["service"], determination, phase, merged_into, commander]
    rows: list[tuple[Any, ...]] = [
        (incident, "is", state["title"], _utc(milestones[0]["at"]), None, None, said),
        *(
            (
                incident,
                "reached",
                reached["milestone"],
                _utc(reached["at"]),
                _utc(reached.get("latest")),
                None,
                _earliest(reached),
            )
            for reached in milestones
            if reached["milestone"] != "regressed"
        ),
        *(
            (
                incident,
                "impact",
                stretch["scope"],
                _utc(stretch["start"]),
                _utc(stretch.get("end")),
                _worst(stretch),
                None,
            )
            for stretch in state["impact"]
        ),
        *((incident, "note", update["text"], _utc(update["at"]), None, None, None) for update in state["updates"]),
    ]
    return list(map(repr, rows))


def _earliest(reached: Mapping[str, Any]) -> list[str | None]:
    earliest = _utc(reached.get("earliest"))
    return [str(earliest) if earliest else None]


def _worst(stretch: Mapping[str, Any]) -> int:
    return max(stretch["level"], *(change["level"] for change in stretch.get("changes", [])), 0)


def _utc(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text).astimezone(UTC).replace(tzinfo=None) if text else None
