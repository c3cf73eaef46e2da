"""A key with a mapping: what comes is read by it, and by another from the moment that it is changed."""

from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from typer.testing import CliRunner

from events import RecountError
from events.audit import KeyMappingChanged
from services.cli.__main__ import build_app
from services.command import Done, Refused
from services.intake.commands import CreateKey, MapKey
from tests.services.intake.stack import Stack

PAYLOAD = {"check": "disk", "id": 7, "status": "DOWN", "level": "P1"}
MAPPING = 'title = "$.check"\nkey = "$.id"\nstate = "$.status"\n[states]\nDOWN = "firing"\nUP = "resolved"'


async def look_at_the_keys(intake: Stack) -> None:
    """The door looks at the keys every few seconds, and whenever it meets one that it does not know."""
    assert (await intake.post(f"/hooks/json/{uuid4().hex}", b"{}")).status_code == 401


async def test_a_key_reads_by_its_mapping_and_by_another_at_once(intake: Stack):
    path = intake.hook("mapped")
    unread = await intake.post(path, PAYLOAD)
    assert unread.status_code == 400
    assert "carries no mapping" in unread.json()["because"]

    done = await intake.order(MapKey(mapping=MAPPING), target="key-mapped")
    assert isinstance(done, Done), done
    assert isinstance(await intake.order(MapKey(mapping=MAPPING), target="key-mapped"), Done)
    (fact,) = [one.fact for one in await intake.facts("key") if isinstance(one.fact, KeyMappingChanged)]
    assert fact.mapping == MAPPING

    await look_at_the_keys(intake)
    answer = await intake.post(path, PAYLOAD)
    assert (answer.status_code, answer.json()) == (202, {"status": "accepted", "alerts": 1, "keys": ["7"]})
    (fired,) = await intake.said("AlertFired")
    assert (fired.title, fired.severity, fired.labels) == ("disk", "unknown", {})

    with_severity = MAPPING.replace("[states]", 'severity = "$.level"\n[severities]\nP1 = "critical"\n[states]')
    assert isinstance(await intake.order(MapKey(mapping=with_severity), target="key-mapped"), Done)
    await look_at_the_keys(intake)
    assert (await intake.post(path, PAYLOAD | {"id": 8})).status_code == 202
    _first, fired = await intake.said("AlertFired", "AlertFired")
    assert fired.severity == "critical"

    refused = await intake.post(path, PAYLOAD | {"status": "ODD"})
    assert refused.status_code == 400
    assert "'ODD' is not firing" in refused.json()["because"]


async def test_what_is_no_mapping_is_refused(intake: Stack):
    for command, because in (
        (MapKey(mapping="title = ", key_id="key-mapped"), "not a mapping"),
        (MapKey(mapping="", key_id="key-mapped"), "there is no mapping"),
        (MapKey(mapping=MAPPING, key_id="key-json"), "without a mapping"),
        (MapKey(mapping=MAPPING, key_id="key-nobody"), "no such key"),
        (CreateKey(sender="json", secret_sha256="0" * 64, mapping=MAPPING), "without a mapping"),
        (CreateKey(sender="mapped", secret_sha256="0" * 64, mapping="tilte = '$.a'"), "tilte"),
    ):
        refused = await intake.order(command)
        assert isinstance(refused, Refused), command
        assert because in refused.because


def tried(*arguments: str) -> Any:
    return CliRunner().invoke(build_app(), ["intake", "try", *arguments])


def test_a_payload_is_tried_without_a_platform(tmp_path: Path):
    mapping, payload = tmp_path / "kuma.toml", tmp_path / "payload.json"
    mapping.write_text(MAPPING)
    payload.write_text('{"check": "disk", "id": 7, "status": "DOWN"}')
    shown = tried("mapped", "--mapping", str(mapping), "--service", "shop", str(payload))
    assert shown.exit_code == 0
    assert "disk" in shown.stdout
    assert "shop" in shown.stdout
    assert "only recorded: its severity is unknown" in shown.stdout
    assert "By the built-in rules; `recount rules try` asks the published ones." in shown.stderr
    payload.write_text('{"check": "disk", "id": 7}')
    refused = tried("mapped", "--mapping", str(mapping), str(payload))
    assert isinstance(refused.exception, RecountError)
    assert "state: $.status finds nothing" in str(refused.exception)
    mapping.write_text("title = '$.a['")
    with pytest.raises(RecountError, match="no JSONPath"):
        raise tried("mapped", "--mapping", str(mapping), str(payload)).exception
    with pytest.raises(RecountError, match="no sender 'nagios'"):
        raise tried("nagios", str(payload)).exception
