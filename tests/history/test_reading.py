"""A file of history: every complaint names the line, the place in it, and what to do."""

import io
import json
from typing import Any

import pytest

from services.history.reading import LINE_BYTES_MAX, SNAPSHOT_BYTES_MAX, line_schema, scan, snapshots
from tests.history.feed import reached, state

MONDAY, TUESDAY = "2026-03-02T12:00:00Z", "2026-03-03T12:00:00Z"
DECLARED = reached("declared", "2026-03-02T10:05:00Z")


def file_of(*lines: Any) -> io.BytesIO:
    """A file with these lines, JSON unless they are bytes already."""
    return io.BytesIO(
        b"".join((line if isinstance(line, bytes) else json.dumps(line).encode()) + b"\n" for line in lines)
    )


def complaint(line: Any) -> tuple[str, str, str]:
    """What is wrong with the one line of a file."""
    _entries, [bad] = scan(file_of(line))
    assert bad.line == 1
    assert bad.hint
    return bad.path, bad.problem, bad.hint


def test_lines_come_in_order_of_knowledge_and_then_of_the_file():
    file = file_of(state("b", TUESDAY), state("a", MONDAY), b"", state("c", MONDAY))
    entries, bad = scan(file)
    assert not bad
    assert [(entry.line, snapshot.id) for entry, snapshot in snapshots(file, entries)] == [(2, "a"), (4, "c"), (1, "b")]


def test_a_list_gives_system_and_time_to_each_of_its_incidents():
    listed = {"system": "statuspage", "known_at": MONDAY, "incidents": [{"id": "a"}, {"id": "b", "known_at": TUESDAY}]}
    file = file_of(listed)
    entries, bad = scan(file)
    assert not bad
    found = [(snapshot.system, snapshot.id, snapshot.known_at.day) for _entry, snapshot in snapshots(file, entries)]
    assert found == [("statuspage", "a", 2), ("statuspage", "b", 3)]


def test_one_bad_incident_of_a_list_leaves_the_others():
    listed = {"system": "statuspage", "known_at": MONDAY, "incidents": [{"id": "a", "severity": "bad"}, {"id": "b"}]}
    entries, [bad] = scan(file_of(listed))
    assert [entry.identifier for entry in entries] == ["b"]
    assert (bad.path, bad.problem) == ("$.incidents[0].severity", "Invalid enum value 'bad'")


def test_what_is_not_json():
    assert complaint(b"hello")[:2] == ("$", "JSON is malformed: invalid character (byte 0)")
    assert complaint(b"\xff\xfe")[0] == "$"
    assert complaint(b"[1]")[:2] == ("$", "Expected `object`, got `array`")
    assert "recursion" in complaint(b'{"extra":' * 100_000)[1]


def test_a_time_without_a_zone_says_how_to_write_it():
    path, problem, hint = complaint(state("a", "2026-03-02T12:00:00"))
    assert (path, problem) == ("$.known_at", "Expected `datetime` with a timezone component")
    assert hint == "Write times like 2026-03-01T14:05:00Z, or with an offset such as +01:00."


def test_a_field_that_nobody_knows_is_refused_by_name():
    assert complaint(state("a", MONDAY, severtiy="sev1"))[:2] == ("$", "Object contains unknown field `severtiy`")


def test_null_where_something_must_be_told():
    assert complaint(state("a", MONDAY, title=None))[:2] == ("$.title", "Expected `str`, got `null`")


@pytest.mark.parametrize(
    ("fields", "path", "problem"),
    [
        ({"milestones": [reached("resolved", MONDAY)]}, "$.milestones[0].milestone", "resolved cannot come first"),
        (
            {"milestones": [DECLARED, reached("closed", MONDAY)]},
            "$.milestones[1].milestone",
            "closed cannot follow declared",
        ),
        (
            {"milestones": [DECLARED, reached("resolved", "2026-03-02T10:00:00Z")]},
            "$.milestones[1].at",
            "resolved at 2026-03-02T10:00:00+00:00 lies before declared at 2026-03-02T10:05:00+00:00",
        ),
        (
            {"milestones": [DECLARED | {"latest": "2026-03-02T10:00:00Z"}]},
            "$.milestones[0].at",
            "it lies outside its own bounds",
        ),
        ({"milestones": [reached("notified", MONDAY)]}, "$.milestones", "none of them begins the incident"),
        (
            {"phase": "resolved", "milestones": [DECLARED]},
            "$.phase",
            "it is resolved, and the last milestone, declared, makes it active",
        ),
        (
            {"impact": [{"scope": "api", "level": 1, "start": MONDAY, "end": "2026-03-02T11:00:00Z"}]},
            "$.impact[0].end",
            "2026-03-02T11:00:00+00:00 lies before the start",
        ),
        (
            {"impact": [{"scope": "api", "level": level, "start": "2026-03-02T11:00:00Z"} for level in (1, 2)]},
            "$.impact[1].start",
            "the impact on api before it has not ended by then",
        ),
        ({"impact": [{"scope": "api", "level": 0, "start": MONDAY}]}, "$.impact[0].level", "Expected `int` >= 1"),
        (
            {"updates": [{"at": TUESDAY, "text": "From the future."}]},
            "$.updates[0].at",
            "2026-03-03T12:00:00+00:00 lies after `$.known_at`, 2026-03-02T12:00:00+00:00",
        ),
        (
            {"severity": "sev1", "severities": [{"severity": "sev2", "at": MONDAY}]},
            "$.severity",
            "it is sev1, and `$.severities` ends with sev2",
        ),
        ({"merged_into": "a"}, "$.merged_into", "it names the incident itself"),
    ],
)
def test_what_contradicts_itself(fields: dict[str, Any], path: str, problem: str):
    assert complaint(state("a", MONDAY, **fields))[:2] == (path, problem)


def test_a_huge_line_is_refused_and_the_next_one_read():
    huge = b'{"extra": "' + b"x" * (LINE_BYTES_MAX + 10) + b'"}'
    file = file_of(huge, state("a", MONDAY))
    entries, [bad] = scan(file)
    assert (bad.line, bad.problem) == (1, f"it has more than {LINE_BYTES_MAX:,} bytes")
    assert len(bad.text) < 10_000
    assert [snapshot.id for _entry, snapshot in snapshots(file, entries)] == ["a"]


def test_a_state_must_fit_into_one_order():
    problem = complaint(state("a", MONDAY, extra={"page": "x" * SNAPSHOT_BYTES_MAX}))[1]
    assert problem.endswith(f"one state of an incident has at most {SNAPSHOT_BYTES_MAX:,}")


def test_the_schema_of_a_line_knows_both_forms():
    schema = line_schema()
    assert schema["anyOf"] == [{"$ref": "#/$defs/Snapshot"}, {"$ref": "#/$defs/SnapshotList"}]
    assert schema["$defs"]["Snapshot"]["required"] == ["system", "id", "known_at"]
    assert schema["$defs"]["ListedSnapshot"]["required"] == ["id"]
    assert schema["$defs"]["SnapshotList"]["properties"]["incidents"]["items"] == {"$ref": "#/$defs/ListedSnapshot"}
