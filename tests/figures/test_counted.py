"""Counts are added up, never their rates, and are refused where they were not counted so."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import duckdb
import msgspec
import pytest

from projections.figures.cohort import Ask, Cohort
from projections.figures.counted import BY_NAME, Counted, NotKnownBy, counted
from projections.figures.words import basis, share, share_interval
from projections.query import Table

DAY_US = 86_400_000_000


def asking(view: str, columns: str, *rows: tuple[Any, ...]) -> Ask:
    """Queries over a view of counts."""
    database = duckdb.connect()
    database.execute(f"create table {view} ({columns})")
    database.executemany(f"insert into {view} values ({', '.join('?' * len(rows[0]))})", [list(row) for row in rows])

    def ask(sql: str, params: Sequence[Any] = ()) -> Table:
        database.execute(sql, params)
        return Table((), database.fetchall(), False)

    return ask


JANUARY, FEBRUARY, MARCH = (datetime(2026, month, 1) for month in (1, 2, 3))


def reopened() -> Ask:
    return asking(
        "reopen_rate",
        "month timestamp, service varchar, team varchar, severity_declared varchar, resolved bigint, relapsed bigint,"
        "mistaken bigint",
        (JANUARY, "checkout", None, "sev1", 1, 1, 0),
        (FEBRUARY, "checkout", "core", "sev2", 9, 0, 1),
        (FEBRUARY, "search", "core", "sev2", 10, 1, 0),
    )


def by_group(ask: Ask, metric: str, cohort: Cohort) -> dict[str, Counted]:
    return {each.group: each for each in counted(ask, BY_NAME[metric], cohort)}


def test_parts_are_of_the_sum_and_no_mean_of_parts():
    (whole,) = by_group(reopened(), "relapse_rate", Cohort()).values()
    assert (whole.part, whole.whole) == (2, 20)
    assert whole.share is not None
    assert whole.share.value == 0.1
    assert (round(whole.share.low, 3), round(whole.share.high, 3)) == (0.028, 0.301)
    assert (share(whole), share_interval(whole), basis(whole)) == ("10 %", "3 % to 30 %", "2 of 20")


def test_relapses_and_mistakes_are_apart():
    (mistakes,) = by_group(reopened(), "mistake_rate", Cohort()).values()
    assert (mistakes.part, mistakes.whole) == (1, 20)


def test_groups_and_windows_are_of_whole_months():
    assert by_group(reopened(), "relapse_rate", Cohort(by="month")).keys() == {"2026-01", "2026-02"}
    assert by_group(reopened(), "relapse_rate", Cohort(by="quarter")).keys() == {"2026-Q1"}
    assert by_group(reopened(), "relapse_rate", Cohort(by="team")).keys() == {"none", "core"}
    february = Cohort(by="service", start=FEBRUARY, end=MARCH)
    assert {key: each.whole for key, each in by_group(reopened(), "relapse_rate", february).items()} == {
        "checkout": 9,
        "search": 10,
    }


def test_a_rate_is_over_the_time_that_was_up():
    ask = asking(
        "failure_rate",
        "month timestamp, service varchar, failures bigint, exposure_us bigint",
        (JANUARY, "checkout", 2, 30 * DAY_US),
        (FEBRUARY, "checkout", 0, 30 * DAY_US),
    )
    (whole,) = by_group(ask, "failure_rate", Cohort()).values()
    assert whole.share is not None
    assert whole.share.value == 1
    assert (round(whole.share.low, 4), round(whole.share.high, 4)) == (0.1211, 3.6123)
    assert basis(whole) == "2 in 60 d"
    never = by_group(ask, "failure_rate", Cohort(by="month"))["2026-02"]
    assert (share(never), share_interval(never)) == ("0", "0 to 3.7")


def test_of_nothing_there_is_no_part():
    (nothing,) = by_group(reopened(), "relapse_rate", Cohort(service="payments")).values()
    assert (nothing.share, share(nothing), share_interval(nothing)) == (None, "–", "")


@pytest.mark.parametrize(
    ("cohort", "words"),
    [
        (Cohort(source="alertmanager"), "not counted by source"),
        (Cohort(by="week"), "not counted by week"),
        (Cohort(by="severity"), "declared severity"),
        (Cohort(start=datetime(2026, 2, 3)), "whole months"),
    ],
)
def test_what_was_not_counted_so_is_refused(cohort: Cohort, words: str):
    with pytest.raises(NotKnownBy, match=words):
        counted(reopened(), BY_NAME["relapse_rate"], cohort)


def test_declared_severity_was_counted():
    cohort = Cohort(by="severity", severity_kind="declared")
    assert by_group(reopened(), "relapse_rate", cohort).keys() == {"sev1", "sev2"}


def affected() -> Ask:
    """Two incidents of checkout, one of which lasts; one that hurt nobody, and one of search in March."""
    return asking(
        "impact_minutes",
        "month timestamp, service varchar, team varchar, source varchar, severity_declared varchar,"
        "weighted_us bigint, state varchar",
        (FEBRUARY, "checkout", "core", "person", "sev1", 90 * 60_000_000, "measured"),
        (FEBRUARY, "checkout", None, "person", "sev2", 30 * 60_000_000, "censored"),
        (FEBRUARY, "checkout", None, "person", "sev4", None, "excluded"),
        (MARCH, "search", "core", "cdevents", "sev2", 75_000_000, "measured"),
    )


def test_minutes_are_added_up_and_what_lasts_is_said():
    (whole,) = by_group(affected(), "impact_minutes", Cohort()).values()
    assert (whole.share, share(whole), share_interval(whole)) == (None, "121.2", "")
    assert basis(whole) == "over 3 incidents, 1 of them not over"
    assert (whole.lasting, whole.lasting_part) == (1, 30 * 60_000_000)
    by_service = by_group(affected(), "impact_minutes", Cohort(by="service"))
    assert {key: share(each) for key, each in by_service.items()} == {"checkout": "120.0", "search": "1.2"}
    assert basis(by_service["search"]) == "over 1 incident"
    (none,) = by_group(affected(), "impact_minutes", Cohort(service="payments")).values()
    assert (share(none), basis(none)) == ("0.0", "over 0 incidents")


def pages() -> Ask:
    """Ada was paged three times in February, once at night; bob once in each of two months, in hours."""
    return asking(
        "delivered_pages",
        "month timestamp, person_id varchar, service varchar, team varchar, severity_declared varchar,"
        "out_of_hours boolean, at_night boolean",
        (FEBRUARY, "ada", "checkout", "core", "sev1", True, True),
        (FEBRUARY, "ada", "checkout", "core", "sev1", True, False),
        (FEBRUARY, "ada", "search", None, "sev2", False, False),
        (FEBRUARY, "bob", "search", None, None, False, False),
        (MARCH, "bob", "search", None, None, False, False),
    )


def test_pages_are_told_for_each_person_who_was_paged():
    (whole,) = by_group(pages(), "pages_per_person", Cohort()).values()
    assert (share(whole), share_interval(whole), basis(whole)) == ("2.5", "", "5 to 2 people")
    months = by_group(pages(), "pages_per_person", Cohort(by="month"))
    # Bob is one person in both months, and in all of them together.
    assert {key: basis(each) for key, each in months.items()} == {
        "2026-02": "4 to 2 people",
        "2026-03": "1 to 1 person",
    }
    people = by_group(pages(), "pages_per_person", Cohort(by="person"))
    assert {key: share(each) for key, each in people.items()} == {"ada": "3.0", "bob": "2.0"}
    (nobody,) = by_group(pages(), "pages_per_person", Cohort(service="payments")).values()
    assert share(nobody) == "–"


def test_pages_out_of_hours_are_a_part_of_the_pages():
    (away,) = by_group(pages(), "pages_out_of_hours", Cohort(service="checkout")).values()
    assert basis(away) == "2 of 2"
    (night,) = by_group(pages(), "pages_at_night", Cohort()).values()
    assert (share(night), basis(night)) == ("20 %", "1 of 5")


@pytest.mark.parametrize("metric", ["relapse_rate", "impact_minutes", "failure_rate"])
def test_an_incident_is_nobodys(metric: str):
    with pytest.raises(NotKnownBy, match="not counted by person"):
        counted(reopened(), BY_NAME[metric], Cohort(by="person"))


def test_what_cannot_last_says_the_same_as_before_there_was_what_can():
    """Its digest is in receipts that were given already."""
    (whole,) = by_group(reopened(), "relapse_rate", Cohort()).values()
    assert msgspec.to_builtins(whole).keys() == {
        *("metric", "version", "group", "kind", "words", "part", "whole", "share")
    }
