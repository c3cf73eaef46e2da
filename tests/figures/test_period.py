"""Periods as people write them, in UTC, each ending where the next begins."""

from datetime import datetime

import pytest

from projections.figures.period import BadPeriod, parse_period, parse_start


@pytest.mark.parametrize(
    ("text", "start", "end"),
    [
        ("2026-02", datetime(2026, 2, 1), datetime(2026, 3, 1)),
        ("2026-12", datetime(2026, 12, 1), datetime(2027, 1, 1)),
        ("2026-Q1", datetime(2026, 1, 1), datetime(2026, 4, 1)),
        ("2026-q4", datetime(2026, 10, 1), datetime(2027, 1, 1)),
        ("2026-W01", datetime(2025, 12, 29), datetime(2026, 1, 5)),
        ("2026", datetime(2026, 1, 1), datetime(2027, 1, 1)),
        ("2026-02-14", datetime(2026, 2, 14), datetime(2026, 2, 15)),
        ("2026-02-01..2026-02-15", datetime(2026, 2, 1), datetime(2026, 2, 15)),
        ("2026-02-01T12:00+02:00..2026-02-15", datetime(2026, 2, 1, 10), datetime(2026, 2, 15)),
    ],
)
def test_a_period_is_read(text: str, start: datetime, end: datetime):
    period = parse_period(text)
    assert (period.start, period.end) == (start, end)


@pytest.mark.parametrize(
    "text",
    ["", "last month", "2026-13", "2026-Q5", "2026-W54", "2026-02-30", "2026-02-15..2026-02-01", "9999", "..", "٢٠٢٦"],
)
def test_what_is_no_period_is_refused_with_the_way_to_write_one(text: str):
    with pytest.raises(BadPeriod) as refused:
        parse_period(text)
    assert "2026-Q1" in refused.value.hint


def test_a_start_is_utc_unless_it_says():
    assert parse_start("2026-02-01") == datetime(2026, 2, 1)
    assert parse_start("2026-02-01T12:00:00+02:00") == datetime(2026, 2, 1, 10)
    with pytest.raises(BadPeriod):
        parse_start("yesterday")
