"""COPY … TO STDOUT, as psql's copy, psycopg, asyncpg and ADBC use it."""

import csv
import io
import select
import struct
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import asyncpg
import psycopg
import pytest
from psycopg import errors

from tests.pgwire.serving import Serving
from tests.pgwire.test_limits import HALF_A_MILLION
from tests.pgwire.test_psql import scripted

WAIT_S = 20.0
AWKWARD = ["a,b", 'q"x', "tab\tbed", "two\nlines", "back\\slash", "", "\\N", "\\.", "ä", "x\r", None]
ASKED = "select unnest(['a,b', 'q\"x', 'tab\tbed', 'two\nlines', 'back\\slash', '', '\\N', '\\.', 'ä', 'x\r', null])"


def copied(connection: psycopg.Connection, sql: str) -> bytes:
    with connection.cursor() as cursor, cursor.copy(sql) as copy:
        return b"".join(bytes(part) for part in copy)


@pytest.mark.parametrize("form", ["text", "binary"])
def test_awkward_texts_arrive_as_themselves(connection: psycopg.Connection, form: str):
    with connection.cursor() as cursor, cursor.copy(f"copy ({ASKED}) to stdout (format {form})") as copy:
        copy.set_types(["text"])
        assert [row[0] for row in copy.rows()] == AWKWARD


def test_csv_is_read_by_others(connection: psycopg.Connection):
    content = copied(connection, f"copy ({ASKED}) to stdout (format csv)").decode()
    assert [row[0] if row else None for row in csv.reader(io.StringIO(content, newline=""))] == AWKWARD
    assert '"\\."' in content


@pytest.mark.parametrize(
    ("options", "content"),
    [
        ("", "1\ta\\tb\t\\N\n"),
        ("(format text, delimiter '|', null '-')", "1|a\\tb|-\n"),
        ("with (format csv, header)", "n,t,x\n1,a\tb,\n"),
        ("with (format csv, header off, delimiter ';', null 'none')", "1;a\tb;none\n"),
        ("(format 'csv', force_quote *, quote '''')", "'1','a\tb',\n"),
        ("(format csv, force_quote (n, x))", '"1",a\tb,\n'),
        ("(header true)", "n\tt\tx\n1\ta\\tb\t\\N\n"),
        ("with csv header delimiter as '~' null 'x' force quote t", 'n~"t"~"x"\n1~"a\tb"~x\n'),
        ("csv", "1,a\tb,\n"),
        ("delimiters ':'", "1:a\\tb:\\N\n"),
        ("(encoding 'UTF8')", "1\ta\\tb\t\\N\n"),
    ],
)
def test_the_form_is_as_asked(connection: psycopg.Connection, options: str, content: str):
    assert copied(connection, f"copy (select 1 as n, 'a\tb' as t, null as x) to stdout {options}").decode() == content


def test_an_escape_of_its_own_is_escaped(connection: psycopg.Connection):
    sql = """copy (select 'a\\b"c') to stdout (format csv, escape '\\')"""
    assert copied(connection, sql) == b'"a\\\\b\\"c"\n'


@pytest.mark.parametrize("table", ["incidents (incident_id, title)", 'public."incidents" ("incident_id", title)'])
def test_a_view_is_copied_by_its_name(connection: psycopg.Connection, table: str):
    assert sorted(copied(connection, f"copy {table} to stdout").decode().splitlines()) == [
        "INC-42\tcheckout is down",
        "INC-43\tsearch is slow",
    ]


def test_binary_holds_every_type(connection: psycopg.Connection):
    moment = datetime(2026, 2, 3, 4, 5, 6, 700_000, tzinfo=UTC)
    sql = "select 7::bigint, 1.25::decimal(9, 2), timestamptz '2026-02-03 04:05:06.7+00', [1, null], null::text, true"
    with connection.cursor() as cursor, cursor.copy(f"copy ({sql}) to stdout (format binary)") as copy:
        copy.set_types(["int8", "numeric", "timestamptz", "int4[]", "text", "bool"])
        assert list(copy.rows()) == [(7, Decimal("1.25"), moment, [1, None], None, True)]


def test_binary_without_rows_is_whole(connection: psycopg.Connection):
    content = copied(connection, "copy (select 1 where false) to stdout (format binary)")
    assert content == b"PGCOPY\n\xff\r\n\0" + struct.pack("!iih", 0, 0, -1)


@pytest.mark.parametrize(
    ("sql", "error"),
    [
        ("copy incidents from stdin", errors.ReadOnlySqlTransaction),
        ("copy incidents to '/tmp/x'", errors.InsufficientPrivilege),
        ("copy (select 1) to program 'cat'", errors.InsufficientPrivilege),
        ("copy (insert into incidents values (1)) to stdout", errors.InsufficientPrivilege),
        ("copy (select * from read_csv('/etc/passwd')) to stdout", errors.InsufficientPrivilege),
        ("copy nosuch to stdout", errors.UndefinedTable),
        ("copy main.log_rows to stdout", errors.InsufficientPrivilege),
        ("copy incidents (title) from incidents where (1) to stdout", errors.ReadOnlySqlTransaction),
        ("copy (select 1) to stdout (format parquet)", errors.InvalidParameterValue),
        ("copy (select 1) to stdout (format csv, format csv)", errors.SyntaxError),
        ("copy (select 1) to stdout (bogus)", errors.SyntaxError),
        ("copy (select 1) to stdout (quote '~')", errors.FeatureNotSupported),
        ("copy (select 1) to stdout (delimiter 'ab')", errors.FeatureNotSupported),
        ("copy (select 1) to stdout (delimiter 'a')", errors.InvalidParameterValue),
        ("copy (select 1) to stdout (format csv, delimiter '\"')", errors.InvalidParameterValue),
        ("copy (select 1) to stdout (format csv, null ',')", errors.InvalidParameterValue),
        ("copy (select 1) to stdout (format binary, header)", errors.SyntaxError),
        ("copy (select $1) to stdout", errors.UndefinedParameter),
        ("copy (select 1 to stdout", errors.SyntaxError),
        ("copy", errors.SyntaxError),
    ],
)
def test_what_cannot_be_has_its_code(connection: psycopg.Connection, sql: str, error: type[psycopg.Error]):
    with pytest.raises(error):
        copied(connection, sql)
    assert connection.execute("select 1").fetchone() == (1,)


def test_what_fails_half_way_is_an_error(connection: psycopg.Connection):
    with pytest.raises(errors.InvalidTextRepresentation):
        copied(connection, "copy (select (5000 - range)::utinyint from range(4800, 9000)) to stdout")
    assert connection.execute("select 1").fetchone() == (1,)


def test_half_a_million_rows_are_copied_whole(connection: psycopg.Connection):
    last = b""
    with connection.cursor() as cursor, cursor.copy(f"copy ({HALF_A_MILLION}) to stdout") as copy:
        for number, row in enumerate(copy):
            assert bytes(row).startswith(b"%d\t" % number)
            last = bytes(row)
    assert last == b"499999\tINC-499999\t249999.5\n"


def test_psql_writes_a_file(server: Serving, tmp_path: Path):
    path = tmp_path / "incidents.csv"
    said = scripted(server, f"\\copy (select incident_id, title from incidents order by 1) to '{path}' csv header\n")
    assert said == ""
    assert path.read_text() == "incident_id,title\nINC-42,checkout is down\nINC-43,search is slow\n"


async def test_asyncpg_copies(server: Serving):
    connection = await asyncpg.connect(f"postgresql{server.url}", ssl=False)
    found = io.BytesIO()
    try:
        asked = "select incident_id from incidents where last_seq < $1"
        assert await connection.copy_from_query(asked, 3, output=found, format="csv") == "COPY 1"
        assert await connection.copy_from_table("incidents", columns=["title"], output=found) == "COPY 2"
    finally:
        await connection.close()
    assert found.getvalue().startswith(b"INC-42\n")


def test_adbc_copies_by_the_extended_protocol(connection: psycopg.Connection):
    client = connection.pgconn
    asked = b"copy (select 1::bigint as n) to stdout (format binary)"
    result = client.exec_params(asked, [], result_format=1)
    assert result.status == psycopg.pq.ExecStatus.COPY_OUT
    # What begins the whole stands beside the first row, what ends it alone.
    assert [copied_bytes(client) for _ in range(3)] == [33, 2, -1]
    finished = result_of(client)
    assert finished is not None
    assert finished.command_status == b"COPY 1"
    assert result_of(client) is None


def copied_bytes(client: psycopg.pq.abc.PGconn) -> int:
    """The length of the next piece of a COPY."""
    while not (length := client.get_copy_data(1)[0]):
        more_of(client)
    return length


def result_of(client: psycopg.pq.abc.PGconn) -> psycopg.pq.abc.PGresult | None:
    """The next result; None after the last."""
    while client.is_busy():
        more_of(client)
    return client.get_result()


def more_of(client: psycopg.pq.abc.PGconn) -> None:
    """Wait for more from the server. The client's own waiting would keep the server, a thread of this process, from
    running."""
    assert select.select([client.socket], [], [], WAIT_S)[0], "the server says nothing"
    client.consume_input()
