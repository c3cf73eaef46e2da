"""Confirming subscriptions that senders ask for, such as topics of Amazon SNS.

Hears  `Subscription`, said by a receipt.
Says   KeySubscriptionAsked at once; then KeySubscriptionConfirmed or KeySubscriptionFailed.
Keeps  nothing: what was asked and not answered is found in the log again at the next start.

Calling the sender takes seconds, so it is done beside the translating of alerts. The address comes from outside, so it
is called only when it is the one that confirms that very topic at SNS, and `PublicWeb` guards the rest.
"""

import asyncio
import logging
import re
from collections.abc import Callable
from datetime import datetime

from events import Event, EventLog, Write
from events.audit import KeySubscriptionAsked, KeySubscriptionConfirmed, KeySubscriptionFailed
from events.errors import LogError
from events.fact import Fact, tag_of
from events.ids import derived_event_id
from events.receipt import NATS_INTEGRATION, Receipt, Receipts
from events.subjects import split
from services.decision import decide_and_append
from services.intake.adapters import InvalidPayload, adapters
from services.intake.aws_addresses import confirmation_fault
from services.intake.public_web import NotFetched, PublicWeb, Unreachable
from services.intake.signal import Said, Subscription

SOURCE = "recount/intake"
# Pauses between tries, in seconds: a network that comes up after us, then one that is being repaired. A token of SNS is
# good for three days; whoever needs longer asks SNS to send the question again.
PAUSES_S = (2.0, 30.0, 300.0)

_SUBSCRIPTION_ARN = re.compile(rb"<SubscriptionArn>([^<]{1,400})</SubscriptionArn>")

logger = logging.getLogger("recount.intake")


class Subscriptions:
    """Takes what receipts say about subscriptions. See `services.intake.translator.Aside`.

    Args:
        log: where the streams of keys live.
        receipts: where a question that was not answered is read again.
        web: calls the sender.
        now: the time.
        pauses_s: between tries, in seconds.
    """

    def __init__(
        self,
        log: EventLog,
        receipts: Receipts,
        web: PublicWeb,
        now: Callable[[], datetime],
        *,
        pauses_s: tuple[float, ...] = PAUSES_S,
    ) -> None:
        self._log = log
        self._receipts = receipts
        self._web = web
        self._now = now
        self._pauses_s = pauses_s
        self._running: set[asyncio.Task[None]] = set()

    async def handle(self, receipt: Receipt, number: int, said: Said) -> None:
        """Note that a sender asks, and begin to answer. Hearing of it twice confirms it once.

        Raises:
            LogError: the log does not answer or is full; it may be repeated.
            InvalidPayload: nobody but the topic's own SNS would be called, and it asks for another.
        """
        assert isinstance(said, Subscription), "only those are given to it"
        fault = confirmation_fault(said.confirm_url, said.topic)
        if fault:
            raise InvalidPayload(f"the subscription is not confirmed: {fault}")
        if receipt.integration == NATS_INTEGRATION:
            raise InvalidPayload("a subscription comes through an integration key, over HTTP")
        asked = KeySubscriptionAsked(topic=said.topic, receipt_seq=receipt.seq)
        if await self._say(receipt.integration, asked):
            self._begin(receipt.integration, receipt.seq, said)

    async def resume(self) -> None:
        """Answer what was asked and not answered before a stop. Call it at the start.

        Raises:
            LogError: the log does not answer.
        """
        waiting: dict[tuple[str, int], KeySubscriptionAsked] = {}
        for recorded in await self._log.read_category("key"):
            _category, key_id = split(recorded.stream)
            match recorded.fact:
                case KeySubscriptionAsked() as asked:
                    waiting[key_id, asked.receipt_seq] = asked
                case KeySubscriptionConfirmed(receipt_seq=seq) | KeySubscriptionFailed(receipt_seq=seq):
                    waiting.pop((key_id, seq), None)
        for (key_id, seq), asked in waiting.items():
            said = await self._read_again(seq)
            if said is None:
                because = "the question is no longer kept; have it sent again"
                await self._say(key_id, KeySubscriptionFailed(topic=asked.topic, receipt_seq=seq, because=because))
            else:
                self._begin(key_id, seq, said)

    async def stop(self) -> None:
        """Stop calling. What is not answered yet is taken up at the next start."""
        for task in self._running:
            task.cancel()
        await asyncio.gather(*self._running, return_exceptions=True)

    async def settled(self) -> None:
        """Wait until everything that was asked so far is answered."""
        await asyncio.gather(*self._running)

    async def _read_again(self, seq: int) -> Subscription | None:
        receipt = await self._receipts.get(seq)
        adapter = adapters().get(receipt.source) if receipt else None
        if receipt is None or adapter is None:
            return None
        try:
            told = adapter.translate(receipt)
        except InvalidPayload:
            return None
        return next((said for said in told if isinstance(said, Subscription)), None)

    def _begin(self, key_id: str, seq: int, said: Subscription) -> None:
        task = asyncio.get_running_loop().create_task(self._confirm(key_id, seq, said))
        self._running.add(task)
        task.add_done_callback(self._running.discard)

    async def _confirm(self, key_id: str, seq: int, said: Subscription) -> None:
        outcome = await self._call(seq, said)
        if isinstance(outcome, KeySubscriptionFailed):
            logger.warning("intake: %s was not confirmed: %s", said.topic, outcome.because)
        try:
            await self._say(key_id, outcome)
        except LogError as error:
            # The next start finds it unanswered and asks again, which changes nothing at SNS.
            logger.warning("intake: the answer about %s is not stored: %s", said.topic, error)

    async def _call(self, seq: int, said: Subscription) -> KeySubscriptionConfirmed | KeySubscriptionFailed:
        because = ""
        for pause_s in (0.0, *self._pauses_s):
            await asyncio.sleep(pause_s)
            try:
                answer = await self._web.get(said.confirm_url)
            except Unreachable as error:
                because = str(error)
            except NotFetched as error:
                return KeySubscriptionFailed(topic=said.topic, receipt_seq=seq, because=str(error))
            else:
                found = _SUBSCRIPTION_ARN.search(answer)
                name = found[1].decode(errors="replace") if found else ""
                return KeySubscriptionConfirmed(topic=said.topic, receipt_seq=seq, subscription=name)
        return KeySubscriptionFailed(topic=said.topic, receipt_seq=seq, because=because)

    async def _say(
        self, key_id: str, fact: KeySubscriptionAsked | KeySubscriptionConfirmed | KeySubscriptionFailed
    ) -> bool:
        """Store what happened, unless it is stored already."""
        stream = f"key.{key_id}"
        event = _event(key_id, fact, fact.receipt_seq, self._now())

        async def attempt() -> tuple[tuple[Write, ...], bool]:
            history = await self._log.read(stream)
            if not history or any(recorded.event.id == event.id for recorded in history):
                return (), False
            return (Write(stream, history[-1].seq, (event,)),), True

        _seq, is_new = await decide_and_append(self._log, attempt)
        return is_new


def _event(key_id: str, fact: Fact, seq: int, now: datetime) -> Event:
    cause = f"intake-{seq}"
    return Event(
        id=derived_event_id(cause, "subscription", tag_of(type(fact))),
        fact=fact,
        happened_at=now,
        source=SOURCE,
        actor=f"key:{key_id}",
        causation_id=cause,
    )
