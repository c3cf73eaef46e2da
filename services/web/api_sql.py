"""HTTP API: SQL for people and programs, over the views. Sandboxed and limited by `projections.query`.

The answer is JSON, CSV, an Arrow IPC stream or Parquet, as the field ``format`` says. The headers ``Recount-Position``
and ``Recount-Truncated`` tell where in the log it stands, and whether rows were cut off at the limit.
"""

import asyncio
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from time import perf_counter
from typing import Annotated, Any, Literal

import msgspec
from litestar import Response, Router, get, post
from litestar.params import JSONBody, QueryParameter
from litestar.response import Stream

from projections.answer_file import as_parquet
from projections.comments import DocumentedView
from projections.lens import Lens
from projections.query import Table
from services.web.answers import Seen, csv_text, json_value, seen_through
from services.web.asked_lens import AskedLens
from services.web.declared import declared
from services.web.site import Here, Site

# A statement that people write has a few thousand characters; generated ones may be longer.
SQL_CHARS_MAX = 100_000
CSV_TYPE = "text/csv; header=present"  # RFC 4180 section 3; the charset is added
FILE_TYPES = {
    "arrow": "application/vnd.apache.arrow.stream",  # registered by the Arrow project with IANA
    "parquet": "application/vnd.apache.parquet",
}
FILE_SUFFIXES = {"arrow": "arrows", "parquet": "parquet"}
PORTION_BYTES = 256 * 1024

Format = Literal["json", "csv", "arrow", "parquet"]


class Question(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """One query."""

    sql: Annotated[str, msgspec.Meta(min_length=1, max_length=SQL_CHARS_MAX)]
    as_of: int | str | None = None
    """As known at a log position or a time; left out, now."""
    known_by: str | None = None
    """Of imported history, only what its first recorder knew by this time."""
    happened_by: str | None = None
    """Only what is believed to have happened by this time."""
    format: Format = "json"

    @property
    def asked(self) -> AskedLens:
        """The lens that it asks for."""
        as_of = "" if self.as_of is None else str(self.as_of)
        return AskedLens(as_of=as_of, known_by=self.known_by or "", happened_by=self.happened_by or "")


class Result(msgspec.Struct, frozen=True, kw_only=True):
    """An answer, where in the log it stands, and what it cost."""

    table: Table
    lens: Lens | None
    seen: Seen
    """Its log position, and the bounds of the other clocks if there are any."""
    elapsed_ms: float

    @property
    def position(self) -> int:
        """Where in the log it stands."""
        return int(self.seen["position"])


async def answer(site: Site, sql: str, asked: AskedLens) -> Result:
    """Run one query of a person.

    Raises:
        QueryRefused: it may not run, does not parse, or took too long.
        Problem: the time is wrong, or too many queries run.
    """
    lens = await site.reader.lens(**msgspec.structs.asdict(asked))
    began = perf_counter()
    # The position is read before the query, so the answer is never older than it says.
    seen = seen_through(site.reader, lens)
    table = await site.reader.ask_for_people(sql, as_of=lens)
    return Result(table=table, lens=lens, seen=seen, elapsed_ms=round((perf_counter() - began) * 1_000, 3))


async def file_answer(site: Site, sql: str, asked: AskedLens, file_format: Literal["arrow", "parquet"]) -> Stream:
    """Run one query of a person and hand the answer out as a file. It lies in a folder of its own until it was sent.

    Raises:
        QueryRefused: it may not run, does not parse, or took too long.
        Problem: the time is wrong, or too many queries run.
    """
    lens = await site.reader.lens(**msgspec.structs.asdict(asked))
    position = site.reader.position_of(lens)
    folder = Path(await asyncio.to_thread(tempfile.mkdtemp, prefix="recount-sql-"))
    try:
        path = folder / "answer.arrows"
        written = await site.reader.write_for_people(sql, path, as_of=lens)
        if file_format == "parquet":
            arrow, path = path, folder / "answer.parquet"
            await asyncio.to_thread(as_parquet, arrow, path)
        # An open file stays readable without a name, so nothing is left behind however the connection ends.
        file = await asyncio.to_thread(path.open, "rb")
    finally:
        await asyncio.to_thread(shutil.rmtree, folder, ignore_errors=True)

    def portions() -> Iterator[bytes]:
        with file:
            while portion := file.read(PORTION_BYTES):
                yield portion

    return Stream(
        portions(),
        media_type=FILE_TYPES[file_format],
        status_code=200,
        headers=_receipt(position, written.truncated) | _attached(f"recount.{FILE_SUFFIXES[file_format]}"),
    )


def csv_answer(result: Result) -> Response[str]:
    """A result as a CSV file. Headers tell its position and whether rows were cut off."""
    return Response(
        csv_text(result.table),
        media_type=CSV_TYPE,
        status_code=200,
        headers=_receipt(result.position, result.table.truncated) | _attached("recount.csv"),
    )


@post("/sql", status_code=200, opt=declared(media=("text/csv", *FILE_TYPES.values())))
async def sql(data: JSONBody[Question], site: Here) -> Response[Any]:
    """Run one SELECT. The answer says how far in the log it was made, and whether rows were cut off."""
    if data.format in ("arrow", "parquet"):
        return await file_answer(site, data.sql, data.asked, data.format)
    result = await answer(site, data.sql, data.asked)
    if data.format == "csv":
        return csv_answer(result)
    return Response(
        {
            "columns": [{"name": column.name, "type": column.type} for column in result.table.columns],
            "rows": [[json_value(value) for value in row] for row in result.table.rows],
            "truncated": result.table.truncated,
            **result.seen,
            "elapsed_ms": result.elapsed_ms,
        },
        status_code=200,
        headers=_receipt(result.position, result.table.truncated),
    )


@get("/views", sync_to_thread=True)
def views(site: Here, everything: Annotated[bool, QueryParameter(name="all")] = False) -> list[dict[str, Any]]:
    """Every view with its sentence, grain, key and columns; with ``all``, those generated from the facts, too.

    Definitions are the same through every lens.
    """
    return [_told(told) for told in site.reader.warehouse.documented_views(typed=everything)]


def _told(view: DocumentedView) -> dict[str, Any]:
    return {
        "name": view.name,
        "sentence": view.sentence,
        "grain": view.grain,
        "key": view.key,
        "refresh": view.refresh,
        "columns": [
            {"name": column.name, "type": column.type, "meaning": view.meanings[column.name]} for column in view.columns
        ],
        "sql": view.sql,
    }


def _receipt(position: int, truncated: bool) -> dict[str, str]:
    return {"Recount-Position": str(position), "Recount-Truncated": str(truncated).lower()}


def _attached(file_name: str) -> dict[str, str]:
    return {"Content-Disposition": f'attachment; filename="{file_name}"'}


router = Router(path="/api", route_handlers=[sql, views])
