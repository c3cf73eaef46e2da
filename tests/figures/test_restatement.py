"""What was restated is told apart from what only went on, and the events that did it are named."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from projections.figures.restatement import Event, Key, Measurement, changed, changes, events_between
from projections.query import Table

KEY = ("ttr_recover", "2026-02", "INC-42")
OVER, LATER = Measurement("measured", "", 60), Measurement("measured", "", 90)
OPEN, OLDER = Measurement("censored", "not resolved", 60), Measurement("censored", "not resolved", 90)
LEFT_OUT = Measurement("excluded", "dismissed", None)


def kind(then: Measurement | None, now: Measurement | None, *, since: datetime | None = None) -> str:
    """How one change is told; empty when it is none."""

    def log(state: Measurement | None) -> dict[Key, Measurement]:
        return {} if state is None else {KEY: state}

    found = changes(log(then), log(now), {}, since=since)
    return found[0].kind if found else ""


def test_what_had_been_measured_otherwise_is_restated():
    assert kind(OVER, LATER) == "restated"
    assert kind(OVER, LEFT_OUT) == "restated"
    assert kind(LEFT_OUT, OVER) == "restated"
    assert kind(OVER, OPEN) == "restated"


def test_an_open_incident_that_ends_only_went_on_and_one_that_grows_older_is_no_change():
    assert kind(OPEN, LATER) == "went on"
    assert kind(OPEN, OLDER) == ""
    assert kind(OVER, OVER) == ""


def test_an_end_before_what_was_known_of_it_was_told_of_late_and_restates():
    assert kind(OLDER, OVER) == "restated"


def test_an_incident_that_started_later_began_since_and_one_that_started_before_was_told_late():
    since = datetime(2026, 2, 14)
    assert kind(None, Measurement("measured", "", 60, began_at=datetime(2026, 2, 15)), since=since) == "began since"
    assert kind(None, Measurement("measured", "", 60, began_at=datetime(2026, 2, 13)), since=since) == "added"


def test_an_incident_that_was_told_late_or_taken_out_says_so():
    assert kind(None, OVER) == "added"
    assert kind(OVER, None) == "removed"


def test_an_open_incident_that_is_dismissed_is_restated():
    assert kind(OPEN, LEFT_OUT) == "restated"


def test_what_the_measurement_rests_on_is_named_after_the_corrections_and_a_note_is_not():
    moment = datetime(2026, 3, 1)
    note = Event(7, "incident.noted", "noted", "per-ada", moment, moment, False)
    end = Event(8, "incident.resolved", "resolved", "per-ada", moment, moment, False)
    correction = Event(9, "incident.milestone_corrected", "corrected", "per-ada", moment, moment, True)
    now = Measurement("measured", "", 90, ended_seq=8)
    (change,) = changes({KEY: OVER}, {KEY: now}, {"INC-42": [note, end, correction]})
    assert [event.seq for event in change.events] == [9, 8]


def test_only_events_between_the_two_positions_are_asked_for():
    asked: list[Sequence[Any]] = []
    moment = datetime(2026, 3, 1)

    def ask(_sql: str, params: Sequence[Any]) -> Table:
        asked.append(params)
        late = ("INC-42", 8, "incident.declared", "declared", "per-ada", moment, moment, True, "found in a mailbox")
        merged = ("INC-42", 9, "incident.merged", "merged into INC-7", "per-ada", moment, moment, False, "")
        return Table((), [late, merged], False)

    found = events_between(ask, ["INC-42"], 5, 9)
    assert asked == [[5, 9, ["INC-42"]]]
    assert [(event.seq, event.is_correction, event.reason) for event in found["INC-42"]] == [
        (8, True, "found in a mailbox"),
        (9, True, ""),
    ]


def test_the_order_of_what_changed_is_that_of_the_names():
    other = ("tta", "2026-02", "INC-7")
    assert changed({KEY: OVER, other: OVER}, {}) == changed({other: OVER, KEY: OVER}, {}) == sorted([KEY, other])
