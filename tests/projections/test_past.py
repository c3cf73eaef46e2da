"""The past of incidents is the same whether it is taken from what stands now or folded from the log."""

import pytest

from projections.warehouse import Warehouse
from tests.projections.histories import random_history, seeds
from tests.spec import empty_warehouse

EVENTS = 250
OF_INCIDENTS = ("roles", "impact_intervals", "responders", "incident_milestones", "incidents")


@pytest.mark.parametrize("seed", seeds(3))
def test_what_stands_now_and_the_log_give_the_same_past(seed: int):
    history = random_history(seed, EVENTS)
    with empty_warehouse() as followed, empty_warehouse() as lagging:
        followed.apply(history)
        # Its projections are empty until they are computed, so that every question about the past folds the log.
        lagging.load(history)
        for position in range(1, EVENTS + 2, 50):
            for view in OF_INCIDENTS:
                past = rows(lagging, view, position)
                assert rows(followed, view, position) == past, f"{view} as of {position}"
        assert rows(followed, "incidents", EVENTS // 2)


def test_a_question_joins_what_it_takes_from_the_past():
    history = random_history(5, EVENTS)
    sql = """
        select incident_id, phase, count(*) as events
        from incidents join incident_timeline using (incident_id) join measurements using (incident_id)
        group by all order by all
    """
    with empty_warehouse() as followed, empty_warehouse() as lagging:
        followed.apply(history)
        lagging.load(history)
        assert followed.ask(sql, as_of=EVENTS // 2).rows == lagging.ask(sql, as_of=EVENTS // 2).rows != []


def test_what_was_taken_back_later_still_stood():
    """Retractions and corrections after the position change rows of events before it; the past must not show them."""
    history = random_history(11, EVENTS)
    with empty_warehouse() as followed, empty_warehouse() as short:
        followed.apply(history)
        before_it = "select max(seq) - 1 from incident_event_retracted where event_stream like 'incident.%'"
        (position,) = followed.ask(before_it).rows[0]
        short.apply(history[:position])
        for view in OF_INCIDENTS:
            assert rows(followed, view, position) == rows(short, view, None), view


def rows(warehouse: Warehouse, view: str, position: int | None) -> list[tuple[object, ...]]:
    return warehouse.ask(f"select * from {view} order by all", as_of=position).rows
