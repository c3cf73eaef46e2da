"""Who plays in the demo: whoever is configured, or two people that it adds."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import msgspec

from services.cli.client import Api

# Memorable, and plainly not colleagues: Lovelace and Hopper.
CAST = (("ada", "Ada Lovelace"), ("grace", "Grace Hopper"))
WEEK_DAYS = 7
ANSWER_WITHIN_S = 300


class Players(msgspec.Struct, frozen=True):
    """The two people who act, by handle; the same one twice when there is only one."""

    first: str
    second: str


def make_ready(api: Api, say: Callable[[str], None]) -> Players:
    """See that there are people and an escalation policy; add what is missing, and say so."""
    handles = _handles(api)
    if not handles:
        for handle, name in CAST:
            position = api.post("/api/people", json={"handle": handle, "name": name, "contacts": ["console:"]})["seq"]
            handles.append(handle)
        # Read your own writes: the people are usable once the readers know them.
        api.get("/api/people", min_position=position)
        say("Nobody was configured: added ada and grace, whose pages go to the console of `recount up`.")
    players = Players(handles[0], handles[min(1, len(handles) - 1)])
    if not _rows(api, "select 1 from policy_configured where stream_id = 'default'"):
        _configure_policy(api, players)
        say(f"No policy was configured: {players.first} and {players.second} take turns, a week each.")
    return players


def _configure_policy(api: Api, players: Players) -> None:
    rotation = {
        "name": "Primary",
        "zone": "UTC",
        "starts_at": f"{datetime.now(UTC):%Y-%m-%d}T00:00:00Z",
        "shift_days": WEEK_DAYS,
        "members": list(dict.fromkeys([players.first, players.second])),
    }
    api.post("/api/rotations/primary", json=rotation)
    levels = [
        {"targets": ["rotation.primary"], "answer_within_s": ANSWER_WITHIN_S},
        {"targets": [f"person.{players.second}"], "answer_within_s": ANSWER_WITHIN_S},
    ]
    api.post("/api/policies/default", json={"name": "Default", "levels": levels, "repeat": 1})


def _handles(api: Api) -> list[str]:
    people: list[dict[str, Any]] = api.get("/api/people")["people"]
    return [person["handle"] for person in people if not person["erased"]]


def _rows(api: Api, sql: str) -> list[list[Any]]:
    rows: list[list[Any]] = api.post("/api/sql", json={"sql": sql})["rows"]
    return rows
