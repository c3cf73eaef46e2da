"""The metric ``ttr_repair``: hands-on repair, from when the cause was identified."""

from events.cause import CauseIdentified
from events.incident import EventRetracted, IncidentMerged, IncidentResolved
from tests.projections.belief import corrected
from tests.projections.metric_story import DECLARED, whole_incident
from tests.spec import given, incident, moment

FOUND = CauseIdentified(summary="the new index is missing")


def test_it_runs_from_the_identified_cause_to_the_resolution():
    given(*whole_incident(), incident("INC-42", FOUND, at="09:15")).view("ttr_repair").shows(
        {"started_at": moment("09:15"), "duration_s": 25 * 60.0, "state": "measured"}
    )


def test_nothing_else_is_taken_for_the_start_of_the_repair():
    given(*whole_incident()).view("ttr_repair").shows(
        {"started_at": None, "duration_s": None, "state": "excluded", "excluded_because": "no repair start recorded"}
    )


def test_who_learns_later_when_it_was_says_so():
    story = given(
        *whole_incident(),
        incident("INC-42", corrected("identified", "09:20"), at="10:00"),
        incident("INC-42", FOUND, at="09:15"),
        incident("INC-42", corrected("identified", "09:10", seq=10), at="10:01"),
    )
    story.view("ttr_repair", as_of=9).shows({"duration_s": 20 * 60.0})
    story.view("ttr_repair", as_of=10).shows({"duration_s": 25 * 60.0})
    story.view("ttr_repair").shows({"duration_s": 30 * 60.0})


def test_a_wrong_cause_that_was_taken_back_started_no_repair():
    wrong = EventRetracted(
        event_id="event-9",
        event_seq=9,
        event_stream="incident.INC-42",
        event_type="incident.cause_identified",
        reason="it was another",
    )
    given(
        *whole_incident(),
        incident("INC-42", FOUND, at="09:15"),
        incident("INC-42", wrong, at="09:20"),
        incident("INC-42", FOUND, at="09:30"),
    ).view("ttr_repair").shows({"duration_s": 10 * 60.0})


def test_what_is_not_resolved_is_censored():
    given(incident("INC-42", DECLARED, FOUND)).view("ttr_repair").shows(
        {"state": "censored", "excluded_because": "not resolved"}
    )


def test_resolved_before_the_cause_was_known_nothing_was_repaired():
    given(*whole_incident(), incident("INC-42", FOUND, at="09:45")).view("ttr_repair").shows(
        {"state": "excluded", "excluded_because": "resolved before the cause was identified"}
    )


def test_who_was_merged_may_have_known_first():
    given(
        incident("INC-42", DECLARED, at="09:00"),
        incident("INC-43", DECLARED, at="09:00"),
        incident("INC-43", FOUND, at="09:10"),
        incident("INC-42", FOUND, at="09:20"),
        incident("INC-43", IncidentMerged(into_incident_id="INC-42"), at="09:21"),
        incident("INC-42", IncidentResolved(), at="09:40"),
    ).view("ttr_repair").shows(
        {"incident_id": "INC-42", "duration_s": 30 * 60.0},
        {"incident_id": "INC-43", "duration_s": None, "excluded_because": "merged into INC-42"},
    )
