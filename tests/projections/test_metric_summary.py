"""The view ``metric_summary``: median and 90th percentile with their intervals, and what could not be measured."""

import random

from events.incident import ImpactStarted, IncidentDismissed, IncidentResolved
from projections.figures.cohort import Cohort, cells
from projections.figures.figure import figure, samples
from tests.projections.metric_story import DECLARED
from tests.spec import Given, empty_warehouse, given, incident

METRICS = {"ttd", "tta", "ttc", "ttm", "ttr_recover"}


def over_after(*minutes: int, still_open: int = 0) -> Given:
    """Incidents with impact from 09:00, detected at once, resolved after so many minutes; the last ones never."""
    stories = []
    for number, minute in enumerate((*minutes, *[None] * still_open)):
        name = f"INC-{number}"
        stories += [
            incident(name, ImpactStarted(scope="checkout", level=1), at="09:00"),
            incident(name, DECLARED, at="09:00"),
        ]
        if minute is not None:
            stories.append(incident(name, IncidentResolved(), at=f"{9 + minute // 60}:{minute % 60:02}"))
    return given(*stories)


def summary(history: Given, metric: str = "ttr_recover") -> dict[str, object]:
    (row,) = [row for row in history.view("metric_summary").rows if row["metric"] == metric]
    return row


def test_a_log_without_incidents_has_no_figures():
    given().view("metric_summary").shows_nothing()


def test_it_counts_what_it_measured_what_goes_on_and_what_it_left_out():
    history = given(
        *[
            told
            for number in range(5)
            for told in (
                incident(f"INC-{number}", ImpactStarted(scope="checkout", level=1), at="09:00"),
                incident(f"INC-{number}", DECLARED, at=f"09:0{number + 1}"),
            )
        ],
        incident("INC-41", DECLARED),
        incident("INC-42", DECLARED, IncidentDismissed(reason="benign")),
    )
    shown = summary(history, "ttd")
    assert (shown["incidents"], shown["measured"], shown["censored"], shown["excluded"]) == (7, 5, 0, 2)
    assert shown["median_s"] == 180.0
    assert {row["metric"] for row in history.view("metric_summary").rows} >= METRICS


def test_what_goes_on_lengthens_the_median():
    assert summary(over_after(1, 2, 3, 4, 5, 6))["median_s"] == 180.0
    assert summary(over_after(1, 2, 3, 4, 5, 6, still_open=3))["median_s"] == 300.0


def test_a_percentile_that_is_not_reached_is_null_and_says_so():
    shown = summary(over_after(1, 2, 3, 4, 5, still_open=3))
    assert (shown["median_s"], shown["median_not_reached"]) == (240.0, False)
    assert (shown["p90_s"], shown["p90_not_reached"]) == (None, True)


def test_it_says_the_same_as_the_figures():
    draw = random.Random(3)
    minutes = [draw.randint(1, 40) for _ in range(45)]
    with empty_warehouse() as warehouse:
        warehouse.apply(over_after(*minutes, still_open=4).log)
        rows = {row["metric"]: row for row in warehouse.ask("select * from metric_summary").dicts()}
        found = samples(cells(warehouse.ask, rows, Cohort()))
    for (metric, _group), sample in found.items():
        told, row = figure(metric, "", sample), rows[metric]
        for name, estimate in (("median", told.median), ("p90", told.p90)):
            ends = (estimate.value_us, estimate.low_us, estimate.high_us)
            assert ends == tuple(
                None if row[column] is None else row[column] * 1_000_000
                for column in (f"{name}_s", f"{name}_low_s", f"{name}_high_s")
            )


def test_fewer_than_five_have_no_percentile():
    shown = summary(over_after(1, 2, 3, 4))
    assert (shown["measured"], shown["has_enough"]) == (4, False)
    assert (shown["median_s"], shown["median_not_reached"], shown["p90_s"]) == (None, False, None)


def test_five_have_a_median_six_an_interval_of_it_and_thirty_six_an_upper_end_of_the_p90():
    five, six = summary(over_after(*range(1, 6))), summary(over_after(*range(1, 7)))
    assert (five["median_s"], five["median_low_s"], five["median_high_s"]) == (180.0, None, None)
    assert (six["median_s"], six["median_low_s"]) == (180.0, 60.0)
    fewer, enough = summary(over_after(*range(1, 36))), summary(over_after(*range(1, 61)))
    assert (fewer["p90_s"], fewer["p90_high_s"]) == (1920.0, None)
    assert enough["p90_s"] == 3240.0
    assert enough["p90_high_s"] == 3540.0
