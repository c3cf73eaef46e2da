"""Alerts by e-mail: with a real client over a real socket, and nothing of the key in what is kept."""

import asyncio
import base64
import dataclasses
import re
import smtplib
import socket
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from pathlib import Path

import msgspec
import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from events.alert import AlertCleared, AlertFired
from events.errors import BadConfiguration
from events.nats_intake import NatsReceipts
from services.command import Done
from services.intake.commands import RevokeKey
from services.intake.mail_door import CONNECTIONS_MAX, MAIL_BYTES_MAX, RECIPIENTS_MAX, mail_without
from services.intake.mail_wiring import open_mail
from services.mail_settings import MailSettings
from tests.services.intake.stack import Stack


@asynccontextmanager
async def open_door(intake: Stack, *, queue_max: int = 2_000) -> AsyncIterator[int]:
    listener = socket.create_server(("127.0.0.1", 0))
    port = int(listener.getsockname()[1])
    try:
        mail = await open_mail(intake.context, listener, receipts=NatsReceipts(intake.client, queue_max=queue_max))
    except BadConfiguration:
        listener.close()
        raise
    try:
        yield port
    finally:
        await mail.drain()
        await mail.stop()


def letter(subject: str, text: str = "see the dashboard\n", **headers: str) -> EmailMessage:
    message = EmailMessage()
    message["From"] = "monitoring@mon.example.org"
    message["Subject"] = subject
    for name, value in headers.items():
        message[name.replace("_", "-")] = value
    message.set_content(text)
    return message


async def send(port: int, to: str | list[str], message: EmailMessage | bytes) -> dict[str, tuple[int, bytes]]:
    """Send a mail as any client would; the recipients that were refused, if not all."""

    def work() -> dict[str, tuple[int, bytes]]:
        with smtplib.SMTP("127.0.0.1", port, timeout=20) as client:
            if isinstance(message, bytes):
                return client.sendmail("monitoring@mon.example.org", to, message)
            return client.send_message(message, "monitoring@mon.example.org", to)

    return await asyncio.to_thread(work)


async def test_a_mail_fires_and_another_resolves(intake: Stack):
    address = f"{intake.secrets['email']}@recount.example.org"
    async with open_door(intake) as port:
        message = letter("[FIRING:1] disk full on db-1", To=address, X_Recount_Service="db")
        assert await send(port, address, message) == {}
        assert await send(port, address, letter("[FIRING:2] disk full on db-1")) == {}
        assert await send(port, address, letter("Re: [RESOLVED] disk full on db-1", "thanks\n")) == {}
        fired, cleared = await intake.said("AlertFired", "AlertCleared")
    assert isinstance(fired, AlertFired)
    assert isinstance(cleared, AlertCleared)
    assert (fired.title, fired.severity, fired.service, fired.sender) == ("disk full on db-1", "error", "db", "email")
    assert fired.integration == "key-email"
    receipt = await intake.receipts.get(fired.receipt_seq)
    assert receipt is not None
    assert receipt.body.startswith(b"From: monitoring@mon.example.org")
    assert b"key-email@recount.example.org" in receipt.body
    assert intake.secrets["email"].encode() not in receipt.body


def encrypted(intake: Stack, folder: Path, **more: bool) -> ssl.SSLContext:
    """Give the mail door a certificate; what a client trusts that knows it."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(datetime.now(UTC) - timedelta(days=1))
        .not_valid_after(datetime.now(UTC) + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .sign(key, SHA256())
    )
    certificate, secret = folder / "mail.pem", folder / "mail.key"
    certificate.write_bytes(made.public_bytes(Encoding.PEM))
    secret.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    mail = MailSettings(enabled=True, tls_certificate=str(certificate), tls_key=str(secret), **more)
    settings = msgspec.structs.replace(intake.context.settings, mail=mail)
    intake.context = dataclasses.replace(intake.context, settings=settings)
    return ssl.create_default_context(cafile=str(certificate))


async def test_a_mail_may_come_encrypted(intake: Stack, tmp_path: Path):
    trusted = encrypted(intake, tmp_path)
    address = f"{intake.secrets['email']}@recount.example.org"

    def work(port: int) -> None:
        with smtplib.SMTP("localhost", port, timeout=20) as client:
            client.ehlo()
            assert client.has_extn("starttls")
            client.starttls(context=trusted)
            client.ehlo()
            assert not client.has_extn("starttls")
            client.send_message(letter("[FIRING] disk full"), "monitoring@mon.example.org", address)

    async with open_door(intake) as port:
        await asyncio.to_thread(work, port)
        # Who cannot encrypt is heard all the same.
        assert await send(port, address, letter("[FIRING] another")) == {}
        await intake.said("AlertFired", "AlertFired")


async def test_a_mail_that_comes_unencrypted_is_refused_where_the_settings_say_so(intake: Stack, tmp_path: Path):
    encrypted(intake, tmp_path, require_tls=True)
    async with open_door(intake) as port:
        with pytest.raises(smtplib.SMTPException) as refused:
            await send(port, f"{intake.secrets['email']}@recount.example.org", letter("x"))
    assert "STARTTLS" in str(refused.value)
    assert await intake.receipt_count() == 0


async def test_the_last_connection_that_there_is_room_for_may_be_encrypted(intake: Stack, tmp_path: Path):
    trusted = encrypted(intake, tmp_path)

    def work(port: int) -> tuple[int, bytes]:
        with smtplib.SMTP("localhost", port, timeout=20) as client:
            client.starttls(context=trusted)
            return client.noop()

    async with open_door(intake) as port:
        held = [await asyncio.open_connection("127.0.0.1", port) for _ in range(CONNECTIONS_MAX - 1)]
        for reader, _writer in held:
            assert (await reader.readline()).startswith(b"220 ")
        assert (await asyncio.to_thread(work, port))[0] == 250
        for _reader, writer in held:
            writer.close()


async def test_a_certificate_that_cannot_be_used_is_told_at_the_start(intake: Stack, tmp_path: Path):
    encrypted(intake, tmp_path)
    (tmp_path / "mail.key").write_text("no key")
    with pytest.raises(BadConfiguration, match=r"mail\.tls_certificate .* and mail\.tls_key .* cannot be used"):
        async with open_door(intake):
            pass


async def test_only_keys_for_mail_are_recipients_and_nothing_is_relayed(intake: Stack):
    secret = intake.secrets["email"]
    async with open_door(intake) as port:
        for to, code, told in (
            ("somebody@elsewhere.example", 550, b"no integration key"),
            (f"{intake.secrets['json']}@recount.example.org", 550, b"key-json is for json"),
        ):
            with pytest.raises(smtplib.SMTPRecipientsRefused) as refused:
                await send(port, to, letter("x"))
            ((found, because),) = refused.value.recipients.values()
            assert found == code
            assert told in because
        # One that is good gets its copy; what follows a plus does not matter.
        left = await send(port, [f"{secret}+nagios@x.example", "somebody@elsewhere.example"], letter("one is good"))
        assert list(left) == ["somebody@elsewhere.example"]
        await intake.said("AlertFired")

        many = [f"{secret}+{number}@x.example" for number in range(RECIPIENTS_MAX + 1)]
        (code, _because), *_ = (await send(port, many, letter("many"))).values()
        assert code == 452

        assert isinstance(await intake.order(RevokeKey(key_id="key-email")), Done)
        with suppress(smtplib.SMTPRecipientsRefused):
            # An unknown recipient makes the door look at the keys again.
            await send(port, "nobody@x.example", letter("x"))
        with pytest.raises(smtplib.SMTPRecipientsRefused) as refused:
            await send(port, f"{secret}@x.example", letter("x"))
        assert b"revoked" in next(iter(refused.value.recipients.values()))[1]


async def test_a_full_intake_lets_the_other_server_try_again(intake: Stack):
    address = f"{intake.secrets['email']}@recount.example.org"
    async with open_door(intake, queue_max=0) as port:
        with pytest.raises(smtplib.SMTPDataError) as refused:
            await send(port, address, letter("x"))
    assert refused.value.smtp_code == 451
    assert await intake.receipt_count() == 0


async def test_a_mail_that_is_too_large_is_refused_for_good(intake: Stack):
    address = f"{intake.secrets['email']}@recount.example.org"
    async with open_door(intake) as port:
        with pytest.raises(smtplib.SMTPResponseException) as refused:
            await send(port, address, letter("big", "x" * 60 + "\n" + ("y" * 70 + "\n") * (MAIL_BYTES_MAX // 70)))
        assert refused.value.smtp_code == 552
        # A long line is no reason: many write HTML so.
        await send(port, address, letter("[FIRING] long").as_bytes() + b"z" * 5_000 + b"\r\n")
        await intake.said("AlertFired")


async def test_what_is_no_mail_is_told_and_kept_as_a_dead_letter(intake: Stack):
    address = f"{intake.secrets['email']}@recount.example.org"
    async with open_door(intake) as port:
        with pytest.raises(smtplib.SMTPDataError) as refused:
            await send(port, address, letter("odd", X_Recount_State="purple"))
    assert refused.value.smtp_code == 550
    assert b"X-Recount-State" in refused.value.smtp_error
    (letter_kept,) = await intake.said("DeadLetterRecorded", category="deadletter")
    assert "purple" in letter_kept.error  # type: ignore[attr-defined]


async def test_one_connection_too_many_comes_again_later(intake: Stack):
    async with open_door(intake) as port:
        held = [await asyncio.open_connection("127.0.0.1", port) for _ in range(CONNECTIONS_MAX)]
        for reader, _writer in held:
            assert (await reader.readline()).startswith(b"220 ")
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        assert (await reader.readline()).startswith(b"421 ")
        writer.close()
        for _reader, writer in held:
            writer.close()


def test_the_key_is_taken_out_of_encoded_headers_and_parts():
    secret = "AbC123xyz" * 3
    text = base64.b64encode(f"you wrote to {secret}@x.example\n".encode()).decode()
    subject = base64.b64encode(f"to {secret}".encode()).decode()
    raw = (
        f"From: a@b.example\r\nTo: {secret}@x.example\r\nSubject: =?utf-8?b?{subject}?=\r\n"
        f"Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: base64\r\n\r\n{text}\r\n"
    ).encode()
    kept = mail_without(secret, "key-email", raw)
    decoded = kept + b"".join(base64.b64decode(each + b"==") for each in re.findall(rb"[A-Za-z0-9+/]{16,}", kept))
    assert secret.encode() not in decoded
    assert b"key-email@x.example" in kept
    assert b"you wrote to key-email@x.example" in decoded
