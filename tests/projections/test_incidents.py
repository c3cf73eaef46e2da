"""The view ``incidents``: facts in, rows out."""

import pytest

from events import Fact
from events.alert import AlertFired
from events.incident import (
    AlertLinked,
    AlertUnlinked,
    DeterminationSet,
    ImpactEnded,
    ImpactStarted,
    IncidentAcknowledged,
    IncidentClosed,
    IncidentContained,
    IncidentDeclared,
    IncidentDismissed,
    IncidentEradicated,
    IncidentMerged,
    IncidentOpened,
    IncidentRegressed,
    IncidentReinstated,
    IncidentReopened,
    IncidentResolved,
    IncidentSeverityChanged,
    IncidentUnmerged,
    Noted,
    RoleAssigned,
    RoleHandoffAccepted,
    TitleChanged,
)
from events.page import PageRequested, PageSent
from tests.spec import ADA, BOB, alert, given, incident, moment, page

OPENED = IncidentOpened(title="checkout is slow", severity="sev3", service="checkout", rule="same service")
DECLARED = IncidentDeclared(title="checkout is down", severity="sev2", service="checkout", profile="security")
CONTAINED = IncidentContained(summary="took the node out")
ERADICATED = IncidentEradicated(summary="patched")
RESOLVED = IncidentResolved(summary="orders flow again")
DISMISSED = IncidentDismissed(reason="false_positive")
MERGED = IncidentMerged(into_incident_id="INC-41")


@pytest.mark.parametrize(
    ("facts", "phase"),
    [
        ((OPENED,), "triage"),
        ((DECLARED,), "active"),
        ((OPENED, DECLARED), "active"),
        ((DECLARED, CONTAINED), "contained"),
        ((DECLARED, CONTAINED, ERADICATED), "eradicated"),
        ((DECLARED, CONTAINED, IncidentRegressed(reason="it spread")), "active"),
        ((DECLARED, RESOLVED), "resolved"),
        ((DECLARED, RESOLVED, IncidentClosed()), "closed"),
        ((DECLARED, RESOLVED, IncidentReopened(kind="relapse", reason="back", episode=2)), "active"),
        ((OPENED, DISMISSED), "dismissed"),
        ((OPENED, DISMISSED, IncidentReinstated(reason="it is real")), "triage"),
        ((DECLARED, CONTAINED, MERGED), "merged"),
        ((DECLARED, CONTAINED, MERGED, IncidentUnmerged(from_incident_id="INC-41")), "contained"),
        ((DECLARED, IncidentAcknowledged(), Noted(text="looking")), "active"),
    ],
    ids=lambda value: value if isinstance(value, str) else "-".join(type(fact).__name__ for fact in value),
)
def test_the_phase_follows_the_lifecycle(facts: tuple[Fact, ...], phase: str):
    given(incident("INC-42", *facts)).view("incidents").shows({"incident_id": "INC-42", "phase": phase})


def test_what_was_said_last_about_title_and_severity_holds_and_what_was_said_before_is_kept():
    given(
        incident(
            "INC-42",
            OPENED,
            DECLARED,
            IncidentSeverityChanged(severity="sev1", previous="sev2"),
            IncidentSeverityChanged(severity="sev4", previous="sev1"),
            TitleChanged(title="payments are down"),
            DeterminationSet(determination="confirmed"),
        )
    ).view("incidents").shows(
        {
            "title": "payments are down",
            "severity": "sev4",
            "severity_declared": "sev2",
            "severity_peak": "sev1",
            "profile": "security",
            "service": "checkout",
            "determination": "confirmed",
            "last_seq": 6,
        }
    )


def test_an_incident_that_nobody_looked_at_yet_has_gaps_and_no_guesses():
    given(incident("INC-42", IncidentOpened(title="checkout is slow", severity="sev3"), at="09:01")).view(
        "incidents"
    ).shows(
        {
            "determination": "suspected",
            "severity_declared": None,
            "service": None,
            "commander": None,
            "opened_at": moment("09:01"),
            "detected_at": moment("09:01"),
            "declared_at": None,
            "notified_at": None,
            "acknowledged_at": None,
            "acknowledged_by": None,
            "impact_started_at": None,
            "mitigated_at": None,
            "episode": 1,
            "reopened_count": 0,
            "alert_count": 0,
        }
    )


def test_milestones_stand_at_the_time_they_happened():
    given(
        incident("INC-42", ImpactStarted(scope="checkout", level=3), at="09:02"),
        incident("INC-42", DECLARED, at="09:10"),
        page(
            "pg-1",
            PageRequested(
                incident_id="INC-42", person_id=BOB, run=1, round=0, level=1, answer_within_s=300, target="person.bob"
            ),
            at="09:10",
        ),
        page("pg-1", PageSent(channel="smtp", contact=0, attempt=1), at="09:11"),
        incident("INC-42", IncidentAcknowledged(page_id="pg-1"), at="09:14", by=BOB),
        incident("INC-42", CONTAINED, at="09:20"),
        incident("INC-42", ImpactEnded(scope="checkout"), at="09:21"),
        incident("INC-42", RESOLVED, at="09:40"),
        incident("INC-42", IncidentClosed(), at="10:30"),
    ).view("incidents").shows(
        {
            "impact_started_at": moment("09:02"),
            "detected_at": moment("09:10"),
            "declared_at": moment("09:10"),
            "notified_at": moment("09:11"),
            "acknowledged_at": moment("09:14"),
            "acknowledged_by": BOB,
            "contained_at": moment("09:20"),
            "mitigated_at": moment("09:21"),
            "impact_ended_at": moment("09:21"),
            "resolved_at": moment("09:40"),
            "closed_at": moment("10:30"),
        }
    )


def test_reopening_takes_back_what_no_longer_holds():
    given(
        incident("INC-42", DECLARED, IncidentAcknowledged(), CONTAINED, ERADICATED, RESOLVED, IncidentClosed()),
        incident("INC-42", IncidentReopened(kind="mistaken", reason="orders still fail", episode=2)),
    ).view("incidents").shows(
        {
            "episode": 2,
            "reopened_count": 1,
            "acknowledged_at": None,
            "contained_at": None,
            "eradicated_at": None,
            "resolved_at": None,
            "closed_at": None,
        }
    )


def test_the_acknowledgement_after_reopening_counts():
    given(
        incident("INC-42", DECLARED, IncidentAcknowledged(), RESOLVED),
        incident("INC-42", IncidentReopened(kind="relapse", reason="back", episode=2)),
        incident("INC-42", IncidentAcknowledged(), by=BOB, at="09:50"),
    ).view("incidents").shows({"acknowledged_by": BOB, "acknowledged_at": moment("09:50")})


def test_impact_that_lasts_on_one_scope_is_not_mitigated():
    given(
        incident("INC-42", DECLARED, ImpactStarted(scope="checkout", level=3), ImpactStarted(scope="search", level=1)),
        incident("INC-42", ImpactEnded(scope="checkout")),
    ).view("incidents").shows({"mitigated_at": None})


def test_the_commander_is_who_holds_the_role_now():
    given(
        incident("INC-42", DECLARED, RoleAssigned(role="commander", person_id=ADA)),
        incident("INC-42", RoleHandoffAccepted(role="commander", person_id=BOB, previous_person_id=ADA)),
    ).view("incidents").shows({"commander": BOB})


def test_alerts_count_while_they_belong_to_it():
    fired = AlertFired(
        integration="key-1", sender="alertmanager", fingerprint="f", occurrence=1, title="5xx", severity="critical"
    )
    given(
        alert("a1", fired),
        alert("a2", fired),
        incident("INC-42", DECLARED, AlertLinked(alert_key="a1", occurrence=1, title="5xx")),
        incident("INC-42", AlertLinked(alert_key="a2", occurrence=1, title="5xx"), AlertUnlinked(alert_key="a1")),
    ).view("incidents").shows({"alert_count": 1, "title": "checkout is down"})


def test_a_merged_incident_names_what_carries_it_on():
    given(incident("INC-41", DECLARED), incident("INC-42", DECLARED, MERGED)).view("incidents").shows(
        {"incident_id": "INC-41", "merged_into": None}, {"incident_id": "INC-42", "merged_into": "INC-41"}
    )
