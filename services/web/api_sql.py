"""HTTP API: SQL for people and programs, over the views. Sandboxed and limited by `projections.query`."""

from time import perf_counter
from typing import Annotated, Any, Literal

import msgspec
from litestar import Response, Router, get, post
from litestar.params import JSONBody

from projections.query import Table
from services.web.answers import csv_text, json_value
from services.web.site import Here, Site

# A statement that people write has a few thousand characters; generated ones may be longer.
SQL_CHARS_MAX = 100_000
CSV_TYPE = "text/csv; header=present"  # RFC 4180 section 3; the charset is added


class Question(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """One query."""

    sql: Annotated[str, msgspec.Meta(min_length=1, max_length=SQL_CHARS_MAX)]
    as_of: int | str | None = None
    format: Literal["json", "csv"] = "json"


class Result(msgspec.Struct, frozen=True, kw_only=True):
    """An answer, where in the log it stands, and what it cost."""

    table: Table
    position: int
    elapsed_ms: float


async def answer(site: Site, sql: str, as_of: int | str | None) -> Result:
    """Run one query of a person.

    Raises:
        QueryRefused: it may not run, does not parse, or took too long.
        Problem: the time is wrong, or too many queries run.
    """
    lens = None if as_of is None or as_of == "" else await site.reader.resolve(str(as_of))
    began = perf_counter()
    # The position is read before the query, so the answer is never older than it says.
    position = site.reader.position if lens is None else lens
    table = await site.reader.ask_for_people(sql, as_of=lens)
    return Result(table=table, position=position, elapsed_ms=round((perf_counter() - began) * 1_000, 3))


def csv_answer(result: Result, file_name: str = "recount.csv") -> Response[str]:
    """A result as a CSV file. Headers tell its position and whether rows were cut off."""
    return Response(
        csv_text(result.table),
        media_type=CSV_TYPE,
        status_code=200,
        headers={
            "Content-Disposition": f'attachment; filename="{file_name}"',
            "Recount-Position": str(result.position),
            "Recount-Truncated": str(result.table.truncated).lower(),
        },
    )


@post("/sql", status_code=200)
async def sql(data: JSONBody[Question], site: Here) -> Response[Any]:
    """Run one SELECT. The answer says how far in the log it was made, and whether rows were cut off."""
    result = await answer(site, data.sql, data.as_of)
    if data.format == "csv":
        return csv_answer(result)
    return Response(
        {
            "columns": [{"name": column.name, "type": column.type} for column in result.table.columns],
            "rows": [[json_value(value) for value in row] for row in result.table.rows],
            "truncated": result.table.truncated,
            "position": result.position,
            "elapsed_ms": result.elapsed_ms,
        },
        status_code=200,
    )


@get("/views", sync_to_thread=True)
def views(site: Here) -> list[dict[str, Any]]:
    """Every view with its sentence, grain, key and columns."""
    return [
        {
            "name": view.name,
            "sentence": view.sentence,
            "grain": view.grain,
            "key": view.key,
            "refresh": view.refresh,
            "columns": [{"name": column.name, "type": column.type} for column in view.columns],
            "sql": view.sql,
        }
        for view in site.reader.warehouse.views()
    ]


router = Router(path="/api", route_handlers=[sql, views])
