"""The view ``incident_milestones``: when an incident reached what, in each episode."""

from datetime import UTC, datetime

from events.incident import (
    ImpactEnded,
    ImpactStarted,
    IncidentAcknowledged,
    IncidentDeclared,
    IncidentOpened,
    IncidentReopened,
    IncidentResolved,
    MilestoneCorrected,
)
from events.page import PageRequested, PageSent
from tests.spec import ADA, BOB, given, incident, moment, page

DECLARED = IncidentDeclared(title="checkout is down", severity="sev1")
REQUESTED = PageRequested(
    incident_id="INC-42", person_id=BOB, run=1, round=0, level=1, answer_within_s=300, target="rotation.primary"
)
SENT = PageSent(channel="smtp", contact=0, attempt=1)


def test_detection_is_the_earliest_signal_and_not_the_declaration():
    given(
        incident("INC-41", IncidentOpened(title="slow", severity="sev3"), at="09:05"),
        incident("INC-41", DECLARED, at="09:20"),
        incident(
            "INC-42",
            IncidentDeclared(title="down", severity="sev1", detected_at=_aware("08:50")),
            at="09:30",
        ),
    ).view("incident_milestones").shows(
        {"incident_id": "INC-41", "milestone": "detected", "happened_at": moment("09:05"), "seq": 1},
        {"incident_id": "INC-41", "milestone": "declared", "happened_at": moment("09:20"), "seq": 2},
        {"incident_id": "INC-42", "milestone": "detected", "happened_at": moment("08:50"), "seq": 3},
        {"incident_id": "INC-42", "milestone": "declared", "happened_at": moment("09:30"), "seq": 3},
    )


def test_notified_is_the_first_page_that_a_channel_took():
    given(
        incident("INC-42", DECLARED),
        page("pg-1", REQUESTED, at="09:10"),
        page("pg-1", SENT, at="09:12"),
        page("pg-2", REQUESTED, SENT, at="09:20"),
    ).view("incident_milestones").shows(
        {"milestone": "detected"},
        {"milestone": "declared"},
        {"milestone": "notified", "happened_at": moment("09:12")},
    )


def test_only_a_person_acknowledges():
    given(
        incident("INC-42", DECLARED),
        incident("INC-42", IncidentAcknowledged(automatic=True), by=ADA),
        incident("INC-42", IncidentAcknowledged(), by="service:intake"),
        incident("INC-42", IncidentAcknowledged(), by=BOB, at="09:30"),
        incident("INC-42", IncidentAcknowledged(), by=ADA),
    ).view("incident_milestones").shows(
        {"milestone": "detected"},
        {"milestone": "declared"},
        {"milestone": "acknowledged", "happened_at": moment("09:30")},
    )


def test_a_mistaken_resolution_is_void_and_a_relapse_keeps_it():
    given(
        incident("INC-42", DECLARED, IncidentResolved(), IncidentReopened(kind="mistaken", reason="no", episode=2)),
        incident("INC-42", IncidentResolved(), IncidentReopened(kind="relapse", reason="back", episode=3)),
        incident("INC-42", IncidentResolved()),
    ).view("incident_milestones").shows(
        {"milestone": "detected", "seq": 1, "episode": 1, "void": False},
        {"milestone": "declared", "seq": 1, "episode": 1, "void": False},
        {"milestone": "resolved", "seq": 2, "episode": 1, "void": True},
        {"milestone": "reopened", "seq": 3, "episode": 2, "void": False},
        {"milestone": "resolved", "seq": 4, "episode": 2, "void": False},
        {"milestone": "reopened", "seq": 5, "episode": 3, "void": False},
        {"milestone": "resolved", "seq": 6, "episode": 3, "void": False},
    )


def test_mitigation_is_the_end_of_the_last_impact_of_the_episode():
    given(
        incident("INC-42", DECLARED, at="09:00"),
        incident("INC-42", ImpactStarted(scope="checkout", level=3), at="08:55"),
        incident("INC-42", ImpactStarted(scope="search", level=1), at="08:58"),
        incident("INC-42", ImpactEnded(scope="checkout"), at="09:30"),
        incident("INC-42", ImpactEnded(scope="search"), at="09:20"),
    ).view("incident_milestones").shows(
        {"milestone": "declared", "happened_at": moment("09:00")},
        {"milestone": "detected", "happened_at": moment("09:00")},
        {"milestone": "impact_started", "happened_at": moment("08:55")},
        {"milestone": "mitigated", "happened_at": moment("09:30")},
    )


def _aware(clock_time: str) -> datetime:
    return moment(clock_time).replace(tzinfo=UTC)


def test_a_correction_counts_for_events_of_its_own_incident_alone():
    wrong = MilestoneCorrected(
        milestone="notified", occurred_at=_aware("08:00"), reason="the wrong incident", replaces_seq=3
    )
    given(
        incident("INC-42", DECLARED),
        page("pg-1", REQUESTED, SENT),
        incident("INC-41", DECLARED, wrong),
    ).view("incident_milestones").shows(
        {"incident_id": "INC-41", "milestone": "detected"},
        {"incident_id": "INC-41", "milestone": "declared"},
        {"incident_id": "INC-42", "milestone": "detected"},
        {"incident_id": "INC-42", "milestone": "declared"},
        {"incident_id": "INC-42", "milestone": "notified", "corrected_seq": None},
    )
