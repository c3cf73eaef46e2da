"""The view ``subscriptions``: topics that asked to be confirmed."""

from events.audit import KeyCreated, KeySubscriptionAsked, KeySubscriptionConfirmed, KeySubscriptionFailed
from tests.spec import given, moment, stream

ALARMS, FINDINGS, OTHERS = (f"arn:aws:sns:eu-west-1:123456789012:{name}" for name in ("alarms", "findings", "others"))


def test_a_topic_shows_how_its_last_question_ended():
    because = "sns.eu-west-1.amazonaws.com answered 400"
    given(
        stream("key.key-sns", KeyCreated(sender="sns", secret_sha256="0" * 64), at="09:00"),
        stream("key.key-sns", KeySubscriptionAsked(topic=ALARMS, receipt_seq=4), at="09:01"),
        stream("key.key-sns", KeySubscriptionFailed(topic=ALARMS, receipt_seq=4, because=because), at="09:02"),
        stream("key.key-sns", KeySubscriptionAsked(topic=FINDINGS, receipt_seq=5), at="09:03"),
        stream("key.key-sns", KeySubscriptionFailed(topic=FINDINGS, receipt_seq=5, because=because), at="09:04"),
        stream("key.key-sns", KeySubscriptionAsked(topic=ALARMS, receipt_seq=7), at="10:00"),
        stream(
            "key.key-sns",
            KeySubscriptionConfirmed(topic=ALARMS, receipt_seq=7, subscription=f"{ALARMS}:9d1b"),
            at="10:01",
        ),
        stream("key.key-sns", KeySubscriptionAsked(topic=OTHERS, receipt_seq=8), at="10:02"),
    ).view("subscriptions").shows(
        {
            "key_id": "key-sns",
            "topic": ALARMS,
            "state": "confirmed",
            "because": None,
            "subscription": f"{ALARMS}:9d1b",
            "asked_at": moment("10:00"),
            "answered_at": moment("10:01"),
        },
        {"topic": FINDINGS, "state": "failed", "because": because, "answered_at": moment("09:04")},
        {"topic": OTHERS, "state": "asked", "answered_at": None},
    )
