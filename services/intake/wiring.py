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
from events.nats_intake_reading import delivered_through, read_intake
from events.nats_streams import INTAKE, INTAKE_SUBJECT_ROOT, declare_consumer
from events.receipt import Receipt
from services.broker import FETCH_TIMEOUT_S, as_it_came, set_aside
from services.context import Context
from services.intake.certificates import Certificates
from services.intake.changes import Changes
from services.intake.counter import Counter
from services.intake.expiry import Expiry
from services.intake.http import Door, make_intake_app
from services.intake.key_uses import KeyUses
from services.intake.keys import Keys
from services.intake.lane import Lane
from services.intake.metrics import METRICS
from services.intake.pings import Pings
from services.intake.public_web import PublicWeb
from services.intake.repeats import REPEATS_AGE_S, Acknowledge, Repeats
from services.intake.service import IntakeService
from services.intake.signal import Change, Ping, Said, Subscription
from services.intake.signatures import Signatures
from services.intake.subscriptions import Subscriptions
from services.intake.translator import Aside, Told, Translator
from services.orders import hear_orders
from services.sign_of_life import SIGN_EVERY_S, SignOfLife
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

    def __init__(self, context: Context, *, repeats_age_s: float = REPEATS_AGE_S, web: PublicWeb | None = None) -> None:
        self._log = context.log
        self._keys = Keys(context.log)
        receipts = NatsReceipts(context.client)
        self.subscriptions = Subscriptions(context.log, receipts, web or PublicWeb(), context.clock.now)
        asides: dict[type[Said], Aside] = {
            Change: Changes(context.log, self._keys),
            Subscription: self.subscriptions,
            Ping: Pings(context.log, context.timers),
        }
        self.translator = Translator(context.log, self._keys, asides, Expiry(context.log, context.timers))
        self._uses = KeyUses(context.log)
        self._lane = Lane(lambda: handled_through(context.client.jetstream(), NAME))
        self.repeats = Repeats(context.log, context.clock.now, age_s=repeats_age_s)
        self.counter = Counter(
            context.log,
            lambda after, through: read_intake(context.client, after=after, through=through),
            lambda: handled_through(context.client.jetstream(), NAME),
            context.clock.now,
        )
        self._counting: asyncio.Task[None] | None = None
        self.service = IntakeService(context.log, receipts, self._keys, self.translator)

    async def start(self) -> None:
        """Keep the ledger, too, and answer subscriptions that were not before the last stop."""
        await self.subscriptions.resume()
        self._counting = asyncio.get_running_loop().create_task(self.counter.run())

    async def drain(self) -> None:
        """Say what was not said yet, while the server can still be told that it is. Call it before the broker stops."""
        await self.repeats.close()

    async def stop(self) -> None:
        """Stop counting, and calling senders."""
        await self.subscriptions.stop()
        if self._counting is not None:
            self._counting.cancel()

    async def on_deliveries(self, messages: Sequence[Any]) -> None:
        """Translate what a consumer of INTAKE delivered, and acknowledge it."""
        receipts = [receipt_from_delivery(message) for message in messages]
        first, last = receipts[0].seq, receipts[-1].seq
        is_unbroken = last - first + 1 == len(receipts)
        try:
            settled = is_unbroken and await self._lane.is_settled(first)
            told = await self._translate(receipts, settled=settled)
            for receipt in receipts:
                if receipt.seq in told.unusable:
                    await self._set_aside(receipt, told.unusable[receipt.seq])
        except LogError as error:
            logger.warning("intake: receipts %d to %d wait: %s", first, last, error)
            for message in messages:
                await message.nak(delay=AWAY_PAUSE_S)
            return
        repeated = frozenset(told.repeated)
        repeats: list[tuple[int, Acknowledge]] = []
        for receipt, message in zip(receipts, messages, strict=True):
            if receipt.seq in repeated:
                repeats.append((receipt.seq, message.ack))
            else:
                await message.ack()
        if is_unbroken:
            self._lane.handled(first, last)
        with suppress(LogError):  # the next receipts tell it
            await self._uses.told_by(receipts)
        METRICS.translated.inc(len(receipts) - len(told.unusable))
        METRICS.repeated.inc(len(repeats))
        try:
            # Another copy looks at what is acknowledged to know whether anything older is under way.
            await self.repeats.hold(repeats, at_once=not settled)
        except LogError as error:
            logger.warning("intake: %d repeats wait: %s", len(repeats), error)

    async def _translate(self, receipts: list[Receipt], *, settled: bool) -> Told:
        try:
            return await self.translator.translate(receipts, settled=settled)
        except LogError:
            raise
        except Exception as error:  # a receipt that we fail on must not stop the others
            if len(receipts) == 1:
                logger.exception("intake: receipt %d", receipts[0].seq)
                return Told({receipts[0].seq: error}, ())
            each = [await self._translate([receipt], settled=settled) for receipt in receipts]
            return Told(
                {seq: why for told in each for seq, why in told.unusable.items()},
                tuple(seq for told in each for seq in told.repeated),
            )

    async def _set_aside(self, receipt: Receipt, error: Exception) -> None:
        logger.warning("intake: receipt %d (%s) is set aside: %s", receipt.seq, receipt.subject, error)
        await set_aside(self._log, NAME, INTAKE, receipt.seq, receipt.subject, error, 1)
        METRICS.dead.inc()


async def attach_intake(
    context: Context, *, repeats_age_s: float = REPEATS_AGE_S, web: PublicWeb | None = None
) -> Intake:
    """Have intake hear its messages and commands. Call it before the broker starts.

    Args:
        context: its log, client and clock are used.
        repeats_age_s: how long what changed nothing may wait to be told, in seconds.
        web: how senders are called; for tests that have an Internet of their own.
    """
    intake = Intake(context, repeats_age_s=repeats_age_s, web=web)
    broker = context.broker
    js = context.client.jetstream()
    everything = f"{INTAKE_SUBJECT_ROOT}.>"
    await declare_consumer(js, stream=INTAKE, durable=NAME, filter_subjects=[everything])
    await intake.counter.begin(await delivered_through(js, NAME))

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
        loop = asyncio.get_running_loop()
        watches = [loop.create_task(keep_fresh(keys)), loop.create_task(keep_telling(context))]
        try:
            yield
        finally:
            for watch in watches:
                watch.cancel()
            await kept.close()

    signatures = Signatures(SigningSecrets(context.data), Certificates(web or PublicWeb()), context.clock)
    door = Door(kept, keys, context.clock, METRICS, context.log, signatures)
    return make_intake_app(door, METRICS, lambda: bool(context.client.is_connected), open_port)


async def keep_fresh(keys: Keys) -> None:
    """Look at the keys again and again, so that a revoked one is soon refused."""
    while True:
        await asyncio.sleep(KEYS_REFRESH_S)
        with suppress(LogError):
            await keys.refresh()


async def keep_telling(context: Context) -> None:
    """Say again and again that the port is open, so that silence of senders can be told from our own."""
    sign = SignOfLife(context.timers)
    while True:
        with suppress(LogError):
            await sign.give(context.clock.now())
        await asyncio.sleep(SIGN_EVERY_S)
