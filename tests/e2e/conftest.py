"""A running platform, a mail server that keeps what it gets, and Debian's Alertmanager."""

from collections.abc import Iterator
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.controller import Controller

from tests.e2e.deployment import Deployment
from tests.http_process import ALERTMANAGER, running_alertmanager
from tests.nats_process import free_port


class Mailbox:
    """What a mail server received."""

    def __init__(self) -> None:
        self.mails: list[EmailMessage] = []

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Any) -> str:
        """aiosmtpd calls it with each mail."""
        self.mails.append(message_from_bytes(envelope.content, policy=default))
        return "250 OK"

    def to(self, address: str) -> list[EmailMessage]:
        """The mails to one address."""
        return [mail for mail in list(self.mails) if address in str(mail["To"])]


@pytest.fixture
def mailbox() -> Iterator[tuple[Mailbox, int]]:
    """A mailbox and the port of its server."""
    box, port = Mailbox(), free_port()
    controller = Controller(box, hostname="127.0.0.1", port=port)
    controller.start()
    yield box, port
    controller.stop()


@pytest.fixture
def deployment(tmp_path: Path, mailbox: tuple[Mailbox, int], request: pytest.FixtureRequest) -> Iterator[Deployment]:
    """A platform that pages ada, then grace, by mail."""
    deployment = Deployment(tmp_path, smtp_port=mailbox[1], **getattr(request, "param", {})).start()
    try:
        yield deployment
    finally:
        deployment.stop()


@pytest.fixture
def alertmanager(tmp_path: Path, deployment: Deployment) -> Iterator[str]:
    """The address of a stock Alertmanager whose only change is our receiver."""
    if not ALERTMANAGER:
        pytest.skip("Debian's prometheus-alertmanager is not installed")
    config = f"""
route:
  receiver: recount
  group_by: [service]
  group_wait: 100ms
  group_interval: 200ms
  repeat_interval: 1h
receivers:
  - name: recount
    webhook_configs:
      - url: {deployment.platform.intake_url}/hooks/alertmanager/{deployment.platform.keys["alertmanager"]}
        send_resolved: true
"""
    with running_alertmanager(tmp_path, config) as (url, _pid):
        yield url
