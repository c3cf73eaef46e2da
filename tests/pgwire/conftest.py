"""One server for the tests of a module, over a warehouse with two incidents."""

from collections.abc import Iterator

import psycopg
import pytest

from events.incident import IncidentDeclared, IncidentResolved
from tests.pgwire.serving import Serving, serving
from tests.spec import incident, log_of

HISTORY = log_of(
    incident("INC-42", IncidentDeclared(title="checkout is down", severity="sev1"), IncidentResolved()),
    incident("INC-43", IncidentDeclared(title="search is slow", severity="sev3")),
)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serving]:
    """A server with the user `tests.pgwire.serving.USER`."""
    with serving(tmp_path_factory.mktemp("pgwire"), HISTORY) as running:
        yield running


@pytest.fixture
def connection(server: Serving) -> Iterator[psycopg.Connection]:
    """A connection of psycopg, without transactions."""
    with psycopg.connect(server.dsn, autocommit=True) as connected:
        yield connected
