"""Page: the rules by which alerts are decided: the document, and who changed it when and why."""

import difflib
from typing import Any

from litestar import Router, get
from litestar.params import FromQuery
from litestar.response import Template

from services.rules.advice import advice_on
from services.rules.rules_document import parse_rules
from services.web.identity import AskerRequest
from services.web.pages import page
from services.web.problems import Problem
from services.web.reader import POSITION_DIGITS_MAX
from services.web.site import Here, Lens

# Older versions are found by SQL: `select * from rules_published`.
VERSIONS_MAX = 100

_VERSIONS = f"""
    select seq, happened_at, recorded_at, coalesce(actor, source) as actor, note, origin, text, text_sha256
    from rules_published order by seq desc limit {VERSIONS_MAX}
"""


@get("/rules")
async def rules(request: AskerRequest, site: Here, lens: Lens, version: FromQuery[str] = "") -> Template:
    """The present rules, or a former version with what it changed."""
    versions = await site.reader.rows(_VERSIONS, as_of=lens)
    shown = _chosen(versions, version)
    before = next((row for row in versions if shown is not None and row["seq"] < shown["seq"]), None)
    settings = site.context.settings.grouping
    advice = advice_on(parse_rules(shown["text"])) if shown is not None else ()
    return await page(
        request,
        site,
        "rules.html",
        as_of=lens,
        versions=versions,
        shown=shown,
        is_present=bool(versions) and shown is not None and shown["seq"] == versions[0]["seq"],
        changes=_changes(before["text"] if before else "", shown["text"]) if shown is not None else [],
        has_before=before is not None,
        advice=advice,
        opens_at=settings.opens_at,
        severity=settings.severity,
    )


def _chosen(versions: list[dict[str, Any]], version: str) -> dict[str, Any] | None:
    if not version:
        return versions[0] if versions else None
    is_position = version.isascii() and version.isdigit() and len(version) < POSITION_DIGITS_MAX
    found = next((row for row in versions if is_position and row["seq"] == int(version)), None)
    if found is None:
        raise Problem(
            404,
            f"There is no version {version[:40]} of the rules",
            because=f"versions are the log positions at which they were published; the last {VERSIONS_MAX} are told",
            instead="Choose one from the history, or ask `select * from rules_published`.",
        )
    return found


def _changes(before: str, after: str) -> list[tuple[str, str]]:
    """The lines that differ, each with ``+``, ``-`` or a space, and three lines around them."""
    lines = difflib.unified_diff(before.splitlines(), after.splitlines(), lineterm="", n=3)
    return [(line[:1], line[1:]) for line in lines if not line.startswith(("+++", "---"))]


router = Router(path="/", route_handlers=[rules])
