"""A topic that asks is confirmed at SNS and nowhere else, and the log says how it went."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
import pytest

from events import NOTHING, Event, Fact, Write
from events.audit import KeyCreated, KeySubscriptionAsked, KeySubscriptionConfirmed, KeySubscriptionFailed
from events.memory_log import MemoryLog
from events.receipt import NATS_INTEGRATION, MemoryReceipts, Receipt
from services.intake.adapters import InvalidPayload, adapters
from services.intake.aws_addresses import confirmation_fault
from services.intake.public_web import PublicWeb, is_public
from services.intake.signal import Subscription
from services.intake.subscriptions import Subscriptions
from tests.nats_process import NatsProcess
from tests.services.intake.sns_sender import CONFIRM_URL, HOST, TOKEN, TOPIC, Sns, confirmation, notification, sns
from tests.services.intake.stack import eventually, running

NOW = datetime(2026, 3, 1, 14, 0, tzinfo=UTC)
SAID = Subscription(topic=TOPIC, confirm_url=CONFIRM_URL)
CONFIRM_PATH = CONFIRM_URL.removeprefix(f"https://{HOST}")


class Story:
    """The stream of a key of SNS, and what confirms for it."""

    def __init__(self, web: PublicWeb, *, log: MemoryLog | None = None, receipts: MemoryReceipts | None = None) -> None:
        self.log = log or MemoryLog(lambda: NOW)
        self.receipts = receipts or MemoryReceipts()
        self.subscriptions = Subscriptions(self.log, self.receipts, web, lambda: NOW, pauses_s=(0.0, 0.0))

    async def begin(self) -> "Story":
        created = KeyCreated(sender="sns", secret_sha256="0" * 64)
        event = Event(id="key-made", fact=created, happened_at=NOW, source="recount/intake")
        await self.log.append(Write("key.key-sns", NOTHING, (event,)))
        return self

    async def receive(self, envelope: dict[str, Any], *, integration: str = "key-sns") -> Receipt:
        receipt = Receipt(source="sns", integration=integration, received_at=NOW, body=msgspec.json.encode(envelope))
        seq = await self.receipts.put(receipt)
        return msgspec.structs.replace(receipt, seq=seq)

    async def hear(self, receipt: Receipt) -> None:
        for number, said in enumerate(adapters()["sns"].translate(receipt)):
            if isinstance(said, Subscription):
                await self.subscriptions.handle(receipt, number, said)

    async def facts(self) -> list[Fact]:
        await self.subscriptions.settled()
        return [recorded.fact for recorded in await self.log.read("key.key-sns")][1:]


ASKED = KeySubscriptionAsked(topic=TOPIC, receipt_seq=1)
CONFIRMED = KeySubscriptionConfirmed(topic=TOPIC, receipt_seq=1, subscription=f"{TOPIC}:9d1b")


def refused_everywhere(server: Sns) -> PublicWeb:
    return PublicWeb(tls=server.web._tls, resolve=server.web._resolve, is_allowed=is_public)


async def test_a_topic_that_asks_is_confirmed_once(tmp_path: Path):
    async with sns(tmp_path) as server:
        story = await Story(server.web).begin()
        receipt = await story.receive(confirmation())
        await story.hear(receipt)
        await story.hear(receipt)
        assert await story.facts() == [ASKED, CONFIRMED]
        assert server.asked == [CONFIRM_PATH]


async def test_a_trouble_that_passes_is_waited_for(tmp_path: Path):
    async with sns(tmp_path) as server:
        answer = server.answers[CONFIRM_PATH]
        server.answers[CONFIRM_PATH] = (503, b"", "")
        story = await Story(server.web).begin()
        await story.hear(await story.receive(confirmation()))
        failed = KeySubscriptionFailed(topic=TOPIC, receipt_seq=1, because=f"{HOST} answered 503")
        assert await story.facts() == [ASKED, failed]
        assert server.asked == [CONFIRM_PATH] * 3
        server.answers[CONFIRM_PATH] = answer
        await story.hear(await story.receive(confirmation()))
        assert isinstance((await story.facts())[-1], KeySubscriptionConfirmed)


@pytest.mark.parametrize(
    ("answer", "because"),
    [
        ((302, b"", "http://169.254.169.254/"), f"{HOST} redirects elsewhere, which is not followed"),
        ((400, b"", ""), f"{HOST} answered 400"),
    ],
)
async def test_a_refusal_is_told_and_not_repeated(tmp_path: Path, answer: tuple[int, bytes, str], because: str):
    async with sns(tmp_path) as server:
        server.answers[CONFIRM_PATH] = answer
        story = await Story(server.web).begin()
        await story.hear(await story.receive(confirmation()))
        assert await story.facts() == [ASKED, KeySubscriptionFailed(topic=TOPIC, receipt_seq=1, because=because)]
        assert server.asked == [CONFIRM_PATH]


async def test_an_address_of_our_own_network_is_not_called(tmp_path: Path):
    async with sns(tmp_path) as server:
        story = await Story(refused_everywhere(server)).begin()
        await story.hear(await story.receive(confirmation()))
        because = f"{HOST} resolves to 127.0.0.1, which is not a public address"
        assert await story.facts() == [ASKED, KeySubscriptionFailed(topic=TOPIC, receipt_seq=1, because=because)]
        assert server.asked == []


OTHER_TOPIC = f"{TOPIC}-of-somebody-else"


@pytest.mark.parametrize(
    ("url", "because"),
    [
        (CONFIRM_URL.replace("https", "http"), "it is not https"),
        (CONFIRM_URL.replace(HOST, "evil.example"), "its host"),
        (CONFIRM_URL.replace(HOST, f"{HOST}.evil.example"), "its host"),
        (CONFIRM_URL.replace(HOST, f"{HOST}:8443"), "its host"),
        (CONFIRM_URL.replace(HOST, f"{HOST}@evil.example"), "its host"),
        (CONFIRM_URL.replace(HOST, "localhost"), "its host"),
        (CONFIRM_URL.replace(HOST, "sns.us-east-1.amazonaws.com"), "its host is not that of the topic"),
        (CONFIRM_URL.replace("/?", "/elsewhere?"), "it does not confirm a subscription"),
        (CONFIRM_URL.replace("ConfirmSubscription", "Unsubscribe"), "it does not confirm a subscription"),
        (CONFIRM_URL.replace(TOPIC, OTHER_TOPIC), "it is about another topic"),
        (f"{CONFIRM_URL}&Attributes.entry.1.key=x", "it asks for more than a confirmation"),
        (CONFIRM_URL.replace(TOKEN, "a%26b"), "it asks for more than a confirmation"),
        (f"{CONFIRM_URL}#x", "it has a fragment"),
        (f"{CONFIRM_URL}\r\nX: y", "it is no URL"),
        ("file:///etc/passwd", "it is not https"),
        ("", "it is not https"),
    ],
)
async def test_nothing_but_the_confirmation_of_that_topic_is_called(tmp_path: Path, url: str, because: str):
    assert because in confirmation_fault(url, TOPIC)
    async with sns(tmp_path) as server:
        story = await Story(server.web).begin()
        with pytest.raises(InvalidPayload, match="SubscribeURL is not followed"):
            await story.hear(await story.receive(confirmation(SubscribeURL=url)))
        # Whatever an adapter lets through, the one that calls looks for itself.
        receipt = await story.receive(confirmation())
        with pytest.raises(InvalidPayload, match="not confirmed"):
            await story.subscriptions.handle(receipt, 0, msgspec.structs.replace(SAID, confirm_url=url))
        assert await story.facts() == []
        assert server.asked == []


def test_a_topic_that_is_none_is_not_confirmed():
    assert "its host is not that of the topic" in confirmation_fault(CONFIRM_URL, "arn:aws:sqs:eu-west-1:1:alarms")


async def test_who_comes_without_a_key_is_not_confirmed(tmp_path: Path):
    async with sns(tmp_path) as server:
        story = await Story(server.web).begin()
        with pytest.raises(InvalidPayload, match="integration key"):
            await story.hear(await story.receive(confirmation(), integration=NATS_INTEGRATION))
        assert server.asked == []


async def test_what_a_stop_left_unanswered_is_answered_after_the_start(tmp_path: Path):
    async with sns(tmp_path) as server:
        story = await Story(server.web).begin()
        receipt = await story.receive(confirmation())
        await story.hear(receipt)
        await story.subscriptions.stop()
        assert await story.facts() == [ASKED]
        again = Story(server.web, log=story.log, receipts=story.receipts)
        await again.subscriptions.resume()
        assert await again.facts() == [ASKED, CONFIRMED]
        # And nothing is left to do at the next start.
        asked = len(server.asked)
        await again.subscriptions.resume()
        await again.facts()
        assert len(server.asked) == asked


async def test_a_question_that_is_no_longer_kept_is_told_to_be_lost(tmp_path: Path):
    async with sns(tmp_path) as server:
        story = await Story(server.web).begin()
        await story.hear(await story.receive(confirmation()))
        await story.subscriptions.stop()
        again = Story(server.web, log=story.log)
        await again.subscriptions.resume()
        because = "the question is no longer kept; have it sent again"
        assert await again.facts() == [ASKED, KeySubscriptionFailed(topic=TOPIC, receipt_seq=1, because=because)]


async def test_a_topic_confirms_itself_and_then_sends(intake_nats: NatsProcess, tmp_path: Path):
    async with sns(tmp_path) as server, running(intake_nats.url, tmp_path, web=server.web) as intake:
        hook = intake.hook("sns")
        question = server.signed(confirmation(SignatureVersion="2"))
        assert (await intake.post(hook, question, content_type="text/plain; charset=UTF-8")).is_success
        facts = await intake.facts("key")

        async def is_confirmed() -> bool:
            nonlocal facts
            facts = await intake.facts("key")
            return any(isinstance(recorded.fact, KeySubscriptionConfirmed) for recorded in facts)

        await eventually(is_confirmed, "the topic is confirmed")
        assert server.asked[-1] == CONFIRM_PATH
        # The token stays in the question; the log does not repeat it.
        assert not any(TOKEN in str(recorded.fact) for recorded in facts)
        gone = server.signed(confirmation(Type="UnsubscribeConfirmation"))
        assert (await intake.post(hook, gone)).is_success
        (silent,) = await intake.said("AlertFired")
        assert silent.title == "SNS topic alarms no longer sends here"
        assert (await intake.post(hook, server.signed(notification("hello")))).is_success
        assert (await intake.post(hook, server.signed(confirmation(MessageId="another")))).is_success
        await intake.said("AlertFired", "AlertFired", "AlertCleared")
