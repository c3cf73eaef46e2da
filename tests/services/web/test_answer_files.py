"""SQL answered as a file: what pyarrow reads is what JSON says, cut where the limit is, and nothing stays behind."""

import io
import tempfile
from pathlib import Path

import pyarrow.ipc
import pyarrow.parquet
import pytest

from tests.services.web.stack import Stack

KINDS = """
    select
        42::bigint as whole, 1.50::decimal(10, 2) as exact, 0.25::double as real, true as yes, 'é' as text,
        timestamp '2026-03-01 14:05:00' as moment, date '2026-03-01' as day, ['a', null] as list,
        {'a': 1} as part, map {'k': 'v'} as names, '{"a": 1}'::json as json, {'a': 1}::variant as any_shape,
        'one'::enum('one', 'two') as choice, 2::hugeint as huge, null as nothing
"""


def read(answer_format: str, body: bytes) -> pyarrow.Table:
    if answer_format == "arrow":
        return pyarrow.ipc.open_stream(body).read_all()
    return pyarrow.parquet.read_table(io.BytesIO(body))


@pytest.mark.parametrize(
    ("answer_format", "media_type"),
    [("arrow", "application/vnd.apache.arrow.stream"), ("parquet", "application/vnd.apache.parquet")],
)
def test_every_type_of_value_arrives(recount: Stack, answer_format: str, media_type: str):
    with recount.client() as program:
        answer = program.post("/api/sql", json={"sql": KINDS, "format": answer_format})
        assert answer.status_code == 200, answer.text
        assert answer.headers["content-type"] == media_type
        assert int(answer.headers["recount-position"]) == recount.position()
        assert answer.headers["recount-truncated"] == "false"
        [row] = read(answer_format, answer.content).to_pylist()
        assert row.pop("names") == [("k", "v")]
        moment = row.pop("moment")
        assert moment.isoformat() == "2026-03-01T14:05:00"
        assert {name: str(value) for name, value in row.items()} == {
            "whole": "42",
            "exact": "1.50",
            "real": "0.25",
            "yes": "True",
            "text": "é",
            "day": "2026-03-01",
            "list": "['a', None]",
            "part": "{'a': 1}",
            "json": '{"a": 1}',
            "any_shape": '{"a":1}',
            "choice": "one",
            "huge": "2",
            "nothing": "None",
        }


@pytest.mark.parametrize("answer_format", ["arrow", "parquet"])
def test_an_answer_of_views_is_the_same_as_in_json(recount: Stack, answer_format: str):
    recount.declare("payments fail")
    sql = "select incident_id, title, severity, episode from incidents order by incident_id"
    with recount.client() as program:
        rows = program.post("/api/sql", json={"sql": sql}).json()["rows"]
        table = read(answer_format, program.post("/api/sql", json={"sql": sql, "format": answer_format}).content)
        assert [list(row.values()) for row in table.to_pylist()] == rows
        then = {"sql": sql, "format": answer_format, "as_of": 1}
        assert read(answer_format, program.post("/api/sql", json=then).content).num_rows == 0


@pytest.mark.parametrize("sql", ["select * from incidents where false", "describe incidents", "show tables"])
@pytest.mark.parametrize("answer_format", ["arrow", "parquet"])
def test_an_answer_without_rows_has_its_columns(recount: Stack, answer_format: str, sql: str):
    with recount.client() as program:
        answer = program.post("/api/sql", json={"sql": sql, "format": answer_format})
        assert answer.status_code == 200, answer.text
        assert read(answer_format, answer.content).num_columns > 0


def test_a_file_holds_more_rows_than_a_screen_and_is_cut_at_its_own_limit(recount: Stack):
    with recount.client() as program:
        many = program.post("/api/sql", json={"sql": "select * from range(200000)", "format": "arrow"})
        assert read("arrow", many.content).num_rows == 200_000
        cut = program.post("/api/sql", json={"sql": "select * from range(1000001)", "format": "parquet"})
        assert cut.headers["recount-truncated"] == "true"
        assert read("parquet", cut.content).num_rows == 1_000_000


@pytest.mark.parametrize(
    "sql",
    [
        "insert into log values (1)",
        "select * from read_csv('/etc/passwd')",
        "select * from 'secrets.json'",
        "copy incidents to '/tmp/x'",
        "with x as (insert into warehouse_state values (1, '', 1, 1) returning *) select * from x",
        "select cast('a' || seq as int) from log",
        "select nonsense from incidents",
    ],
)
def test_the_sandbox_is_the_same_for_a_file(recount: Stack, sql: str):
    recount.declare()
    with recount.client() as program:
        answer = program.post("/api/sql", json={"sql": sql, "format": "arrow"})
        assert answer.status_code == 400, answer.text
        assert answer.json()["because"]


def test_no_file_stays_behind(recount: Stack, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    with recount.client() as program:
        for sql in ("select * from incidents", "select nonsense"):
            program.post("/api/sql", json={"sql": sql, "format": "parquet"})
    assert list(tmp_path.iterdir()) == []
