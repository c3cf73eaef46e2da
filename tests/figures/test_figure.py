"""A figure says what it can, and why it cannot say the rest."""

import pytest

from projections.figures.cohort import Cohort
from projections.figures.figure import NOT_REACHED
from projections.figures.period import parse_period
from tests.figures.story import MINUTE, excluded, figures, in_week, lasted, lasting, the_figure


def test_it_counts_what_was_measured_what_is_not_over_and_what_was_left_out_and_why():
    shown = the_figure(lasted(1, 2, 3), lasting(9, 9), excluded("dismissed", 2), excluded("merged into INC-7"))
    assert (shown.incidents, shown.n, shown.measured, shown.censored, shown.excluded) == (8, 5, 3, 2, 3)
    assert shown.excluded_because == {"dismissed": 2, "merged into INC-7": 1}
    assert shown.censored_because == {"not resolved": 2}


def test_with_fewer_than_five_the_values_are_all_it_says():
    shown = the_figure(lasted(7, 3), lasting(5))
    assert (shown.values_us, shown.lasting_us) == ((3 * MINUTE, 7 * MINUTE), (5 * MINUTE,))
    for estimate in (shown.median, shown.p90, shown.restricted_mean, shown.geometric_mean):
        assert (estimate.value_us, estimate.low_us, estimate.high_us) == (None, None, None)
        assert "fewer than 5" in estimate.absent


def test_a_median_that_most_have_not_reached_is_not_reached():
    shown = the_figure(lasted(1, 2), lasting(90, 90, 90, 90))
    assert (shown.median.value_us, shown.median.absent) == (None, NOT_REACHED)
    assert (shown.p90.value_us, shown.p90.absent) == (None, NOT_REACHED)


def test_five_have_a_median_and_six_an_interval():
    five, six = the_figure(lasted(*range(1, 6))), the_figure(lasted(*range(1, 7)))
    assert five.median.value_us == 3 * MINUTE
    assert (five.median.low_us, five.median.high_us) == (None, None)
    assert five.median.low_absent == "an interval needs 6 measured, there are 5"
    assert six.median.low_us == 1 * MINUTE
    assert six.median.low_absent == ""


def test_the_upper_end_of_the_p90_needs_thirty_six():
    some = the_figure(lasted(*range(1, 36)))
    assert some.p90.high_us is None
    assert some.p90.high_absent == "an upper end needs 36 measured, there are 35"
    many = the_figure(lasted(*range(1, 101)))
    assert many.p90.value_us == 90 * MINUTE
    assert many.p90.high_us is not None
    assert many.p90.high_us > 90 * MINUTE


def test_lead_times_count_and_have_no_geometric_mean():
    shown = the_figure(lasted(-4, -2, 1, 2, 3))
    assert shown.below_zero == 2
    assert shown.median.value_us == 1 * MINUTE
    assert (shown.geometric_mean.value_us, shown.geometric_mean.absent) == (None, "some are below zero")


def test_a_geometric_mean_beyond_all_that_was_seen_is_a_guess_and_not_reached():
    shown = the_figure(lasted(1, 2, 900), lasting(*[1_000] * 9))
    mean = shown.geometric_mean
    assert (mean.value_us, mean.low_us, mean.high_us, mean.absent) == (None, None, None, NOT_REACHED)
    near = the_figure(lasted(1, 2, 3, 4, 5, 90)).geometric_mean
    assert near.value_us is not None
    assert near.low_us < near.value_us < near.high_us < 90 * MINUTE
    wide = the_figure(lasted(1, 9, 90), lasting(5, 50, 90)).geometric_mean
    assert (wide.high_us, wide.high_absent) == (None, NOT_REACHED)


def test_the_restricted_mean_counts_what_is_not_over():
    shown = the_figure(lasted(*[10] * 5), lasting(*[20] * 10))
    assert shown.tau_us == 20 * MINUTE
    # A third ends after 10 minutes, two thirds last at least 20.
    assert shown.restricted_mean.value_us == pytest.approx(round((10 + 20 * 2) / 3 * MINUTE), abs=1_000)


def test_the_mean_comes_only_when_asked_for_with_its_interval_and_a_word_about_skew():
    told = (lasted(*[1] * 19, 400), lasting(5))
    assert the_figure(*told).mean is None
    shown = the_figure(*told, seed=1)
    assert shown.mean is not None
    assert shown.mean.low_us < shown.mean.value_us < shown.mean.high_us
    assert [warning.partition(":")[0] for warning in shown.warnings] == [
        "The mean is 20.95 times the median",
        "The mean leaves out 1 that are not over, so it is too small; the restricted mean counts them.",
    ]


def test_imprecise_times_bound_the_median():
    rows = [*lasted(10, 20), *lasted(30, earliest_us=5 * MINUTE, latest_us=90 * MINUTE), *lasted(40, 50)]
    bounds = the_figure(rows).bounds
    assert bounds is not None
    assert bounds.incidents == 1
    assert (bounds.median_earliest_us, bounds.median_latest_us) == (20 * MINUTE, 40 * MINUTE)
    assert the_figure(lasted(1, 2, 3, 4, 5)).bounds is None


def test_groups_are_services_teams_sources_or_the_severity_that_is_named():
    told = (lasted(1, 2, service="search", team="core"), lasted(3, service=None))
    assert {group: shown.n for group, shown in figures(*told, cohort=Cohort(by="service")).items()} == {
        "none": 1,
        "search": 2,
    }
    assert figures(*told, cohort=Cohort(by="team")).keys() == {"core", "none"}
    assert figures(*told, cohort=Cohort(by="source")).keys() == {"alertmanager"}
    for kind, severity in (("peak", "sev1"), ("declared", "sev2"), ("final", "sev3")):
        assert figures(*told, cohort=Cohort(by="severity", severity_kind=kind)).keys() == {severity}  # type: ignore[arg-type]


def test_groups_in_time_are_by_start_in_utc():
    told = (lasted(1, **in_week(0)), lasted(2, **in_week(1)), lasted(3, **in_week(9)))
    assert figures(*told, cohort=Cohort(by="week")).keys() == {"2026-W06", "2026-W07", "2026-W15"}
    assert figures(*told, cohort=Cohort(by="month")).keys() == {"2026-02", "2026-04"}
    assert figures(*told, cohort=Cohort(by="quarter")).keys() == {"2026-Q1", "2026-Q2"}


def test_a_window_takes_those_that_started_in_it_whenever_they_ended():
    told = (lasted(5, **in_week(0)), lasting(90_000, **in_week(1)), lasted(7, **in_week(9)))
    february = parse_period("2026-02")
    shown = the_figure(*told, cohort=Cohort(start=february.start, end=february.end))
    assert (shown.measured, shown.censored) == (1, 1)


def test_a_cohort_may_be_of_one_service_team_source_or_severity():
    told = (lasted(1, service="search", team="core"), lasted(2, 3), lasted(4, severity_peak="sev2"))
    assert the_figure(*told, cohort=Cohort(service="search")).n == 1
    assert the_figure(*told, cohort=Cohort(team="none")).n == 3
    assert the_figure(*told, cohort=Cohort(severity="sev1")).n == 3
    assert the_figure(*told, cohort=Cohort(severity="sev2", severity_kind="declared")).n == 4


def test_the_same_measurements_in_another_order_are_the_same_figure():
    one = the_figure(lasted(5, 1, 4, 2, 8, 9), lasting(3, 7), seed=4)
    other = the_figure(lasting(7, 3), lasted(9, 8, 2, 4, 1, 5), seed=4)
    assert one.digest == other.digest
    assert one.digest != the_figure(lasted(5, 1, 4, 2, 8, 10), lasting(3, 7), seed=4).digest
