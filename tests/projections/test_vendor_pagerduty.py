"""PagerDuty's definitions over the same facts."""

from events.incident import IncidentAcknowledged
from tests.projections.vendor_story import DECLARED, minutes, recorded_at_once, worked_example
from tests.spec import incident


def test_it_measures_from_the_creation():
    assert minutes("pagerduty", worked_example()) == {"mean time to acknowledge": 5, "mean time to resolve": 58}


def test_a_machine_acknowledges_too_and_what_is_open_is_left_out():
    story = recorded_at_once(
        incident("INC-42", DECLARED, at="14:02"),
        incident("INC-42", IncidentAcknowledged(automatic=True), at="14:03"),
    )
    assert minutes("pagerduty", story) == {"mean time to acknowledge": 1, "mean time to resolve": "not resolved"}
