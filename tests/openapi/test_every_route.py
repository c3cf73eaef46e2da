"""Whatever is asked of any route is answered as its OpenAPI document says, and nothing that was taken is lost."""

import re
import time
from collections.abc import Iterator
from typing import Any

import pytest

from services.intake.door_document import document as door_document
from services.web.api_document import document as api_document
from tests.openapi.every_route import ENDLESS, Asked, ask_intake, ask_the_web, make_keys, operations
from tests.platform import Platform, running_platform, wait_until

SOAK_S = 600
SOAK_EXAMPLES = 5
LEDGER_S_MAX = 60


@pytest.fixture
def platform(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Platform]:
    """A whole platform, with something in it to ask about."""
    with running_platform(tmp_path_factory.mktemp("openapi")) as running:
        for title in ("checkout is down", "disk is full"):
            running.http.post("/api/incidents", json={"title": title, "severity": "sev2"}).raise_for_status()
        running.http.post("/api/people", json={"handle": "ada", "name": "Ada Lovelace"}).raise_for_status()
        yield running


def labels(document: dict[str, Any]) -> set[str]:
    return {operation.label for operation in operations(document)}


def everything_is_accounted_for(platform: Platform, *rounds: Asked) -> None:
    """Each receipt became facts, changed nothing, was refused or is a dead letter; and each that was taken is there."""
    taken, in_part = sum(asked.taken for asked in rounds), sum(asked.taken_in_part for asked in rounds)
    stored, invalid = counted(platform, "recount_intake_receipts_stored"), counted(platform, "recount_intake_invalid")
    assert taken <= stored <= taken + in_part

    def is_whole() -> bool:
        told = ledger(platform)
        return told["received"] == stored + invalid and not told["unaccounted"]

    # What was received is counted every half a minute.
    wait_until(is_whole, "every receipt to be counted, and to have its end", deadline_s=LEDGER_S_MAX)
    told = ledger(platform)
    assert told["received"] == told["facts"] + told["duplicates"] + told["refused"] + told["dead"]
    assert not told["missing"]
    assert not told["differences"]
    platform.cli("verify")  # it fails when a view or the ledger differs


def ledger(platform: Platform) -> dict[str, Any]:
    return platform.http.post("/api/verify/ledger").raise_for_status().json()


def counted(platform: Platform, counter: str) -> int:
    figures = platform.intake.get("/metrics").text
    return int(sum(float(value) for value in re.findall(rf"^{counter}_total\{{.*\}} (\S+)$", figures, re.MULTILINE)))


def test_every_route_answers_as_documented(platform: Platform):
    through_intake = ask_intake(platform, make_keys(platform), seed=1, count=2)
    assert through_intake.routes == labels(door_document())
    assert through_intake.taken
    of_the_web = ask_the_web(platform, seed=1, count=1)
    assert of_the_web.routes == labels(api_document()) - ENDLESS
    assert of_the_web.statuses.keys() >= {200, 201, 400, 401, 404}
    everything_is_accounted_for(platform, through_intake)


@pytest.mark.soak
def test_ten_minutes_of_every_route(platform: Platform):
    keys = make_keys(platform)
    until, rounds = time.monotonic() + SOAK_S, []
    while time.monotonic() < until:
        seed = 1_000 + len(rounds)
        rounds.append(ask_intake(platform, keys, seed=seed, count=SOAK_EXAMPLES))
        ask_the_web(platform, seed=seed, count=SOAK_EXAMPLES)
    everything_is_accounted_for(platform, *rounds)
