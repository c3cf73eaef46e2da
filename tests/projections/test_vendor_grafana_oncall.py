"""Grafana OnCall's definition over the same facts."""

from events.incident import IncidentReopened, IncidentResolved
from tests.projections.vendor_story import DECLARED, minutes, recorded_at_once, worked_example
from tests.spec import incident


def test_quieting_is_a_response():
    assert minutes("grafana_oncall", worked_example()) == {"response_time": 3}


def test_the_first_value_is_kept():
    story = recorded_at_once(
        incident("INC-42", DECLARED, at="14:02"),
        incident("INC-42", IncidentResolved(), at="14:12"),
        incident("INC-42", IncidentReopened(kind="mistaken", reason="never over", episode=2), at="14:20"),
        incident("INC-43", DECLARED, at="14:30"),
    )
    rows = {row["incident_id"]: row["excluded_because"] for row in story.view("vendor_grafana_oncall").rows}
    assert rows == {"INC-42": None, "INC-43": "nobody responded"}
