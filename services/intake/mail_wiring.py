"""The mail door on real parts. It needs nothing of the HTTP port and may run beside it or without it."""

import asyncio
import socket
from pathlib import Path

from events.nats_intake import NatsReceipts
from services.context import Context
from services.intake.keys import Keys
from services.intake.mail_door import MailDoor, MailServer
from services.intake.metrics import METRICS
from services.intake.wiring import keep_fresh
from services.server_tls import server_tls


class Mail:
    """An open mail door; `drain` closes it, and `stop` ends what looks after it.

    Args:
        server: takes connections.
        receipts: what waits for the disk.
        watch: keeps the keys fresh.
    """

    def __init__(self, server: MailServer, receipts: NatsReceipts, watch: asyncio.Task[None]) -> None:
        self._server = server
        self._receipts = receipts
        self._watch = watch

    async def drain(self) -> None:
        """Take no more mails, and finish those that were begun."""
        await self._server.close()
        await self._receipts.close()

    async def stop(self) -> None:
        """Look at the keys no more."""
        self._watch.cancel()


async def open_mail(context: Context, listener: socket.socket, *, receipts: NatsReceipts | None = None) -> Mail:
    """Take mails on a bound socket.

    Args:
        context: its log, client, clock and settings are used.
        listener: the socket.
        receipts: for tests that want a shorter queue.

    Raises:
        BadConfiguration: the certificate cannot be used.
    """
    settings = context.settings.mail
    tls = None
    if settings.tls_certificate:
        tls = server_tls("mail", Path(settings.tls_certificate), Path(settings.tls_key))
    keys = Keys(context.log)
    await keys.refresh()
    kept = receipts or NatsReceipts(context.client)
    server = MailServer(MailDoor(kept, keys, context.clock, METRICS), tls, require_tls=settings.require_tls)
    await server.open(listener)
    return Mail(server, kept, asyncio.get_running_loop().create_task(keep_fresh(keys), name="mail keys"))
