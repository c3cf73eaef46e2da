"""The metric ``reopen_rate``: what came back, and what was never over."""

from datetime import datetime

from events.incident import IncidentReopened, IncidentResolved
from tests.projections.metric_story import DECLARED
from tests.spec import given, incident


def came_back(incident_id: str, kind: str, at: str = "11:00"):
    """An incident that was resolved at 10:00 and reopened."""
    return (
        incident(incident_id, DECLARED, at="09:00"),
        incident(incident_id, IncidentResolved(), at="10:00"),
        incident(incident_id, IncidentReopened(kind=kind, reason="back", episode=2), at=at),
    )


def test_relapses_and_mistakes_are_counted_apart():
    given(
        *came_back("INC-41", "relapse"),
        *came_back("INC-42", "mistaken"),
        incident("INC-43", DECLARED, IncidentResolved()),
        incident("INC-44", DECLARED),
    ).view("reopen_rate").shows(
        {
            "month": datetime(2026, 1, 1),
            "service": "checkout",
            "severity_declared": "sev2",
            "resolved": 3,
            "relapsed": 1,
            "mistaken": 1,
            "pending": 1,
            "relapse_rate": 1 / 3,
            "mistake_rate": 1 / 3,
        }
    )


def test_an_incident_counts_once_however_often_it_came_back_and_not_after_the_window():
    given(
        *came_back("INC-41", "relapse"),
        incident("INC-41", IncidentResolved(), at="12:00"),
        incident("INC-41", IncidentReopened(kind="relapse", reason="again", episode=3), at="13:00"),
        *came_back("INC-42", "relapse", at="+14 10:01"),
    ).view("reopen_rate").shows({"resolved": 2, "relapsed": 1, "mistaken": 0})
