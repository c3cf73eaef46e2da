"""The view ``metric_summary``: median and 90th percentile, and what could not be measured."""

from events.incident import ImpactStarted, IncidentDismissed
from tests.projections.metric_story import DECLARED
from tests.spec import given, incident


def test_a_log_without_incidents_has_no_figures():
    given().view("metric_summary").shows_nothing()


def test_it_counts_what_it_measured_and_what_it_could_not():
    minutes = (1, 2, 3, 4, 10)
    stories = []
    for number, minute in enumerate(minutes):
        stories += [
            incident(f"INC-{number}", ImpactStarted(scope="checkout", level=1), at="09:00"),
            incident(f"INC-{number}", DECLARED, at=f"09:{minute:02}"),
        ]
    shown = given(
        *stories, incident("INC-41", DECLARED), incident("INC-42", DECLARED, IncidentDismissed(reason="benign"))
    ).view("metric_summary")
    (ttd,) = [row for row in shown.rows if row["metric"] == "ttd"]
    assert ttd == {
        "metric": "ttd",
        "incidents": 7,
        "measured": 5,
        "excluded": 2,
        "median_s": 180.0,
        "p90_s": 456.0,  # between the fourth and the fifth: 240 s + 0.6 * 360 s
    }
    assert {row["metric"] for row in shown.rows} == {"ttd", "tta", "ttc", "ttm", "ttr_recover"}
    assert all(row["median_s"] is None for row in shown.rows if row["metric"] != "ttd")
