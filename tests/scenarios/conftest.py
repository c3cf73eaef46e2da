"""A world for each scenario."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.scenario import Scenario


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[Scenario]:
    """Ada is on call, bob will be next, grace is the second level."""
    scenario = await Scenario.begin(tmp_path)
    yield scenario
    await scenario.end()
