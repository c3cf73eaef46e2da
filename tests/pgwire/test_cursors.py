"""DECLARE, FETCH, MOVE and CLOSE, as drivers and tools use them to take an answer in portions."""

import asyncpg
import pandas
import psycopg
import pytest
import sqlalchemy as sa
from psycopg import errors

from services.pgwire.fetching import SCROLL_BYTES_MAX
from tests.pgwire.serving import Serving
from tests.pgwire.test_psql import psql, said

TEN = "select range::int as n from range(1, 11)"


@pytest.fixture
def within(server: Serving):
    """A connection in a transaction."""
    with psycopg.connect(server.dsn) as connection:
        connection.execute("select 1")
        yield connection


def numbers(connection: psycopg.Connection, sql: str) -> list[int]:
    return [row[0] for row in connection.execute(sql).fetchall()]


# Each step with what it gives; the place where the cursor stands is carried on.
SCROLLING: list[tuple[str, list[int]]] = [
    ("fetch 0", []),
    ("fetch", [1]),
    ("fetch next", [2]),
    ("fetch 3", [3, 4, 5]),
    ("fetch prior", [4]),
    ("fetch backward 2", [3, 2]),
    ("fetch relative 0", [2]),
    ("fetch 0", [2]),
    ("fetch absolute 7", [7]),
    ("fetch relative -2", [5]),
    ("fetch relative 3", [8]),
    ("fetch first", [1]),
    ("fetch prior", []),
    ("fetch next", [1]),
    ("fetch last", [10]),
    ("fetch next", []),
    ("fetch prior", [10]),
    ("fetch absolute -3", [8]),
    ("fetch forward all", [9, 10]),
    ("fetch all", []),
    ("fetch backward all", [10, 9, 8, 7, 6, 5, 4, 3, 2, 1]),
    ("fetch backward all", []),
    ("fetch 10", [1, 2, 3, 4, 5, 6, 7, 8, 9, 10]),
    ("fetch backward 1", [9]),
    ("fetch forward -2", [8, 7]),
    ("fetch absolute 0", []),
    ("fetch absolute 11", []),
    ("fetch backward", [10]),
    ("fetch absolute 99", []),
    ("fetch relative -1", [10]),
    ("fetch absolute -99", []),
    ("fetch forward", [1]),
    ("move forward 4", []),
    ("fetch", [6]),
    ("move absolute 2", []),
    ("fetch", [3]),
]


def test_a_cursor_goes_wherever_it_is_sent(within: psycopg.Connection):
    within.execute(f"declare c scroll cursor for {TEN}")
    for step, given in SCROLLING:
        cursor = within.execute(f"{step} from c")
        assert (step, [row[0] for row in cursor.fetchall()] if cursor.description else []) == (step, given)


def test_one_that_does_not_scroll_goes_ahead(within: psycopg.Connection):
    within.execute(f"declare c no scroll cursor for {TEN}")
    ahead = ("fetch first", "fetch 2", "fetch absolute 5", "fetch relative 2", "fetch forward all", "fetch")
    assert [numbers(within, f"{step} in c") for step in ahead] == [[1], [2, 3], [5], [7], [8, 9, 10], []]
    with pytest.raises(errors.ObjectNotInPrerequisiteState, match="can only scan forward"):
        within.execute("fetch prior from c")


def test_each_step_says_how_many(within: psycopg.Connection):
    within.execute(f"declare c cursor for {TEN}")
    for step, tag in (("fetch 4", "FETCH 4"), ("move 3", "MOVE 3"), ("move all", "MOVE 3"), ("fetch 4", "FETCH 0")):
        assert within.execute(f"{step} from c").statusmessage == tag
    assert within.execute("close c").statusmessage == "CLOSE CURSOR"
    assert within.execute("close all").statusmessage == "CLOSE CURSOR ALL"


@pytest.mark.parametrize(
    ("sql", "error"),
    [
        ("fetch from nosuch", errors.InvalidCursorName),
        ("move 3 in nosuch", errors.InvalidCursorName),
        ("close nosuch", errors.InvalidCursorName),
        (f"declare c cursor for {TEN}", errors.DuplicateCursor),
        ("declare d cursor for select bogus", errors.UndefinedColumn),
        ("declare d cursor for insert into incidents values (1)", errors.InsufficientPrivilege),
        ("declare d cursor", errors.SyntaxError),
        ("declare d cursor with scroll for select 1", errors.SyntaxError),
        ("fetch absolute from c", errors.SyntaxError),
        ("fetch sideways 3 from c", errors.SyntaxError),
        ("fetch 99999999999999999999 from c", errors.NumericValueOutOfRange),
        ("fetch", errors.SyntaxError),
    ],
)
def test_what_cannot_be_has_its_code(within: psycopg.Connection, sql: str, error: type[psycopg.Error]):
    within.execute(f"declare c cursor for {TEN}")
    with pytest.raises(error):
        within.execute(sql)


def test_a_cursor_needs_a_transaction_unless_it_is_held(connection: psycopg.Connection):
    with pytest.raises(errors.NoActiveSqlTransaction):
        connection.execute(f"declare c cursor for {TEN}")
    connection.execute(f"declare c cursor with hold for {TEN}")
    assert numbers(connection, "fetch 2 from c") == [1, 2]
    connection.execute("begin")
    connection.execute("commit")
    assert numbers(connection, "fetch 2 from c") == [3, 4]
    connection.execute("close c")


def test_a_cursor_ends_with_its_transaction(connection: psycopg.Connection):
    for end in ("commit", "rollback"):
        connection.execute("begin")
        connection.execute(f"declare c cursor for {TEN}")
        assert numbers(connection, "fetch from c") == [1]
        connection.execute(end)
        with pytest.raises(errors.InvalidCursorName):
            connection.execute("fetch from c")


def test_one_that_is_held_ends_with_a_transaction_that_is_rolled_back(connection: psycopg.Connection):
    connection.execute("begin")
    connection.execute(f"declare c cursor with hold for {TEN}")
    connection.execute("rollback")
    with pytest.raises(errors.InvalidCursorName):
        connection.execute("fetch from c")


def test_one_that_failed_stays_failed(connection: psycopg.Connection):
    connection.execute("declare c cursor with hold for select (10 - range)::utinyint as n from range(5000)")
    with pytest.raises(errors.InvalidTextRepresentation):
        connection.execute("fetch all from c")
    with pytest.raises(errors.ObjectNotInPrerequisiteState):
        connection.execute("fetch from c")


def test_what_a_cursor_sees_is_fixed_as_it_is_declared(within: psycopg.Connection):
    within.execute("set recount.as_of = '1'")
    within.execute("declare c cursor for select phase from incidents where incident_id = 'INC-42'")
    within.execute("reset recount.as_of")
    assert within.execute("fetch all from c").fetchall() == [("active",)]


def test_cursors_that_scroll_keep_so_much_and_no_more(within: psycopg.Connection):
    size = SCROLL_BYTES_MAX // 1_000 + 100
    within.execute("declare a scroll cursor for select 1")
    within.execute(
        f"declare c scroll cursor for select column0 from repeat_row('{'x' * (size // 1000)}', num_rows = 1000000)"
    )
    with pytest.raises(errors.ProgramLimitExceeded, match="keep at most 16 MiB"):
        within.execute("fetch last from c")


@pytest.mark.parametrize("binary", [False, True], ids=["text", "binary"])
@pytest.mark.parametrize("withhold", [False, True], ids=["within", "held"])
def test_psycopg_iterates(server: Serving, binary: bool, withhold: bool):
    with psycopg.connect(server.dsn, autocommit=withhold) as connection:
        cursor = connection.cursor("named", withhold=withhold)
        with cursor:
            cursor.itersize = 7
            cursor.execute("select range::int, 'INC-' || range from range(%s)", [100], binary=binary)
            assert [column.name for column in cursor.description or ()] == ["range", "?column?"]
            assert cursor.fetchone() == (0, "INC-0")
            assert cursor.fetchmany(2) == [(1, "INC-1"), (2, "INC-2")]
            assert [row[0] for row in cursor] == list(range(3, 100))


def test_psycopg_scrolls(within: psycopg.Connection):
    with within.cursor("named", scrollable=True) as cursor:
        cursor.execute(TEN)
        cursor.scroll(5)
        assert cursor.fetchone() == (6,)
        cursor.scroll(-3)
        assert cursor.fetchone() == (4,)
        cursor.scroll(1, mode="absolute")
        assert cursor.fetchall() == [(n,) for n in range(2, 11)]


async def test_asyncpg_fetches_by_statement_and_by_protocol(server: Serving):
    connection = await asyncpg.connect(f"postgresql{server.url}", ssl=False)
    try:
        async with connection.transaction():
            await connection.execute(f"declare c cursor for {TEN}")
            assert [row["n"] for row in await connection.fetch("fetch 3 from c")] == [1, 2, 3]
            # Each asks for one row of what FETCH gives.
            assert [await connection.fetchval("fetch 2 from c") for _ in range(2)] == [4, 5]
            cursor = await connection.cursor("select range::int as n from range($1::int)", 10)
            assert [row["n"] for row in await cursor.fetch(4)] == [0, 1, 2, 3]
            assert await cursor.forward(3) == 3
            assert (await cursor.fetchrow())["n"] == 7
    finally:
        await connection.close()


def test_a_table_is_read_in_chunks(server: Serving):
    engine = sa.create_engine(f"postgresql+psycopg{server.url}?sslmode=disable")
    with engine.connect().execution_options(stream_results=True, max_row_buffer=1_000) as connection:
        chunks = list(pandas.read_sql("select * from range(25000)", connection, chunksize=10_000))
        assert [len(chunk) for chunk in chunks] == [10_000, 10_000, 5_000]
    engine.dispose()


def test_psql_takes_a_portion_at_a_time(server: Serving):
    assert said(server, "\\set FETCH_COUNT 4", TEN).split() == [str(n) for n in range(1, 11)]
    failed = psql(server, "\\set FETCH_COUNT 4", "select bogus from incidents")
    assert 'Referenced column "bogus"' in failed.stderr


def test_odbc_declares_and_fetches(connection: psycopg.Connection):
    # What psqlODBC sends with UseDeclareFetch=1: several statements in one message, names in quotes.
    name = '"SQL_CUR0x55d5c0a8"'
    shown = connection.pgconn.exec_(f"BEGIN;declare {name} cursor with hold for {TEN};fetch 4 in {name}".encode())
    assert (shown.ntuples, shown.command_status) == (4, b"FETCH 4")
    assert connection.pgconn.exec_(f"fetch 100 in {name}".encode()).ntuples == 6
    assert connection.pgconn.exec_(f"close {name}".encode()).command_status == b"CLOSE CURSOR"
    connection.execute("commit")


def test_statements_of_one_message_are_a_transaction(connection: psycopg.Connection):
    shown = connection.pgconn.exec_(f"declare c cursor for {TEN}; fetch 3 in c".encode())
    assert shown.ntuples == 3
    with pytest.raises(errors.InvalidCursorName):
        connection.execute("fetch from c")


def test_a_cursor_gives_all_its_rows_in_one_format(within: psycopg.Connection):
    within.execute(f"declare c cursor for {TEN}")
    # As psycopg fetches: without a statement prepared before, so that each says its format.
    assert within.pgconn.exec_params(b"fetch from c", [], result_format=1).get_value(0, 0) == b"\0\0\0\1"
    with pytest.raises(errors.FeatureNotSupported, match="in one format"):
        within.execute("fetch from c")


def test_a_binary_cursor_gives_binary_to_whoever_says_nothing(within: psycopg.Connection):
    within.execute(f"declare c binary cursor for {TEN}")
    assert within.pgconn.exec_(b"fetch from c").get_value(0, 0) == b"\0\0\0\1"
