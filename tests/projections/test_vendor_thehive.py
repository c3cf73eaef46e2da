"""TheHive's definitions over the same facts."""

from tests.projections.vendor_story import DECLARED, minutes, recorded_at_once, worked_example
from tests.spec import incident


def test_its_time_to_resolve_begins_when_somebody_works_on_it():
    assert minutes("thehive", worked_example()) == {
        "time to detect": 12,
        "time to acknowledge": 20,
        "time to resolve": 50,
    }


def test_a_case_that_nobody_took_was_never_in_progress():
    story = recorded_at_once(incident("INC-42", DECLARED, at="14:02"))
    assert minutes("thehive", story)["time to resolve"] == "never in progress"
