"""The view ``corrections``: what was said of an incident and is believed otherwise since."""

from datetime import UTC, datetime

from events.incident import (
    AlertLinked,
    DeterminationCorrected,
    DeterminationSet,
    EventRetracted,
    IncidentAbsorbed,
    IncidentContained,
    IncidentDeclared,
    IncidentDisowned,
    IncidentMerged,
    IncidentReopened,
    IncidentResolved,
    IncidentUnmerged,
    MilestoneCorrected,
    SeverityCorrected,
)
from tests.spec import BOB, given, incident, moment

DECLARED = IncidentDeclared(title="checkout is down", severity="sev2")
RESOLVED = IncidentResolved()


def test_a_corrected_time_shows_what_was_believed_before_and_since():
    given(
        incident("INC-42", DECLARED, at="09:10"),
        incident("INC-42", IncidentContained(), at="09:30"),
        incident("INC-42", _at("contained", "09:25", 2, "the graph shows it", evidence="https://graphs/1"), by=BOB),
        incident("INC-42", _at("contained", "09:27", 2, "of the other region")),
    ).view("corrections").shows(
        {
            "incident_id": "INC-42",
            "seq": 3,
            "kind": "milestone",
            "milestone": "contained",
            "actor": BOB,
            "replaces_event_id": "event-2",
            "replaces_seq": 2,
            "replaces_type": "incident.contained",
            "from_value": "2026-01-05 09:30:00",
            "to_value": "2026-01-05 09:25:00",
            "reason": "the graph shows it",
            "evidence": "https://graphs/1",
        },
        {"seq": 4, "from_value": "2026-01-05 09:25:00", "to_value": "2026-01-05 09:27:00", "evidence": None},
    )


def test_the_signal_before_a_declaration_is_not_its_own_time():
    given(
        incident("INC-42", _declared(detected_at=_time("08:50")), at="09:10"),
        incident("INC-42", _at("detected", "08:40", 1, "an earlier mail")),
    ).view("corrections").shows({"from_value": "2026-01-05 08:50:00", "to_value": "2026-01-05 08:40:00"})


def test_what_nothing_had_said_replaces_nothing():
    given(incident("INC-42", DECLARED), incident("INC-42", _at("impact_started", "08:55", 0, "customers called"))).view(
        "corrections"
    ).shows({"milestone": "impact_started", "replaces_event_id": None, "replaces_seq": None, "from_value": None})


def test_a_severity_and_a_determination_that_were_wrong_from_the_start():
    given(
        incident("INC-42", DECLARED, DeterminationSet(determination="confirmed")),
        incident(
            "INC-42",
            SeverityCorrected(
                severity="sev1", previous="sev2", replaces_event_id="event-1", replaces_seq=1, reason="all customers"
            ),
            DeterminationCorrected(
                determination="blocked", replaces_event_id="event-2", replaces_seq=2, reason="the filter held"
            ),
        ),
    ).view("corrections").shows(
        {"kind": "severity", "replaces_type": "incident.declared", "from_value": "sev2", "to_value": "sev1"},
        {"kind": "determination", "replaces_seq": 2, "from_value": "confirmed", "to_value": "blocked"},
    )


def test_what_was_taken_back_shows_what_it_had_said():
    given(incident("INC-42", DECLARED, RESOLVED, _without(2, "incident.resolved", "active"))).view("corrections").shows(
        {
            "kind": "retraction",
            "replaces_seq": 2,
            "replaces_type": "incident.resolved",
            "from_value": "resolved",
            "to_value": None,
        }
    )


def test_a_corrected_time_of_what_was_taken_back_shows_what_it_had_said():
    given(
        incident("INC-42", DECLARED, RESOLVED, at="09:00"),
        incident("INC-42", _at("resolved", "08:50", 2, "the graphs show it"), at="09:30"),
        incident("INC-42", _without(2, "incident.resolved", "active"), at="09:40"),
    ).view("corrections").shows(
        {"kind": "milestone", "from_value": "2026-01-05 09:00:00", "replaces_type": "incident.resolved"},
        {"kind": "retraction"},
    )


def test_a_correction_that_was_taken_back_leaves_only_its_retraction():
    given(
        incident("INC-42", DECLARED, _at("detected", "08:40", 1, "an earlier mail")),
        incident("INC-42", _without(2, "incident.milestone_corrected")),
    ).view("corrections").shows({"kind": "retraction", "replaces_seq": 2})


def test_a_merge_and_its_undoing_stand_at_both_incidents():
    given(
        incident("INC-41", DECLARED),
        incident("INC-42", DECLARED, IncidentMerged(into_incident_id="INC-41", reason="same outage")),
        incident("INC-41", IncidentAbsorbed(from_incident_id="INC-42")),
        incident("INC-42", IncidentUnmerged(from_incident_id="INC-41")),
        incident("INC-41", IncidentDisowned(from_incident_id="INC-42")),
    ).view("corrections").shows(
        {"incident_id": "INC-42", "kind": "merge", "to_value": "INC-41", "reason": "same outage"},
        {"incident_id": "INC-41", "kind": "merge", "to_value": "INC-42"},
        {"incident_id": "INC-42", "kind": "unmerge", "from_value": "INC-41"},
        {"incident_id": "INC-41", "kind": "unmerge", "from_value": "INC-42"},
    )


def test_reopened_as_mistaken_names_the_resolution_that_it_voids_and_a_relapse_corrects_nothing():
    given(
        incident("INC-42", DECLARED, RESOLVED, IncidentReopened(kind="mistaken", reason="still down", episode=2)),
        incident("INC-43", DECLARED, RESOLVED, IncidentReopened(kind="relapse", reason="down again", episode=2)),
    ).view("corrections").shows(
        {"incident_id": "INC-42", "kind": "reopened as mistaken", "replaces_event_id": "event-2", "replaces_seq": 2}
    )


def test_an_alert_that_joins_once_it_is_over_is_late_evidence():
    linked = AlertLinked(alert_key="alert-1", occurrence=1, title="disk full", reason="it fired while this lasted")
    given(incident("INC-42", DECLARED, linked, RESOLVED, linked)).view("corrections").shows(
        {"seq": 4, "kind": "late evidence", "to_value": "disk full", "reason": "it fired while this lasted"}
    )


def test_an_incident_that_was_over_before_it_was_recorded():
    given(
        incident("INC-42", DECLARED, at="08:00"),
        incident("INC-42", RESOLVED, at="08:30"),
        incident("INC-43", DECLARED, at="08:00"),
        incident("INC-43", RESOLVED, at="09:30"),
    ).view("corrections").shows(
        {
            "incident_id": "INC-42",
            "seq": 1,
            "kind": "declared retroactively",
            "happened_at": moment("08:00"),
            "recorded_at": moment("09:01").replace(second=2),
        }
    )


def test_as_of_a_position_only_what_had_been_corrected_by_then():
    told = given(
        incident("INC-42", DECLARED, _at("detected", "08:40", 1, "a mail"), _at("detected", "08:45", 1, "its date"))
    )
    told.view("corrections", as_of=1).shows_nothing()
    told.view("corrections", as_of=2).shows({"seq": 2})


def _declared(**more) -> IncidentDeclared:
    return IncidentDeclared(title="checkout is down", severity="sev2", **more)


def _at(milestone, clock_time: str, seq: int, reason: str, **more) -> MilestoneCorrected:
    replaced = f"event-{seq}" if seq else ""
    return MilestoneCorrected(
        milestone=milestone,
        occurred_at=_time(clock_time),
        reason=reason,
        replaces_event_id=replaced,
        replaces_seq=seq,
        **more,
    )


def _without(seq: int, event_type: str, phase: str = "") -> EventRetracted:
    return EventRetracted(
        event_id=f"event-{seq}",
        event_seq=seq,
        event_stream="incident.INC-42",
        event_type=event_type,
        phase=phase,
        reason="a mistake",
    )


def _time(clock_time: str) -> datetime:
    return moment(clock_time).replace(tzinfo=UTC)
