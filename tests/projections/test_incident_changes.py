"""The view ``incident_changes``: which changes caused an incident, and which were made to end it, as somebody says."""

from events.incident import EventRetracted
from tests.projections.change_story import caused, deployment, failed, not_so
from tests.spec import ADA, empty_warehouse, given, incident, log_of, moment


def test_nothing_follows_from_a_change_shortly_before():
    given(deployment("c1", at="09:00"), *failed("INC-42", "09:01")).view("incident_changes").shows_nothing()


def test_what_is_said_last_holds():
    story = given(
        deployment("c1", at="09:00"),
        *failed("INC-42", "09:01"),
        caused("INC-42", "c1", at="09:05"),
        caused("INC-42", "c2", "remedy", at="09:06"),
        not_so("INC-42", "c1", at="09:07"),
        not_so("INC-42", "c3", at="09:08"),
    )
    before = {"change_key": "c1", "part": "cause", "title": "checkout c1", "said_at": moment("09:05")}
    remedy = {"incident_id": "INC-42", "change_key": "c2", "part": "remedy", "said_by": ADA, "said_seq": 4}
    story.view("incident_changes").shows(remedy)
    story.view("incident_changes", as_of=4).shows(before, remedy)


def test_a_link_that_was_taken_back_never_was():
    given(
        *failed("INC-42", "09:01"),
        caused("INC-42", "c1"),
        incident(
            "INC-42",
            EventRetracted(
                event_id="event-2",
                event_seq=2,
                event_stream="incident.INC-42",
                event_type="incident.change_linked",
                reason="a typo",
            ),
        ),
    ).view("incident_changes").shows_nothing()


def test_live_it_is_what_a_rebuild_gives():
    history = log_of(
        *failed("INC-42", "09:01"),
        caused("INC-42", "c1"),
        *failed("INC-43", "09:02"),
        caused("INC-43", "c1"),
        not_so("INC-42", "c1"),
        caused("INC-42", "c1", "remedy"),
    )
    with empty_warehouse() as live:
        for stored in history:
            live.apply([stored])
        assert live.verify_views() == []
        told = "select incident_id, part from incident_changes order by all"
        assert live.ask(told).rows == [("INC-42", "remedy"), ("INC-43", "cause")]
