"""The view ``integration_keys``: what senders present."""

from events.audit import KeyCreated, KeyRevoked, KeyRotated, KeySigningChanged, KeyUsed
from tests.spec import given, moment, stream


def test_a_key_shows_its_sender_and_when_it_was_revoked():
    given(
        stream("key.key-1", KeyCreated(sender="alertmanager", secret_sha256="0" * 64, service="checkout"), at="09:00"),
        stream("key.key-2", KeyCreated(sender="pagerduty", secret_sha256="1" * 64, name="old"), at="09:01"),
        stream("key.key-2", KeyRevoked(reason="leaked"), at="09:10"),
    ).view("integration_keys").shows(
        {"key_id": "key-1", "sender": "alertmanager", "name": None, "service": "checkout", "revoked_at": None},
        {"key_id": "key-2", "sender": "pagerduty", "name": "old", "revoked_at": moment("09:10")},
    )


def test_a_key_shows_when_it_was_rotated_and_used_last():
    rotated = KeyRotated(secret_sha256="2" * 64, former_until_at=moment("12:00"))
    given(
        stream("key.key-1", KeyCreated(sender="alertmanager", secret_sha256="0" * 64), at="09:00"),
        stream("key.key-1", KeyUsed(receipt_seq=1), at="09:02"),
        stream("key.key-1", rotated, at="09:30"),
        stream("key.key-1", KeyUsed(receipt_seq=9), at="11:00"),
    ).view("integration_keys").shows(
        {
            "key_id": "key-1",
            "rotated_at": moment("09:30"),
            "former_until_at": moment("12:00"),
            "last_used_at": moment("11:00"),
        },
    )


def test_a_key_shows_whether_it_expects_signatures():
    given(
        stream("key.key-1", KeyCreated(sender="sentry", secret_sha256="0" * 64), at="09:00"),
        stream("key.key-1", KeySigningChanged(signing_id="sig-1"), at="09:02"),
        stream("key.key-2", KeyCreated(sender="sentry", secret_sha256="1" * 64), at="09:03"),
        stream("key.key-2", KeySigningChanged(signing_id="sig-2"), at="09:04"),
        stream("key.key-2", KeySigningChanged(signing_id=""), at="09:05"),
        stream("key.key-3", KeyCreated(sender="json", secret_sha256="2" * 64), at="09:06"),
    ).view("integration_keys").shows(
        {"key_id": "key-1", "is_signed": True},
        {"key_id": "key-2", "is_signed": False},
        {"key_id": "key-3", "is_signed": False},
    )
