"""HTTP API: the rules by which alerts are decided. Reading needs a login, publishing an admin token."""

from typing import Annotated, Any

import msgspec
from litestar import Router, get, post
from litestar.params import FromPath, JSONBody

from events.errors import BadConfiguration
from services.command import Done
from services.rules.advice import advice_on
from services.rules.rules_document import TEXT_BYTES_MAX, parse_rules, written_settings
from services.web.answers import json_rows, seen_through
from services.web.declared import ORDER
from services.web.identity import AskerRequest, admin_only
from services.web.problems import Problem
from services.web.site import Here, Lens

# Rule sets that a list names. They change some times a month.
HISTORY_MAX = 1_000

_PUBLISHED = "select seq as rules_seq, happened_at, recorded_at, actor, origin, note, text_sha256"


class NewRules(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """A rule set to publish, or only to check."""

    text: Annotated[str, msgspec.Meta(max_length=TEXT_BYTES_MAX)]
    """In TOML, whole."""
    note: Annotated[str, msgspec.Meta(max_length=2_000)] = ""
    """What changes and why."""


@get("/rules")
async def rules(site: Here, lens: Lens) -> dict[str, Any]:
    """The rules that decide, as written, and since when. ``rules_seq`` is 0 while nothing was ever published."""
    seen = seen_through(site.reader, lens)
    rows = await site.reader.rows(f"{_PUBLISHED}, text from rules_published order by seq desc limit 1", as_of=lens)
    if rows:
        return json_rows(rows)[0] | seen
    grouping = site.context.settings.grouping
    return {
        "rules_seq": 0,
        "happened_at": None,
        "recorded_at": None,
        "actor": None,
        "origin": "built-in",
        "note": "",
        "text_sha256": "",
        "text": written_settings(grouping.opens_at, grouping.severity),
    } | seen


@get("/rules/history")
async def history(site: Here, lens: Lens) -> dict[str, Any]:
    """Every rule set that was published, the newest first, without its text."""
    seen = seen_through(site.reader, lens)
    rows = await site.reader.rows(
        f"{_PUBLISHED} from rules_published order by seq desc limit {HISTORY_MAX}", as_of=lens
    )
    return {"history": json_rows(rows), **seen}


@get("/rules/{rules_seq:int}")
async def rules_at(rules_seq: FromPath[int], site: Here) -> dict[str, Any]:
    """The rule set that was published at a log position, which facts name as ``rules_seq``."""
    rows = await site.reader.rows(f"{_PUBLISHED}, text from rules_published where seq = ?", (rules_seq,))
    if not rows:
        raise Problem(
            404,
            f"No rules were published at position {rules_seq}",
            because="the event there is another one, or there is none",
            instead="GET /api/rules/history lists the positions.",
        )
    return json_rows(rows)[0]


@post("/rules", status_code=200, opt=ORDER, guards=[admin_only])
async def publish(request: AskerRequest, data: JSONBody[NewRules], site: Here) -> Done:
    """Have a rule set decide from now on. The same text as now changes nothing."""
    return await site.orders.give(request, "signals", "publish_rules", msgspec.structs.asdict(data))


@post("/rules/check", status_code=200)
async def check(data: JSONBody[NewRules]) -> dict[str, Any]:
    """Whether a text is a rule set, and what in it is probably not meant; changes nothing. What is wrong is answered as
    when it is published."""
    try:
        found = parse_rules(data.text)
    except BadConfiguration as error:
        raise Problem(400, "These are no rules", because=str(error), instead=error.hint) from error
    return {
        "routes": [route.path for route in found.route.walk()],
        "inhibit": [rule.name for rule in found.inhibit],
        "time_intervals": sorted(found.time_intervals),
        "advice": list(advice_on(found)),
    }


router = Router(path="/api", route_handlers=[rules, history, rules_at, publish, check])
