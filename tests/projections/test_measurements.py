"""The view ``measurements``: every duration metric of every incident, whole, open or left out."""

from events.incident import ImpactStarted, IncidentDismissed
from tests.projections.metric_story import DECLARED, whole_incident
from tests.spec import given, incident, moment

MINUTE_US = 60 * 1_000_000


def of(metric: str, shown) -> dict:
    """The only row of a metric."""
    (row,) = [row for row in shown.rows if row["metric"] == metric]
    return row


def test_a_measured_duration_names_the_events_it_rests_on():
    ttd = of("ttd", given(*whole_incident()).view("measurements"))
    assert ttd == {
        "incident_id": "INC-42",
        "metric": "ttd",
        "metric_version": 1,
        "service": "checkout",
        "team": "primary",
        "source": "person",
        "severity_declared": "sev2",
        "severity_peak": "sev2",
        "severity_final": "sev2",
        "cohort_at": moment("09:00"),
        "started_at": moment("09:00"),
        "ended_at": moment("09:04"),
        "duration_us": 4 * MINUTE_US,
        "state": "measured",
        "reason": None,
        "started_event_id": "event-2",
        "started_seq": 2,
        "ended_event_id": "event-1",
        "ended_seq": 1,
        "earliest_us": None,
        "latest_us": None,
    }


def test_what_goes_on_is_censored_at_the_moment_of_the_log():
    shown = given(
        incident("INC-42", ImpactStarted(scope="checkout", level=3), at="09:00"),
        incident("INC-42", DECLARED, at="09:30"),
    ).view("measurements")
    recover = of("ttr_recover", shown)
    assert (recover["state"], recover["reason"], recover["ended_at"]) == ("censored", "not resolved", None)
    # The log was last written two seconds after the declaration.
    assert recover["duration_us"] == 30 * MINUTE_US + 2_000_000


def test_what_is_no_incident_is_excluded_with_its_reason():
    shown = given(incident("INC-42", DECLARED, IncidentDismissed(reason="benign"))).view("measurements")
    assert {(row["state"], row["reason"], row["duration_us"]) for row in shown.rows} == {
        ("excluded", "dismissed", None)
    }


def test_an_incident_without_a_known_start_still_falls_into_a_period():
    ttd = of("ttd", given(incident("INC-42", DECLARED, at="09:10")).view("measurements"))
    assert (ttd["state"], ttd["started_at"], ttd["cohort_at"]) == ("excluded", None, moment("09:10"))
