"""A statement that was prepared before an upgrade changed the views."""

from collections.abc import Callable
from pathlib import Path

import asyncpg
import psycopg
import pytest
from psycopg import errors

from projections.catalog import Catalog
from projections.warehouse import Warehouse
from tests.pgwire.conftest import HISTORY
from tests.pgwire.serving import serve
from tests.projections.test_upgrade import version, with_column

__all__ = ["version"]  # a fixture

STABLE, ALL = "select title from incidents order by 1", "select * from incidents"


async def test_it_is_prepared_again_where_its_columns_changed(tmp_path: Path, version: Callable[..., Catalog]):
    path = tmp_path / "recount.duckdb"
    with Warehouse.open(path) as before:
        before.apply(HISTORY)
    with (
        Warehouse.open(path, catalog=version(incidents=with_column)) as warehouse,
        serve(tmp_path, warehouse) as server,
        psycopg.connect(server.dsn, autocommit=True) as connection,
    ):
        connection.pgconn.prepare(b"stable", STABLE.encode())
        connection.execute(f"prepare all_of_it as {ALL}")
        cached = await asyncpg.connect(f"postgresql{server.url}", ssl=False)
        assert "one" not in (await cached.fetch(ALL))[0]
        warehouse.upgrade()
        assert connection.pgconn.exec_prepared(b"stable", []).get_value(0, 0) == b"checkout is down"
        with pytest.raises(errors.FeatureNotSupported, match="cached plan must not change result type"):
            connection.execute("execute all_of_it")
        listed = connection.execute("select 1 from information_schema.columns where column_name = 'one'")
        assert len(listed.fetchall()) == 1
        # asyncpg knows that refusal, and prepares again by itself.
        assert (await cached.fetch(ALL))[0]["one"] == 1
        await cached.close()
