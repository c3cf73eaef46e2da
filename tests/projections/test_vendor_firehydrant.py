"""FireHydrant's definitions over the same facts."""

from tests.projections.vendor_story import DECLARED, minutes, recorded_at_once, worked_example
from tests.spec import incident


def test_it_measures_everything_from_the_start():
    assert minutes("firehydrant", worked_example()) == {"MTTD": 10, "MTTA": 17, "MTTM": 50, "MTTR": 70}


def test_without_a_start_there_is_nothing_to_measure_from():
    story = recorded_at_once(incident("INC-42", DECLARED, at="14:02"))
    assert set(minutes("firehydrant", story).values()) == {"start of impact not known"}
