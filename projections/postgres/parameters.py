"""The types of a statement's parameters: as the client declares them, or as the place where they stand asks for.

Each parameter is put into a cast, so that its value may come as text or as a value of its type alike.
"""

from collections.abc import Callable, Iterator, Sequence

import msgspec

from projections.catalog import Column
from projections.postgres import tree
from projections.postgres.tree import Node
from projections.postgres.types import BY_OID, TEXT, duckdb_name, oid_of
from projections.query import QueryRefused

PARAMETERS_MAX = 1_000
"""As many as any tool puts into an IN list; the protocol allows 65,535."""

_BIGINT = 20
_COMPARING = frozenset({"+", "-", "*", "/", "%"})

ColumnsOf = Callable[[Node], tuple[Column, ...]]


class _Place(msgspec.Struct):
    """A parameter in the tree."""

    node: Node
    beside: Node | None
    """What it is compared or calculated with."""
    is_list: bool
    """Whether it is a list of such values."""
    kind: int
    """The type that the place asks for by itself, 0 when it depends on `beside`."""
    around: list[Node]
    """The SELECTs and set operations that it stands in, the innermost last."""


def place_parameters(parsed: Node, declared: Sequence[int], columns_of: ColumnsOf) -> tuple[int, ...]:
    """Put every parameter into a cast.

    Args:
        parsed: the tree, which is changed.
        declared: OIDs by number; 0 where the client leaves it open.
        columns_of: the columns of a tree.

    Returns:
        The OID of each parameter's type, the first for ``$1``.

    Raises:
        QueryRefused: there are too many, or one has no number.
    """
    places = list({id(place.node): place for place in reversed([*_places(tree.body(parsed), [])])}.values())
    numbers = [_number(place.node) for place in places]
    count = max([*numbers, len(declared)], default=0)
    if count > PARAMETERS_MAX:
        raise QueryRefused(f"there are {count} parameters; at most {PARAMETERS_MAX} are taken", kind="too_big")
    types = [*declared, *[0] * (count - len(declared))]
    for number, place in zip(numbers, places, strict=True):
        if not types[number - 1]:
            types[number - 1] = place.kind or _asked_for(place, columns_of)
    found = [kind or TEXT for kind in types]
    for number, place in zip(numbers, places, strict=True):
        place.node |= tree.cast(dict(place.node), duckdb_name(found[number - 1]))
    return tuple(found)


def _number(node: Node) -> int:
    identifier = str(node["identifier"])
    if not identifier.isdecimal() or identifier == "0":
        raise QueryRefused(f"${identifier} is not a parameter", hint="Number them: $1, $2, …", kind="syntax")
    return int(identifier)


def _asked_for(place: _Place, columns_of: ColumnsOf) -> int:
    selects = [node for node in place.around if "select_list" in node]
    if place.beside is None or not selects:
        return 0
    try:
        (column,) = columns_of(tree.select_of(place.beside, selects[-1], place.around))
    except (QueryRefused, ValueError):
        return 0  # it depends on something further out: then it is text
    kind = oid_of(column.type)
    return BY_OID[kind].array_oid if place.is_list and kind in BY_OID else kind


def _places(node: object, around: list[Node]) -> Iterator[_Place]:
    """Every place of a parameter; one that stands in several of the forms below comes first in the outermost."""
    if isinstance(node, list):
        for each in node:
            yield from _places(each, around)
    if not isinstance(node, dict):
        return
    if _is_parameter(node):
        yield _Place(node, None, False, 0, around)
        return
    if "cte_map" in node:
        around = [*around, node]
    for part, beside, is_list, kind in _asking(node):
        if _is_parameter(part):
            yield _Place(part, beside, is_list, kind, around)
    for value in node.values():
        yield from _places(value, around)


def _is_parameter(node: object) -> bool:
    return isinstance(node, dict) and node.get("class") == "PARAMETER"


def _asking(node: Node) -> list[tuple[Node, Node | None, bool, int]]:
    """The parts of a node that it gives a type to: part, what it is beside, whether a list, type if known."""
    match node:
        case {"class": "COMPARISON", "left": left, "right": right}:
            return _paired([left, right])
        case {"class": "BETWEEN", "input": first, "lower": lower, "upper": upper}:
            return _paired([first, lower, upper])
        case {"class": "OPERATOR", "type": "COMPARE_IN" | "COMPARE_NOT_IN", "children": [*children]}:
            return _paired(children)
        case {"class": "FUNCTION", "is_operator": True, "function_name": name, "arguments": [*arguments]}:
            parts = [argument["expression"] for argument in arguments]
            return _paired(parts) if name in _COMPARING else [(part, None, False, TEXT) for part in parts]
        case {"class": "SUBQUERY", "child": {} as child, "subquery": {"node": {"select_list": [only]}}}:
            # `x = any($1)` is parsed as a comparison with the elements of a list.
            inside = [argument["expression"] for argument in only.get("arguments", ())]
            return [(part, child, True, 0) for part in inside]
        case {"type": "LIMIT_MODIFIER", "limit": limit, "offset": offset}:
            return [(part, None, False, _BIGINT) for part in (limit, offset) if part]
        case {"class": "CAST", "child": child, "type_expr": _}:
            return [(child, node | {"child": tree.null_constant(), "alias": ""}, False, 0)]
    return []


def _paired(parts: list[Node]) -> list[tuple[Node, Node | None, bool, int]]:
    others = [part for part in parts if not _is_parameter(part)]
    return [(part, others[0] if others else None, False, 0) for part in parts]
