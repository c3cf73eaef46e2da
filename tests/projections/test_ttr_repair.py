"""The metric ``ttr_repair``: hands-on repair, of which no event says yet when it starts."""

from tests.projections.metric_story import whole_incident
from tests.spec import given


def test_nothing_else_is_taken_for_the_start_of_the_repair():
    given(*whole_incident()).view("ttr_repair").shows(
        {"started_at": None, "duration_s": None, "state": "excluded", "excluded_because": "no repair start recorded"}
    )
