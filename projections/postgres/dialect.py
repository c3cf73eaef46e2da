"""A statement of PostgreSQL as one that DuckDB answers: what both mean alike stays as it was written.

The text is parsed; in the tree, names of schemas, types and functions that only PostgreSQL has are replaced. A text in
which nothing was replaced is asked as it came, so that an error can point into it.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Literal

import duckdb
import msgspec

from projections.catalog import Column
from projections.postgres import tree
from projections.postgres.lexer import Token, tokens
from projections.postgres.parameters import place_parameters
from projections.postgres.rewriting import Rewriting
from projections.postgres.system_catalog import SystemCatalog
from projections.query import QueryRefused, check

Target = Literal["views", "catalog"]
Describe = Callable[[Target, str, int], tuple[Column, ...]]
"""The columns of a SELECT: who is asked, the SELECT, how many parameters it has."""


class Asker(msgspec.Struct, frozen=True):
    """What a statement may ask about its own session."""

    user: str
    database: str
    settings: Mapping[str, str]
    """By name in lower case."""


class Statement(msgspec.Struct, frozen=True):
    """One SELECT, understood."""

    target: Target
    """Who answers it."""
    sql: str
    """For DuckDB."""
    parameters: tuple[int, ...]
    """The OID of each parameter's type."""
    columns: tuple[Column, ...]
    """Named as PostgreSQL would; the types as DuckDB writes them."""


def understand(
    catalog: SystemCatalog, sql: str, asker: Asker, describe: Describe, declared: Sequence[int] = ()
) -> Statement:
    """Read one statement.

    Args:
        catalog: what is there besides views.
        sql: the text.
        asker: who asks.
        describe: finds the columns of a SELECT.
        declared: the OID of each parameter's type, as far as the client says; 0 for one that is to be found out.

    Raises:
        QueryRefused: it is not one harmless SELECT, or names something that is not there.
    """
    accepted = without_operator_schemas(sql)
    with catalog.reading() as cursor:
        try:
            return _understood(cursor, catalog, accepted, asker, describe, declared)
        except RecursionError as error:
            message = tree.NESTED_TOO_DEEP
            raise QueryRefused(message, hint="Write it with fewer levels.", kind="too_big") from error


def _understood(
    cursor: duckdb.DuckDBPyConnection,
    catalog: SystemCatalog,
    sql: str,
    asker: Asker,
    describe: Describe,
    declared: Sequence[int],
) -> Statement:
    parsed = tree.parse(cursor, sql)
    if parsed is None:
        check(cursor, sql)
        raise QueryRefused("the statement cannot be read", kind="syntax")
    names = _column_names(parsed)
    rewriting = Rewriting(catalog, asker.user, asker.database, asker.settings)
    target = rewriting.apply(parsed)

    def columns_of(text: str, holes: int = 0) -> tuple[Column, ...]:
        return describe(target, text, holes)

    types = place_parameters(parsed, declared, lambda part: columns_of(tree.text_of(cursor, part)))
    text = tree.text_of(cursor, parsed) if rewriting.has_changed or types else sql
    check(cursor, text, schemas=rewriting.schemas, table_functions=rewriting.table_functions)
    columns = columns_of(text, len(types))
    return Statement(target, text, types, tuple(_renamed(columns, names)))


def without_operator_schemas(sql: str) -> str:
    """``a OPERATOR(pg_catalog.~) b`` as ``a ~ b``, which is all that the parser reads; otherwise the same text."""
    if "operator" not in sql.lower() and "collate" not in sql.lower():
        return sql
    kept: list[str] = []
    waiting = list(tokens(sql))
    while waiting:
        token = waiting.pop(0)
        if token.says("operator") and (length := _operator_length(waiting)):
            kept.append(waiting[length - 2].text if length == 5 else "".join(t.text for t in waiting[3 : length - 1]))
            del waiting[:length]
        elif token.says("collate") and (length := _collation_length(waiting)):
            del waiting[:length]
        else:
            kept.append(token.text)
    return "".join(kept)


def _operator_length(following: list[Token]) -> int:
    """How many tokens ``(pg_catalog.~)`` takes; 0 when it is something else."""
    texts = [token.text.lower() for token in following[:16]]
    if texts[:3] != ["(", "pg_catalog", "."] or ")" not in texts:
        return 0
    return texts.index(")") + 1


def _collation_length(following: list[Token]) -> int:
    """How many tokens ``pg_catalog.default`` takes, with the space before it; 0 when it is something else."""
    texts = [token.value.lower() for token in following[:4]]
    return 4 if texts[1:4] == ["pg_catalog", ".", "default"] and following[0].kind == "space" else 0


def _column_names(parsed: tree.Node) -> list[str | None]:
    """What PostgreSQL calls the columns of a SELECT without a name; None for those it calls as DuckDB does.

    Empty when ``*`` is among them, whose columns only the views know.
    """
    node = tree.body(parsed)
    while node.get("children") and node["type"] == "SET_OPERATION_NODE":
        node = node["children"][0]
    listed = node.get("select_list") or []
    if any(part.get("class") == "STAR" for part in listed):
        return []
    return [_column_name(part) for part in listed]


def _column_name(part: tree.Node) -> str | None:
    if part.get("alias"):
        return None
    match part:
        case {"class": "COLUMN_REF"}:
            return None
        case {"class": "FUNCTION", "function_name": "count_star"}:
            return "count"
        case {"class": "FUNCTION", "is_operator": False, "function_name": str(name)}:
            return name
        case {"class": "CAST", "child": {"class": "COLUMN_REF", "column_names": [*_, str(name)]}}:
            return name
        case {"class": "CAST", "child": {"class": "FUNCTION", "is_operator": False, "function_name": str(name)}}:
            return name
        case {"class": "CASE"}:
            return "case"
        case {"class": "SUBQUERY"}:
            return "exists" if part.get("subquery_type") == "EXISTS" else None
        case {"class": "OPERATOR", "type": "OPERATOR_COALESCE"}:
            return "coalesce"
        case {"class": "OPERATOR", "type": "STRUCT_EXTRACT", "children": [_, {"literal": {"text": str(name)}}]}:
            return name
    return "?column?"


def _renamed(columns: Sequence[Column], names: Sequence[str | None]) -> Sequence[Column]:
    if len(names) != len(columns):
        return columns
    return [Column(name or column.name, column.type) for column, name in zip(columns, names, strict=True)]
