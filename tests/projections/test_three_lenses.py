"""Whatever lens a SELECT is asked through, the rows are the same: refreshed live in any batches, rebuilt, from Parquet,
or as of."""

import random
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from events import Stored
from projections.lens import Lens
from projections.warehouse import Warehouse
from tests.projections.exports import digests_from_parquet
from tests.projections.histories import random_history
from tests.spec import empty_warehouse

SHORT_EVENTS = 60
SHORT_EXAMPLES = 2
LONG_EVENTS = 600
ABOUT_ONE = ("incidents", "incident_timeline", "incident_milestones", "responders", "roles", "pages", "alerts")

dice = st.randoms(use_true_random=False)


@settings(max_examples=SHORT_EXAMPLES, deadline=None, derandomize=True)
@given(dice=dice)
def test_live_refresh_rebuild_and_as_of_the_end_agree(dice: random.Random):
    the_lenses_agree(random_history(dice, SHORT_EVENTS), dice)


@settings(max_examples=SHORT_EXAMPLES, deadline=None, derandomize=True)
@given(dice=dice)
def test_as_of_a_position_is_what_a_warehouse_shows_that_heard_only_so_much(dice: random.Random):
    the_past_stands(random_history(dice, SHORT_EVENTS), dice, positions=2)


def test_an_alert_that_joins_and_leaves_incidents_shows_up_in_each_of_them(tmp_path: Path):
    """A closure in small steps: one event a batch, so that every link must be followed from the one before."""
    history = random_history(7, 50)
    with empty_warehouse(tmp_path) as live:
        for stored in history:
            live.apply([stored])
        assert live.verify_views() == []


@pytest.mark.soak
@settings(max_examples=400, deadline=None)
@given(dice=dice)
def test_the_lenses_agree_on_long_histories(dice: random.Random):
    the_lenses_agree(random_history(dice, LONG_EVENTS), dice)


@pytest.mark.soak
@settings(max_examples=100, deadline=None)
@given(dice=dice)
def test_the_past_stands_at_every_position(dice: random.Random):
    the_past_stands(random_history(dice, SHORT_EVENTS), dice, positions=SHORT_EVENTS)


@settings(max_examples=2, deadline=None, derandomize=True)
@given(dice=dice)
def test_what_is_asked_about_one_incident_is_what_the_whole_log_gives(dice: random.Random):
    history = random_history(dice, SHORT_EVENTS)
    with empty_warehouse() as warehouse:
        warehouse.apply(history)
        incidents = [row[0] for row in warehouse.ask("select incident_id from incidents").rows]
        for as_of in (None, dice.randrange(1, len(history)), Lens(known_by=history[40].recorded_at)):
            for view in ABOUT_ONE:
                sql = f"select * from {view} where incident_id = ? order by all"
                for incident_id in incidents[:3]:
                    about = warehouse.ask(sql, [incident_id], as_of=as_of, about=f"incident.{incident_id}")
                    assert about == warehouse.ask(sql, [incident_id], as_of=as_of), f"{view} as of {as_of}"


def the_lenses_agree(history: list[Stored], dice: random.Random) -> None:
    """After each batch live refresh is what a rebuild would give, and at the end every lens gives the same digests."""
    with empty_warehouse() as live:
        for _ in feed_in_any_batches(live, history, dice):
            if dice.random() < 0.2:
                assert live.verify_views() == []
        assert live.verify_views() == []
        followed = live.digests()
        assert live.digests(as_of=live.position) == followed
        live.rebuild()
        assert live.digests() == followed
        # More than one file, with an end anywhere.
        assert digests_from_parquet(history, events_a_part=dice.randrange(len(history) // 4, len(history))) == followed


def the_past_stands(history: list[Stored], dice: random.Random, *, positions: int) -> None:
    """As of a position is what another warehouse shows that was given only the events up to it."""
    with empty_warehouse() as whole, empty_warehouse() as fresh:
        whole.load(history)
        whole.rebuild()
        for position in sorted(dice.sample(range(1, len(history) + 1), positions)):
            fresh.load(history[:position])
            fresh.rebuild()
            assert whole.digests(as_of=position) == fresh.digests(), f"as of {position}"


def feed_in_any_batches(live: Warehouse, history: list[Stored], dice: random.Random):
    """Apply a history in batches of one event or many; a redelivery begins before the position. Gives each position."""
    while live.position < len(history):
        begins = max(0, live.position - dice.choice((0, 0, 3)))
        live.apply(history[begins : live.position + dice.choice((1, 2, 7, 30))])
        yield live.position
