"""The metric ``page_load``: how often each person was paged, and when."""

from datetime import UTC, datetime

import pytest

from events.oncall import RotationConfigured
from events.page import PageFailed, PageRequested, PageSent
from tests.projections.metric_story import REQUESTED
from tests.spec import ADA, BOB, given, page, stream

SENT = PageSent(channel="smtp", contact=0, attempt=1)


def rotation(zone: str):
    """The rotation ``primary``, configured for a time zone."""
    return stream(
        "rotation.primary",
        RotationConfigured(
            name="primary", zone=zone, starts_at=datetime(2026, 1, 5, tzinfo=UTC), shift_days=7, members=(BOB,)
        ),
    )


def test_only_pages_that_a_channel_took_count():
    to_ada = PageRequested(
        incident_id="INC-42", person_id=ADA, run=1, round=0, level=1, answer_within_s=300, target=f"person.{ADA}"
    )
    given(
        page("pg-1", REQUESTED, SENT, at="09:00"),
        page("pg-2", REQUESTED, SENT, at="10:00"),
        page("pg-3", REQUESTED, PageFailed(channel="smtp", contact=0, attempt=1, error="refused"), at="11:00"),
        page("pg-4", to_ada, SENT, at="19:00"),
    ).view("page_load").shows(
        {"person_id": BOB, "pages": 2, "incidents": 1, "out_of_hours": 0, "at_night": 0},
        {"person_id": ADA, "pages": 1, "incidents": 1, "out_of_hours": 1, "at_night": 0},
    )


@pytest.mark.parametrize(
    ("zone", "out_of_hours", "at_night"),
    [("UTC", 0, 0), ("Europe/Warsaw", 0, 0), ("America/New_York", 1, 1), ("Asia/Kolkata", 0, 0), ("no/zone", 0, 0)],
)
def test_the_hours_are_those_of_the_rotation(zone: str, out_of_hours: int, at_night: int):
    """09:30 UTC in winter is 10:30 in Warsaw, 04:30 in New York and 15:00 in Kolkata."""
    given(rotation(zone), page("pg-1", REQUESTED, SENT, at="09:30")).view("page_load").shows(
        {"out_of_hours": out_of_hours, "at_night": at_night}
    )


def test_a_rotation_that_moved_keeps_the_hours_that_it_had():
    given(
        rotation("America/New_York"),
        page("pg-1", REQUESTED, SENT, at="09:30"),
        rotation("UTC"),
        page("pg-2", REQUESTED, SENT, at="09:31"),
    ).view("page_load").shows({"pages": 2, "out_of_hours": 1, "at_night": 1})


def test_a_page_counts_as_of_when_a_channel_took_it():
    story = given(page("pg-1", REQUESTED, SENT, at="09:30"), page("pg-2", REQUESTED, SENT, at="09:31"))
    story.view("page_load", as_of=2).shows({"pages": 1})
    story.view("page_load").shows({"pages": 2})
