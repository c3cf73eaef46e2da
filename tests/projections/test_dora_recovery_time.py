"""The metric ``dora_recovery_time``: from a deployment that caused an incident to its recovery."""

from events.incident import (
    EventRetracted,
    IncidentDismissed,
    IncidentMerged,
    IncidentReopened,
    IncidentResolved,
    MilestoneCorrected,
)
from tests.projections.belief import aware
from tests.projections.change_story import caused, deployment, failed, not_so
from tests.spec import given, incident, moment

NOT_SAID = "no deployment to production is said to have caused it"


def test_it_runs_from_the_deployment_to_the_resolution():
    given(
        deployment("c1", at="08:50", outcome="started"),
        deployment("c1", at="09:00"),
        *failed("INC-42", "09:12", "09:40"),
        caused("INC-42", "c1", at="09:50"),
        *failed("INC-43", "09:12", "09:20"),
    ).view("dora_recovery_time").shows(
        {
            "incident_id": "INC-42",
            "started_at": moment("09:00"),
            "ended_at": moment("09:40"),
            "duration_s": 40 * 60.0,
            "state": "measured",
        },
        {"incident_id": "INC-43", "duration_s": None, "state": "excluded", "excluded_because": NOT_SAID},
    )


def test_what_is_not_resolved_is_censored():
    story = given(deployment("c1", at="09:00"), *failed("INC-42", "09:12"), caused("INC-42", "c1", at="09:50"))
    story.view("dora_recovery_time").shows(
        {"state": "censored", "excluded_because": "not resolved", "known_until": moment("09:50").replace(second=2)}
    )
    story.view("dora_recovery_time", as_of=2).shows({"state": "excluded", "excluded_because": NOT_SAID})


def test_a_deployment_is_recovered_from_once_with_the_incident_that_was_resolved_last():
    given(
        deployment("c1", at="09:00"),
        *failed("INC-41", "09:05", "09:30"),
        *failed("INC-42", "09:05", "09:45"),
        caused("INC-41", "c1"),
        caused("INC-42", "c1"),
    ).view("dora_recovery_time").shows(
        {"incident_id": "INC-41", "state": "excluded", "excluded_because": "its deployment is counted with INC-42"},
        {"incident_id": "INC-42", "duration_s": 45 * 60.0},
    )


def test_an_incident_that_is_not_over_is_the_last():
    given(
        deployment("c1", at="09:00"),
        *failed("INC-41", "09:05"),
        *failed("INC-42", "09:05", "09:45"),
        caused("INC-41", "c1"),
        caused("INC-42", "c1"),
    ).view("dora_recovery_time").shows(
        {"incident_id": "INC-41", "state": "censored"},
        {"incident_id": "INC-42", "excluded_because": "its deployment is counted with INC-41"},
    )


def test_of_several_deployments_the_first_of_those_that_count_with_it():
    """INC-41 has c1 and lasts longer; of c2 and c3, which are those of INC-42, c2 was first."""
    given(
        deployment("c1", at="09:00"),
        deployment("c2", at="09:02"),
        deployment("c3", at="09:04"),
        *failed("INC-41", "09:05", "10:00"),
        *failed("INC-42", "09:05", "09:32"),
        caused("INC-41", "c1"),
        caused("INC-42", "c1"),
        caused("INC-42", "c2"),
        caused("INC-42", "c3"),
    ).view("dora_recovery_time").shows(
        {"incident_id": "INC-41", "duration_s": 60 * 60.0},
        {"incident_id": "INC-42", "duration_s": 30 * 60.0},
    )


def test_the_cause_of_a_merged_incident_is_that_of_the_one_that_carries_it_on():
    given(
        deployment("c1", at="09:00"),
        *failed("INC-42", "09:05", "09:30"),
        *failed("INC-43", "09:06"),
        caused("INC-43", "c1"),
        incident("INC-43", IncidentMerged(into_incident_id="INC-42")),
    ).view("dora_recovery_time").shows(
        {"incident_id": "INC-42", "duration_s": 30 * 60.0},
        {"incident_id": "INC-43", "excluded_because": "merged into INC-42"},
    )


def test_a_mistaken_resolution_never_was_and_a_relapse_keeps_the_first():
    for kind, minutes in (("mistaken", 60), ("relapse", 30)):
        given(
            deployment("c1", at="09:00"),
            *failed("INC-42", "09:05", "09:30"),
            caused("INC-42", "c1"),
            incident("INC-42", IncidentReopened(kind=kind, reason="back", episode=2), at="09:50"),
            incident("INC-42", IncidentResolved(), at="10:00"),
        ).view("dora_recovery_time").shows({"duration_s": minutes * 60.0})


def test_corrections_are_believed():
    resolved_at_ten = MilestoneCorrected(
        milestone="resolved",
        occurred_at=aware("10:00"),
        reason="the graph",
        replaces_event_id="event-3",
        replaces_seq=3,
    )
    link_taken_back = EventRetracted(
        event_id="event-4",
        event_seq=4,
        event_stream="incident.INC-42",
        event_type="incident.change_linked",
        reason="a typo",
    )
    story = given(
        deployment("c1", at="09:00"),
        *failed("INC-42", "09:05", "09:30"),
        caused("INC-42", "c1"),
        incident("INC-42", resolved_at_ten),
        incident("INC-42", link_taken_back),
    )
    story.view("dora_recovery_time", as_of=4).shows({"duration_s": 30 * 60.0})
    story.view("dora_recovery_time", as_of=5).shows({"duration_s": 60 * 60.0})
    story.view("dora_recovery_time").shows({"duration_s": None, "excluded_because": NOT_SAID})


def test_what_cannot_be_measured_says_why():
    given(
        deployment("c1", at="09:00", environment="staging"),
        deployment("c2", at="09:40"),
        deployment("c3", at="09:00"),
        deployment("c4", at="09:00"),
        *failed("INC-41", "09:05", "09:30"),
        *failed("INC-42", "09:05", "09:30"),
        *failed("INC-43", "09:05"),
        *failed("INC-44", "09:05", "09:30"),
        caused("INC-41", "c1"),
        caused("INC-42", "c2"),
        caused("INC-43", "c3"),
        caused("INC-44", "c4"),
        incident("INC-43", IncidentDismissed(reason="benign")),
        not_so("INC-44", "c4"),
    ).view("dora_recovery_time").shows(
        {"incident_id": "INC-41", "excluded_because": NOT_SAID},
        {"incident_id": "INC-42", "excluded_because": "resolved before it was deployed"},
        {"incident_id": "INC-43", "excluded_because": "dismissed"},
        {"incident_id": "INC-44", "excluded_because": NOT_SAID},
    )
