"""A nats-server that syncs, for this folder, and an intake that runs on it."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from tests.nats_process import NatsProcess
from tests.services.intake.stack import Stack, running


@pytest.fixture(scope="session")
def intake_nats(tmp_path_factory: pytest.TempPathFactory) -> Iterator[NatsProcess]:
    """A nats-server for intake's tests."""
    process = NatsProcess(tmp_path_factory.mktemp("intake-nats")).start()
    yield process
    process.remove()


@pytest.fixture
async def intake(intake_nats: NatsProcess, tmp_path: Path) -> AsyncIterator[Stack]:
    """A running intake on empty streams."""
    async with running(intake_nats.url, tmp_path) as stack:
        yield stack
