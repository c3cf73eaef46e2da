"""Signed messages on which AWS's own validator and ours agree.

The envelopes of ``sns_envelopes.json`` are signed with a generated key, in both versions. All were accepted by
`aws/aws-js-sns-message-validator` 0.3.5, which reads the same certificate; and none of what was made of them below.
"""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
import pytest

from services.intake.adapters.sns import certificate_url, check
from services.intake.signature import Forged, Proof

WRITTEN = json.loads(Path(__file__).with_name("sns_envelopes.json").read_text())
# When the certificate was valid.
PROOF = Proof(now=datetime(2026, 11, 25, 14, tzinfo=UTC), certificate=WRITTEN["certificate"].encode())

envelopes = pytest.mark.parametrize(
    "envelope", WRITTEN["envelopes"], ids=lambda envelope: f"{envelope['Type']}-{envelope['SignatureVersion']}"
)


def is_signed(envelope: dict[str, Any]) -> bool:
    body = msgspec.json.encode(envelope)
    try:
        certificate_url(body)
        check({}, body, PROOF)
    except Forged:
        return False
    return True


@envelopes
def test_what_the_other_validator_accepts_is_accepted(envelope: dict[str, Any]):
    assert is_signed(envelope)


@envelopes
@pytest.mark.parametrize(
    "changed",
    [
        {"Message": "another"},
        {"TopicArn": "arn:aws:sns:eu-west-1:123456789012:others"},
        {"Timestamp": "2026-03-01T14:02:00.001Z"},
        {
            "SigningCertURL": "https://sns.eu-west-1.amazonaws.com.example.org/SimpleNotificationService-0a1b2c3d4e5f6071.pem"
        },
    ],
    ids=lambda changed: next(iter(changed)),
)
def test_what_it_refuses_is_refused(envelope: dict[str, Any], changed: dict[str, str]):
    assert not is_signed(envelope | changed)


@envelopes
def test_the_version_decides_the_hash(envelope: dict[str, Any]):
    other = {"1": "2", "2": "1"}[envelope["SignatureVersion"]]
    assert not is_signed(envelope | {"SignatureVersion": other})


def test_both_versions_and_both_types_are_among_them():
    assert {(one["Type"], one["SignatureVersion"]) for one in WRITTEN["envelopes"]} == {
        (kind, version) for kind in ("Notification", "SubscriptionConfirmation") for version in "12"
    }
