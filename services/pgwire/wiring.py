"""How the PostgreSQL wire hangs in the readers process."""

import socket
from collections.abc import Callable

from projections.warehouse import Warehouse
from services.context import Context
from services.pgwire.certificate import tls_context
from services.pgwire.server import PgServer
from services.sql_users import SqlUsers


async def open_pgwire(
    context: Context, warehouse: Callable[[], Warehouse], listener: socket.socket, *, needs_tls: bool
) -> PgServer:
    """Answer SQL on a port. `PgServer.stop` ends it.

    Args:
        context: settings, secrets and the data folder.
        warehouse: gives the warehouse of the moment.
        listener: where to listen.
        needs_tls: whether connections that are not encrypted are refused.
    """
    settings = context.settings.postgres
    server = PgServer(
        warehouse,
        SqlUsers(context.data),
        tls=tls_context(context.data, settings),
        needs_tls=needs_tls,
        salt_key=bytes.fromhex(context.secrets.session_key),
        connections_max=settings.max_connections,
        timeout_s=settings.statement_timeout_s,
        now=context.clock.now,
    )
    await server.start(listener)
    return server
