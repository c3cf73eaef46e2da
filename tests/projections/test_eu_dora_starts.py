"""The view ``eu_dora_starts``: what takes the place of an occurrence that is not known."""

from events.incident import AlertUnlinked, IncidentMerged
from tests.projections.belief import corrected
from tests.projections.eu_dora_story import fired, linked
from tests.projections.metric_story import DECLARED, mark, whole_incident
from tests.spec import given, incident, moment


def test_a_known_occurrence_needs_no_other():
    given(*whole_incident()).view("eu_dora_starts").shows(
        {"occurred": mark("09:00", 2), "substitute": mark("09:04", 1), "started_by": "occurrence"}
    )


def test_a_log_record_takes_the_place_of_the_detection_only_when_it_is_earlier():
    story = given(
        incident("INC-42", DECLARED, at="09:04"),
        fired("a1", "09:05"),
        incident("INC-42", linked("a1"), at="09:06"),
        # An occurrence that has nothing to do with it.
        fired("a2", "08:00"),
        fired("a2", "08:55", occurrence=2),
        incident("INC-42", linked("a2", 2), at="09:07"),
        incident("INC-42", AlertUnlinked(alert_key="a2"), at="09:08"),
        incident("INC-42", linked("a2", 2), at="09:09"),
    )
    detection = {"occurred": None, "substitute": mark("09:04", 1), "started_by": "detection"}
    record = {"occurred": None, "substitute": mark("08:55", 5), "started_by": "log record"}
    for position, shown in ((3, detection), (6, record), (7, detection), (8, record)):
        story.view("eu_dora_starts", as_of=position).shows(shown)


def test_a_log_record_of_a_merged_incident_is_one_of_the_whole():
    story = given(
        incident("INC-42", DECLARED, at="09:04"),
        incident("INC-43", DECLARED, at="09:05"),
        fired("a1", "08:50"),
        incident("INC-43", linked("a1"), at="09:06"),
        incident("INC-43", IncidentMerged(into_incident_id="INC-42"), at="09:07"),
    )
    rows = {row["incident_id"]: row for row in story.view("eu_dora_starts").rows}
    assert rows["INC-42"]["substitute"]["happened_at"] == moment("08:50")
    assert rows["INC-42"]["started_by"] == "log record"


def test_the_occurrence_that_is_learned_later_takes_the_place_of_both():
    given(
        incident("INC-42", DECLARED, at="09:04"),
        incident("INC-42", corrected("impact_started", "08:30"), at="09:50"),
    ).view("eu_dora_starts").shows({"occurred": mark("08:30", 2), "started_by": "occurrence"})
