"""The view ``heartbeats``: what is expected of whom, and who is silent."""

from events.heartbeat import (
    HeartbeatConfigured,
    HeartbeatMissed,
    HeartbeatRemoved,
    HeartbeatReturned,
    HeartbeatUnexpected,
)
from tests.spec import MORNING, given, moment, stream

BACKUP = HeartbeatConfigured(name="nightly backup", every_s=86_400, grace_s=3_600, service="db")
PAUSED = HeartbeatConfigured(name="nightly backup", every_s=86_400, grace_s=3_600, service="db", paused=True)


def test_each_heartbeat_stands_as_its_facts_say():
    missed = HeartbeatMissed(last_ping_at=MORNING)
    given(
        stream("heartbeat.a", BACKUP, at="09:00"),
        stream("heartbeat.b", BACKUP, missed, at="09:10"),
        stream("heartbeat.c", BACKUP, missed, HeartbeatReturned()),
        stream("heartbeat.d", BACKUP, missed, PAUSED),
        stream("heartbeat.e", BACKUP, HeartbeatRemoved(reason="done")),
        stream("heartbeat.f", HeartbeatUnexpected(receipt_seq=7)),
        stream("heartbeat.g", BACKUP, missed, PAUSED, BACKUP),
    ).view("heartbeats").shows(
        {"heartbeat_id": "a", "state": "expected", "every_s": 86_400, "configured_at": moment("09:00")},
        {"heartbeat_id": "b", "state": "missed", "last_ping_at": moment("09:00"), "missed_at": moment("09:10")},
        {"heartbeat_id": "c", "state": "expected", "name": "nightly backup"},
        {"heartbeat_id": "d", "state": "paused", "service": "db"},
        {"heartbeat_id": "e", "state": "removed"},
        {"heartbeat_id": "f", "state": "unexpected", "name": "f", "every_s": None},
        {"heartbeat_id": "g", "state": "expected"},
    )
