"""SQL written by people reads the views, within limits, and can do nothing else."""

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from events.incident import IncidentDeclared, IncidentResolved
from projections.query import FOR_PEOPLE, SQL_CHARS_MAX, Limits, QueryRefused
from projections.warehouse import Warehouse
from tests.spec import empty_warehouse, incident, log_of

DECLARED = IncidentDeclared(title="checkout is down", severity="sev1")
ENDLESS = "select count(*) from range(1000000000) as a, range(1000000) as b where (a.range * b.range) % 7 = 3"


@pytest.fixture(scope="module")
def warehouse(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Warehouse]:
    with empty_warehouse(tmp_path_factory.mktemp("sandbox")) as filled:
        filled.apply(log_of(incident("INC-42", DECLARED, IncidentResolved())))
        yield filled


@pytest.mark.parametrize(
    "sql",
    [
        "select incident_id, phase from incidents",
        "from incidents select phase;",
        "with open as (select * from incidents) select count(*) from open",
        "values (1), (2)",
        "select * from range(3)",
        "select unnest([1, 2, 3])",
        "show tables",
        "describe incidents",
        "summarize incidents",
        "select table_name from information_schema.tables",
        "select data.title from log",
        "select * from metric_summary",
    ],
)
def test_a_select_is_answered(warehouse: Warehouse, sql: str):
    assert warehouse.ask_sandboxed(sql).rows


@pytest.mark.parametrize(
    ("sql", "because"),
    [
        ("insert into log (seq) values (99)", "only one SELECT is answered: the statement is INSERT"),
        (
            "with x as (insert into incident_rows (seq) values (99) returning seq) select * from x",
            "would change something",
        ),
        ("with x as (delete from incidents returning 1) select * from x", "would change something"),
        ("update incidents set title = 'x'", "the statement is UPDATE"),
        ("delete from log", "the statement is DELETE"),
        ("drop table log", "the statement is DROP"),
        ("create table t (i int)", "the statement is CREATE"),
        ("create temp view log as select 1", "the statement is CREATE"),
        ("select 1; select 2", "there are 2 statements"),
        ("select 1; drop table log", "there are 2 statements"),
        ("", "there are 0 statements"),
        ("begin", "the statement is TRANSACTION"),
        ("attach ':memory:' as m", "the statement is ATTACH"),
        ("copy log to '/tmp/log.csv'", "the statement is COPY"),
        ("copy log from '/etc/passwd'", "the statement is COPY"),
        ("export database '/tmp/out'", "the statement is EXPORT"),
        ("install httpfs", "the statement is LOAD"),
        ("load httpfs", "the statement is LOAD"),
        ("set memory_limit = '64GB'", "the statement is SET"),
        ("set lock_configuration = false", "the statement is SET"),
        ("reset enable_external_access", "the statement is SET"),
        ("pragma database_list", "the statement is PRAGMA"),
        ("call pragma_version()", "the statement is CALL"),
        ("prepare p as select 1", "the statement is PREPARE"),
        ("explain select 1", "the statement is EXPLAIN"),
        ("checkpoint", "only one SELECT is answered"),
        ("vacuum", "only one SELECT is answered"),
        ("pivot log on type using count(*)", "the statement is MULTI"),
        ("select * from read_csv('/etc/passwd')", "read_csv() is not allowed"),
        ("select * from read_text('/etc/hostname')", "read_text() is not allowed"),
        ("select * from glob('/etc/*')", "glob() is not allowed"),
        ("select * from '/etc/passwd.csv'", "file system operations are disabled"),
        ("select * from 'https://example.org/x.parquet'", ""),
        ("select * from query('select 1')", "query() is not allowed"),
        ("select * from query_table('log')", "query_table() is not allowed"),
        ("select * from arrow_scan(1, 2, 3)", "arrow_scan() is not allowed"),
        ("select * from duckdb_settings()", "duckdb_settings() is not allowed"),
        ("select (select count(*) from checkpoint())", "checkpoint() is not allowed"),
        ("select * from main.incidents", "main.… names a schema"),
        ("select * from recount.main.incidents", "names a schema"),
        ("select getenv('HOME')", "getenv does not exist"),
        ("select nothing from incidents", 'column "nothing" not found'),
        ("select * from nowhere", "nowhere does not exist"),
        ("sel 1", "syntax error"),
        ("select 1 " + " " * SQL_CHARS_MAX, "characters; at most"),
        ("select " + "(" * 5_000 + "1" + ")" * 5_000, ""),
    ],
    ids=lambda value: value[:60] or "nothing",
)
def test_everything_else_is_refused_and_says_why(warehouse: Warehouse, sql: str, because: str):
    before = warehouse.digests()
    with pytest.raises(QueryRefused) as refusal:
        warehouse.ask_sandboxed(sql)
    assert because.lower() in str(refusal.value).lower()
    assert warehouse.digests() == before


@pytest.mark.parametrize(
    "sql",
    [
        "select len(range(400000000))",
        "select list_aggregate(generate_series(1, 1000000000), 'sum')",
        "select 'x'.repeat(2000000000)",
        "select lpad('x', 1500000000, 'y')",
        "select printf('%1000000000d', 1)",
        "select sleep_ms(100000)",
        "select incident_id from incidents where len(range(5)) = 5",
    ],
)
def test_one_value_that_could_fill_the_memory_is_refused_before_it_is_made(warehouse: Warehouse, sql: str):
    with pytest.raises(QueryRefused, match="is not allowed here"):
        warehouse.ask_sandboxed(sql)
    assert warehouse.ask_sandboxed("select count(*) from range(10)").rows == [(10,)]


def test_a_refusal_says_what_to_do(warehouse: Warehouse):
    with pytest.raises(QueryRefused) as refusal:
        warehouse.ask_sandboxed("select * from nowhere")
    assert "show tables" in refusal.value.hint


@pytest.mark.parametrize(
    "sql",
    [
        ENDLESS,
        "with recursive n as (select 1 as i union all select i + 1 from n) select max(i) from n",
        "from range(10**12) order by hash(range)",
    ],
)
def test_an_endless_query_is_stopped_at_its_limit(warehouse: Warehouse, sql: str):
    with pytest.raises(QueryRefused):
        warehouse.ask_sandboxed(sql, limits=Limits(seconds=0.3, rows=10, cells_bytes=1_000))
    assert warehouse.ask_sandboxed("select 1").rows == [(1,)]


def test_more_rows_than_allowed_are_cut_and_the_answer_says_so(warehouse: Warehouse):
    cut = warehouse.ask_sandboxed("select * from range(50000)")
    assert (len(cut.rows), cut.truncated) == (FOR_PEOPLE.rows, True)
    exact = warehouse.ask_sandboxed(f"select * from range({FOR_PEOPLE.rows})")
    assert (len(exact.rows), exact.truncated) == (FOR_PEOPLE.rows, False)


def test_more_text_than_allowed_is_cut_too(warehouse: Warehouse):
    limits = Limits(seconds=10, rows=10_000, cells_bytes=100_000)
    long = "x" * 30_000
    answer = warehouse.ask_sandboxed(f"select '{long}' from range(100)", limits=limits)
    assert (len(answer.rows), answer.truncated) == (3, True)


def test_a_query_that_needs_too_much_memory_is_refused(tmp_path: Path):
    with Warehouse.open(tmp_path / "small.duckdb", memory_limit="100MB") as small, pytest.raises(QueryRefused):
        small.ask_sandboxed("select list(range order by hash(range)) from range(200000000)", limits=FOR_PEOPLE)


def test_people_may_ask_as_of_a_position_too(warehouse: Warehouse):
    sql = "select phase, (select count(*) from log) from incidents"
    assert warehouse.ask_sandboxed(sql).rows == [("resolved", 2)]
    assert warehouse.ask_sandboxed(sql, as_of=1).rows == [("active", 1)]
    assert warehouse.ask_sandboxed("SELECT phase FROM INCIDENTS", as_of=1).rows == [("active",)]
    assert warehouse.ask_sandboxed("select kind from open_work", as_of=1).rows == [("incident",)]


def test_many_may_ask_at_once_while_the_projector_writes(tmp_path: Path):
    log = log_of(*(incident(f"INC-{n}", DECLARED) for n in range(30)))
    failures: list[BaseException] = []

    with empty_warehouse(tmp_path) as warehouse:

        def ask() -> None:
            try:
                while warehouse.position < len(log):
                    # One snapshot: the projection holds exactly the incidents of the log that it sees.
                    sql = "select (select count(*) from log) - (select count(*) from incidents)"
                    assert warehouse.ask_sandboxed(sql).rows == [(0,)]
            except BaseException as failure:
                failures.append(failure)

        readers = [threading.Thread(target=ask) for _ in range(3)]
        for reader in readers:
            reader.start()
        for stored in log:
            warehouse.apply([stored])
        for reader in readers:
            reader.join(30)
    assert not failures
