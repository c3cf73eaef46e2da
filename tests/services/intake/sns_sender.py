"""What stands for Amazon SNS in tests: a certificate authority, an HTTPS server, and messages signed as SNS signs them.

The string to sign is written out here after AWS's own description, and not taken from the adapter that is tested.
"""

import asyncio
import ssl
from base64 import b64encode
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.hashes import SHA1, SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from services.intake.public_web import PublicWeb

HOST = "sns.eu-west-1.amazonaws.com"
TOPIC = "arn:aws:sns:eu-west-1:123456789012:alarms"
CERTIFICATE_PATH = "/SimpleNotificationService-0a1b2c3d4e5f60718293a4b5c6d7e8f9.pem"
TOKEN = "2336412f37fb687f5d51e6e241d09c805a5a57b30d712f794cc5f6a988666d92"
CONFIRM_URL = f"https://{HOST}/?Action=ConfirmSubscription&TopicArn={TOPIC}&Token={TOKEN}"
CONFIRMED = b"""<ConfirmSubscriptionResponse xmlns="http://sns.amazonaws.com/doc/2010-03-31/">
  <ConfirmSubscriptionResult><SubscriptionArn>%s:9d1b</SubscriptionArn></ConfirmSubscriptionResult>
</ConfirmSubscriptionResponse>""" % TOPIC.encode()


def make_key() -> rsa.RSAPrivateKey:
    """A key of the length that SNS has."""
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


def make_certificate(
    key: rsa.RSAPrivateKey,
    name: str,
    *,
    issuer: x509.Certificate | None = None,
    issuer_key: rsa.RSAPrivateKey | None = None,
    days: int = 30,
) -> x509.Certificate:
    """A certificate; signed by itself without an issuer. A negative number of days: it has run out."""
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    start = datetime.now(UTC) - timedelta(days=60)
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer.subject if issuer else subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(start)
        .not_valid_after(datetime.now(UTC) + timedelta(days=days))
        .add_extension(x509.BasicConstraints(ca=issuer is None, path_length=None), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    )
    if issuer and issuer_key:
        names = x509.SubjectAlternativeName([x509.DNSName(name)])
        authority = x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_key.public_key())
        builder = builder.add_extension(names, critical=False).add_extension(authority, critical=False)
    return builder.sign(issuer_key or key, SHA256())


def pem(certificate: x509.Certificate) -> bytes:
    """A certificate as SNS publishes it."""
    return certificate.public_bytes(Encoding.PEM)


def sign(envelope: dict[str, Any], key: rsa.RSAPrivateKey) -> dict[str, Any]:
    """An envelope with its signature."""
    if envelope["Type"] == "Notification":
        names = ["Message", "MessageId", "Subject", "Timestamp", "TopicArn", "Type"]
    else:
        names = ["Message", "MessageId", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type"]
    text = "".join(f"{name}\n{envelope[name]}\n" for name in names if envelope.get(name) is not None)
    algorithm = SHA256() if envelope["SignatureVersion"] == "2" else SHA1()
    signature = key.sign(text.encode(), padding.PKCS1v15(), algorithm)
    return {**envelope, "Signature": b64encode(signature).decode()}


def notification(message: str, **changes: Any) -> dict[str, Any]:
    """A notification, not signed yet."""
    envelope = {
        "Type": "Notification",
        "MessageId": "22b80b92-fdea-4c2c-8f9d-bdfb0c7bf324",
        "TopicArn": TOPIC,
        "Subject": "Disk is “full”",
        "Message": message,
        "Timestamp": "2026-03-01T14:02:00.000Z",
        "SignatureVersion": "1",
        "SigningCertURL": f"https://{HOST}{CERTIFICATE_PATH}",
        "UnsubscribeURL": f"https://{HOST}/?Action=Unsubscribe&SubscriptionArn={TOPIC}:9d1b",
    }
    return {name: value for name, value in (envelope | changes).items() if value is not None}


def confirmation(**changes: Any) -> dict[str, Any]:
    """The question whether we want a topic, not signed yet."""
    envelope = {
        "Type": "SubscriptionConfirmation",
        "MessageId": "165545c9-2a5c-472c-8df2-7ff2be2b3b1b",
        "Token": TOKEN,
        "TopicArn": TOPIC,
        "Message": f"You have chosen to subscribe to the topic {TOPIC}.\nTo confirm, visit the SubscribeURL.",
        "SubscribeURL": CONFIRM_URL,
        "Timestamp": "2026-03-01T14:00:00.000Z",
        "SignatureVersion": "1",
        "SigningCertURL": f"https://{HOST}{CERTIFICATE_PATH}",
    }
    return envelope | changes


@dataclass
class Sns:
    """A server that answers as SNS does."""

    key: rsa.RSAPrivateKey
    web: PublicWeb
    """Reaches it by its public names."""
    asked: list[str] = field(default_factory=list)
    """Paths that it was asked for, in order."""
    answers: dict[str, tuple[int, bytes, str]] = field(default_factory=dict)
    """By path: status, body and ``Location``."""

    def signed(self, envelope: dict[str, Any]) -> dict[str, Any]:
        """An envelope as this SNS sends it."""
        return sign(envelope, self.key)


@asynccontextmanager
async def sns(folder: Path, *, is_allowed: Callable[[str], bool] = lambda _address: True) -> AsyncIterator[Sns]:
    """A running server.

    Args:
        folder: for its TLS certificate.
        is_allowed: whether an address may be called; it listens on the loopback address.
    """
    authority_key, tls_key, signing_key = make_key(), make_key(), make_key()
    authority = make_certificate(authority_key, "Test Authority")
    tls = make_certificate(tls_key, HOST, issuer=authority, issuer_key=authority_key)
    chain = folder / "tls.pem"
    private = tls_key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    chain.write_bytes(private + pem(tls))
    serving = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    serving.load_cert_chain(chain)
    trusting = ssl.create_default_context(cadata=pem(authority).decode())

    async def on_client(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        path = head.split(" ")[1]
        server.asked.append(path)
        status, body, location = server.answers.get(path, (404, b"", ""))
        lines = [f"HTTP/1.1 {status} -", f"content-length: {len(body)}", "connection: close"]
        if location:
            lines.append(f"location: {location}")
        writer.write("\r\n".join([*lines, "", ""]).encode() + body)
        await writer.drain()
        writer.close()

    listening = await asyncio.start_server(on_client, "127.0.0.1", 0, ssl=serving)
    port = listening.sockets[0].getsockname()[1]

    async def resolve(_host: str) -> list[tuple[str, int]]:
        return [("127.0.0.1", port)]

    server = Sns(signing_key, PublicWeb(tls=trusting, resolve=resolve, is_allowed=is_allowed))
    certificate = make_certificate(signing_key, "sns.amazonaws.com", issuer=authority, issuer_key=authority_key)
    server.answers[CERTIFICATE_PATH] = (200, pem(certificate), "")
    server.answers[CONFIRM_URL.removeprefix(f"https://{HOST}")] = (200, CONFIRMED, "")
    async with listening:
        yield server
