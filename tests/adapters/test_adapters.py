"""Real payloads and what they become: ``<case>.payload`` beside ``<case>.signals.json``, one folder an adapter.

``<case>.headers`` holds the request headers that belong to the payload, ``<case>.mapping`` how it is read where the
integration key says so. To add a case, write its payload and run this
file with ``WRITE_SIGNALS=1``; look at what it wrote before committing it.
"""

import json
import os
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import pytest

from events.receipt import Receipt
from services.intake.adapters import adapters
from services.intake.signal import Signal, fit

FOLDER = Path(__file__).parent
CASES = sorted(FOLDER.glob("*/*.payload"))


def signals(payload: Path) -> str:
    """What a payload says, as JSON for people."""
    headers_file = payload.with_suffix(".headers")
    headers = json.loads(headers_file.read_text()) if headers_file.exists() else {}
    mapping = payload.with_suffix(".mapping")
    adapter = adapters()[payload.parent.name].for_mapping(mapping.read_text() if mapping.exists() else "")
    receipt = Receipt(
        seq=1,
        source=adapter.name,
        integration=f"key-{adapter.name}",
        received_at=datetime(2026, 3, 1, 14, 5, tzinfo=UTC),
        content_type=headers.pop("content-type", "application/json"),
        headers=headers,
        body=payload.read_bytes(),
    )
    said = [
        msgspec.to_builtins(fit(each) if isinstance(each, Signal) else {type(each).__name__: each})
        for each in adapter.translate(receipt)
    ]
    return json.dumps(said, indent=2, ensure_ascii=False) + "\n"


@pytest.mark.parametrize("payload", CASES, ids=lambda case: f"{case.parent.name}-{case.stem}")
def test_a_payload_becomes_what_its_golden_file_says(payload: Path):
    golden = payload.with_suffix(".signals.json")
    if os.environ.get("WRITE_SIGNALS"):
        golden.write_text(signals(payload))
    assert signals(payload) == golden.read_text()


def test_every_adapter_has_golden_pairs():
    assert {case.parent.name for case in CASES} == set(adapters())
