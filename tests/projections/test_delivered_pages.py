"""The view ``delivered_pages``: each page that a channel took, and when that was for the one it woke."""

from datetime import UTC, datetime

from events.oncall import RotationConfigured
from events.page import PageRequested, PageSent
from tests.projections.metric_story import DECLARED, REQUESTED
from tests.spec import ADA, BOB, given, incident, moment, page, stream

SENT = PageSent(channel="smtp", contact=0, attempt=1)


def test_each_page_has_the_service_and_severity_of_its_incident_and_the_team_that_was_paged():
    to_ada = PageRequested(
        incident_id="INC-42", person_id=ADA, run=1, round=0, level=1, answer_within_s=300, target=f"person.{ADA}"
    )
    rotation = RotationConfigured(
        name="primary",
        zone="America/New_York",
        starts_at=datetime(2026, 1, 5, tzinfo=UTC),
        shift_days=7,
        members=(BOB,),
    )
    given(
        stream("rotation.primary", rotation),
        incident("INC-42", DECLARED),
        page("pg-1", REQUESTED, SENT, at="09:30"),
        page("pg-2", to_ada, SENT, at="+5 22:30"),
    ).view("delivered_pages").shows(
        {
            "page_id": "pg-1",
            "person_id": BOB,
            "team": "primary",
            "service": "checkout",
            "severity_declared": "sev2",
            "local_time": moment("04:30"),
            "out_of_hours": True,
            "at_night": True,
        },
        # 10 January 2026 was a Saturday.
        {"page_id": "pg-2", "team": None, "local_time": moment("+5 22:30"), "out_of_hours": True, "at_night": True},
    )
