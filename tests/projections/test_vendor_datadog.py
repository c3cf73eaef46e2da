"""Datadog's definitions over the same facts."""

from events.incident import ImpactStarted
from tests.projections.vendor_story import DECLARED, minutes, recorded_at_once, worked_example
from tests.spec import incident


def test_repair_ends_with_the_impact_and_resolving_begins_with_the_declaration():
    assert minutes("datadog", worked_example()) == {"Time to Detect": 10, "Time to Repair": 40, "Time to Resolve": 58}


def test_while_customers_are_affected_there_is_no_repair():
    story = recorded_at_once(
        incident("INC-42", DECLARED, at="14:02"),
        incident("INC-42", ImpactStarted(scope="checkout", level=3), at="14:02"),
    )
    assert minutes("datadog", story) == {
        "Time to Detect": 0,
        "Time to Repair": "impact not over",
        "Time to Resolve": "not resolved",
    }
