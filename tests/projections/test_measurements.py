"""The view ``measurements``: every duration metric of every incident, whole, open or left out."""

from datetime import timedelta

from events.incident import (
    EventRetracted,
    ImpactStarted,
    IncidentDismissed,
    IncidentMerged,
    IncidentUnmerged,
    MilestoneCorrected,
)
from tests.projections.metric_story import DECLARED, whole_incident
from tests.spec import MORNING, given, incident, moment

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


def test_an_imprecise_time_bounds_every_figure_that_rests_on_it():
    """The impact began at 08:50, give or take."""
    imprecise = MilestoneCorrected(
        milestone="impact_started",
        occurred_at=MORNING - timedelta(minutes=10),
        occurred_earliest_at=MORNING - timedelta(minutes=15),
        occurred_latest_at=MORNING - timedelta(minutes=2),
        reason="between two checks",
        replaces_event_id="event-2",
        replaces_seq=2,
    )
    shown = given(*whole_incident(), incident("INC-42", imprecise)).view("measurements")
    ttd = of("ttd", shown)
    assert (ttd["earliest_us"], ttd["duration_us"], ttd["latest_us"]) == (6 * MINUTE_US, 14 * MINUTE_US, 19 * MINUTE_US)
    assert of("tta", shown)["earliest_us"] is None, "it does not start with the impact"


def test_what_was_taken_back_is_measured_no_more():
    taken_back = EventRetracted(
        event_id="event-6",
        event_seq=6,
        event_stream="incident.INC-42",
        event_type="incident.contained",
        phase="resolved",
        reason="another incident's",
    )
    story = given(*whole_incident(), incident("INC-42", taken_back))
    assert of("ttc", story.view("measurements", as_of=8))["state"] == "measured"
    assert of("ttc", story.view("measurements"))["reason"] == "not contained"


def test_a_merge_and_its_undoing_move_the_start_there_and_back():
    earlier = (incident("INC-43", ImpactStarted(scope="checkout", level=3), at="08:40"), incident("INC-43", DECLARED))
    merged = (*earlier, incident("INC-43", IncidentMerged(into_incident_id="INC-42")))
    separated = (*merged, incident("INC-43", IncidentUnmerged(from_incident_id="INC-42")))
    starts = []
    for others in (earlier, merged, separated):
        rows = given(*whole_incident(), *others).view("measurements").rows
        starts.append([row["started_at"] for row in rows if row["metric"] == "ttd" and row["state"] == "measured"])
    assert [sorted(each) for each in starts] == [
        [moment("08:40"), moment("09:00")],
        [moment("08:40")],
        [moment("08:40"), moment("09:00")],
    ]
