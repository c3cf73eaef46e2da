"""A PostgreSQL-wire server over a warehouse of its own, in a thread, for real clients to connect to.

with serving(tmp_path, events) as server:
    psycopg.connect(server.dsn)
"""

import asyncio
import threading
from collections.abc import Callable, Coroutine, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec

from events import Stored
from projections.warehouse import Warehouse
from services.pgwire.certificate import CERTIFICATE_NAME, tls_context
from services.pgwire.server import PgServer
from services.settings import PostgresSettings
from services.sql_users import SqlUsers
from services.supervisor.http_door import Address, bind
from tests.platform import wait_until
from tests.spec import empty_warehouse

USER, PASSWORD = "ada", "correct-horse"
START_S, STOP_S = 30, 30
DEFAULTS = PostgresSettings()


class Serving(msgspec.Struct, frozen=True):
    """A running server."""

    port: int
    data: Path
    warehouse: Warehouse
    server: PgServer
    on_loop: Callable[[Callable[[], Any]], Any]
    """Calls something on the server's event loop and gives its result."""

    @property
    def dsn(self) -> str:
        """How to connect."""
        return f"host=127.0.0.1 port={self.port} user={USER} password={PASSWORD} dbname=recount sslmode=disable"

    def wait_for_connections(self, count: int) -> None:
        """Wait until so many users are connected."""
        wait_until(lambda: self.on_loop(lambda: self.server.connections) == count, f"{count} connections")

    @property
    def url(self) -> str:
        """The same as a URL, without its scheme."""
        return f"://{USER}:{PASSWORD}@127.0.0.1:{self.port}/recount"

    @property
    def certificate(self) -> Path:
        """What a client must trust."""
        return self.data / CERTIFICATE_NAME


@contextmanager
def serving(
    folder: Path,
    events: Sequence[Stored] = (),
    *,
    settings: PostgresSettings = DEFAULTS,
    needs_tls: bool = False,
) -> Iterator[Serving]:
    """A server with one user, over a new warehouse of these events."""
    with empty_warehouse(folder) as warehouse:
        if events:
            warehouse.apply(events)
        with serve(folder, warehouse, settings=settings, needs_tls=needs_tls) as server:
            yield server


@contextmanager
def serve(
    folder: Path, warehouse: Warehouse, *, settings: PostgresSettings = DEFAULTS, needs_tls: bool = False
) -> Iterator[Serving]:
    """A server with one user, over a warehouse."""
    users = SqlUsers(folder)
    users.add(USER, PASSWORD, datetime.now(UTC))
    listener = bind(Address("127.0.0.1", 0), "--postgres")
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, name="pgwire")
    thread.start()

    def run(work: Coroutine[Any, Any, Any], seconds: float) -> Any:
        return asyncio.run_coroutine_threadsafe(work, loop).result(seconds)

    async def on_loop(work: Callable[[], Any]) -> Any:
        return work()

    try:
        server = PgServer(
            lambda: warehouse,
            users,
            tls=tls_context(folder, settings),
            needs_tls=needs_tls,
            salt_key=b"salt key",
            connections_max=settings.max_connections,
            timeout_s=settings.statement_timeout_s,
            now=lambda: datetime.now(UTC),
        )
        port = int(listener.getsockname()[1])
        run(server.start(listener), START_S)
        yield Serving(port, folder, warehouse, server, lambda work: run(on_loop(work), START_S))
        run(server.stop(), STOP_S)
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join(STOP_S)
        loop.close()
