"""Golden payloads with something of them replaced, left out or added: refused in words, or an alert that can be kept.

Arbitrary bytes rarely get past the first field that an adapter requires. These get everywhere.
"""

import json
import random
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
import pytest

from events.receipt import Receipt
from events.recorded import EVENT_BYTES_MAX, Event, encode
from services.intake.adapters import InvalidPayload, adapters
from services.intake.alert_decider import Arrival, decide
from services.intake.alert_state import AlertState
from services.intake.signal import Signal, fit
from tests.adapters.test_adapters import CASES

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
CHANGED_PER_CASE = 60
# fmt: off
ODD: tuple[Any, ...] = (
    None, True, False, 0, -1, 3.5, 1e308, 2**63, 2**70, "", "x", "\x00", "\U0001f600", "a" * 3_000, [], {}, [[]], [{}],
    [None], ["x", 1], {"a": None}, {"": ""}, {"name": {"x": 1}}, "0001-01-01T00:00:00Z", "9999-12-31T23:59:59-12:00",
    "2019-10-02T17:04:40.989+0000", "1e999", "-1", "99999999999999999999", "$ALERT_ID", "[x", "https://[",
    "javascript:1",
)
# fmt: on


def changed(value: Any, dice: random.Random) -> Any:
    """A JSON value with some of it replaced, at any depth, inside JSON that is carried as text too."""
    if dice.random() < 0.05:
        return dice.choice(ODD)
    if isinstance(value, dict):
        kept = {name: changed(inner, dice) for name, inner in value.items() if dice.random() > 0.03}
        return kept | ({dice.choice(("", "type", "state", "id")): dice.choice(ODD)} if dice.random() < 0.03 else {})
    if isinstance(value, list):
        return [changed(inner, dice) for inner in value] * dice.choice((1,) * 40 + (0, 3))
    if isinstance(value, str) and value.startswith("{"):
        try:
            return json.dumps(changed(json.loads(value), dice))
        except ValueError:
            return value
    return value


def json_cases() -> list[Path]:
    """The golden payloads that are JSON."""
    found = []
    for case in CASES:
        try:
            json.loads(case.read_bytes())
        except ValueError:
            continue
        found.append(case)
    return found


@pytest.mark.parametrize("case", json_cases(), ids=lambda case: f"{case.parent.name}-{case.stem}")
def test_a_changed_payload_is_refused_in_words_or_kept(case: Path):
    adapter = adapters()[case.parent.name]
    headers_file = case.with_suffix(".headers")
    headers = json.loads(headers_file.read_text()) if headers_file.exists() else {}
    content_type = headers.pop("content-type", "application/json")
    whole = json.loads(case.read_bytes())
    dice = random.Random(f"{adapter.name} {case.stem}")
    for _ in range(CHANGED_PER_CASE):
        receipt = Receipt(
            seq=1,
            source=adapter.name,
            integration="key-1",
            received_at=NOON,
            content_type=content_type,
            headers=headers if dice.random() < 0.9 else {},
            body=msgspec.json.encode(changed(whole, dice)),
        )
        try:
            payload = adapter.parse(receipt)
        except InvalidPayload as error:
            problem = error
        else:
            receipt = adapter.prepare(payload, receipt, "made-up")
            # Alertmanager's own API answers 400 when it took some alerts and not others.
            assert adapter.accepted(payload, receipt).status < (500 if adapter.name == "alertmanager_api" else 300)
            for said in adapter.translate(receipt):
                if isinstance(said, Signal):
                    _can_be_kept(fit(said), adapter.name)
            continue
        assert problem.errors
        assert 400 <= adapter.invalid(problem).status < 500


def _can_be_kept(signal: Signal, sender: str) -> None:
    assert signal.fingerprint, signal
    assert signal.title or signal.state != "firing", signal
    arrival = Arrival(seq=1, received_at=NOON, integration="key-1", sender=sender, settled=True)
    for fact, happened_at in decide(AlertState(), signal, arrival):
        event = Event(id="event", fact=fact, happened_at=happened_at, source="recount/intake")
        assert len(encode("alert.key", event)[1]) <= EVENT_BYTES_MAX
