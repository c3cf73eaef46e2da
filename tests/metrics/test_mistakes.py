"""The eighteen mistakes that incident tools make with their figures.

Each test tells a small story, computes what a tool that makes the mistake would report of it, and shows what Recount
reports instead. The list is the one of the incident literature: Davidovic (Google, 2021), VOID (2021, 2022), and the
complaints of users of the products in `projections/vendors`.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta
from statistics import mean, median
from typing import Any
from zoneinfo import ZoneInfo

from events.alert import AlertCleared, AlertFired
from events.incident import (
    AlertLinked,
    DeterminationSet,
    ImpactEnded,
    ImpactStarted,
    IncidentAcknowledged,
    IncidentContained,
    IncidentMerged,
    IncidentReopened,
    IncidentResolved,
    IncidentSeverityChanged,
    MilestoneCorrected,
)
from events.page import PageSent
from projections.catalog import read_catalog
from projections.figures.cohort import Cell
from projections.figures.comparison import compare
from projections.figures.figure import Sample
from projections.figures.survival import MEDIAN, Lasted, curve
from tests.projections.metric_story import DECLARED, REQUESTED, whole_incident
from tests.spec import MORNING, Given, Told, alert, given, incident, moment, page

MINUTE_US = 60 * 1_000_000
SENT = PageSent(channel="smtp", contact=0, attempt=1)


def outage(incident_id: str, since: str, until: str = "") -> tuple[Told, ...]:
    """An incident whose impact starts when it is declared, and which is resolved, unless that is still to come."""
    begun = (
        *incident(incident_id, DECLARED, at=since),
        *incident(incident_id, ImpactStarted(scope="checkout", level=3), at=since),
    )
    if not until:
        return begun
    return (
        *begun,
        *incident(incident_id, ImpactEnded(scope="checkout"), at=until),
        *incident(incident_id, IncidentResolved(), at=until),
    )


def rows_of(story: Given, metric: str, *, as_of: int | None = None) -> dict[str, dict[str, Any]]:
    """The measurements of one metric by incident."""
    shown = story.view("measurements", as_of=as_of).rows
    return {row["incident_id"]: row for row in shown if row["metric"] == metric}


def minutes_of(story: Given, metric: str) -> dict[str, float]:
    """What was measured, in minutes."""
    return {
        name: row["duration_us"] / MINUTE_US
        for name, row in rows_of(story, metric).items()
        if row["state"] == "measured"
    }


def minutes_between(start: datetime, end: datetime) -> float:
    """What a tool gets that subtracts two times."""
    return (end - start) / timedelta(minutes=1)


def sample(minutes: Iterable[float]) -> Sample:
    """Measured durations, as figures are made of them."""
    return Sample(
        tuple(Cell("", "ttr_recover", 1, "measured", "", round(each * MINUTE_US), None, None, 1) for each in minutes)
    )


def test_01_a_time_to_recover_without_a_label():
    story = given(*whole_incident())
    claims = {name: minutes_of(story, f"ttr_{name}")["INC-42"] for name in ("recover", "respond")}
    claims["mitigate"] = minutes_of(story, "ttm")["INC-42"]
    assert claims == {"recover": 40, "respond": 35, "mitigate": 25}, "a bare MTTR could be any of these"
    offered = {view.name for view in read_catalog().views} | {row["metric"] for row in story.view("measurements").rows}
    assert not {"ttr", "mttr", "mttd", "mtta"} & offered


def test_02_open_incidents_dropped():
    ended = [outage("INC-1", "09:00", "09:10"), outage("INC-2", "09:00", "09:20"), outage("INC-3", "09:00", "09:30")]
    story = given(*ended, outage("INC-4", "09:00"), outage("INC-5", "09:00"), outage("INC-6", "10:00", "10:01"))
    naive = median(minutes_of(story, "ttr_recover").values())
    assert naive == 15
    lasted = [
        Lasted(row["duration_us"], int(row["state"] == "measured"), int(row["state"] == "censored"))
        for row in rows_of(story, "ttr_recover").values()
    ]
    assert curve(lasted).quantile(MEDIAN) == 20 * MINUTE_US
    assert rows_of(story, "ttr_recover")["INC-4"]["duration_us"] >= 61 * MINUTE_US


def test_03_cohorts_by_the_date_of_closing():
    """Begun in January: one over at once, one over in February, one open still."""
    story = given(
        outage("INC-1", "+25 09:00", "+25 10:00"),
        outage("INC-2", "+25 09:00", "+30 09:00"),
        outage("INC-3", "+25 09:00"),
    )
    rows = rows_of(story, "ttr_recover").values()
    by_closing = [row for row in rows if row["ended_at"] and row["ended_at"].month == 1]
    assert len(by_closing) == 1, "the long one is in another month, and the open one in none"
    assert [row["cohort_at"].month for row in rows] == [1, 1, 1]


def test_04_a_resolution_overwritten_by_the_next():
    story = given(
        *whole_incident(),
        incident("INC-42", IncidentReopened(kind="relapse", reason="back", episode=2), at="10:00"),
        incident("INC-42", IncidentResolved(), at="10:30"),
        incident("INC-43", DECLARED, at="+14 10:30"),
    )
    (overwritten,) = [row for row in story.view("incidents").rows if row["incident_id"] == "INC-42"]
    assert minutes_between(overwritten["impact_started_at"], overwritten["resolved_at"]) == 90
    assert minutes_of(story, "ttr_recover") == {"INC-42": 40}
    assert minutes_of(story, "ttr_recover_durable") == {"INC-42": 90}


def test_05_a_mistaken_resolution_taken_for_a_real_one():
    def story(kind: str) -> Given:
        return given(
            *whole_incident(),
            incident("INC-42", IncidentReopened(kind=kind, reason="back", episode=2), at="10:00"),
            incident("INC-42", IncidentResolved(), at="10:30"),
        )

    naive = minutes_between(moment("09:00"), moment("09:40"))
    assert minutes_of(story("relapse"), "ttr_recover") == {"INC-42": naive}
    assert minutes_of(story("mistaken"), "ttr_recover") == {"INC-42": 90}, "it never was resolved, so time ran on"


def test_06_the_click_on_a_status_taken_for_the_event():
    """Users were served again at 09:25; somebody found time for the button at 10:00."""
    story = given(
        incident("INC-42", DECLARED, at="09:00"),
        incident("INC-42", ImpactStarted(scope="checkout", level=3), at="09:00"),
        incident("INC-42", IncidentContained(), at="10:00"),
        incident("INC-42", ImpactEnded(scope="checkout"), at="09:25"),
    )
    assert minutes_of(story, "ttc_impact") == {"INC-42": 60}, "what a click would give"
    assert minutes_of(story, "ttm") == {"INC-42": 25}


def test_07_acknowledgements_by_machines():
    story = given(
        incident("INC-42", DECLARED, at="09:00"),
        page("pg-1", REQUESTED, SENT, at="09:00"),
        incident("INC-42", IncidentAcknowledged(automatic=True), at="09:01"),
    )
    (naive,) = story.view("incidents").rows
    assert minutes_between(naive["notified_at"], naive["acknowledged_at"]) == 1
    tta = rows_of(story, "tta")["INC-42"]
    assert (tta["state"], tta["reason"]) == ("excluded", "not acknowledged by a person")


def test_08_duplicates_counted_twice():
    """The duplicate was detected sooner, and its own time to detect is none."""
    story = given(
        *whole_incident(),
        incident("INC-43", DECLARED, at="09:02"),
        incident("INC-43", ImpactStarted(scope="checkout", level=3), at="09:01"),
        incident("INC-43", IncidentMerged(into_incident_id="INC-42"), at="09:10"),
    )
    naive = [minutes_between(row["impact_started_at"], row["detected_at"]) for row in story.view("incidents").rows]
    assert sorted(naive) == [1, 4]
    assert minutes_of(story, "ttd") == {"INC-42": 2}, "one incident, from its first impact to its first signal"


def test_09_false_positives_in_the_denominator():
    story = given(
        outage("INC-1", "09:00", "10:00"),
        incident("INC-1", DeterminationSet(determination="confirmed")),
        outage("INC-2", "09:00", "09:02"),
        incident("INC-2", DeterminationSet(determination="false_positive")),
    )
    naive = mean(minutes_between(row["impact_started_at"], row["resolved_at"]) for row in story.view("incidents").rows)
    assert naive == 31
    assert minutes_of(story, "ttr_recover") == {"INC-1": 60}
    (precision,) = story.view("detection_precision").rows
    assert precision["precision"] == 0.5, "where the false one does count"


def test_10_detection_before_the_impact_cut_to_zero():
    story = given(
        incident("INC-1", DECLARED, at="09:00"),
        incident("INC-1", ImpactStarted(scope="checkout", level=3), at="09:20"),
        incident("INC-2", ImpactStarted(scope="checkout", level=3), at="09:00"),
        incident("INC-2", DECLARED, at="09:10"),
    )
    ttd = minutes_of(story, "ttd")
    assert mean(max(0, each) for each in ttd.values()) == 5, "a quick team looks slow"
    assert ttd == {"INC-1": -20, "INC-2": 10}


def test_11_an_unknown_start_replaced_by_the_creation():
    story = given(incident("INC-42", DECLARED, at="09:00"), incident("INC-42", IncidentResolved(), at="09:30"))
    (row,) = story.view("incidents").rows
    naive = minutes_between(row["impact_started_at"] or row["opened_at"], row["resolved_at"])
    assert naive == 30
    recover = rows_of(story, "ttr_recover")["INC-42"]
    assert (recover["duration_us"], recover["reason"]) == (None, "start of impact not known")


def test_12_averages_of_averages():
    """One team has a single long incident, the other four short ones."""
    short = [outage(f"INC-{number}", "09:00", "09:10") for number in range(1, 5)]
    story = given(*short, outage("INC-9", "09:00", "10:40"))
    lasted = minutes_of(story, "ttr_recover")
    teams = [[lasted[f"INC-{number}"] for number in range(1, 5)], [lasted["INC-9"]]]
    assert mean(map(median, teams)) == 55
    assert curve(Lasted(round(each * MINUTE_US), 1, 0) for each in lasted.values()).quantile(MEDIAN) == 10 * MINUTE_US


def test_13_local_time_subtracted():
    """Clocks in Warsaw go from 02:00 to 03:00 in the night of 29 March 2026."""
    story = given(outage("INC-42", "+83 00:30", "+83 01:30"))
    warsaw = ZoneInfo("Europe/Warsaw")
    start, end = (MORNING.replace(hour=hour, minute=30) + timedelta(days=83) for hour in (0, 1))
    walls = [each.astimezone(warsaw).replace(tzinfo=None) for each in (start, end)]
    assert minutes_between(*walls) == 120
    assert minutes_of(story, "ttr_recover") == {"INC-42": 60}


def test_14_history_rewritten_without_saying_so():
    corrected = MilestoneCorrected(
        milestone="impact_started",
        occurred_at=MORNING - timedelta(minutes=30),
        reason="the graphs show it",
        replaces_event_id="event-2",
        replaces_seq=2,
    )
    story = given(*whole_incident(), incident("INC-42", corrected, at="11:00"))
    told, believed = rows_of(story, "ttd", as_of=8)["INC-42"], rows_of(story, "ttd")["INC-42"]
    assert (told["duration_us"], believed["duration_us"]) == (4 * MINUTE_US, 34 * MINUTE_US)
    between = [row for row in story.view("incident_timeline").rows if row["seq"] > 8]
    assert [row["type"] for row in between] == ["incident.milestone_corrected"], "and this is why"


def test_15_a_severity_that_moves_incidents_between_cohorts():
    changed = incident("INC-42", IncidentSeverityChanged(severity="sev4", previous="sev2"))
    before, after = given(*whole_incident()), given(*whole_incident(), changed)
    naive = [story.view("incidents").rows[0]["severity"] for story in (before, after)]
    assert naive == ["sev2", "sev4"], "last month's figure for sev2 has lost an incident"
    rows = [rows_of(story, "ttd")["INC-42"] for story in (before, after)]
    assert [row["severity_declared"] for row in rows] == ["sev2", "sev2"]
    assert [row["severity_peak"] for row in rows] == ["sev2", "sev2"]
    assert [row["severity_final"] for row in rows] == ["sev2", "sev4"]


def test_16_an_arrow_without_an_interval():
    """Ten incidents each, the later ones a tenth shorter."""
    earlier = [5, 8, 12, 20, 30, 45, 70, 110, 200, 400]
    later = [each * 0.9 for each in earlier]
    assert mean(later) < mean(earlier), "an arrow that points down, in green"
    compared = compare(sample(earlier), sample(later))
    assert compared.call == "no trend"
    assert compared.ratio_low < 1 < compared.ratio_high
    assert compared.detectable > 0.5, "so few can only show that it halved"


def test_17_the_mean_time_between_failures_as_window_over_count():
    """Three incidents, two of which are the same hour of darkness, in 10 hours."""
    story = given(
        outage("INC-1", "00:00", "00:01"),
        outage("INC-2", "04:00", "05:00"),
        outage("INC-3", "04:10", "04:50"),
        incident("INC-9", DECLARED, at="10:00"),
    )
    naive = 10 * 60 / len(story.view("impact_intervals").rows)
    assert naive == 200, "minutes between failures, of which one counts twice, in a window that includes the downtime"
    (rate,) = story.view("failure_rate").rows
    assert rate["failures"] == 2
    assert rate["down_us"] == 61 * MINUTE_US
    assert rate["exposure_us"] == (10 * 60 - 61) * MINUTE_US + 2_000_000


def test_18_times_of_alerts_mixed_with_those_of_incidents():
    """One incident with two alerts that cleared long before it was resolved."""

    def fired(key: str) -> AlertFired:
        return AlertFired(
            integration="key-1", sender="alertmanager", fingerprint=key, occurrence=1, title=key, severity="critical"
        )

    alerts = [
        told
        for key in ("a1", "a2")
        for told in (
            alert(key, fired(key), at="09:00"),
            incident("INC-42", AlertLinked(alert_key=key, occurrence=1, title=key)),
            alert(key, AlertCleared(), at="09:05"),
        )
    ]
    story = given(
        incident("INC-42", DECLARED, at="09:00"),
        incident("INC-42", ImpactStarted(scope="checkout", level=3), at="09:00"),
        *alerts,
        incident("INC-42", ImpactEnded(scope="checkout"), at="10:00"),
        incident("INC-42", IncidentResolved(), at="10:00"),
    )
    naive = [minutes_between(row["started_at"], row["cleared_at"]) for row in story.view("alerts").rows]
    assert naive == [5, 5], "two times to recover for one incident that was not over"
    assert minutes_of(story, "ttr_recover") == {"INC-42": 60}
