"""The metric ``tta``: from the first page to the first acknowledgement by a person."""

from events.incident import IncidentAcknowledged
from events.page import PageSent
from tests.projections.metric_story import DECLARED, REQUESTED, whole_incident
from tests.spec import ADA, given, incident, moment, page

SENT = PageSent(channel="smtp", contact=0, attempt=1)


def test_it_runs_from_the_page_to_the_acknowledgement():
    given(*whole_incident()).view("tta").shows(
        {"started_at": moment("09:05"), "ended_at": moment("09:07"), "duration_s": 120.0, "excluded_because": None}
    )


def test_what_a_machine_acknowledged_does_not_count():
    given(
        incident("INC-42", DECLARED),
        page("pg-1", REQUESTED, SENT),
        incident("INC-42", IncidentAcknowledged(automatic=True), by=ADA),
    ).view("tta").shows({"duration_s": None, "excluded_because": "not acknowledged by a person"})


def test_without_a_page_or_with_an_earlier_acknowledgement_it_says_so():
    given(
        incident("INC-41", DECLARED, IncidentAcknowledged()),
        incident("INC-42", DECLARED),
        page("pg-1", REQUESTED),
        incident("INC-42", IncidentAcknowledged(), at="09:10"),
        page("pg-1", SENT, at="09:11"),
    ).view("tta").shows(
        {"incident_id": "INC-41", "duration_s": None, "excluded_because": "nobody was paged"},
        {"incident_id": "INC-42", "duration_s": None, "excluded_because": "acknowledged before the first page"},
    )
