"""Old wire shapes reach today's facts, through as many steps as it takes."""

import json
from datetime import UTC, datetime

import pytest

from events import FACT_TYPES, Stored, decode
from events.upcast import UPCASTERS, upcast

NOON = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


@pytest.fixture
def retired(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two shapes that never existed, as they would be retired: renamed, then given another field name."""

    def rename(data: bytes) -> tuple[str, bytes]:
        return "incident.commented", data

    def reword(data: bytes) -> tuple[str, bytes]:
        return "incident.noted", json.dumps({"text": json.loads(data)["comment"]}).encode()

    monkeypatch.setitem(UPCASTERS, "incident.remarked", rename)
    monkeypatch.setitem(UPCASTERS, "incident.commented", reword)


@pytest.mark.usefixtures("retired")
@pytest.mark.parametrize("tag", ["incident.remarked", "incident.commented"])
def test_a_retired_shape_is_read_as_todays_fact(tag: str):
    body = {"id": "e1", "source": "s", "type": tag, "time": "2026-03-01T12:00:00Z", "data": {"comment": "rolled back"}}
    fact = decode(Stored(7, "evt.incident.INC-42.remarked", NOON, json.dumps(body).encode())).fact
    assert fact == FACT_TYPES["incident.noted"](text="rolled back")


def test_todays_shapes_pass_unchanged():
    assert upcast("incident.noted", b'{"text":"x"}') == ("incident.noted", b'{"text":"x"}')


def test_no_tag_is_both_retired_and_in_use():
    assert not set(UPCASTERS) & set(FACT_TYPES)
