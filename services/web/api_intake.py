"""HTTP API: the completeness ledger, where senders post, and heartbeats."""

from typing import Annotated, Any, TypedDict, cast

import msgspec
from litestar import Router, delete, get, post
from litestar.params import FromPath, JSONBody, QueryParameter

from services.command import Done
from services.running import read_running
from services.sources import Source, sources
from services.web.answers import Seen, json_rows, seen_through
from services.web.declared import ORDER
from services.web.identity import AskerRequest, admin_only
from services.web.site import Here, Lens, Site

# A week of a dozen sources; `select * from intake_ledger` gives them all.
LEDGER_ROWS_MAX = 2_000
HEARTBEATS_MAX = 1_000
INTAKE_URL_DEFAULT = "http://127.0.0.1:8081"

_LEDGER = f"""
    select * from intake_ledger
    where ? in ('', source, integration)
        and hour > (select max(hour) from intake_ledger) - to_hours(cast(? as integer))
    order by hour desc, source, integration limit {LEDGER_ROWS_MAX}
"""
_SILENCE = "select * from source_silence order by is_unusual desc, source, integration"
_HEARTBEATS = f"select * from heartbeats where state <> 'removed' order by name, heartbeat_id limit {HEARTBEATS_MAX}"
_KEYS = "select key_id, sender, name from integration_keys where revoked_at is null order by created_at, key_id"


class Expected(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """How often a ping is expected."""

    every_s: int
    grace_s: int = 0
    name: str = ""
    severity: str = "error"
    service: str = ""


class Heartbeats(Seen):
    """Rows of the view ``heartbeats``."""

    heartbeats: list[dict[str, Any]]


class Sources(TypedDict):
    """Where senders post."""

    sources: list[dict[str, Any]]


class Counted(TypedDict):
    """What was received, and what became of it."""

    total: dict[str, Any]
    ledger: list[dict[str, Any]]
    silence: list[dict[str, Any]]


class Ledger(Seen, Counted):
    """The same, and through which lens."""


class LedgerVerdict(TypedDict):
    """Whether everything is accounted for: the row of the view ``completeness``, and where it is not."""

    received: int
    facts: int
    duplicates: int
    refused: int
    dead: int
    unaccounted: int
    differences: list[dict[str, Any]]


@get("/intake/ledger")
async def ledger(
    site: Here,
    lens: Lens,
    source: Annotated[str, QueryParameter(max_length=200)] = "",
    hours: Annotated[int, QueryParameter(ge=1, le=24 * 400)] = 24,
) -> Ledger:
    """What was received, and what became of it: the total, the last hours of each source, and who is silent."""
    return {**seen_through(site.reader, lens), **await read_ledger(site, lens, source=source, hours=hours)}


@post("/verify/ledger", status_code=200, guards=[admin_only])
async def verify_ledger(site: Here) -> LedgerVerdict:
    """Whether everything that is counted is accounted for; if not, where."""
    (total,) = await site.reader.rows("select * from completeness")
    wrong = await site.reader.rows("select * from unaccounted_receipts order by hour, source, integration")
    return cast(LedgerVerdict, {**json_rows([total])[0], "differences": json_rows(wrong)})


@get("/intake/sources")
async def sources_as_json(request: AskerRequest, site: Here) -> Sources:
    """For every sender and key the address to paste and a request to try."""
    return {"sources": [msgspec.structs.asdict(one) for one in await read_sources(request, site)]}


@get("/heartbeats")
async def heartbeats(site: Here, lens: Lens) -> Heartbeats:
    """Heartbeats, and how they stand."""
    seen = seen_through(site.reader, lens)
    return {"heartbeats": json_rows(await read_heartbeats(site, lens)), **seen}


@post("/heartbeats/{name:str}", status_code=200, opt=ORDER, guards=[admin_only])
async def configure(request: AskerRequest, name: FromPath[str], data: JSONBody[Expected], site: Here) -> Done:
    """Expect pings; or again, when it was paused."""
    return await site.orders.give(request, "heartbeats", "configure", msgspec.structs.asdict(data), target=name)


@post("/heartbeats/{name:str}/pause", status_code=200, opt=ORDER, guards=[admin_only])
async def pause(request: AskerRequest, name: FromPath[str], site: Here) -> Done:
    """Expect nothing until it is configured again."""
    return await site.orders.give(request, "heartbeats", "pause", {}, target=name)


@delete("/heartbeats/{name:str}", status_code=200, opt=ORDER, guards=[admin_only])
async def remove(
    request: AskerRequest,
    name: FromPath[str],
    site: Here,
    reason: Annotated[str, QueryParameter(max_length=2_000)] = "",
) -> Done:
    """Expect nothing any more."""
    return await site.orders.give(request, "heartbeats", "remove", {"reason": reason}, target=name)


async def read_ledger(site: Site, lens: Any, *, source: str = "", hours: int = 24) -> Counted:
    """The ledger's total, the last hours of each source, and who is silent."""
    total = await site.reader.rows("select * from completeness", as_of=lens)
    rows = await site.reader.rows(_LEDGER, (source, hours), as_of=lens)
    silence = await site.reader.rows(_SILENCE, as_of=lens)
    return {"total": json_rows(total)[0], "ledger": json_rows(rows), "silence": json_rows(silence)}


async def read_heartbeats(site: Site, lens: Any) -> list[dict[str, Any]]:
    """The heartbeats that are not removed."""
    return await site.reader.rows(_HEARTBEATS, as_of=lens)


async def read_sources(request: AskerRequest, site: Site) -> list[Source]:
    """Where senders post. Secrets made at the first start are known here, and told to an administrator."""
    running = read_running(site.context.data)
    url = (running.intake_url if running else "") or INTAKE_URL_DEFAULT
    known = site.context.secrets.keys.values() if request.user.is_admin else ()
    return sources(url, await site.reader.rows(_KEYS), {key.id: key.secret for key in known})


router = Router(
    path="/api",
    route_handlers=[ledger, verify_ledger, sources_as_json, heartbeats, configure, pause, remove],
)
