"""Every metric says in its header what it is, and the view over all of them means the same versions."""

import re
from pathlib import Path

import pytest

from projections.catalog import read_catalog

METRICS = Path(__file__).resolve().parents[2] / "projections" / "metrics"
COUNTS = {
    *("impact_minutes", "reopen_rate", "detection_precision", "page_load", "delivered_pages", "failure_rate"),
    *("dora_deployments", "dora_changes"),
}
"""Figures that are counts or quantities; the others are durations between two marks."""
DEFINED = sorted(path for path in METRICS.glob("*.sql") if "-- metric:" in path.read_text())
DURATIONS = [path for path in DEFINED if path.stem not in COUNTS]


def definition_of(path: Path) -> dict[str, str]:
    """The lines of a header that begin with a word and a colon."""
    header = [line.removeprefix("-- ") for line in path.read_text().splitlines() if line.startswith("-- ")]
    return dict(line.split(": ", 1) for line in header if re.match(r"\w+: ", line))


@pytest.mark.parametrize("path", DEFINED, ids=lambda path: path.stem)
def test_a_metric_has_a_name_and_a_version(path: Path):
    assert re.fullmatch(r"\w+, version [1-9]\d*", definition_of(path)["metric"])


@pytest.mark.parametrize("path", DURATIONS, ids=lambda path: path.stem)
def test_a_duration_says_from_where_to_where_and_what_is_left_out(path: Path):
    said = definition_of(path)
    assert said.keys() >= {"starts", "ends", "excluded"}
    assert said["metric"].startswith(f"{path.stem}, ")


def test_all_durations_are_among_the_measurements_in_the_version_that_they_say():
    sql = (METRICS / "measurements.sql").read_text()
    listed = dict(re.findall(r"select\s+'(\w+)'(?: as metric)?, (\d+)", sql))
    said = {path.stem: definition_of(path)["metric"].rpartition(" ")[2] for path in DURATIONS}
    assert listed == said


def test_all_durations_have_the_same_columns():
    how_it_was_measured = {"quiet_us", "started_by", "is_estimate"}
    columns = {view.name: [column.name for column in view.columns] for view in read_catalog().views}
    expected = columns["ttd"]
    for path in DURATIONS:
        assert [name for name in columns[path.stem] if name not in how_it_was_measured] == expected, path.stem
