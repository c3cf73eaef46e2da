"""The view ``survival_curve``: how many durations last longer than a given one."""

import random

import pytest

from events.incident import ImpactStarted, IncidentDeclared, IncidentResolved
from projections.figures.cohort import Cohort, cells
from projections.figures.figure import samples
from tests.spec import Told, empty_warehouse, given, incident, log_of

MINUTE = 60_000_000


def lasted(name: str, minutes: int | None, service: str = "checkout") -> tuple[Told, ...]:
    """Impact from 09:00 on, resolved after so many minutes, or never."""
    resolved = (
        () if minutes is None else incident(name, IncidentResolved(), at=f"{9 + minutes // 60}:{minutes % 60:02}")
    )
    return (
        *incident(name, ImpactStarted(scope=service, level=1), at="09:00"),
        *incident(name, IncidentDeclared(title="it is down", severity="sev2", service=service), at="09:00"),
        *resolved,
    )


def test_it_falls_where_incidents_end_and_counts_those_that_have_not():
    shown = given(lasted("INC-1", 10), lasted("INC-2", 10), lasted("INC-3", None), lasted("INC-4", 50)).view(
        "survival_curve"
    )
    curve = [row for row in shown.rows if row["metric"] == "ttr_recover" and row["grouped_by"] == "all"]
    steps = {row["duration_us"] // MINUTE: row for row in curve}
    assert (steps[10]["at_risk"], steps[10]["events"], steps[10]["censored"]) == (4, 2, 0)
    assert steps[10]["survival"] == pytest.approx(0.5)
    assert steps[10]["variance"] == pytest.approx(0.0625)  # 0.5² · 2 / (4 · 2)
    assert steps[10]["survival_low"] < 0.5 < steps[10]["survival_high"]
    # INC-3 has lasted until the last thing that the log knows, and is at risk until then.
    (goes_on,) = [row for row in curve if row["censored"]]
    assert (goes_on["events"], goes_on["censored"]) == (0, 1)


def test_where_nothing_lasts_longer_variance_and_interval_are_not_defined():
    shown = given(lasted("INC-1", 10), lasted("INC-2", 20)).view("survival_curve")
    (end,) = [
        row
        for row in shown.rows
        if row["metric"] == "ttr_recover" and row["grouped_by"] == "all" and row["duration_us"] == 20 * MINUTE
    ]
    assert (end["survival"], end["variance"], end["survival_low"], end["survival_high"]) == (0, None, None, None)


def test_each_group_has_a_curve_of_its_own():
    shown = given(lasted("INC-1", 10), lasted("INC-2", 20, service="search")).view("survival_curve")
    groups = {
        (row["grouped_by"], row["group_value"], row["at_risk"]) for row in shown.rows if row["metric"] == "ttr_recover"
    }
    assert {("service", "checkout", 1), ("service", "search", 1), ("severity_peak", "sev2", 2)} <= groups
    assert {("month", "2026-01", 2), ("team", "none", 2)} <= groups


def test_it_says_the_same_as_the_figures():
    draw = random.Random(7)
    minutes = [draw.choice([draw.randint(1, 40), draw.randint(1, 40), None]) for _ in range(60)]
    log = log_of(*(lasted(f"INC-{number}", minute) for number, minute in enumerate(minutes, 1)))
    with empty_warehouse() as warehouse:
        warehouse.apply(log)
        table = warehouse.ask(
            "select duration_us, survival, survival_low, survival_high from survival_curve "
            "where metric = 'ttr_recover' and grouped_by = 'all' and events > 0 order by duration_us"
        )
        sample = samples(cells(warehouse.ask, ["ttr_recover"], Cohort()))["ttr_recover", ""]
    steps = sample.curve().steps
    assert [row[0] for row in table.rows] == [step.duration_us for step in steps]
    for row, step in zip(table.rows, steps, strict=True):
        assert row[1] == pytest.approx(step.survival, abs=1e-11)
        assert row[2:] == (pytest.approx(step.band, abs=1e-11) if step.band else (None, None))
