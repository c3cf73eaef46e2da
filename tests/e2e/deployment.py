"""A data folder with people to page, whose platform a test stops, kills and starts again, and what it asks of it."""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import httpx

from tests.platform import Platform, start_platform

WAIT_S = 30.0
# Half of what one answer of the API holds (`projections.query.FOR_PEOPLE`).
PAGE_ROWS = 5_000

SETTINGS = """
[people.ada]
name = "Ada Lovelace"
zone = "Europe/London"
contacts = ["smtp:ada@example.org"]

[people.grace]
name = "Grace Hopper"
contacts = ["smtp:grace@example.org"]

[rotations.primary]
zone = "Europe/London"
starts_at = 2026-01-05T09:00:00
shift_days = 7
members = ["ada"]

[policies.default]
levels = [
    {{ targets = ["rotation.primary"], answer_within_s = {answer_within_s} }},
    {{ targets = ["person.grace"], answer_within_s = {answer_within_s} }},
]

[smtp]
host = "127.0.0.1"
port = {smtp_port}
from = "recount@example.org"
"""

Found = TypeVar("Found")


def wait_for(condition: Callable[[], Found], what: str, timeout_s: float = WAIT_S) -> Found:
    """What the condition gives once it gives something; a platform that is restarting gives nothing yet."""
    deadline = time.monotonic() + timeout_s
    last: object = None
    while time.monotonic() < deadline:
        try:
            if found := condition():
                return found
            last = found
        except (httpx.HTTPError, OSError) as error:
            last = error
        time.sleep(0.05)
    raise AssertionError(f"not within {timeout_s:.0f} s: {what}; last: {last!r}")


class Deployment:
    """One folder, and the platform that runs in it.

    Args:
        folder: of the test alone.
        smtp_port: where its mails go.
        answer_within_s: how long each level of its policy has.
    """

    def __init__(self, folder: Path, *, smtp_port: int, answer_within_s: int = 300) -> None:
        self._folder = folder
        self._settings = SETTINGS.format(smtp_port=smtp_port, answer_within_s=answer_within_s)
        self.platform: Platform

    def start(self) -> "Deployment":
        """Start it, and wait until everything answers."""
        self.platform = start_platform(self._folder, settings=self._settings)
        return self

    def stop(self) -> None:
        """SIGTERM, and wait until it has stopped in order."""
        code = self.platform.stop()
        assert code == 0, f"recount up ended with {code}: {self.platform.errors.read_text()}"

    def request(self, method: str, path: str, *, actor: str = "ada", **more: Any) -> httpx.Response:
        """One request of the HTTP API, in somebody's name."""
        return self.platform.http.request(method, path, headers={"Recount-Actor": actor}, **more)

    def ask(self, verb: str, incident_id: str, **command: Any) -> dict[str, Any]:
        """A command about an incident that must be done."""
        answer = self.request("POST", f"/api/incidents/{incident_id}/{verb}", json=command)
        assert answer.status_code == 200, answer.text
        done: dict[str, Any] = answer.json()
        return done

    def sql(self, query: str, *, as_of: int | None = None) -> list[dict[str, Any]]:
        """The rows of a query, by column name."""
        answer = self.request("POST", "/api/sql", json={"sql": query, **({"as_of": as_of} if as_of else {})})
        answer.raise_for_status()
        table = answer.json()
        assert not table["truncated"], f"more rows than one answer holds: {query}"
        names = [column["name"] for column in table["columns"]]
        return [dict(zip(names, row, strict=True)) for row in table["rows"]]

    def every_row(self, view: str, column: str) -> list[tuple[int, Any]]:
        """Position and one column of each row of a view of facts, however many there are."""
        found: list[tuple[int, Any]] = []
        while True:
            after = found[-1][0] if found else 0
            page = self.sql(
                f"select seq, {column} as it from {view} where seq > {after} order by seq limit {PAGE_ROWS}"
            )
            found += [(row["seq"], row["it"]) for row in page]
            if len(page) < PAGE_ROWS:
                return found

    def rows(self, query: str, count: int = 1) -> list[dict[str, Any]]:
        """The rows of a query once there are so many."""
        return wait_for(lambda: found if len(found := self.sql(query)) >= count else [], f"{count} rows of {query}")

    def caught_up(self) -> int:
        """Wait until the views have read the whole log; the position."""
        self.platform.wait_until_healthy()
        return int(self.request("GET", "/healthz").json()["position"])

    def differences(self) -> list[dict[str, Any]]:
        """What `recount verify --views` finds."""
        self.caught_up()
        answer = self.request("POST", "/api/verify/views")
        answer.raise_for_status()
        differences: list[dict[str, Any]] = answer.json()["differences"]
        return differences
