"""A payload that no adapter understands is kept as a dead letter, while others go on."""

import asyncio

import httpx
import nats

from tests.e2e.platform import Platform


def publish(platform: Platform, subject: str, *payloads: bytes) -> None:
    """Publish as a producer does who knows nothing of Recount but an address, a user and a password."""

    async def run() -> None:
        client = await nats.connect(platform.said["nats"], **platform.said["producer"])
        for payload in payloads:
            await client.request(subject, payload, timeout=10)
        await client.close()

    asyncio.run(run())


def test_what_cannot_be_understood_is_kept_and_what_can_be_goes_on(platform: Platform):
    publish(platform, "intake.json", b"this is not JSON", b'{"title": "search is slow", "severity": "critical"}')
    refused = httpx.post(
        f"{platform.said['intake_url']}/hooks/alertmanager/{platform.said['keys']['alertmanager']}", content=b"{"
    )
    assert refused.status_code == 400
    letters = platform.rows("select source_stream, source_subject from dead_letters order by source_subject", 2)
    assert [letter["source_subject"] for letter in letters] == ["intake.alertmanager", "intake.json"]
    assert {letter["source_stream"] for letter in letters} == {"INTAKE"}
    platform.rows("select 1 from alerts where title = 'search is slow'")
    assert platform.differences() == []
