"""Amazon SNS, HTTPS subscriptions (developer guide, "Amazon SNS message and JSON formats", "Verifying the signatures").

Inside ``Message`` come alarms of CloudWatch and events of EventBridge, such as findings of GuardDuty; any other text is
an alert of unknown severity, named by its subject. A subscription confirms itself; one that was taken back is an alert.

SNS takes any 2xx within 15 seconds as delivered, repeats 5xx and 429 three times in a minute by default, and gives up
at any other 4xx. A repeat has the same ``MessageId``. Every message is signed with a certificate that lies at SNS, so
raw message delivery, which is not signed, must be off.
"""

from base64 import b64decode
from collections.abc import Mapping
from typing import Annotated, Any

import msgspec
from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.hashes import SHA1, SHA256, HashAlgorithm

from events.receipt import Receipt
from services.intake.adapters import Adapter, InvalidPayload
from services.intake.aws_addresses import certificate_fault, confirmation_fault
from services.intake.aws_messages import decoded, signals_of
from services.intake.payload import accepted, decoded_as, identity
from services.intake.signal import Said, Signal, Subscription, lenient_moment
from services.intake.signature import Forged, Proof, Signature

# Bytes of an SNS message; what is larger lies in S3. The rest of the envelope is small, escapes may double it.
MESSAGE_BYTES_MAX = 640 * 1024

_HASHES: dict[str, type[HashAlgorithm]] = {"1": SHA1, "2": SHA256}
"""By ``SignatureVersion``. SNS signs with version 1 unless its topic says otherwise."""

_NOTIFICATION = ("Message", "MessageId", "Subject", "Timestamp", "TopicArn", "Type")
_CONFIRMATION = ("Message", "MessageId", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type")
_SIGNED = {
    "Notification": _NOTIFICATION,
    "SubscriptionConfirmation": _CONFIRMATION,
    "UnsubscribeConfirmation": _CONFIRMATION,
}
"""What the signature covers, by type, in the order in which it is signed."""

_ANY_TEXT = Annotated[str, msgspec.Meta(max_length=MESSAGE_BYTES_MAX)]


class Payload(msgspec.Struct, frozen=True, rename="pascal"):
    """An envelope of SNS."""

    type: str
    message_id: str
    topic_arn: str
    message: _ANY_TEXT
    timestamp: str = ""
    subject: str | None = None
    token: str = ""
    subscribe_url: str = msgspec.field(default="", name="SubscribeURL")


_DECODER = msgspec.json.Decoder(Payload)


def parse(receipt: Receipt) -> Payload:
    """See `Adapter.parse`."""
    payload = decoded_as(_DECODER, receipt.body, "a message of SNS")
    if payload.type not in _SIGNED:
        raise InvalidPayload(f"SNS has no message type {payload.type[:40]!r}; there are {', '.join(_SIGNED)}")
    if payload.type == "SubscriptionConfirmation":
        fault = confirmation_fault(payload.subscribe_url, payload.topic_arn)
        if fault:
            raise InvalidPayload(f"SubscribeURL is not followed: {fault}")
    return payload


def signals(payload: Payload, _receipt: Receipt) -> tuple[Said, ...]:
    """See `Adapter.signals`."""
    match payload.type:
        case "SubscriptionConfirmation":
            asked = Subscription(topic=payload.topic_arn, confirm_url=payload.subscribe_url)
            return (asked, _unsubscribed(payload, is_over=True))
        case "UnsubscribeConfirmation":
            return (_unsubscribed(payload, is_over=False),)
        case _:
            message = decoded(payload.message)
            if isinstance(message, dict):
                try:
                    return signals_of(message, topic=payload.topic_arn)
                except InvalidPayload:
                    pass  # a topic carries whatever is published to it
            return (_text(payload),)


def _text(payload: Payload) -> Signal:
    name = payload.topic_arn.rpartition(":")[2]
    subject = (payload.subject or "").strip() or payload.message.strip().partition("\n")[0] or f"message of {name}"
    return Signal(
        state="firing",
        fingerprint=identity(f"{payload.topic_arn}:{subject}"),
        title=subject,
        labels={"alertname": subject[:200], "topic": payload.topic_arn},
        annotations={"message": payload.message, "message_id": payload.message_id},
        observed_at=lenient_moment(payload.timestamp),
    )


def _unsubscribed(payload: Payload, *, is_over: bool) -> Signal:
    """An alarm that is no longer delivered is silence, so it is an alert of its own."""
    said_at = lenient_moment(payload.timestamp)
    return Signal(
        state="resolved" if is_over else "firing",
        fingerprint=identity(f"unsubscribed:{payload.topic_arn}"),
        title=f"SNS topic {payload.topic_arn.rpartition(':')[2]} no longer sends here",
        severity="warning",
        labels={"alertname": "RecountUnsubscribed", "topic": payload.topic_arn},
        annotations={} if is_over else {"message": payload.message, "fix": "subscribe the topic to this address again"},
        observed_at=said_at,
        only_if_known=is_over,
    )


def string_to_sign(envelope: Mapping[str, Any]) -> bytes:
    """What SNS signs of an envelope: its names and values, a line each, in the order of their bytes.

    Raises:
        Forged: it is no envelope.
    """
    names = _SIGNED.get(str(envelope.get("Type")))
    if names is None:
        raise Forged(f"the body is no message of SNS; its Type is none of {', '.join(_SIGNED)}")
    lines: list[str] = []
    for name in names:
        value = envelope.get(name)
        if value is None and name == "Subject":
            continue
        if not isinstance(value, str):
            raise Forged(f"the body is no message of SNS: {name} is missing")
        lines += (name, value)
    return ("\n".join(lines) + "\n").encode()


def certificate_url(body: bytes) -> str:
    """Where the certificate lies that a body was signed with.

    Raises:
        Forged: the body is not signed, or the place is not SNS.
    """
    url = _envelope(body).get("SigningCertURL")
    if not isinstance(url, str):
        raise Forged("the body is not a signed message of SNS; turn raw message delivery off")
    fault = certificate_fault(url)
    if fault:
        raise Forged(f"SigningCertURL is not followed: {fault}")
    return url


def check(_headers: Mapping[str, str], body: bytes, proof: Proof) -> None:
    """Check the signature of a message. See `services.intake.signature.Check`."""
    envelope = _envelope(body)
    version = envelope.get("SignatureVersion")
    algorithm = _HASHES.get(version) if isinstance(version, str) else None
    if algorithm is None:
        raise Forged(f"SignatureVersion is not one of {', '.join(_HASHES)}")
    try:
        certificate = x509.load_pem_x509_certificate(proof.certificate)
        signature = b64decode(str(envelope.get("Signature")), validate=True)
    except ValueError as error:
        raise Forged(f"the signature or its certificate cannot be read: {error}") from error
    if not certificate.not_valid_before_utc <= proof.now <= certificate.not_valid_after_utc:
        raise Forged("the certificate that SigningCertURL names is not valid now")
    key = certificate.public_key()
    if not isinstance(key, RSAPublicKey):
        raise Forged("the certificate that SigningCertURL names has no RSA key")
    try:
        key.verify(signature, string_to_sign(envelope), PKCS1v15(), algorithm())
    except InvalidSignature as error:
        raise Forged(
            "the signature does not fit the message: it was changed on its way, or SNS never sent it"
        ) from error


def _envelope(body: bytes) -> dict[str, Any]:
    envelope = decoded(body)
    if not isinstance(envelope, dict):
        raise Forged("the body is not a signed message of SNS")
    return envelope


ADAPTER = Adapter(
    name="sns",
    parse=parse,
    signals=signals,
    accepted=lambda _payload, _receipt: accepted(1),
    headers_kept=("x-amz-sns-",),
    signature=Signature(check=check, certificate_url=certificate_url),
)
