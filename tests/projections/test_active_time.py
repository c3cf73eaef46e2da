"""The metric ``active_time``: the time in episodes, without the quiet between them."""

import pytest

from events.incident import IncidentReopened, IncidentResolved
from tests.projections.metric_story import whole_incident
from tests.spec import given, incident


@pytest.mark.parametrize(("kind", "minutes"), [("relapse", 36 + 30), ("mistaken", 86)])
def test_quiet_time_before_a_relapse_does_not_count_but_a_mistaken_resolution_was_not_quiet(kind: str, minutes: int):
    """Detected 09:04, resolved 09:40, reopened 10:00, resolved 10:30."""
    given(
        *whole_incident(),
        incident("INC-42", IncidentReopened(kind=kind, reason="back", episode=2), at="10:00"),
        incident("INC-42", IncidentResolved(), at="10:30"),
    ).view("active_time").shows({"state": "measured", "duration_s": minutes * 60.0})


def test_while_it_is_open_it_goes_on():
    given(
        *whole_incident(),
        incident("INC-42", IncidentReopened(kind="relapse", reason="back", episode=2), at="10:00"),
    ).view("active_time").shows({"state": "censored", "duration_s": None, "quiet_us": 20 * 60 * 1_000_000})
