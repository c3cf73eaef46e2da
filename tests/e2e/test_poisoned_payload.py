"""A payload that no adapter understands is kept as a dead letter, while others go on."""

import asyncio

import httpx
import nats

from tests.e2e.deployment import Deployment


def publish(deployment: Deployment, subject: str, *payloads: bytes) -> None:
    """Publish as a producer does who knows nothing of Recount but an address, a user and a password."""

    async def run() -> None:
        client = await nats.connect(deployment.platform.nats, **deployment.platform.producer)
        for payload in payloads:
            await client.request(subject, payload, timeout=10)
        await client.close()

    asyncio.run(run())


def test_what_cannot_be_understood_is_kept_and_what_can_be_goes_on(deployment: Deployment):
    publish(deployment, "intake.json", b"this is not JSON", b'{"title": "search is slow", "severity": "critical"}')
    refused = httpx.post(
        f"{deployment.platform.intake_url}/hooks/alertmanager/{deployment.platform.keys['alertmanager']}", content=b"{"
    )
    assert refused.status_code == 400
    letters = deployment.rows("select source_stream, source_subject from dead_letters order by source_subject", 2)
    senders = [letter["source_subject"].split(".")[:2] for letter in letters]
    assert senders == [["intake", "alertmanager"], ["intake", "json"]]
    assert {letter["source_stream"] for letter in letters} == {"INTAKE"}
    deployment.rows("select 1 from alerts where title = 'search is slow'")
    assert deployment.differences() == []
