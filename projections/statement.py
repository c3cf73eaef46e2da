"""What one SQL statement is and names, by DuckDB's own parser; nothing is run.

`Connection.get_table_names` is not used: it binds, so it fails on a join ``using`` a table that does not exist yet, and
it looks through views.
"""

import json
import re
from collections.abc import Iterator
from typing import Any

import duckdb
import msgspec

from events import RecountError


class NotOneSelect(RecountError):
    """The text is not exactly one SELECT."""

    hint = "Write one SELECT; a WITH, VALUES or DESCRIBE is one too."

    def __init__(self, message: str, *, is_readable: bool = True, place: int = 0) -> None:
        super().__init__(message)
        self.is_readable = is_readable
        """Whether it is SQL at all."""
        self.place = place
        """The character that the parser stumbled over, counted from 1; 0 when unknown."""


class Select(msgspec.Struct, frozen=True):
    """One SELECT and what it names, at any depth."""

    tables: frozenset[str]
    """Tables and views, in lower case, without the names of its own WITH clauses."""
    schemas: frozenset[str]
    """Schemas and databases that it names, in lower case."""
    table_functions: frozenset[str]
    """Functions used in a FROM, in lower case."""
    functions: frozenset[str]
    """Functions used anywhere else, in lower case."""


def read_select(connection: duckdb.DuckDBPyConnection, sql: str) -> Select:
    """Parse a text that must be one SELECT.

    Args:
        connection: any connection without an open result.
        sql: the text; a semicolon at its end is allowed.

    Raises:
        NotOneSelect: it is another statement, or several, or none; the message says which.
    """
    try:
        statements = connection.extract_statements(sql)
    except duckdb.Error as error:
        raise NotOneSelect(first_line(error), is_readable=False, place=place_in(error, sql)) from error
    if len(statements) != 1:
        raise NotOneSelect(f"there are {len(statements)} statements, not one")
    kind = statements[0].type
    if kind != duckdb.StatementType.SELECT:
        raise NotOneSelect(f"the statement is {kind.name}, not SELECT")
    row = connection.execute("select json_serialize_sql(?)", [sql]).fetchone()
    tree = json.loads(row[0]) if row else {"error": True}
    if tree["error"]:
        # PIVOT and the like are several statements inside; the parser cannot show what they name.
        raise NotOneSelect(str(tree.get("error_message", "the statement cannot be read")))
    nodes = list(_nodes(tree))
    own = {str(entry["key"]).lower() for node in nodes for entry in _own_names(node)}
    named = [node for node in nodes if node.get("type") == "BASE_TABLE"]
    tables = {str(node["table_name"]).lower() for node in named}
    schemas = {str(node[field]).lower() for node in named for field in ("schema_name", "catalog_name")}
    in_from = [node["function"] for node in nodes if node.get("type") == "TABLE_FUNCTION"]
    elsewhere = [node for node in nodes if node.get("class") == "FUNCTION" and not any(node is one for one in in_from)]
    return Select(
        tables=frozenset(tables - own),
        schemas=frozenset(schemas - {""}),
        table_functions=_function_names(in_from),
        functions=_function_names(elsewhere),
    )


def first_line(error: BaseException) -> str:
    """The part of a DuckDB error that says what is wrong, without the picture of the query under it."""
    return str(error).partition("\n")[0]


def place_in(error: BaseException, sql: str) -> int:
    """The character of a text that a DuckDB error points at, counted from 1; 0 when it points at none.

    It only draws: ``LINE 2: …`` with the line, cut at both ends when it is long, and a caret under the place.
    """
    picture = _PICTURE.search(str(error))
    if picture is None:
        return 0
    number, drawn = int(picture["line"]), picture["text"]
    lines = sql.split("\n")[:number]
    excerpt = drawn.removeprefix("...").removesuffix("...")
    start = lines[-1].find(excerpt)
    if len(lines) < number or start < 0:
        return 0
    cut = len("...") if drawn.startswith("...") else 0
    column = len(picture["caret"]) - len(f"LINE {number}: ") - cut
    return sum(len(line) + 1 for line in lines[:-1]) + start + column + 1


_PICTURE = re.compile(r"^LINE (?P<line>\d+): (?P<text>[^\n]*)\n(?P<caret> *)\^", re.MULTILINE)


def _function_names(nodes: list[dict[str, Any]]) -> frozenset[str]:
    return frozenset(str(node["function_name"]).lower() for node in nodes)


def _own_names(node: dict[str, Any]) -> list[dict[str, Any]]:
    ctes = node.get("cte_map")
    return list(ctes["map"]) if isinstance(ctes, dict) else []


def _nodes(tree: Any) -> Iterator[dict[str, Any]]:
    # A stack instead of recursion: a query of a person may be nested deeper than Python's limit.
    waiting = [tree]
    while waiting:
        node = waiting.pop()
        if isinstance(node, dict):
            yield node
            waiting.extend(node.values())
        elif isinstance(node, list):
            waiting.extend(node)
