"""HTTP API: silences. Whoever may act on incidents may make and end them."""

from datetime import UTC, datetime
from typing import Annotated, Any

import msgspec
from litestar import Response, Router, get, post
from litestar.params import FromPath, JSONBody, QueryParameter

from services.command import Done
from services.web.answers import Seen, json_rows, seen_through
from services.web.declared import ORDER
from services.web.identity import AskerRequest
from services.web.problems import Problem
from services.web.reader import parse_moment
from services.web.site import Here, Lens, Site

SILENCES_MAX = 1_000
STATES = ("active", "pending", "ended")

_SILENCES = """
    select
        silences.*,
        case when ? >= ends_at then 'ended' when ? >= starts_at then 'active' else 'pending' end as state,
        coalesce(holding.holds, 0) as holds
    from silences
    left join (
        select held_by, count(*) as holds from alerts where held_because = 'silenced' group by held_by
    ) as holding on holding.held_by = silences.silence_id
"""


class NewSilence(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """A silence to make. Its end is ``ends_at`` or ``lasts_s``."""

    matchers: tuple[str, ...]
    """In Alertmanager's syntax; an alert must fit all."""
    reason: str
    starts_at: str = ""
    """ISO 8601, UTC unless it says; empty: now."""
    ends_at: str = ""
    lasts_s: int = 0
    """Seconds from its start."""


class OtherTime(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """How a silence changes; what is left out stays."""

    starts_at: str = ""
    ends_at: str = ""
    lasts_s: int = 0
    """Seconds from now."""
    reason: str = ""


class Ended(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """Why a silence ends before its time."""

    reason: str = ""


class Silences(Seen):
    """Rows of the view ``silences``, with how many alerts each holds."""

    silences: list[dict[str, Any]]
    names: dict[str, str]
    """What to call the people whose ids are in the rows."""


@get("/silences")
async def silences(
    site: Here, lens: Lens, wanted: Annotated[str, QueryParameter(name="state", max_length=40)] = ""
) -> Silences:
    """The silences with what each holds back; ``state`` is active, pending or ended, or several with commas."""
    states = [state for state in wanted.split(",") if state]
    if wrong := [state for state in states if state not in STATES]:
        raise Problem(
            400,
            f"There is no state {wrong[0]!r}",
            because="a silence is active, pending or ended",
            instead="GET /api/silences?state=active,pending",
        )
    seen = seen_through(site.reader, lens)
    now = await _moment_of(site, lens)
    rows = await site.reader.rows(
        f"select * from ({_SILENCES}) where ? or list_contains(?, state) "
        f"order by state = 'ended', ends_at, created_at, silence_id limit {SILENCES_MAX}",
        (now, now, not states, states),
        as_of=lens,
    )
    return {"silences": json_rows(rows), **seen, "names": await site.names.called()}


@get("/silences/{silence_id:str}")
async def silence(silence_id: FromPath[str], site: Here, lens: Lens) -> dict[str, Any]:
    """One silence."""
    now = await _moment_of(site, lens)
    rows = await site.reader.rows(f"{_SILENCES} where silence_id = ?", (now, now, silence_id), as_of=lens)
    if not rows:
        raise Problem(
            404,
            f"There is no silence {silence_id[:64]}",
            because=f"none is known at log position {site.reader.position_of(lens)}",
            instead="GET /api/silences lists them.",
        )
    return {**json_rows(rows)[0], **seen_through(site.reader, lens)}


@post("/silences", opt=ORDER)
async def create(request: AskerRequest, data: JSONBody[NewSilence], site: Here) -> Response[Done]:
    """Hold back the alerts that fit for a while."""
    fields = _said(data) | {"matchers": list(data.matchers), "reason": data.reason}
    return Response(await site.orders.give(request, "signals", "create_silence", fields), status_code=201)


@post("/silences/{silence_id:str}/change", status_code=200, opt=ORDER)
async def change(request: AskerRequest, silence_id: FromPath[str], data: JSONBody[OtherTime], site: Here) -> Done:
    """Let a silence last for another time."""
    fields = _said(data) | ({"reason": data.reason} if data.reason else {})
    return await site.orders.give(request, "signals", "change_silence", fields, target=silence_id)


@post("/silences/{silence_id:str}/end", status_code=200, opt=ORDER)
async def end(request: AskerRequest, silence_id: FromPath[str], data: JSONBody[Ended], site: Here) -> Done:
    """End a silence now: what it holds back is looked at again."""
    return await site.orders.give(request, "signals", "end_silence", {"reason": data.reason}, target=silence_id)


async def _moment_of(site: Site, lens: Lens) -> datetime:
    """The moment at which a silence lasts or not: now, or when the last event was recorded that the lens shows."""
    if lens is None:
        return site.reader.now.astimezone(UTC).replace(tzinfo=None)
    recorded_at = await site.reader.recorded_at(site.reader.position_of(lens))
    return lens.happened_by.astimezone(UTC).replace(tzinfo=None) if lens.happened_by else recorded_at or datetime.min


def _said(data: NewSilence | OtherTime) -> dict[str, Any]:
    """The times of a request, without those that were not said."""
    times = {"starts_at": _moment("starts_at", data.starts_at), "ends_at": _moment("ends_at", data.ends_at)}
    return {name: moment for name, moment in times.items() if moment} | (
        {"lasts_s": data.lasts_s} if data.lasts_s else {}
    )


def _moment(name: str, text: str) -> datetime | None:
    moment = parse_moment(text) if text else None
    if text and moment is None:
        raise Problem(
            400,
            f"{name} {text[:100]!r} cannot be read",
            because="it is not an ISO 8601 time",
            instead="Give a time such as 2026-03-01T14:05:00Z (UTC unless it has an offset).",
        )
    return moment


router = Router(path="/api", route_handlers=[silences, silence, create, change, end])
