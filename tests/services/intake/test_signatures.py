"""A request that is not what its sender signed does not get in, and is told why."""

import hashlib
import hmac
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
import pytest

from events.audit import KeySigningChanged
from services.command import Done, Refused
from services.intake.adapters import adapters
from services.intake.adapters.sns import ADAPTER, certificate_url, check, string_to_sign
from services.intake.commands import SignKey
from services.intake.signature import AGE_S_MAX, Forged, Proof, hmac_sha256
from services.signing_secrets import FILE_NAME, SigningSecrets
from tests.adapters.test_adapters import FOLDER
from tests.nats_process import NatsProcess
from tests.services.intake.sns_sender import (
    CERTIFICATE_PATH,
    HOST,
    TOPIC,
    confirmation,
    make_certificate,
    make_key,
    notification,
    pem,
    sign,
    sns,
)
from tests.services.intake.stack import Stack, eventually, running

NOW = datetime.now(UTC)
KEY = make_key()
PROOF = Proof(now=NOW, certificate=pem(make_certificate(KEY, "sns.amazonaws.com")))
# Sentry's client secrets are 64 hex digits.
CLIENT_SECRET = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"

BODIES = (
    notification('{"AlarmName":"cpu"}'),
    notification("two\nlines, “quotes” and \\ backslashes", SignatureVersion="2"),
    notification("no subject", Subject=None),
    confirmation(),
    confirmation(Type="UnsubscribeConfirmation", SignatureVersion="2"),
)


def body(envelope: dict[str, Any]) -> bytes:
    return msgspec.json.encode(envelope)


@pytest.mark.parametrize("envelope", BODIES, ids=lambda one: f"{one['Type']}-{one['SignatureVersion']}")
def test_what_sns_signed_is_accepted(envelope: dict[str, Any]):
    assert certificate_url(body(envelope)) == f"https://{HOST}{CERTIFICATE_PATH}"
    check({}, body(sign(envelope, KEY)), PROOF)


@pytest.mark.parametrize("envelope", BODIES, ids=lambda one: f"{one['Type']}-{one['SignatureVersion']}")
def test_what_was_changed_on_its_way_is_refused(envelope: dict[str, Any]):
    signed = sign(envelope, KEY)
    covered = ["Message", "MessageId", "Subject", "SubscribeURL", "Timestamp", "Token", "TopicArn"]
    for name in covered:
        if name in signed and (name != "Subject" or signed["Type"] == "Notification"):
            with pytest.raises(Forged, match="does not fit the message"):
                check({}, body(signed | {name: f"{signed[name]}!"}), PROOF)


def test_the_string_to_sign_is_that_of_the_documentation():
    envelope = {
        "Type": "Notification",
        "MessageId": "4d4dc071-ddbf-465d-bba8-08f81c89da64",
        "TopicArn": "arn:aws:sns:us-east-2:123456789012:s4-MySNSTopic-1G1WEFCOXTC0P",
        "Subject": "My subject",
        "Message": "My Test Message",
        "Timestamp": "2012-06-05T04:37:04.321Z",
    }
    assert string_to_sign(envelope) == (
        b"Message\nMy Test Message\n"
        b"MessageId\n4d4dc071-ddbf-465d-bba8-08f81c89da64\n"
        b"Subject\nMy subject\n"
        b"Timestamp\n2012-06-05T04:37:04.321Z\n"
        b"TopicArn\narn:aws:sns:us-east-2:123456789012:s4-MySNSTopic-1G1WEFCOXTC0P\n"
        b"Type\nNotification\n"
    )


@pytest.mark.parametrize(
    ("changes", "because"),
    [
        ({"SignatureVersion": "3"}, "SignatureVersion is not one of 1, 2"),
        ({"SignatureVersion": 1}, "SignatureVersion is not one of 1, 2"),
        ({"SignatureVersion": "2"}, "does not fit the message"),  # signed with SHA-1, said to be SHA-256
        ({"Signature": "not base64!"}, "cannot be read"),
        ({"Signature": ""}, "does not fit the message"),
        ({"Type": "Promotion"}, "no message of SNS"),
        ({"Message": None}, "Message is missing"),
    ],
)
def test_a_signature_that_means_nothing_is_refused(changes: dict[str, Any], because: str):
    with pytest.raises(Forged, match=because):
        check({}, body(sign(notification("hello"), KEY) | changes), PROOF)


def test_another_key_is_not_sns():
    with pytest.raises(Forged, match="does not fit the message"):
        check({}, body(sign(notification("hello"), make_key())), PROOF)


def test_a_certificate_that_has_run_out_is_not_believed():
    expired = Proof(now=NOW, certificate=pem(make_certificate(KEY, "sns.amazonaws.com", days=-1)))
    with pytest.raises(Forged, match="not valid now"):
        check({}, body(sign(notification("hello"), KEY)), expired)
    with pytest.raises(Forged, match="cannot be read"):
        check({}, body(sign(notification("hello"), KEY)), Proof(now=NOW, certificate=b"<html>not found</html>"))


@pytest.mark.parametrize(
    ("url", "because"),
    [
        (f"http://{HOST}{CERTIFICATE_PATH}", "it is not https"),
        (f"https://evil.example{CERTIFICATE_PATH}", "its host"),
        (f"https://{HOST}.evil.example{CERTIFICATE_PATH}", "its host"),
        (f"https://evil-{HOST}{CERTIFICATE_PATH}", "its host"),
        (f"https://{HOST}@evil.example{CERTIFICATE_PATH}", "its host"),
        (f"https://user:password@{HOST}{CERTIFICATE_PATH}", "its host"),
        (f"https://{HOST}:8443{CERTIFICATE_PATH}", "its host"),
        (f"https://169.254.169.254{CERTIFICATE_PATH}", "its host"),
        (f"https://sns.amazonaws.com{CERTIFICATE_PATH}", "its host"),
        (f"https://s3.eu-west-1.amazonaws.com{CERTIFICATE_PATH}", "its host"),
        (f"https://{HOST}/bucket{CERTIFICATE_PATH}", "it is no certificate"),
        (f"https://{HOST}/SimpleNotificationService-../../x.pem", "it is no certificate"),
        (f"https://{HOST}{CERTIFICATE_PATH}?x=1", "it is no certificate"),
        (f"https://{HOST}{CERTIFICATE_PATH}#x", "it has a fragment"),
        (f"https://{HOST}{CERTIFICATE_PATH}\r\nHost: evil.example", "it is no URL"),
        ("https://[::1", "it is no URL"),
        ("", "it is not https"),
    ],
)
def test_a_certificate_comes_from_sns_alone(url: str, because: str):
    with pytest.raises(Forged, match=f"SigningCertURL is not followed: {because}"):
        certificate_url(body(notification("hello", SigningCertURL=url)))


def test_china_has_hosts_of_its_own():
    url = f"https://sns.cn-north-1.amazonaws.com.cn{CERTIFICATE_PATH}"
    assert certificate_url(body(notification("hello", SigningCertURL=url))) == url


@pytest.mark.parametrize("raw", [b"hello", b"[]", b'{"AlarmName":"cpu","NewStateValue":"ALARM"}'])
def test_raw_delivery_is_not_signed(raw: bytes):
    with pytest.raises(Forged, match="signed message of SNS"):
        certificate_url(raw)


def sentry_headers(payload: bytes, secret: str = CLIENT_SECRET) -> dict[str, str]:
    """As Sentry's documentation makes them."""
    digest = hmac.new(key=secret.encode("utf-8"), msg=payload, digestmod=hashlib.sha256).hexdigest()
    return {"sentry-hook-resource": "issue", "sentry-hook-signature": digest}


def test_a_signature_with_a_secret_fits_its_own_bytes_alone():
    signature = hmac_sha256("x-hub-signature-256", prefix="sha256=")
    # The example of GitHub's documentation, "Validating webhook deliveries".
    secret, payload = "It's a Secret to Everybody", b"Hello, World!"
    given: Mapping[str, str] = {
        "x-hub-signature-256": "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17"
    }
    signature.check(given, payload, Proof(now=NOW, secret=secret))
    for forged in (payload + b" ", b""):
        with pytest.raises(Forged, match="does not fit the body"):
            signature.check(given, forged, Proof(now=NOW, secret=secret))
    with pytest.raises(Forged, match="is not signed"):
        signature.check({}, payload, Proof(now=NOW, secret=secret))


def test_a_signature_with_a_time_is_good_for_minutes():
    signature = adapters()["grafana"].signature
    assert signature is not None
    secret, payload, at = "grafana-secret", b'{"alerts":[]}', int(NOW.timestamp())

    def headers(timestamp: int) -> dict[str, str]:
        digest = hmac.new(secret.encode(), f"{timestamp}:".encode() + payload, hashlib.sha256).hexdigest()
        return {"x-grafana-alerting-signature": digest, "x-grafana-alerting-timestamp": str(timestamp)}

    proof = Proof(now=NOW, secret=secret)
    signature.check(headers(at - 200), payload, proof)
    for timestamp in (at - AGE_S_MAX - 5, at + AGE_S_MAX + 5):
        with pytest.raises(Forged, match="not within 300 s of now"):
            signature.check(headers(timestamp), payload, proof)
    with pytest.raises(Forged, match="does not fit the body"):
        signature.check(headers(at) | {"x-grafana-alerting-timestamp": str(at + 1)}, payload, proof)
    plain = hmac.new(secret.encode(), payload, hashlib.sha256).hexdigest()
    signature.check({"x-grafana-alerting-signature": plain}, payload, proof)


def test_signing_secrets_are_kept_for_their_owner_alone(tmp_path: Path):
    writing, reading = SigningSecrets(tmp_path), SigningSecrets(tmp_path)
    assert reading.get("sig-1") is None
    first = writing.keep("key-sentry", "one secret")
    assert writing.keep("key-sentry", "one secret") == first
    assert reading.get(first) == "one secret"
    second = writing.keep("key-sentry", "another secret")
    # The former stays until every process has heard of the new one, and no longer.
    assert (reading.get(first), reading.get(second)) == ("one secret", "another secret")
    writing.keep("key-grafana", "one secret")
    writing.keep("key-sentry", "a third secret")
    assert (reading.get(first), reading.get(second)) == (None, "another secret")
    assert (tmp_path / FILE_NAME).stat().st_mode & 0o777 == 0o600


async def test_sentry_is_let_in_with_its_signature_only(intake: Stack):
    payload = (FOLDER / "sentry/issue_created.payload").read_bytes()
    hook = intake.hook("sentry")
    assert (await intake.post(hook, payload, sentry_hook_resource="issue")).status_code == 202
    signing_id = SigningSecrets(intake.context.data).keep("key-sentry", CLIENT_SECRET)
    done = await intake.order(SignKey(signing_id=signing_id), target="key-sentry")
    assert isinstance(done, Done)
    # That the key was used is said as well, sooner or later.
    assert any(isinstance(recorded.fact, KeySigningChanged) for recorded in await intake.facts("key"))

    async def is_expected() -> bool:
        return (await intake.post(hook, payload, sentry_hook_resource="issue")).status_code == 401

    await eventually(is_expected, "a signature is expected")
    stored = await intake.receipt_count()
    for forged in (
        {},
        sentry_headers(payload + b" "),
        sentry_headers(payload, "another secret of another integration"),
    ):
        answer = await intake.http.post(hook, content=payload, headers=forged)
        assert answer.status_code == 401
        assert "sign" in answer.json()["because"]
    assert await intake.receipt_count() == stored
    answer = await intake.http.post(hook, content=payload, headers=sentry_headers(payload))
    assert answer.status_code == 202
    assert answer.elapsed.total_seconds() < 1
    log = [message async for message in _everything(intake)]
    assert not any(CLIENT_SECRET in message for message in log)
    # Without the file nothing passes unchecked, and Sentry is told to come again.
    (intake.context.data / FILE_NAME).unlink()
    answer = await intake.http.post(hook, content=payload, headers=sentry_headers(payload))
    assert answer.status_code == 503
    assert answer.headers["retry-after"]
    assert isinstance(await intake.order(SignKey(), target="key-sentry"), Done)

    async def is_forgiven() -> bool:
        return (await intake.post(hook, payload, sentry_hook_resource="issue")).status_code == 202

    await eventually(is_forgiven, "no signature is expected")


async def test_a_sender_that_does_not_sign_is_told_so(intake: Stack):
    refused = await intake.order(SignKey(signing_id="sig-1"), target="key-pagerduty")
    assert isinstance(refused, Refused)
    assert refused.because == "pagerduty does not sign with a secret"
    assert "sentry" in refused.instead
    refused = await intake.order(SignKey(signing_id="sig-1"), target="key-sns")
    assert isinstance(refused, Refused)
    assert refused.because == "sns signs with a certificate of its own"
    refused = await intake.order(SignKey(signing_id="sig-1"), target="key-nobody")
    assert isinstance(refused, Refused)
    assert refused.code == "not_found"


async def test_sns_is_let_in_with_its_signature_only(intake_nats: NatsProcess, tmp_path: Path):
    alarm = (FOLDER / "sns/cloudwatch_alarm.payload").read_text()
    message = msgspec.json.decode(alarm)["Message"]
    async with sns(tmp_path) as server, running(intake_nats.url, tmp_path, web=server.web) as intake:
        hook = intake.hook("sns")
        signed = server.signed(notification(message, SignatureVersion="2"))
        answer = await intake.post(hook, body(signed), content_type="text/plain; charset=UTF-8")
        assert answer.status_code in (200, 202)
        (fired,) = await intake.said("AlertFired")
        assert (fired.title, fired.labels["topic"]) == ("ServerCpuTooHigh", TOPIC)
        # Sent again, as SNS does when our answer was lost.
        assert (await intake.post(hook, body(signed))).is_success
        stored = await intake.receipt_count()
        for forged in (
            signed | {"Message": message.replace("ServerCpuTooHigh", "AllIsWell")},
            sign(notification(message), make_key()),
            server.signed(notification(message, SigningCertURL=f"https://evil.example{CERTIFICATE_PATH}")),
            {"AlarmName": "cpu", "NewStateValue": "ALARM"},
        ):
            answer = await intake.post(hook, body(forged))
            assert answer.status_code == 401
            assert answer.json()["because"]
        assert await intake.receipt_count() == stored
        assert server.asked == [CERTIFICATE_PATH]


async def test_sns_is_told_to_come_again_while_its_certificate_cannot_be_had(intake_nats: NatsProcess, tmp_path: Path):
    async with sns(tmp_path) as server, running(intake_nats.url, tmp_path, web=server.web) as intake:
        whole = server.answers[CERTIFICATE_PATH]
        server.answers[CERTIFICATE_PATH] = (500, b"", "")
        signed = body(server.signed(notification("hello")))
        answer = await intake.post(intake.hook("sns"), signed)
        assert answer.status_code == 503
        assert "500" in answer.json()["because"]
        server.answers[CERTIFICATE_PATH] = whole
        assert (await intake.post(intake.hook("sns"), signed)).is_success


def test_the_examples_of_the_documentation_are_not_really_signed():
    # They say EXAMPLE in their signatures, so golden payloads show the translation alone.
    for case in sorted((FOLDER / "sns").glob("*.payload")):
        with pytest.raises(Forged):
            check({}, case.read_bytes(), PROOF)
    assert ADAPTER.signature is not None
    assert not ADAPTER.signature.needs_secret


async def _everything(intake: Stack) -> Any:
    js = intake.client.jetstream()
    for stream in ("INTAKE", "EVENTS"):
        for seq in range(1, (await js.stream_info(stream)).state.last_seq + 1):
            message = await js.get_msg(stream, seq)
            yield f"{message.subject} {message.headers} {message.data!r}"
