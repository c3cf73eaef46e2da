"""Rootly's definitions over the same facts, the present and the older."""

from events.incident import ImpactStarted, IncidentContained
from tests.projections.vendor_story import DECLARED, minutes, recorded_at_once, worked_example
from tests.spec import incident


def test_it_measures_everything_from_the_start():
    assert minutes("rootly", worked_example()) == {
        "time to detection": 10,
        "time to acknowledge": 17,
        "time to mitigation": 50,
        "time to resolution": 70,
        "duration (older docs)": 50,
    }


def test_the_older_duration_is_that_of_resolved_incidents_alone():
    story = recorded_at_once(
        incident("INC-42", DECLARED, at="14:02"),
        incident("INC-42", ImpactStarted(scope="checkout", level=3), at="14:02"),
        incident("INC-42", IncidentContained(), at="14:12"),
    )
    shown = minutes("rootly", story)
    assert (shown["time to mitigation"], shown["duration (older docs)"]) == (10, "not mitigated")
