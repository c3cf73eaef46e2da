"""What Opsgenie's API tells of several alerts: those of the asking key that fire, their number, and the notes of one.

Of Opsgenie's search language the conditions ``field: value`` joined by ``AND`` are understood. What is over is not
listed: it stands in the log, and SQL finds it.
"""

import re
from collections.abc import Callable
from operator import itemgetter
from typing import Any
from urllib.parse import urlencode

from events.alert import AlertNoted
from services.intake.adapters import InvalidPayload, Reply, Route
from services.intake.adapters.opsgenie import ADAPTER, CREATE, refused
from services.intake.answers import Answered, Asked
from services.intake.answers.opsgenie import identified, no_such_alert, shown, told, written
from services.intake.standing import StandingAlert

# Opsgenie's own: of a page, and how far into a list one may go.
LIMIT_DEFAULT, LIMIT_MAX = 20, 100
OFFSET_MAX = 20_000
# Characters of a query; longer than any that people write.
QUERY_LENGTH_MAX = 1_000

Condition = Callable[[dict[str, Any]], bool]

_CONDITION = r"\s*(\w+)\s*[:=]\s*(\"[^\"]*\"|[^\s\"():=]+)\s*"
_QUERY = re.compile(rf"{_CONDITION}(?:AND{_CONDITION})*", re.IGNORECASE)
_ONE = re.compile(_CONDITION)
_SEARCHED = ("acknowledged", "alias", "entity", "message", "priority", "source", "status", "tag", "tinyId")
_SORTED = ("createdAt", "updatedAt", "tinyId", "alias", "message", "acknowledged", "source", "priority")


async def alerts(asked: Asked) -> Reply:
    """``GET /v2/alerts``."""
    fields = dict(asked.queries)
    try:
        limit = _number(fields, "limit", LIMIT_DEFAULT, LIMIT_MAX, least=1)
        offset = _number(fields, "offset", 0, OFFSET_MAX)
        found = await _found(asked, fields)
        _sort(found, fields)
    except InvalidPayload as problem:
        return refused(problem.status, str(problem))
    page = found[offset : offset + limit]
    return told(page, paging=_paging(fields, limit, offset, len(found)))


async def count(asked: Asked) -> Reply:
    """``GET /v2/alerts/count``."""
    try:
        found = await _found(asked, dict(asked.queries))
    except InvalidPayload as problem:
        return refused(problem.status, str(problem))
    return told({"count": len(found)})


async def notes(asked: Asked) -> Reply:
    """``GET /v2/alerts/{identifier}/notes``: what was written about an alert, the newest first by default."""
    fields = dict(asked.queries)
    try:
        limit = _number(fields, "limit", LIMIT_MAX, LIMIT_MAX, least=1)
        _identity, history, state = await identified(asked)
    except InvalidPayload as problem:
        return refused(problem.status, str(problem))
    if state.fired is None:
        return no_such_alert()
    written_notes = [
        {
            "note": one.fact.text,
            "owner": one.fact.author,
            "createdAt": written(one.happened_at),
            "offset": str(one.seq),
        }
        for one in history
        if isinstance(one.fact, AlertNoted)
    ]
    if fields.get("order", "desc") != "asc":
        written_notes.reverse()
    return told(written_notes[:limit], paging={})


def _not_offered(what: str) -> Answered:
    """What Opsgenie tells of an alert and Recount does not."""

    async def answer(_asked: Asked) -> Reply:
        """Not offered."""
        return refused(501, f"{what} of an alert are not offered; its page in Recount tells what happened to it")

    route = Route("GET", f"{CREATE}/{{identifier}}/{what}")
    return Answered(route=route, sender=ADAPTER.name, answer=answer, refuses=(501,))


async def _found(asked: Asked, fields: dict[str, str]) -> list[dict[str, Any]]:
    conditions = _conditions(fields)
    await asked.standing.catch_up()
    own = (one for one in asked.standing.alerts.values() if one.fired.integration == asked.key.key_id)
    return [one for one in map(_alert, own) if all(fits(one) for fits in conditions)]


def _alert(standing: StandingAlert) -> dict[str, Any]:
    return shown(
        standing.fired,
        acknowledged=standing.is_acknowledged,
        is_open=True,
        created_at=standing.fired_at,
        updated_at=standing.updated_at,
    )


def _conditions(fields: dict[str, str]) -> list[Condition]:
    if "searchIdentifier" in fields:
        raise InvalidPayload("saved searches are not offered; give query", status=422)
    query = fields.get("query", "").strip()
    if not query:
        return []
    if len(query) > QUERY_LENGTH_MAX or not _QUERY.fullmatch(query):
        raise InvalidPayload(
            f"query {query[:80]!r} is not understood; it may have field: value, joined by AND, with the fields "
            f"{', '.join(_SEARCHED)}",
            status=422,
        )
    return [
        _condition(name, value.strip('"')) for name, value in _ONE.findall(re.sub(r"\bAND\b", " ", query, flags=re.I))
    ]


def _condition(name: str, value: str) -> Condition:
    wanted = value.lower()
    known = next((field for field in _SEARCHED if field.lower() == name.lower()), "")
    if not known:
        raise InvalidPayload(f"query cannot ask for {name[:40]}; it may for {', '.join(_SEARCHED)}", status=422)
    if known == "status":
        if wanted != "open":
            raise InvalidPayload(
                "only alerts with status: open are listed; SQL finds the others: "
                "select * from alerts where state = 'cleared'",
                status=422,
            )
        return lambda _alert: True
    if known == "tag":
        return lambda alert: wanted in (tag.lower() for tag in alert["tags"])
    if known == "message":
        return lambda alert: wanted in alert["message"].lower()
    return lambda alert: str(alert[known]).lower() == wanted


def _sort(found: list[dict[str, Any]], fields: dict[str, str]) -> None:
    by = fields.get("sort", "createdAt")
    order = fields.get("order", "desc")
    if by not in _SORTED:
        raise InvalidPayload(f"sort must be one of {', '.join(_SORTED)}", status=422)
    if order not in ("asc", "desc"):
        raise InvalidPayload("order must be asc or desc", status=422)
    # Ties keep one order, so that pages do not overlap.
    found.sort(key=itemgetter("id"))
    found.sort(key=itemgetter(by), reverse=order == "desc")


def _number(fields: dict[str, str], name: str, otherwise: int, most: int, *, least: int = 0) -> int:
    text = fields.get(name, "")
    if not text:
        return otherwise
    if not (text.isascii() and text.isdecimal() and len(text) <= len(str(most)) and least <= int(text) <= most):
        raise InvalidPayload(f"{name} must be a number from {least} to {most}", status=422)
    return int(text)


def _paging(fields: dict[str, str], limit: int, offset: int, total: int) -> dict[str, str]:
    last = max(0, (total - 1) // limit * limit)
    offsets = {"first": 0, "prev": offset - limit, "next": offset + limit, "last": last}

    def address(there: int) -> str:
        # Relative to where was asked: an address behind a proxy is not known here.
        return f"{CREATE}?{urlencode(fields | {'limit': str(limit), 'offset': str(there)})}"

    return {name: address(there) for name, there in offsets.items() if 0 <= there <= last}


ANSWERS = (
    Answered(route=Route("GET", CREATE), sender=ADAPTER.name, answer=alerts),
    Answered(route=Route("GET", f"{CREATE}/count"), sender=ADAPTER.name, answer=count),
    Answered(route=Route("GET", f"{CREATE}/{{identifier}}/notes"), sender=ADAPTER.name, answer=notes),
    *map(_not_offered, ("attachments", "logs", "recipients")),
)
