"""Whatever lens a SELECT is asked through, the rows are the same: refreshed live in any batches, rebuilt, or as of."""

import random
from pathlib import Path

import pytest

from projections.warehouse import Warehouse
from tests.projections.histories import random_history
from tests.spec import empty_warehouse

HISTORY_EVENTS = 120


@pytest.mark.parametrize("seed", range(5))
def test_live_refresh_rebuild_and_as_of_the_end_agree(tmp_path: Path, seed: int):
    history = random_history(seed, HISTORY_EVENTS)
    with empty_warehouse(tmp_path) as live:
        _feed_in_any_batches(live, history, random.Random(seed))
        followed = live.digests()
        assert live.verify_views() == []
        assert live.digests(as_of=live.position) == followed
        live.rebuild()
        assert live.digests() == followed


@pytest.mark.parametrize("seed", range(100, 103))
def test_as_of_a_position_is_what_a_warehouse_showed_that_had_heard_only_so_much(tmp_path: Path, seed: int):
    history = random_history(seed, HISTORY_EVENTS)
    position = random.Random(seed).randrange(1, HISTORY_EVENTS)
    with empty_warehouse(tmp_path) as warehouse:
        warehouse.apply(history[:position])
        then = warehouse.digests()
        warehouse.apply(history[position:])
        assert warehouse.digests(as_of=position) == then
        assert warehouse.digests() != then


def test_an_alert_that_joins_and_leaves_incidents_shows_up_in_each_of_them(tmp_path: Path):
    """A closure in small steps: one event a batch, so that every link must be followed from the one before."""
    history = random_history(7, 50)
    with empty_warehouse(tmp_path) as live:
        for stored in history:
            live.apply([stored])
        assert live.verify_views() == []


@pytest.mark.soak
@pytest.mark.parametrize("seed", range(1_000, 1_200))
def test_the_lenses_agree_on_long_histories(tmp_path: Path, seed: int):
    history = random_history(seed, 600)
    with empty_warehouse(tmp_path) as live:
        _feed_in_any_batches(live, history, random.Random(seed))
        assert live.verify_views() == []


def _feed_in_any_batches(live: Warehouse, history: list, dice: random.Random) -> None:
    while live.position < len(history):
        # A redelivery begins before the position, and a batch may be one event or many.
        begins = max(0, live.position - dice.choice((0, 0, 3)))
        live.apply(history[begins : live.position + dice.choice((1, 2, 7, 30))])
