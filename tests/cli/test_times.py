"""Times and durations as the command line writes them: always UTC, never more than two units."""

import pytest

from services.cli.orders import incident_id
from services.cli.times import duration, short_time


@pytest.mark.parametrize(
    ("seconds", "told"),
    [
        (0, "0 s"),
        (59.6, "1 min"),
        (185, "3 min 5 s"),
        (3_600, "1 h"),
        (7_470, "2 h 4 min"),
        (266_400, "3 d 2 h"),
        (-90, "-1 min 30 s"),
    ],
)
def test_a_duration_has_at_most_two_units(seconds: float, told: str):
    assert duration(seconds) == told


def test_a_time_is_told_in_utc():
    assert short_time("2026-11-24T12:00:00.25+01:00") == "2026-11-24 11:00:00"
    assert short_time("2026-11-24T12:00:00Z") == "2026-11-24 12:00:00"
    assert short_time(None) == ""


@pytest.mark.parametrize("text", ["INC-42", "inc-42", "42", " 42 "])
def test_an_incident_may_be_named_in_short(text: str):
    assert incident_id(text) == "INC-42"
