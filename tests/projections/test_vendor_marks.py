"""The view ``vendor_marks``: what other products measure between."""

from datetime import UTC, datetime

from events import Event, Stored, encode
from tests.projections.vendor_story import DECLARED, worked_example
from tests.spec import MORNING, Given, moment


def test_each_mark_is_the_nearest_thing_that_the_log_says():
    worked_example().view("vendor_marks").shows(
        {
            "incident_id": "INC-42",
            "excluded_because": None,
            "created_at": moment("14:02"),
            "impact_started_at": moment("13:50"),
            "detected_at": moment("14:00"),
            "declared_at": moment("14:02"),
            "acknowledged_at": moment("14:07"),
            "quieted_at": moment("14:05"),
            "in_progress_at": moment("14:10"),
            "contained_at": moment("14:40"),
            "impact_ended_at": moment("14:40"),
            "first_resolved_at": moment("15:00"),
            "resolved_at": moment("15:00"),
            "dismissed_at": None,
        }
    )


def test_an_imported_incident_was_created_when_its_first_recorder_knew():
    known = MORNING.replace(hour=14, minute=2)
    event = Event(id="event-1", fact=DECLARED, happened_at=known, source="import/old", known_at=known)
    subject, body = encode("incident.INC-42", event)
    imported = Given([Stored(1, subject, datetime(2026, 6, 1, tzinfo=UTC), body)])
    imported.view("vendor_marks").shows({"created_at": moment("14:02")})
