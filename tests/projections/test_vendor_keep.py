"""Keep's definitions over the same facts."""

from events.incident import IncidentMerged
from tests.projections.vendor_story import DECLARED, minutes, recorded_at_once, worked_example
from tests.spec import incident


def test_it_measures_from_the_first_alert():
    assert minutes("keep", worked_example()) == {"mean time to detect": 2, "mean time to resolve": 60}


def test_a_merged_incident_is_none_of_its_own():
    story = recorded_at_once(
        incident("INC-42", DECLARED, IncidentMerged(into_incident_id="INC-41"), at="14:02"),
    )
    assert set(minutes("keep", story).values()) == {"merged into INC-41"}
