"""The parsed tree of a SELECT, as DuckDB's ``json_serialize_sql`` writes it: reading it, and building parts of it."""

import copy
import json
from collections.abc import Iterator
from typing import Any

import duckdb

from projections.query import QueryRefused

Node = dict[str, Any]
"""A part of the tree."""

NESTED_TOO_DEEP = "the query is nested too deeply"


def parse(connection: duckdb.DuckDBPyConnection, sql: str) -> Node | None:
    """The tree of one statement; None when it is not one that has a tree: it is wrong, or no SELECT."""
    row = connection.execute("select json_serialize_sql(?)", [sql]).fetchone()
    assert row is not None
    try:
        tree: Node = json.loads(row[0])
    except RecursionError as error:
        raise QueryRefused(NESTED_TOO_DEEP, hint="Write it with fewer levels.", kind="too_big") from error
    return None if tree["error"] or len(tree["statements"]) != 1 else tree


def text_of(connection: duckdb.DuckDBPyConnection, tree: Node) -> str:
    """The SQL of a tree."""
    row = connection.execute("select json_deserialize_sql(?::json)", [json.dumps(tree)]).fetchone()
    assert row is not None
    return str(row[0])


def body(tree: Node) -> Node:
    """The SELECT itself."""
    node: Node = tree["statements"][0]["node"]
    return node


def nodes(tree: Any) -> Iterator[Node]:
    """Every part, itself first."""
    waiting = [tree]
    while waiting:
        part = waiting.pop()
        if isinstance(part, dict):
            yield part
            waiting.extend(part.values())
        elif isinstance(part, list):
            waiting.extend(part)


def own_names(tree: Any) -> frozenset[str]:
    """The names of its WITH clauses, at any depth, in lower case."""
    return frozenset(
        str(entry["key"]).lower()
        for node in nodes(tree)
        if isinstance(node.get("cte_map"), dict)
        for entry in node["cte_map"]["map"]
    )


def qualify(node: Node, *path: str) -> None:
    """Name a table, function or type differently."""
    *schema, name = path
    if "table_name" in node:
        node |= {"catalog_name": "", "schema_name": "".join(schema), "table_name": name}
    elif "function_name" in node:
        node |= {"catalog": "", "schema": "".join(schema), "function_name": name}
    else:
        node |= {"catalog": "", "schema": "".join(schema), "type_name": name}
    node["qualified_name"] = {"path": list(path)}


def text_constant(text: str, alias: str = "") -> Node:
    """``'text' as alias``."""
    return _constant("STRING", text, alias)


def number_constant(number: int, alias: str = "") -> Node:
    """``number as alias``."""
    return _constant("INTEGER", str(number), alias)


def null_constant(alias: str = "") -> Node:
    """``null as alias``."""
    return _constant("NULL_LITERAL", "", alias)


def is_text(node: Any) -> bool:
    """Whether a part is a text constant."""
    return isinstance(node, dict) and node.get("class") == "CONSTANT" and node["literal"]["kind"] == "STRING"


def cast(child: Node, type_name: str) -> Node:
    """``cast(child as type)``; the type as DuckDB writes it."""
    return _PLACE | {
        "class": "CAST",
        "type": "OPERATOR_CAST",
        "alias": child.get("alias", ""),
        "child": child | {"alias": ""},
        "try_cast": False,
        "type_expr": type_of(type_name),
    }


def type_of(name: str) -> Node:
    """A type, as DuckDB writes it."""
    if name.endswith("[]"):
        return type_of("list") | {"children": [type_of(name.removesuffix("[]"))]}
    if name.startswith("DECIMAL("):
        numbers = [_constant("INTEGER", number, "") for number in name[len("DECIMAL(") : -1].split(",")]
        return type_of("DECIMAL") | {"children": numbers}
    return _PLACE | {
        "class": "TYPE",
        "type": "TYPE",
        "alias": "",
        "catalog": "",
        "schema": "",
        "type_name": name,
        "children": [],
        "qualified_name": {"path": [name]},
    }


def call(schema: str, name: str, arguments: list[Node], alias: str = "") -> Node:
    """``schema.name(arguments) as alias``."""
    return _PLACE | {
        "class": "FUNCTION",
        "type": "FUNCTION",
        "alias": alias,
        "function_name": name,
        "schema": schema,
        "filter": None,
        "order_bys": {"type": "ORDER_MODIFIER", "orders": []},
        "distinct": False,
        "is_operator": False,
        "export_state": False,
        "catalog": "",
        "arguments": [{"name": "", "expression": argument} for argument in arguments],
        "qualified_name": {"path": [schema, name]},
        "is_legacy_function_call": False,
    }


def select_of(expression: Node, select: Node, around: list[Node]) -> Node:
    """The tree of ``select expression from <what a SELECT reads>``, with the WITH clauses of what is around it.

    Parameters become null: only types are asked for.
    """
    clauses = {entry["key"]: entry for each in around for entry in each["cte_map"]["map"]}
    changed = {"select_list": [expression], "cte_map": {"map": list(clauses.values())}}
    alone = copy.deepcopy(select | _EMPTY_SELECT | changed)
    for node in list(nodes(alone)):
        if node.get("class") == "PARAMETER":
            node |= null_constant(node["alias"])
    return {"error": False, "statements": [{"node": alone, "named_param_map": []}]}


_PLACE = {"query_location": 0, "query_location_length": 0}
_EMPTY_SELECT: Node = {
    "modifiers": [],
    "where_clause": None,
    "group_expressions": [],
    "group_sets": [],
    "aggregate_handling": "STANDARD_HANDLING",
    "having": None,
    "qualify": None,
}


def _constant(kind: str, text: str, alias: str) -> Node:
    return _PLACE | {
        "class": "CONSTANT",
        "type": "VALUE_CONSTANT",
        "alias": alias,
        "literal": {"kind": kind, "text": text},
    }
