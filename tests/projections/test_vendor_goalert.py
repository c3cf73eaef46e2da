"""GoAlert's definitions over the same facts."""

from events.incident import IncidentAcknowledged, IncidentReopened, IncidentResolved
from tests.projections.vendor_story import DECLARED, minutes, recorded_at_once, worked_example
from tests.spec import incident


def test_it_measures_from_the_creation():
    assert minutes("goalert", worked_example()) == {"time_to_ack": 5, "time_to_close": 58}


def test_what_comes_after_the_first_closing_changes_nothing():
    story = recorded_at_once(
        incident("INC-42", DECLARED, at="14:02"),
        incident("INC-42", IncidentResolved(), at="14:12"),
        incident("INC-42", IncidentReopened(kind="mistaken", reason="never over", episode=2), at="14:20"),
        incident("INC-42", IncidentAcknowledged(), at="14:21"),
        incident("INC-42", IncidentResolved(), at="14:50"),
    )
    assert minutes("goalert", story) == {"time_to_ack": "not acknowledged", "time_to_close": 10}
