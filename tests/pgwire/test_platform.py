"""`recount up` answers SQL, to users whom `recount sql-users` lets in."""

import json
from collections.abc import Iterator

import psycopg
import pytest

from tests.platform import Platform, running_platform


@pytest.fixture(scope="module")
def platform(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Platform]:
    with running_platform(tmp_path_factory.mktemp("platform")) as running:
        running.fire("checkout is down")
        running.wait_for_rows("select * from incidents")
        yield running


def connect(platform: Platform, user: str, password: str, sslmode: str = "prefer") -> psycopg.Connection:
    host, _, port = platform.postgres.rpartition(":")
    return psycopg.connect(host=host, port=port, user=user, password=password, dbname="recount", sslmode=sslmode)


def test_a_user_is_added_asks_and_is_removed(platform: Platform):
    password = platform.cli("sql-users", "add", "grafana").stdout.strip()
    assert len(password) == 32
    with connect(platform, "grafana", password) as connection:
        assert connection.execute("select title from incidents").fetchall() == [("checkout is down",)]
    listed = json.loads(platform.cli("sql-users", "list", "--json").stdout)
    assert [user["name"] for user in listed["sql_users"]] == ["grafana"]
    assert password not in json.dumps(listed)
    platform.cli("sql-users", "remove", "grafana")
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        connect(platform, "grafana", password)


def test_a_connection_may_be_encrypted(platform: Platform):
    password = platform.cli("sql-users", "add", "metabase").stdout.strip()
    with connect(platform, "metabase", password, sslmode="require") as connection:
        assert connection.pgconn.ssl_in_use


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("add", "Ada Lovelace"), "cannot be a name"),
        (("remove", "nobody"), "there is no SQL user nobody"),
    ],
)
def test_what_cannot_be_is_refused_with_a_hint(platform: Platform, arguments: tuple[str, ...], says: str):
    done = platform.cli("sql-users", *arguments, check=False)
    assert done.returncode == 1
    assert says in done.stderr


def test_users_are_for_the_administrator(platform: Platform):
    anonymous = {"Authorization": "Bearer wrong"}
    for answer in (
        platform.http.get("/api/sql-users", headers=anonymous),
        platform.http.post("/api/sql-users", json={"name": "eve"}, headers=anonymous),
        platform.http.delete("/api/sql-users/eve", headers=anonymous),
    ):
        assert answer.status_code in (401, 403)


def test_doctor_looks_whether_it_answers(platform: Platform):
    found = json.loads(platform.cli("doctor", "--json", check=False).stdout)
    assert ("ok", platform.postgres) in {(each["level"], each["found"]) for each in found if each["about"] == "sql"}
