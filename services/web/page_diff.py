"""Page and API: what changed between two looks at the log, with the events that caused it."""

from typing import Annotated, Any

import msgspec
from litestar import Router, get
from litestar.di import NamedDependency, Provide
from litestar.params import QueryParameter
from litestar.response import Template

from projections.change import Change, Diff
from projections.diff import UnknownView
from projections.lens import Lens as FixedLens
from services.web.answers import json_value, seen_through
from services.web.asked_lens import TEXT_CHARS_MAX, AskedLens
from services.web.declared import declared
from services.web.identity import AskerRequest
from services.web.pages import page
from services.web.problems import Problem
from services.web.site import Here, Site

# Changed with every event about an incident, so they say nothing beside another column.
BOOKKEEPING = ("last_seq", "updated_at")
VIEWS_CHARS_MAX = 2_000


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """Which two looks to compare, as a request writes it."""

    before: AskedLens
    after: AskedLens
    incident: str = ""
    views: tuple[str, ...] = ()


async def provide_asked(
    asked_from: Annotated[str, QueryParameter(name="from", max_length=TEXT_CHARS_MAX)] = "",
    asked_to: Annotated[str, QueryParameter(name="to", max_length=TEXT_CHARS_MAX)] = "",
    asked_happened_by: Annotated[str, QueryParameter(name="happened_by", max_length=TEXT_CHARS_MAX)] = "",
    asked_known_by: Annotated[str, QueryParameter(name="known_by", max_length=TEXT_CHARS_MAX)] = "",
    from_happened_by: Annotated[str, QueryParameter(max_length=TEXT_CHARS_MAX)] = "",
    from_known_by: Annotated[str, QueryParameter(max_length=TEXT_CHARS_MAX)] = "",
    asked_incident: Annotated[str, QueryParameter(name="incident", max_length=TEXT_CHARS_MAX)] = "",
    asked_views: Annotated[str, QueryParameter(name="view", max_length=VIEWS_CHARS_MAX)] = "",
) -> Asked:
    """The two looks: each clock's bound holds for both, unless that of ``from`` is given by itself."""
    return Asked(
        before=AskedLens(
            as_of=asked_from.strip(),
            happened_by=(from_happened_by or asked_happened_by).strip(),
            known_by=(from_known_by or asked_known_by).strip(),
        ),
        after=AskedLens(as_of=asked_to.strip(), happened_by=asked_happened_by.strip(), known_by=asked_known_by.strip()),
        incident=asked_incident.strip(),
        views=tuple(name.strip() for name in asked_views.split(",") if name.strip()),
    )


@get("/diff", dependencies={"asked": Provide(provide_asked)})
async def diff_page(request: AskerRequest, site: Here, asked: NamedDependency[Asked]) -> Template:
    """What changed, row by row; without ``from``, a form that asks for it."""
    found = await compare(site, asked) if asked.before.as_of else None
    return await page(
        request,
        site,
        "diff.html",
        asked=asked,
        found=found,
        bookkeeping=BOOKKEEPING,
        moments=[await site.reader.recorded_at(site.reader.position_of(lens)) for lens in (found.before, found.after)]
        if found
        else [],
    )


@get("/api/diff", opt=declared(404), dependencies={"asked": Provide(provide_asked)})
async def diff_as_json(site: Here, asked: NamedDependency[Asked]) -> dict[str, Any]:
    """What changed between two looks at the log, row by row, with the events that caused it."""
    if not asked.before.as_of:
        raise Problem(
            400, "There is nothing to compare", because="from is missing", instead="Give a log position or a time."
        )
    found = await compare(site, asked)
    return {
        "from": seen_through(site.reader, found.before),
        "to": seen_through(site.reader, found.after),
        "events": found.events,
        "compared": found.compared,
        "views": [
            json_value(msgspec.structs.asdict(each) | {"changes": list(map(_told, each.changes))})
            | {"truncated": each.truncated}
            for each in found.views
        ],
        "causes": {str(seq): json_value(msgspec.structs.asdict(cause)) for seq, cause in found.causes.items()},
        "names": await site.names.called(),
    }


async def compare(site: Site, asked: Asked) -> Diff:
    """What two lenses show differently.

    Raises:
        Problem: 400, a lens cannot be read, or there is no such view.
        QueryRefused: it took too long.
    """
    reader = site.reader
    before = await reader.lens(**msgspec.structs.asdict(asked.before))
    after = await reader.lens(**msgspec.structs.asdict(asked.after)) or FixedLens(position=reader.position)
    try:
        return await reader.diff(before, after, views=asked.views, incident_id=asked.incident)
    except UnknownView as error:
        raise Problem(400, "The views cannot be compared", because=str(error), instead=error.hint) from error


def _told(change: Change) -> dict[str, Any]:
    told = msgspec.structs.asdict(change)
    return told | {"cells": [msgspec.structs.asdict(cell) for cell in change.cells]}


router = Router(path="/", route_handlers=[diff_page, diff_as_json])
