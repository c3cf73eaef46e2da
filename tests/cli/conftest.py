"""One running platform for all tests of the command line, in which the demo was played."""

from collections.abc import Iterator

import pytest

from tests.cli.recount import Recount
from tests.platform import Platform, running_platform


@pytest.fixture(scope="package")
def platform(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Platform]:
    """A whole platform on free ports."""
    with running_platform(tmp_path_factory.mktemp("cli")) as platform:
        platform.wait_until_healthy()
        yield platform


@pytest.fixture(scope="package")
def recount(platform: Platform) -> Recount:
    """The verbs of that platform."""
    return Recount(platform.data)


@pytest.fixture(scope="package")
def played(recount: Recount) -> str:
    """The incident of the demo."""
    incident_id: str = recount.do("demo", "--fast", "--json").json["incident_id"]
    return incident_id
