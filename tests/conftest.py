"""Shared fixtures: a real nats-server, and the logs that run on it. And the rule that CI skips nothing."""

import asyncio
import os
import shutil
import signal
import subprocess
import sys
import sysconfig
from collections.abc import AsyncIterator, Generator, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from nats.js.client import JetStreamContext
from nats.js.errors import ServerError

from events import EventLog
from events.memory_log import MemoryLog
from events.nats_log import NatsLog
from events.nats_streams import declare_streams
from services.broker import connect_client

STORE_NOT_CREATED = 10049
"""What a server says that cannot make the files of a stream."""


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """With CI=true a skipped test has failed: the machine lacks what .ci/run was to install."""
    report = yield
    if report.skipped and not hasattr(report, "wasxfail") and os.environ.get("CI") == "true":
        _path, _line, reason = report.longrepr
        report.outcome = "failed"
        report.longrepr = f"skipped, and CI=true allows no skipping: {reason.removeprefix('Skipped: ')}"
    return report


@pytest.fixture(scope="session")
def nats_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A nats-server with JetStream on a free port, for the whole session and without permissions."""
    folder = tmp_path_factory.mktemp("nats")
    binary = Path(sysconfig.get_path("scripts")) / "nats-server"
    ports = folder / "ports"
    ports.mkdir()
    server = subprocess.Popen(
        [binary, "-a", "127.0.0.1", "-p", "-1", "-js", "-sd", folder, "--ports_file_dir", ports],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        yield _written_url(ports, server)
    finally:
        server.send_signal(signal.SIGTERM)
        server.wait(10)
        shutil.rmtree(folder, ignore_errors=True)


def _written_url(ports: Path, server: subprocess.Popen[bytes]) -> str:
    import json
    import time

    deadline = time.monotonic() + 20
    while time.monotonic() < deadline and server.poll() is None:
        for file in ports.glob("*.ports"):
            if text := file.read_text():  # it is there a moment before it says anything
                return json.loads(text)["nats"][0]
        time.sleep(0.02)
    raise RuntimeError("nats-server did not start")


@pytest.fixture
async def nats_log(nats_url: str) -> AsyncIterator[NatsLog]:
    """An empty log on the session's server."""
    client = await connect_client(nats_url)
    try:
        js = client.jetstream()
        for name in ("EVENTS", "INTAKE", "TIMERS"):
            if name in {info.config.name for info in await js.streams_info()}:
                await js.delete_stream(name)
        await _declared(js)
        yield NatsLog(client)
    finally:
        await client.close()


async def _declared(js: JetStreamContext) -> None:
    """Declare the streams; the server may still be removing the files of those before."""
    async with asyncio.timeout(10):
        while True:
            try:
                return await declare_streams(js)
            except ServerError as error:
                if error.err_code != STORE_NOT_CREATED:
                    raise
                await asyncio.sleep(0.05)


@pytest.fixture(params=["memory", "nats", "nats, as if it were long"])
def log(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> EventLog:
    """Each implementation of the event log in turn, and on NATS each way of reading."""
    if request.param == "memory":
        return MemoryLog(now=lambda: datetime.now(UTC))
    if request.param != "nats":
        monkeypatch.setattr("events.nats_direct_get.NEAR_POSITIONS", -sys.maxsize)
    return request.getfixturevalue("nats_log")
