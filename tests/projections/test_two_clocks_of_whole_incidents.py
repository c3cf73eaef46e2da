"""What is believed of merged, reopened, retroactive and late-evidenced incidents before and after, by both clocks."""

from typing import Any

import pytest

from events.incident import (
    AlertLinked,
    IncidentAbsorbed,
    IncidentDeclared,
    IncidentDisowned,
    IncidentMerged,
    IncidentReopened,
    IncidentResolved,
    IncidentUnmerged,
)
from projections.lens import AsOf
from tests.projections.belief import corrected, happened_by, reached, shows
from tests.spec import Given, given, incident, moment

DECLARED = IncidentDeclared(title="checkout is down", severity="sev2")


class TestMergedAndUnmerged:
    story = given(
        incident("INC-41", DECLARED, at="09:05"),
        incident("INC-42", DECLARED, at="09:10"),
        incident("INC-42", IncidentMerged(into_incident_id="INC-41"), at="09:20"),
        incident("INC-41", IncidentAbsorbed(from_incident_id="INC-42"), at="09:20"),
        incident("INC-42", IncidentUnmerged(from_incident_id="INC-41"), at="09:40"),
        incident("INC-41", IncidentDisowned(from_incident_id="INC-42"), at="09:40"),
    )

    @pytest.mark.parametrize(
        ("as_of", "phase", "merged_into"),
        [
            (2, "active", None),
            (4, "merged", "INC-41"),
            (6, "active", None),
            (happened_by("09:15"), "active", None),
            (happened_by("09:30"), "merged", "INC-41"),
            (happened_by("09:45", position=4), "merged", "INC-41"),
        ],
    )
    def test_by_both_clocks(self, as_of: AsOf, phase: str, merged_into: str | None):
        self.story.view("incidents", as_of=as_of).shows(
            {"incident_id": "INC-41", "phase": "active"},
            {"incident_id": "INC-42", "phase": phase, "merged_into": merged_into},
        )


class TestReopened:
    def story(self, kind: Any) -> Given:
        return given(
            incident("INC-42", DECLARED, at="09:10"),
            incident("INC-42", IncidentResolved(), at="09:30"),
            incident("INC-42", IncidentReopened(kind=kind, reason="down", episode=2), at="09:40"),
            incident("INC-42", IncidentResolved(), at="10:00"),
        )

    def test_mistaken_voids_the_resolution_before_it_and_only_once_it_is_known(self):
        story = self.story("mistaken")
        assert [row["void"] for row in story.view("incident_milestones").rows if row["milestone"] == "resolved"] == [
            True,
            False,
        ]
        before = reached(story, "resolved", as_of=2)
        assert before is not None
        assert before["void"] is False
        by_then = reached(story, "resolved", as_of=happened_by("09:35"))
        assert by_then is not None
        assert by_then["void"] is False

    def test_a_relapse_keeps_it(self):
        story = self.story("relapse")
        assert {row["void"] for row in story.view("incident_milestones").rows} == {False}
        shows(story, as_of=happened_by("09:45"), phase="active", episode=2, resolved_at=None)
        shows(story, as_of=happened_by("09:35"), phase="resolved", episode=1, resolved_at=moment("09:30"))


class TestRecordedRetroactively:
    story = given(
        incident("INC-1", DECLARED, at="09:00"),
        incident("INC-42", DECLARED, at="07:00"),
        incident("INC-42", IncidentResolved(), at="08:00"),
    )

    def test_by_both_clocks(self):
        self.story.view("incidents", as_of=1).shows({"incident_id": "INC-1", "retroactive": False})
        self.story.view("incidents").shows(
            {"incident_id": "INC-1", "retroactive": False},
            {"incident_id": "INC-42", "retroactive": True, "first_known_at": moment("09:02").replace(second=2)},
        )
        shows(self.story, as_of=happened_by("07:30"), phase="active")
        shows(self.story, as_of=happened_by("08:30"), phase="resolved")

    def test_one_that_was_recorded_while_it_lasted_is_not(self):
        shows(
            given(incident("INC-42", DECLARED, at="07:00"), incident("INC-42", IncidentResolved(), at="09:30")),
            retroactive=False,
        )


class TestALateAlert:
    story = given(
        incident("INC-42", DECLARED, at="09:10"),
        incident("INC-42", IncidentResolved(), at="09:30"),
        incident("INC-42", AlertLinked(alert_key="alert-1", occurrence=1, title="disk full"), at="10:30"),
        incident("INC-42", corrected("detected", "09:02", 1), at="10:30", by="service:incidents"),
    )

    def test_by_both_clocks(self):
        shows(self.story, alert_count=1, detected_at=moment("09:02"), phase="resolved")
        shows(self.story, as_of=2, alert_count=0, detected_at=moment("09:10"))
        shows(self.story, as_of=happened_by("09:15"), alert_count=0, detected_at=moment("09:02"))
