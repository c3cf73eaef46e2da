"""Asking the warehouse: what an answer looks like, what it may cost, and the guard around SQL written by people.

A person's SQL runs on the warehouse's own instance, whose configuration is locked: no files, no extensions, no
settings. On top of that it must be exactly one SELECT by the parser, use no table function that reaches outside the
tables, and run inside ``BEGIN TRANSACTION READ ONLY``, because an INSERT hidden in a WITH clause is typed SELECT.
"""

import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, Literal

import duckdb
import msgspec

from events import RecountError
from projections.catalog import Column
from projections.statement import NotOneSelect, Select, first_line, place_in, read_select


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    """What one question may cost. Memory is limited for the whole warehouse (`Warehouse.open`)."""

    seconds: float
    rows: int
    cells_bytes: int
    """Roughly how many bytes of text an answer may hold."""


TRUSTED = Limits(seconds=60, rows=10_000_000, cells_bytes=1 << 30)
"""For Recount's own questions: a safety net, not a rule."""

# Long enough for an analyst's scan of ten million events, short enough that nobody waits for a query that never ends.
# 10,000 rows fill more screens than anybody reads; 32 MiB keep an answer from pressing the readers process.
FOR_PEOPLE = Limits(seconds=10, rows=10_000, cells_bytes=32 << 20)
"""For SQL written by people."""

# A dashboard draws from aggregates; an extract of a million rows is what BI tools take at most in one piece. They are
# streamed, so only time presses the readers process: one minute is what such tools wait by default.
FOR_BI = Limits(seconds=60, rows=1_000_000, cells_bytes=1 << 30)
"""For SQL of BI tools, whose answers are streamed (`projections.stream`)."""

# Rows are taken in portions so that both limits are noticed before everything is in memory.
FETCH_ROWS = 1_000

INTERRUPT_EVERY_S = 0.05

# Parsing is not interrupted, so what is parsed is bounded; nobody types more.
SQL_CHARS_MAX = 100_000

# Schemas that say what there is, and hold nothing of the log.
SCHEMAS = frozenset({"information_schema", "pg_catalog"})

# Functions that read only their arguments. Everything else in a FROM is refused: among DuckDB's own are some that
# read files, raw memory addresses, or text that hides further SQL from the parser.
TABLE_FUNCTIONS = frozenset({"range", "generate_series", "unnest", "json_each", "json_tree", "repeat_row"})


# Each of these can fill memory with one value, which DuckDB neither counts against its limit nor can interrupt; or it
# waits, writes or tells what is no business of a question.
UNBOUNDED_FUNCTIONS = frozenset(
    {
        *("range", "generate_series", "repeat", "lpad", "rpad", "printf", "format", "bitstring", "list_resize"),
        *("array_resize", "sleep_ms", "write_log", "current_setting"),
    }
)
UNBOUNDED_FUNCTIONS_HINT = "It could take more memory or time than one answer may. In a FROM, range() is allowed."

Parameters = Sequence[Any] | Mapping[str, Any]
"""Values for ``?`` in order, or for ``$name`` by name."""


class Table(msgspec.Struct, frozen=True):
    """An answer."""

    columns: tuple[Column, ...]
    rows: list[tuple[Any, ...]]
    """Times are UTC without a zone; maps and structs are dicts, lists are lists."""
    truncated: bool
    """Whether there was more than the limits allow."""

    def dicts(self) -> list[dict[str, Any]]:
        """The rows by column name."""
        names = [column.name for column in self.columns]
        return [dict(zip(names, row, strict=True)) for row in self.rows]


Kind = Literal[
    "not_allowed",
    "syntax",
    "no_such_table",
    "no_such_column",
    "no_such_function",
    "no_such_setting",
    "ambiguous",
    "type",
    "value",
    "too_big",
    "too_slow",
    "stopped",
    "memory",
    "wrong",
]
"""What was wrong with a question, for programs."""


class QueryRefused(RecountError):
    """A question was not answered: not allowed, wrong, or too expensive."""

    def __init__(self, message: str, *, hint: str | None = None, kind: Kind = "not_allowed", place: int = 0) -> None:
        super().__init__(message, hint=hint)
        self.kind: Kind = kind
        self.place = place
        """The character of the SQL that it is about, counted from 1; 0 when none is known."""


def check(
    cursor: duckdb.DuckDBPyConnection,
    sql: str,
    *,
    schemas: frozenset[str] = SCHEMAS,
    table_functions: frozenset[str] = TABLE_FUNCTIONS,
) -> Select:
    """Refuse what is not one harmless SELECT.

    Args:
        cursor: any connection without an open result.
        sql: the text.
        schemas: those that it may name.
        table_functions: those that it may use in a FROM.

    Returns:
        What it names.

    Raises:
        QueryRefused: says what is not allowed and what is.
    """
    if len(sql) > SQL_CHARS_MAX:
        raise QueryRefused(f"the query has {len(sql)} characters; at most {SQL_CHARS_MAX} are read")
    try:
        select = read_select(cursor, sql)
    except NotOneSelect as error:
        kind: Kind = "not_allowed" if error.is_readable else "syntax"
        message = f"only one SELECT is answered: {error}"
        raise QueryRefused(message, hint=error.hint, kind=kind, place=error.place) from error
    strangers = sorted(select.table_functions - table_functions)
    if strangers:
        raise QueryRefused(
            f"{strangers[0]}() is not allowed in a FROM",
            hint=f"Ask the views; `show tables` lists them. Allowed functions: {', '.join(sorted(table_functions))}.",
        )
    unbounded = sorted(select.functions & UNBOUNDED_FUNCTIONS)
    if unbounded:
        raise QueryRefused(f"{unbounded[0]}() is not allowed here", hint=UNBOUNDED_FUNCTIONS_HINT)
    outside = sorted(select.schemas - schemas)
    if outside:
        # With its schema, a view could be read past the position that is asked about.
        raise QueryRefused(f"{outside[0]}.… names a schema", hint="Write the view's name alone: `from incidents`.")
    return select


def run_guarded(cursor: duckdb.DuckDBPyConnection, sql: str, limits: Limits) -> Table:
    """Answer a person's SQL that `check` let pass.

    Raises:
        QueryRefused: it is wrong, would change something, took too long, or needed too much memory.
    """
    cursor.execute("begin transaction read only")
    try:
        with refusals(sql):
            return run(cursor, sql, (), limits)
    finally:
        cursor.rollback()


@contextmanager
def refusals(sql: str, *, before: str = "") -> Iterator[None]:
    """What DuckDB says of a person's SQL, as a `QueryRefused` that says what to do.

    Args:
        sql: what they wrote.
        before: what was put before it.
    """
    try:
        yield
    except duckdb.PermissionException as error:
        raise QueryRefused(first_line(error), hint="SQL reads the views only: no files, no network.") from error
    except duckdb.OutOfMemoryException as error:
        message = "the query needs more memory than the warehouse may use"
        raise QueryRefused(message, hint="Narrow it with WHERE, or aggregate earlier.", kind="memory") from error
    except duckdb.TransactionException as error:
        raise QueryRefused("the query would change something", hint="SQL reads; commands change.") from error
    except duckdb.InterruptException as error:
        raise QueryRefused("the query was stopped", hint="Ask again in a moment.", kind="stopped") from error
    except duckdb.Error as error:
        hint = "`show tables` lists the views, `describe VIEW` its columns."
        place = max(place_in(error, before + sql) - len(before), 0)
        raise QueryRefused(first_line(error), hint=hint, kind=_kind_of(error), place=place) from error


_BY_WORDS: tuple[tuple[str, Kind], ...] = (
    ("Table with name", "no_such_table"),
    ("Referenced table", "no_such_table"),
    ("Function with name", "no_such_function"),
    ("No function matches", "no_such_function"),
    ("Type with name", "no_such_function"),
    ("Ambiguous reference", "ambiguous"),
    ("Referenced column", "no_such_column"),
    ("does not have a column", "no_such_column"),
    ("Cannot mix values", "type"),
    ("Cannot compare values", "type"),
)


def _kind_of(error: duckdb.Error) -> Kind:
    match error:
        case duckdb.ParserException() | duckdb.SyntaxException():
            return "syntax"
        case duckdb.ConversionException() | duckdb.OutOfRangeException():
            return "value"
        case duckdb.TypeMismatchException() | duckdb.InvalidTypeException():
            return "type"
    return next((kind for words, kind in _BY_WORDS if words in str(error)), "wrong")


def run(cursor: duckdb.DuckDBPyConnection, sql: str, params: Parameters, limits: Limits) -> Table:
    """Run a statement and take its rows, within limits.

    Raises:
        QueryRefused: it took longer than it may.
    """
    with stopped_after(cursor, limits.seconds) as expired:
        try:
            cursor.execute(sql, params)
            columns = tuple(Column(str(name), str(kind)) for name, kind, *_ in cursor.description or ())
            rows, truncated = _take(cursor, limits)
            return Table(columns, rows, truncated)
        except duckdb.InterruptException as error:
            if not expired.is_set():
                raise QueryRefused(
                    "the query was cut off: the warehouse closes", hint="Ask again in a moment.", kind="stopped"
                ) from error
            message = f"the query was stopped after {limits.seconds:g} s"
            raise QueryRefused(message, hint="Narrow it with WHERE or LIMIT.", kind="too_slow") from error


@contextmanager
def stopped_after(cursor: duckdb.DuckDBPyConnection, seconds: float) -> Iterator[threading.Event]:
    """Interrupt what runs on the cursor once the time is over; gives the event that says that it is."""
    done, expired = threading.Event(), threading.Event()

    def watch() -> None:
        if done.wait(seconds):
            return
        expired.set()
        # An interrupt between two steps of a query is forgotten, so one may not be enough.
        while not done.wait(INTERRUPT_EVERY_S):
            cursor.interrupt()

    watcher = threading.Thread(target=watch, name="query-limit", daemon=True)
    watcher.start()
    try:
        yield expired
    finally:
        done.set()
        watcher.join()


def _take(cursor: duckdb.DuckDBPyConnection, limits: Limits) -> tuple[list[tuple[Any, ...]], bool]:
    rows: list[tuple[Any, ...]] = []
    size = 0
    while portion := cursor.fetchmany(min(FETCH_ROWS, limits.rows + 1 - len(rows))):
        for row in portion:
            size += sum(len(cell) for cell in row if isinstance(cell, str | bytes))
            if len(rows) == limits.rows or size > limits.cells_bytes:
                cursor.abort()
                return rows, True
            rows.append(row)
    return rows, False
