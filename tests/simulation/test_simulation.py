"""The laws hold under crashes, lost answers, duplicates, reordering and people who contradict each other.

A failing seed stands in the test's id; ``SEED=1837`` in the environment runs that one alone.
"""

import os
from random import Random

import pytest

from projections.warehouse import Warehouse
from tests.simulation.laws import LAWS
from tests.simulation.world import History, World

STEPS = 120
SEEDS_OF_A_TEST_RUN = 30
SEEDS_OF_A_SOAK = 600
SEEDS_WITH_VIEWS = 4


def seeds(first: int, count: int) -> list[int]:
    """The seeds of a run, or the one that the environment asks for."""
    asked = os.environ.get("SEED")
    return [int(asked)] if asked else list(range(first, first + count))


async def check(seed: int, steps: int) -> History:
    """Run a world and hold it to every law."""
    history = await World(seed).run(steps)
    for law in LAWS:
        law(history)
    return history


@pytest.mark.parametrize("seed", seeds(1, SEEDS_OF_A_TEST_RUN))
async def test_laws_hold_under_crashes_duplicates_and_reordering(seed: int):
    await check(seed, STEPS)


@pytest.mark.soak
@pytest.mark.parametrize("seed", seeds(1_000, SEEDS_OF_A_SOAK))
async def test_laws_hold_in_many_longer_worlds(seed: int):
    await check(seed, 4 * STEPS)


async def test_a_seed_always_gives_the_same_history():
    first, second = [await World(7).run(STEPS) for _ in range(2)]
    assert first.events == second.events


@pytest.mark.parametrize("seed", seeds(1, SEEDS_WITH_VIEWS))
async def test_views_applied_in_any_batches_equal_a_rebuild(seed: int):
    history = await World(seed).run(STEPS)
    random = Random(seed)
    with Warehouse.open(threads=1) as warehouse:
        waiting = list(history.stored)
        while waiting:
            size = random.choice((1, 2, 7, 40, 200))
            warehouse.apply(waiting[:size])
            del waiting[:size]
        assert warehouse.position == len(history.stored)
        assert warehouse.verify_views() == []
