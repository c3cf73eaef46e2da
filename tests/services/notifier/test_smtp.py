"""Mail through a real SMTP server."""

import email
import email.policy
import ssl
import subprocess
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult, LoginPassword

from events.person import Contact
from services.notifier.channel import ChannelFailed, ChannelSettings, Message
from services.notifier.channels import smtp
from services.settings import SmtpSettings
from tests.nats_process import free_port

ADA = Contact(channel="smtp", address="ada@example.org")
MESSAGE = Message(
    id="pg-9k4m2n7pq3.1",
    subject="[sev1] INC-42: Checkout latency “p99” > 2 s",
    body="Acknowledge:\nhttps://recount.example.org/ack/abc\n",
    at=datetime(2026, 3, 1, 14, 2, tzinfo=UTC),
)


class Sink:
    """Takes mail, or answers what a test tells it to."""

    def __init__(self) -> None:
        self.mails: list[email.message.EmailMessage] = []
        self.recipients: list[str] = []
        self.rcpt_answer = "250 OK"
        self.data_answer = "250 taken"
        self.logins: list[tuple[bytes, bytes]] = []

    async def handle_RCPT(self, server, session, envelope, address, options):
        envelope.rcpt_tos.append(address)
        return self.rcpt_answer

    async def handle_DATA(self, server, session, envelope):
        self.recipients += envelope.rcpt_tos
        self.mails.append(email.message_from_bytes(envelope.content, policy=email.policy.default))
        return self.data_answer

    def authenticate(self, server, session, envelope, mechanism, data):
        assert isinstance(data, LoginPassword)
        self.logins.append((data.login, data.password))
        return AuthResult(success=data.password == b"secret")


@pytest.fixture
def sink() -> Iterator[tuple[Sink, SmtpSettings]]:
    handler = Sink()
    controller = Controller(handler, hostname="127.0.0.1", port=free_port())
    controller.start()
    yield handler, settings_of(controller)
    controller.stop()


def settings_of(controller: Controller, **more) -> SmtpSettings:
    return SmtpSettings(host="127.0.0.1", port=controller.port, sender="recount@example.org", **more)


async def test_a_mail_arrives_with_the_id_of_its_page_and_attempt(sink):
    handler, settings = sink
    receipt = await smtp.send(MESSAGE, ADA, ChannelSettings(smtp=settings))
    [mail] = handler.mails
    assert receipt.reference == mail["Message-ID"] == "<pg-9k4m2n7pq3.1@example.org>"
    assert mail["Subject"] == MESSAGE.subject
    assert mail["To"] == "ada@example.org"
    assert mail["From"] == "recount@example.org"
    assert mail["Auto-Submitted"] == "auto-generated"
    assert mail["Date"].datetime == MESSAGE.at
    assert mail.get_content().replace("\r\n", "\n") == MESSAGE.body
    assert handler.recipients == ["ada@example.org"]


async def test_a_refused_recipient_is_final(sink):
    handler, settings = sink
    handler.rcpt_answer = "550 no such mailbox"
    with pytest.raises(ChannelFailed, match="refused the recipient: 550 no such mailbox") as caught:
        await smtp.send(MESSAGE, ADA, ChannelSettings(smtp=settings))
    assert caught.value.permanent
    assert not caught.value.unknown


async def test_a_server_that_is_busy_is_tried_again(sink):
    handler, settings = sink
    handler.data_answer = "451 come back later"
    with pytest.raises(ChannelFailed, match="451 come back later") as caught:
        await smtp.send(MESSAGE, ADA, ChannelSettings(smtp=settings))
    assert not caught.value.permanent
    assert not caught.value.unknown


async def test_a_server_that_is_away_surely_took_nothing(sink):
    _handler, _settings = sink
    gone = Controller(Sink(), hostname="127.0.0.1", port=free_port())
    gone.start()
    nobody = settings_of(gone)
    gone.stop()
    with pytest.raises(ChannelFailed, match="could not be reached") as caught:
        await smtp.send(MESSAGE, ADA, ChannelSettings(smtp=nobody))
    assert not caught.value.permanent
    assert not caught.value.unknown


async def test_without_a_mail_server_the_reason_names_the_setting():
    with pytest.raises(ChannelFailed, match=r"\[smtp\] is missing in recount.toml") as caught:
        await smtp.send(MESSAGE, ADA, ChannelSettings())
    assert caught.value.permanent


async def test_starttls_to_a_server_that_does_not_offer_it_is_not_sent_in_clear(sink):
    handler, settings = sink
    asking = SmtpSettings(host="127.0.0.1", port=settings.port, security="starttls")
    with pytest.raises(ChannelFailed, match="does not offer"):
        await smtp.send(MESSAGE, ADA, ChannelSettings(smtp=asking))
    assert handler.mails == []


@pytest.fixture
def server_side_tls(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ssl.SSLContext:
    """The context of a server called localhost, whom this process trusts."""
    certificate, key = tmp_path / "cert.pem", tmp_path / "key.pem"
    command = (
        "openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=localhost -addext subjectAltName=DNS:localhost"
    )
    subprocess.run([*command.split(), "-keyout", key, "-out", certificate], check=True, capture_output=True)
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate, key)
    return context


async def test_mail_goes_over_tls_with_a_login_when_that_is_configured(server_side_tls: ssl.SSLContext):
    handler = Sink()
    controller = Controller(
        handler, hostname="127.0.0.1", port=free_port(), tls_context=server_side_tls, authenticator=handler.authenticate
    )
    controller.start()
    try:
        plain = settings_of(controller, user="recount", password="secret", security="starttls")
        settings = SmtpSettings(
            host="localhost", port=plain.port, user="recount", password="secret", security="starttls"
        )
        await smtp.send(MESSAGE, ADA, ChannelSettings(smtp=settings))
        assert handler.logins == [(b"recount", b"secret")]
        assert len(handler.mails) == 1
    finally:
        controller.stop()


@pytest.mark.parametrize(
    "address", ["", "ada", "ada@", "@example.org", "Ada <ada@example.org>", "a@b.org, c@d.org", "a b@example.org"]
)
def test_an_address_that_is_none_is_told_before_it_is_needed(address: str):
    assert smtp.problem_with(Contact(channel="smtp", address=address))


def test_a_plain_address_will_do():
    assert smtp.problem_with(ADA) is None
