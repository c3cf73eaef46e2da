"""The warehouse: one position for everything in it, whatever happens on the way."""

import signal
import subprocess
import sys
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec
import pytest

from events import Stored
from events.incident import IncidentDeclared, Noted
from projections.query import QueryRefused
from projections.schema import PEOPLE_DATABASE, SCHEMA_VERSION
from projections.storage import UnusableWarehouse, WarehouseInUse, connect
from projections.warehouse import LogGap, Warehouse
from tests.projections.histories import random_history
from tests.spec import ADA, MORNING, empty_warehouse, incident, log_of

ROOT = Path(__file__).resolve().parents[2]
NOTES = log_of(incident("INC-42", *(Noted(text=f"note {n}") for n in range(6))))


def test_events_that_were_applied_are_ignored_when_they_come_again(tmp_path: Path):
    with empty_warehouse(tmp_path) as warehouse:
        warehouse.apply(NOTES[:4])
        warehouse.apply(NOTES[:4])
        warehouse.apply(NOTES[2:6])
        assert warehouse.position == 6
        assert warehouse.ask("select count(*), count(distinct seq) from log").rows == [(6, 6)]


def test_a_gap_is_refused_and_names_both_positions(tmp_path: Path):
    with empty_warehouse(tmp_path) as warehouse:
        warehouse.apply(NOTES[:2])
        with pytest.raises(LogGap, match="goes on at position 5; the warehouse needs 3 next"):
            warehouse.apply(NOTES[4:])
        with pytest.raises(LogGap, match="goes on at position 5; the warehouse needs 4 next"):
            warehouse.load([NOTES[2], NOTES[4]])
        assert warehouse.position == 2


def test_it_goes_on_where_it_was_closed(tmp_path: Path):
    with Warehouse.open(tmp_path / "recount.duckdb") as warehouse:
        warehouse.apply(NOTES[:3])
    with Warehouse.open(tmp_path / "recount.duckdb") as warehouse:
        assert warehouse.position == 3
        warehouse.apply(NOTES[3:])
        assert warehouse.verify_views() == []


def test_what_was_only_loaded_is_computed_at_the_next_opening(tmp_path: Path):
    with Warehouse.open(tmp_path / "recount.duckdb") as warehouse:
        warehouse.load(NOTES)
        assert warehouse.ask("select count(*) from incidents").rows == [(0,)]
    with Warehouse.open(tmp_path / "recount.duckdb") as warehouse:
        assert warehouse.ask("select last_seq from incidents").rows == [(6,)]


def test_following_after_a_load_computes_what_was_left_out(tmp_path: Path):
    history = random_history(3, 60)
    with empty_warehouse(tmp_path) as warehouse:
        warehouse.load(history[:40])
        warehouse.apply(history[40:])
        assert warehouse.verify_views() == []


def test_an_upgrade_that_changes_a_definition_computes_the_projections_anew(tmp_path: Path):
    path = tmp_path / "recount.duckdb"
    with Warehouse.open(path) as warehouse:
        warehouse.apply(NOTES)
        expected = warehouse.digests()
    with connect(path, threads=1, memory_limit="1GB") as tampered:
        tampered.execute("update warehouse_state set definitions = 'of an earlier version'")
        tampered.execute("drop table incidents")
        tampered.execute("create table left_over as select 1 as one")
    with Warehouse.open(path) as warehouse:
        assert warehouse.digests() == expected
        assert ("left_over",) not in warehouse.ask("show tables").rows


def test_an_upgrade_that_knows_more_facts_reads_their_fields_out_of_what_is_already_there(tmp_path: Path):
    path = tmp_path / "recount.duckdb"
    with Warehouse.open(path) as warehouse:
        warehouse.apply(random_history(5, 80))
        expected = warehouse.digests()
    with connect(path, threads=1, memory_limit="1GB") as tampered:
        few = """'{"title": "VARCHAR"}'"""
        tampered.execute(
            "create or replace table incident_rows as "
            f"select * replace (json_transform(data, {few}) as fact) from incident_rows"
        )
        tampered.execute("update warehouse_state set definitions = 'of an earlier version'")
    with Warehouse.open(path) as warehouse:
        assert warehouse.digests() == expected
        assert warehouse.verify_views() == []


def test_a_file_of_another_schema_is_refused(tmp_path: Path):
    path = tmp_path / "recount.duckdb"
    Warehouse.open(path).close()
    with connect(path, threads=1, memory_limit="1GB") as tampered:
        tampered.execute("update warehouse_state set schema_version = 999")
    with pytest.raises(UnusableWarehouse, match=f"schema version 999, this program {SCHEMA_VERSION}"):
        Warehouse.open(path)


def test_a_damaged_file_is_refused(tmp_path: Path):
    path = tmp_path / "recount.duckdb"
    path.write_bytes(b"this is no database" * 1_000)
    with pytest.raises(UnusableWarehouse, match="cannot be opened"):
        Warehouse.open(path)


def test_a_block_without_its_checksum_is_damage_and_no_other_process(tmp_path: Path):
    path = tmp_path / "recount.duckdb"
    with Warehouse.open(path) as warehouse:
        warehouse.apply(random_history(11, 50))
    body = bytearray(path.read_bytes())
    body[len(body) // 2 :: 1_000] = bytes(byte ^ 0xFF for byte in body[len(body) // 2 :: 1_000])
    body[4_200] ^= 0xFF  # in the header that names the newest blocks
    path.write_bytes(body)
    with pytest.raises(UnusableWarehouse, match="Corrupt database file"):
        Warehouse.open(path)


def damage(path: Path) -> None:
    """Overwrite every block, but not the headers."""
    first_block = 3 * 4_096
    with path.open("r+b") as file:
        file.seek(first_block)
        file.write(b"\xff" * (path.stat().st_size - first_block))


def test_a_block_that_is_damaged_meanwhile_is_told_when_it_is_read(tmp_path: Path):
    path = tmp_path / "recount.duckdb"
    history = random_history(11, 60)
    with Warehouse.open(path) as warehouse:
        warehouse.apply(history[:50])
    with Warehouse.open(path) as warehouse:
        damage(path)
        with pytest.raises(UnusableWarehouse, match="is damaged"):
            warehouse.apply(history)


def test_another_file_takes_the_place_of_a_damaged_one_that_cannot_close_in_good_order(tmp_path: Path):
    path, other = tmp_path / "recount.duckdb", tmp_path / "other.duckdb"
    history = random_history(11, 60)
    with Warehouse.open(other) as warehouse:
        warehouse.apply(history)
    with Warehouse.open(path) as warehouse:
        warehouse.apply(history[:50])
    with Warehouse.open(path) as warehouse:
        warehouse.apply(history[:55])
        damage(path)
        warehouse.swap_in(other)
        assert warehouse.position == len(history)


def test_only_one_process_opens_it_and_the_other_is_told(tmp_path: Path):
    path = tmp_path / "recount.duckdb"
    with Warehouse.open(path):
        script = f"from projections.warehouse import Warehouse; Warehouse.open({str(path)!r})"
        other = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert WarehouseInUse.__name__ in other.stderr
    assert "is open in another process" in other.stderr


def test_a_rebuild_replaces_what_was_tampered_with_and_verifying_names_it(tmp_path: Path):
    path = tmp_path / "recount.duckdb"
    declared = incident("INC-42", IncidentDeclared(title="checkout is down", severity="sev1"))
    with Warehouse.open(path) as warehouse:
        warehouse.apply(log_of(declared, incident("INC-43", Noted(text="x"))))
    with connect(path, threads=1, memory_limit="1GB") as tampered:
        tampered.execute("update incidents set title = 'all is well' where incident_id = 'INC-42'")
        tampered.execute("delete from incidents where incident_id = 'INC-43'")
        tampered.execute("insert into roles (incident_id, role, person_id) values ('INC-42', 'scribe', 'per-eve')")
    with Warehouse.open(path) as warehouse:
        found = {(each.projection, each.key["incident_id"]): each for each in warehouse.verify_views()}
        assert set(found) == {("incidents", "INC-42"), ("incidents", "INC-43"), ("roles", "INC-42")}
        changed = found["incidents", "INC-42"]
        assert changed.columns == ("title",)
        assert changed.stored is not None
        assert changed.computed is not None
        assert (changed.stored["title"], changed.computed["title"]) == ("all is well", "checkout is down")
        assert found["incidents", "INC-43"].stored is None
        assert found["roles", "INC-42"].computed is None
        steps: list[tuple[int, int]] = []
        warehouse.rebuild(lambda done, total: steps.append((done, total)))
        assert warehouse.verify_views() == []
        assert steps[-1][0] == steps[-1][1] == len(steps)


def test_a_time_is_the_last_position_recorded_by_then_although_clocks_step_back(tmp_path: Path):
    minutes = (1, 3, 2, 5)  # the third event was recorded before the second, by its clock
    log = [
        msgspec.structs.replace(stored, recorded_at=MORNING + timedelta(minutes=minute))
        for stored, minute in zip(NOTES, minutes, strict=False)
    ]
    with empty_warehouse(tmp_path) as warehouse:
        warehouse.apply(log)
        found = [warehouse.position_at(MORNING + timedelta(minutes=minute)) for minute in range(7)]
    assert found == [0, 1, 3, 3, 3, 4, 4]


def test_a_time_in_another_zone_is_the_same_time(tmp_path: Path):
    with empty_warehouse(tmp_path) as warehouse:
        warehouse.apply(NOTES)
        assert warehouse.position_at(datetime.fromisoformat("2026-01-05T14:33:30+05:30")) == 3
        assert warehouse.position_at(datetime(2026, 1, 5, 9, 3, 30, tzinfo=UTC)) == 3


def test_people_are_what_was_set_last(tmp_path: Path):
    with empty_warehouse(tmp_path) as warehouse:
        warehouse.set_people([(ADA, "ada", "Ada Lovelace", "Europe/London", False)])
        warehouse.set_people([(ADA, None, None, None, True)])
        assert warehouse.ask("select * from people").rows == [(ADA, None, None, None, True)]
        warehouse.set_people([])
        assert warehouse.ask("select * from people").rows == []


def test_names_never_reach_the_file_and_are_gone_once_it_is_closed(tmp_path: Path):
    path = tmp_path / "recount.duckdb"
    rows = [(ADA, "zorglubina", "Zorglubina Lovelace", "Europe/London", False)]
    with Warehouse.open(path) as warehouse:
        warehouse.apply(NOTES)
        warehouse.set_people(rows)
        for as_of in (None, 3):
            assert warehouse.ask("select * from people", as_of=as_of).rows == rows
            assert warehouse.ask_sandboxed("select * from people", as_of=as_of).rows == rows
        assert ("people",) in warehouse.ask_sandboxed("show tables").rows
        with pytest.raises(QueryRefused, match="names a schema"):
            warehouse.ask_sandboxed(f"select * from {PEOPLE_DATABASE}.people")
        assert not files_that_say("orglubina", tmp_path)
    assert not files_that_say("orglubina", tmp_path)
    with Warehouse.open(path) as warehouse:
        assert warehouse.ask("select * from people").rows == []
        warehouse.set_people(rows)
        assert warehouse.ask("select * from people").rows == rows


def test_a_file_that_still_holds_names_is_refused(tmp_path: Path):
    path = tmp_path / "recount.duckdb"
    Warehouse.open(path).close()
    with connect(path, threads=1, memory_limit="1GB") as tampered:
        tampered.execute("drop view people")
        tampered.execute("create table people (person_id varchar, handle varchar, name varchar)")
        tampered.execute("update warehouse_state set schema_version = 1")
    with pytest.raises(UnusableWarehouse, match="schema version 1, this program"):
        Warehouse.open(path)


def files_that_say(text: str, folder: Path) -> list[Path]:
    return [file for file in folder.rglob("*") if file.is_file() and text.encode() in file.read_bytes()]


def test_another_file_takes_the_place_of_this_one(tmp_path: Path):
    other = tmp_path / "other.duckdb"
    with Warehouse.open(other) as fresh:
        fresh.apply(NOTES)
    with Warehouse.open(tmp_path / "recount.duckdb") as warehouse:
        warehouse.apply(NOTES[:2])
        warehouse.swap_in(other)
        assert warehouse.position == 6
        assert warehouse.ask("select last_seq from incidents").rows == [(6,)]
    assert not other.exists()


# The child applies one event a batch and says so only after it is applied.
APPLYING = """
import sys
from projections.warehouse import Warehouse
from tests.projections.histories import random_history
history = random_history(11, 4000)
warehouse = Warehouse.open(sys.argv[1])
while True:
    warehouse.apply(history[warehouse.position : warehouse.position + 3])
    print(warehouse.position, flush=True)
"""


def test_a_kill_in_the_middle_of_applying_loses_nothing(tmp_path: Path):
    path = tmp_path / "recount.duckdb"
    history = random_history(11, 4_000)
    for rounds in (1, 4):
        child = subprocess.Popen([sys.executable, "-c", APPLYING, path], cwd=ROOT, stdout=subprocess.PIPE, text=True)
        assert child.stdout is not None
        said = [int(child.stdout.readline()) for _ in range(rounds)]
        child.send_signal(signal.SIGKILL)
        rest = child.stdout.read().split()
        child.wait(10)
        child.stdout.close()
        applied = int(rest[-1]) if rest else said[-1]
        with Warehouse.open(path) as warehouse:
            assert warehouse.position >= applied
            assert warehouse.verify_views() == []
            assert warehouse.ask("select count(*), max(seq) from log").rows == [(warehouse.position,) * 2]
            warehouse.apply(history[: warehouse.position + 5])
            assert warehouse.verify_views() == []


def test_the_log_holds_both_clocks_and_every_circumstance(tmp_path: Path):
    body = (
        b'{"specversion": "1.0", "id": "e-1", "source": "recount/web", "type": "incident.noted",'
        b' "subject": "incident.INC-42", "time": "2026-01-05T10:00:00.250000+02:00", "actor": "per-ada",'
        b' "authid": "tok-1", "causationid": "c-1", "correlationid": "INC-42", "traceparent": "00-ab-cd-01",'
        b' "timeearliest": "2026-01-05T07:59:00Z", "timelatest": "2026-01-05T08:01:00Z", "data": {"text": "x"}}'
    )
    with empty_warehouse(tmp_path) as warehouse:
        warehouse.apply([Stored(1, "evt.incident.INC-42.noted", MORNING, body)])
        (row,) = warehouse.ask("select * exclude (data), data.text as text from log").dicts()
    assert row == {
        "seq": 1,
        "stream": "incident.INC-42",
        "category": "incident",
        "stream_id": "INC-42",
        "type": "incident.noted",
        "event_id": "e-1",
        "source": "recount/web",
        "happened_at": datetime(2026, 1, 5, 8, 0, 0, 250_000),
        "recorded_at": datetime(2026, 1, 5, 9, 0),
        "actor": "per-ada",
        "auth_id": "tok-1",
        "causation_id": "c-1",
        "correlation_id": "INC-42",
        "traceparent": "00-ab-cd-01",
        "happened_earliest": datetime(2026, 1, 5, 7, 59),
        "happened_latest": datetime(2026, 1, 5, 8, 1),
        "known_at": None,
        "text": "x",
    }


def test_verifying_while_the_log_grows_compares_one_moment():
    history = random_history(3, 60)
    with empty_warehouse() as warehouse:
        writer = threading.Thread(target=lambda: [warehouse.apply([stored]) for stored in history])
        writer.start()
        found = [warehouse.verify_views()]
        while writer.is_alive():
            found.append(warehouse.verify_views())
        writer.join()
        assert warehouse.position == len(history)
        assert [each for each in found if each] == []
