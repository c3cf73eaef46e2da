"""Intake on real parts: how its pieces hear NATS and HTTP."""

import asyncio
import logging
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from typing import Any, cast

from faststream import AckPolicy
from faststream.nats import JStream, NatsMessage, PullSub
from litestar import Litestar
from litestar.types import ASGIApp

from events.errors import LogError
from events.nats_intake import NatsReceipts, handled_through, receipt_from_delivery
from events.nats_streams import INTAKE, INTAKE_SUBJECT_ROOT, declare_consumer
from events.receipt import Receipt
from services.broker import FETCH_TIMEOUT_S, as_it_came, set_aside
from services.context import Context
from services.intake.certificates import Certificates
from services.intake.http import Door, make_intake_app
from services.intake.keys import Keys
from services.intake.lane import Lane
from services.intake.metrics import METRICS
from services.intake.public_web import PublicWeb
from services.intake.service import IntakeService
from services.intake.signatures import Signatures
from services.intake.translator import Translator
from services.orders import hear_orders
from services.signing_secrets import SigningSecrets

logger = logging.getLogger("recount.intake")

NAME = "intake"
# Receipts that are translated together. Enough to share appends in a storm, few enough that a page does not wait.
FETCH_RECEIPTS_MAX = 200
# How soon receipts come back when the log was away.
AWAY_PAUSE_S = 1.0
# How soon a revoked key is refused everywhere. A new one works at once: an unknown one makes intake look again.
KEYS_REFRESH_S = 5.0


class Intake:
    """What hears INTAKE and commands, in one copy of the service."""

    def __init__(self, context: Context) -> None:
        self._log = context.log
        self._keys = Keys(context.log)
        self.translator = Translator(context.log, self._keys)
        self._lane = Lane(lambda: handled_through(context.client.jetstream(), NAME))
        self.service = IntakeService(context.log, NatsReceipts(context.client), self._keys, self.translator)

    async def on_deliveries(self, messages: Sequence[Any]) -> None:
        """Translate what a consumer of INTAKE delivered, and acknowledge it."""
        receipts = [receipt_from_delivery(message) for message in messages]
        first, last = receipts[0].seq, receipts[-1].seq
        is_unbroken = last - first + 1 == len(receipts)
        try:
            settled = is_unbroken and await self._lane.is_settled(first)
            unusable = await self._translate(receipts, settled=settled)
            for receipt in receipts:
                if receipt.seq in unusable:
                    await self._set_aside(receipt, unusable[receipt.seq])
        except LogError as error:
            logger.warning("intake: receipts %d to %d wait: %s", first, last, error)
            for message in messages:
                await message.nak(delay=AWAY_PAUSE_S)
            return
        for message in messages:
            await message.ack()
        if is_unbroken:
            self._lane.handled(first, last)
        METRICS.translated.inc(len(receipts) - len(unusable))

    async def _translate(self, receipts: list[Receipt], *, settled: bool) -> dict[int, Exception]:
        try:
            return await self.translator.handle(receipts, settled=settled)
        except LogError:
            raise
        except Exception as error:  # a receipt that we fail on must not stop the others
            if len(receipts) == 1:
                logger.exception("intake: receipt %d", receipts[0].seq)
                return {receipts[0].seq: error}
            unusable: dict[int, Exception] = {}
            for receipt in receipts:
                unusable |= await self._translate([receipt], settled=settled)
            return unusable

    async def _set_aside(self, receipt: Receipt, error: Exception) -> None:
        logger.warning("intake: receipt %d (%s) is set aside: %s", receipt.seq, receipt.subject, error)
        await set_aside(self._log, NAME, INTAKE, receipt.seq, receipt.subject, error, 1)
        METRICS.dead.inc()


async def attach_intake(context: Context) -> Intake:
    """Have intake hear its messages and commands. Call it before the broker starts."""
    intake = Intake(context)
    broker = context.broker
    everything = f"{INTAKE_SUBJECT_ROOT}.>"
    await declare_consumer(context.client.jetstream(), stream=INTAKE, durable=NAME, filter_subjects=[everything])

    @broker.subscriber(
        everything,
        stream=JStream(INTAKE, declare=False),
        durable=NAME,
        pull_sub=PullSub(batch_size=FETCH_RECEIPTS_MAX, timeout=FETCH_TIMEOUT_S, batch=True),
        ack_policy=AckPolicy.MANUAL,
        decoder=as_it_came,
        title=NAME,
    )
    async def on_receipts(message: NatsMessage) -> None:
        await intake.on_deliveries(cast(Sequence[Any], message.raw_message))

    hear_orders(broker, NAME, intake.service.handle)
    return intake


def make_app(context: Context, *, receipts: NatsReceipts | None = None, web: PublicWeb | None = None) -> ASGIApp:
    """Intake's HTTP port. It needs nothing of `attach_intake` and may run in a process of its own.

    Args:
        context: its log, client and clock are used.
        receipts: for tests that want a shorter queue.
        web: where certificates of senders come from; for tests that have an Internet of their own.
    """
    kept = receipts or NatsReceipts(context.client)
    keys = Keys(context.log)
    METRICS.watch_queue(lambda: kept.depth)

    @asynccontextmanager
    async def open_port(_app: Litestar) -> AsyncIterator[None]:
        await keys.refresh()
        watch = asyncio.get_running_loop().create_task(_keep_fresh(keys))
        try:
            yield
        finally:
            watch.cancel()
            await kept.close()

    signatures = Signatures(SigningSecrets(context.data), Certificates(web or PublicWeb()), context.clock)
    door = Door(kept, keys, context.clock, METRICS, context.log, signatures)
    return make_intake_app(door, METRICS, lambda: bool(context.client.is_connected), open_port)


async def _keep_fresh(keys: Keys) -> None:
    while True:
        await asyncio.sleep(KEYS_REFRESH_S)
        with suppress(LogError):
            await keys.refresh()
