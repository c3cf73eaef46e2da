"""The metric ``ttdecl``: from the earliest signal to the declaration."""

from events.incident import IncidentDeclared, IncidentOpened, IncidentResolved
from tests.spec import given, incident, moment

OPENED = IncidentOpened(title="checkout is slow", severity="sev3", service="checkout")
DECLARED = IncidentDeclared(title="checkout is down", severity="sev1", service="checkout")


def test_it_runs_from_the_signal_to_the_declaration():
    given(incident("INC-42", OPENED, at="09:00"), incident("INC-42", DECLARED, at="09:12")).view("ttdecl").shows(
        {"started_at": moment("09:00"), "ended_at": moment("09:12"), "duration_s": 720.0, "state": "measured"}
    )


def test_in_triage_it_is_open_and_what_recovered_undeclared_is_left_out():
    given(
        incident("INC-41", OPENED),
        incident("INC-42", OPENED, IncidentResolved(undeclared=True)),
    ).view("ttdecl").shows(
        {"incident_id": "INC-41", "state": "censored", "excluded_because": "not declared"},
        {"incident_id": "INC-42", "state": "excluded", "excluded_because": "not declared"},
    )
