"""asyncpg, which asks for every type it does not know and speaks only binary."""

from collections.abc import AsyncIterator
from datetime import datetime

import asyncpg
import pytest

from tests.pgwire.serving import Serving


@pytest.fixture
async def connected(server: Serving) -> AsyncIterator[asyncpg.Connection]:
    connection = await asyncpg.connect(f"postgresql{server.url}", ssl=False)
    yield connection
    await connection.close()


async def test_it_asks_with_parameters(connected: asyncpg.Connection):
    rows = await connected.fetch(
        "select title from incidents where opened_at > $1 and incident_id = any($2) and severity in ($3, $4) limit $5",
        *(datetime(2020, 1, 1), ["INC-42"], "sev1", "sev2", 10),
    )
    assert [row["title"] for row in rows] == ["checkout is down"]


async def test_it_finds_out_about_types(connected: asyncpg.Connection):
    row = await connected.fetchrow("select [1, 2] as numbers, ['a', null] as texts, 1.5::decimal(3, 1) as share")
    assert (row["numbers"], row["texts"], float(row["share"])) == ([1, 2], ["a", None], 1.5)


async def test_it_takes_rows_in_portions_within_a_transaction(connected: asyncpg.Connection):
    async with connected.transaction():
        rows = [row["n"] async for row in connected.cursor("select range as n from range(250)", prefetch=100)]
    assert rows == list(range(250))


async def test_it_knows_the_server(connected: asyncpg.Connection):
    assert connected.get_server_version().major == 16
    assert connected.get_settings().TimeZone == "UTC"
