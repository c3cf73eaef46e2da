"""A platform for the browser."""

from collections.abc import Iterator

import pytest

from tests.services.web.stack import Stack, running


@pytest.fixture(scope="session")
def recount(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """A running platform with ada, bob and grace."""
    with running(tmp_path_factory.mktemp("recount")) as stack:
        yield stack
