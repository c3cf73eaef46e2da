"""`recount doctor`: what it notices, and that it says what to do."""

import asyncio
import json
import os
import signal
import socket
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import nats
import pytest

from events.nats_streams import declare_consumer
from services.secrets import ensure_secrets, load_secrets
from services.supervisor.checkup import Finding, _consumers
from tests.platform import Platform, run_cli, running_platform

SETTINGS = """
[people.ada]
name = "Ada Lovelace"
contacts = ["console:"]
[policies.default]
levels = [{ targets = ["person.ada"], answer_within_s = 300 }]
"""


@pytest.fixture(scope="module")
def platform(tmp_path_factory: pytest.TempPathFactory):
    with running_platform(tmp_path_factory.mktemp("doctor"), settings=SETTINGS) as platform:
        yield platform


def findings(data: Path, *arguments: str) -> dict[str, dict[str, Any]]:
    done = run_cli("doctor", "--data", str(data), "--json", *arguments)
    found = {finding["about"]: finding for finding in json.loads(done.stdout)}
    assert done.returncode == any(finding["level"] == "fail" for finding in found.values()), done.stderr
    assert all(finding["level"] == "ok" or finding["advice"] for finding in found.values())
    return found


def test_a_running_platform_is_well(platform: Platform):
    found = findings(platform.data)
    assert [finding for finding in found.values() if finding["level"] != "ok" and finding["about"] != "disk"] == []
    assert {"nats", "stream EVENTS", "stream INTAKE", "stream TIMERS", "service oncall", "projector", "paging"} <= set(
        found
    )


def test_people_read_one_line_each(platform: Platform):
    done = run_cli("doctor", "--data", str(platform.data))
    assert "ok   projector: at position" in done.stdout


async def change_events(platform: Platform, bytes_max: int) -> int:
    """Set the limit of EVENTS, and return how many bytes it holds."""
    client = await nats.connect(platform.nats, user="admin", password=load_secrets(platform.data).nats["admin"])
    js = client.jetstream()
    info = await js.stream_info("EVENTS")
    info.config.max_bytes = bytes_max
    await js.update_stream(info.config)
    await client.close()
    return info.state.bytes


@pytest.mark.parametrize(("percent", "level"), [(50, "ok"), (90, "warn"), (98, "fail")])
def test_a_log_that_is_nearly_full_is_told_with_the_setting_to_raise(platform: Platform, percent: int, level: str):
    used = asyncio.run(change_events(platform, -1))
    asyncio.run(change_events(platform, used * 100 // percent))
    try:
        found = findings(platform.data)["room in EVENTS"]
    finally:
        asyncio.run(change_events(platform, -1))
    assert found["level"] == level
    assert found["found"].startswith(f"{percent}% of ")
    assert ("[log] bytes_max" in found["advice"]) == (level != "ok")


def test_facts_that_wait_for_more_than_a_minute_are_told(platform: Platform):
    async def oldest_of_a_consumer_that_nobody_serves() -> list[Finding]:
        client = await nats.connect(platform.nats, user="admin", password=load_secrets(platform.data).nats["admin"])
        js = client.jetstream()
        filters = ["evt.system.>", "evt.person.>"]
        await declare_consumer(js, stream="EVENTS", durable="nobody", filter_subjects=filters)
        try:
            soon = await _consumers(js, "EVENTS")
            late = await _consumers(js, "EVENTS", now=datetime.now(UTC) + timedelta(minutes=3))
        finally:
            await js.delete_consumer("EVENTS", "nobody")
            await client.close()
        return [finding for finding in (*soon, *late) if finding.about == "service nobody"]

    soon, late = asyncio.run(oldest_of_a_consumer_that_nobody_serves())
    assert soon.level == "ok"
    assert late.level == "warn"
    assert "of EVENTS not answered yet, the oldest for 3 min" in late.found


def test_without_a_policy_it_says_that_nobody_will_be_paged(tmp_path: Path):
    with running_platform(tmp_path) as bare:
        found = findings(bare.data)["paging"]
    assert (found["level"], found["found"]) == ("warn", "there is no policy default, so nobody will be paged")


def test_a_stream_that_somebody_changed_is_named_with_the_difference(platform: Platform):
    async def change(is_wrong: bool) -> None:
        client = await nats.connect(platform.nats, user="admin", password=load_secrets(platform.data).nats["admin"])
        js = client.jetstream()
        config = (await js.stream_info("INTAKE")).config
        config.discard = "old" if is_wrong else "new"
        await js.update_stream(config)
        await client.close()

    asyncio.run(change(True))
    try:
        found = findings(platform.data)["stream INTAKE"]
    finally:
        asyncio.run(change(False))
    assert found["level"] == "fail"
    assert "discard is 'old' and not 'new'" in found["found"]


def test_a_server_that_does_not_answer_is_told(platform: Platform):
    os.kill(platform.pids["nats"], signal.SIGSTOP)
    try:
        found = findings(platform.data)["nats"]
    finally:
        os.kill(platform.pids["nats"], signal.SIGCONT)
    assert found["level"] == "fail"


def test_where_nothing_runs_it_says_how_to_start(tmp_path: Path):
    found = findings(tmp_path / "data", "--http", "127.0.0.1:0", "--intake", "127.0.0.1:0")
    assert found["platform"]["advice"] == "Start it: recount up"


def test_a_port_that_is_taken_is_found_before_the_start(tmp_path: Path):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        found = findings(tmp_path / "data", "--http", f"127.0.0.1:{port}", "--intake", "127.0.0.1:0")
    assert found[f"port {port}"]["level"] == "fail"


def test_secrets_that_others_may_read_are_a_failure(tmp_path: Path):
    data = tmp_path / "data"
    ensure_secrets(data)
    (data / "secrets.json").chmod(0o644)
    found = findings(data)["secrets"]
    assert found["level"] == "fail"
    assert found["advice"] == f"chmod 600 {data / 'secrets.json'}"


def test_a_wrong_configuration_is_a_finding_like_others(tmp_path: Path):
    (tmp_path / "recount.toml").write_text("[log]\nreplicas = 2")
    found = findings(tmp_path)["configuration"]
    assert found["level"] == "fail"
    assert "log.replicas: expected 1, 3 or 5, got 2" in found["found"]
