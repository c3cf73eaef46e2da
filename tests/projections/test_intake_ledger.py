"""The view ``intake_ledger``: what was received, and what became of it, at every position of the log."""

from datetime import timedelta
from time import perf_counter

import pytest

from events import FACT_TYPES, Event, Fact, Stored, encode
from events.fact import category_of
from projections.fact_columns import fields_of
from services.intake.counting import Counting
from services.intake.repeats import repeated
from tests.projections.receipts import MIDNIGHT, OUTCOMES, History
from tests.spec import empty_warehouse

COLUMNS = ("received", "received_bytes", *OUTCOMES, "unaccounted")


def _shown(warehouse, as_of=None):
    rows = warehouse.ask("select * from intake_ledger where source <> ''", as_of=as_of).dicts()
    return {(row["source"], row["integration"], row["hour"]): {name: row[name] for name in COLUMNS} for row in rows}


@pytest.mark.parametrize("seed", range(6))
def test_it_says_what_became_of_each_receipt_at_every_position(seed: int):
    history = History(seed, 120)
    with empty_warehouse() as warehouse:
        warehouse.apply(history.log)
        for position in range(1, len(history.log) + 1, 5):
            expected = {
                key: {name: counts[name] for name in COLUMNS} for key, counts in history.balances[position - 1].items()
            }
            assert _shown(warehouse, position) == expected, position
            assert all(row["unaccounted"] == 0 for row in expected.values())


def test_a_receipt_that_is_lost_is_unaccounted_for():
    history = History(1, 120, lost=True)
    (lost,) = history.lost
    with empty_warehouse() as warehouse:
        warehouse.apply(history.log)
        wrong = {key: row for key, row in _shown(warehouse).items() if row["unaccounted"]}
    hour = lost.stored.recorded_at.replace(minute=0, second=0, tzinfo=None)
    assert {key: row["unaccounted"] for key, row in wrong.items()} == {(*lost.source, hour): 1}


def test_positions_that_are_gone_have_a_row_of_their_own():
    history = History(2, 60)
    with empty_warehouse() as warehouse:
        warehouse.apply(history.log)
        rows = warehouse.ask("select integration, received, missing from intake_ledger where source = ''").dicts()
        (last,) = warehouse.ask("select max(last_receipt_seq) as seq from receipt_runs").dicts()
    assert sum(row["missing"] for row in rows) == last["seq"] - 60
    assert all((row["integration"], row["received"]) == ("", 0) for row in rows)


def test_every_fact_that_names_a_receipt_is_looked_at():
    """A fact about a new kind of thing must be added to ``receipt_outcomes.sql``, or its receipts seem lost."""
    naming = {category_of(kind) for kind in FACT_TYPES.values() if "receipt_seq" in {f.name for f in fields_of(kind)}}
    # That a key was used is said beside whatever else its receipt says.
    assert naming - {"key"} == {"alert", "change", "heartbeat"}


def test_many_receipts_of_senders_who_take_turns_are_balanced_in_a_moment():
    log: list[Stored] = []

    def say(stream: str, fact: Fact) -> None:
        subject, body = encode(stream, Event(id=f"e{len(log)}", fact=fact, happened_at=MIDNIGHT, source="recount/test"))
        log.append(Stored(len(log) + 1, subject, MIDNIGHT, body))

    total, each = 200_000, 2_000
    for start in range(1, total + 1, each):
        counting = Counting(start)
        for seq in range(start, start + each):
            subject = ("intake.json.key-a", "intake.json.key-b")[seq // 7 % 2]
            counting.add(Stored(seq, subject, MIDNIGHT + timedelta(milliseconds=seq), b"{}"))
        for stretch in counting.finish(start + each - 1):
            say("ledger.received", stretch)
        say("ledger.repeated", repeated(seq for seq in range(start, start + each) if seq % 10))
    with empty_warehouse() as warehouse:
        warehouse.apply(log)
        began = perf_counter()
        (row,) = warehouse.ask("select * from completeness").dicts()
        elapsed_s = perf_counter() - began
    assert (row["received"], row["duplicates"], row["unaccounted"]) == (total, total * 9 // 10, total // 10)
    # Measured: 0.1 s, and 0.7 s for a million. A join of ranges takes a minute.
    assert elapsed_s < 5
