"""Replaces in a parsed SELECT what only PostgreSQL knows, and finds out who can answer it."""

from collections.abc import Callable, Mapping
from typing import Literal

from projections.postgres import tree
from projections.postgres.system_catalog import SystemCatalog
from projections.postgres.system_functions import (
    FUNCTIONS,
    INFORMATION,
    OTHER_BY_THE_SAME_NAME,
    PG,
    SAME_BY_ANOTHER_NAME,
    TABLE_FUNCTIONS,
)
from projections.postgres.system_tables import SCHEMA_OIDS
from projections.postgres.tree import Node
from projections.postgres.types import NUMERIC, duckdb_name, without_zone
from projections.query import TABLE_FUNCTIONS as ALLOWED_IN_FROM
from projections.query import QueryRefused

PUBLIC = "public"
_SCHEMAS = {"pg_catalog": PG, "information_schema": INFORMATION}

# PostgreSQL's names of types for which DuckDB has another one.
_TYPES = {
    "name": "varchar",
    "char": "varchar",
    "bpchar": "varchar",
    "oid": "uinteger",
    "xid": "bigint",
    "cid": "bigint",
    "int2vector": "varchar",
    "oidvector": "varchar",
    "regoper": "varchar",
    "regrole": "varchar",
    "regnamespace": "varchar",
    "cstring": "varchar",
    "jsonb": "json",
    "citext": "varchar",
    "information_schema.sql_identifier": "varchar",
}
_REGISTERED = ("regclass", "regtype", "regproc")
# Columns that are of the type `regproc`: they count as OIDs, and are read as names.
_FUNCTION_COLUMNS = ("typinput", "typoutput", "typreceive", "typsend")
_TEXT_TYPES = ("varchar", "text", "name")

_OF_ONE_COLUMN = ("generate_series", "unnest", "string_to_array")

# What a session says of itself, written as a function or as a word.
_ABOUT_THE_USER = frozenset({"current_user", "session_user", "user", "current_role"})
_ABOUT_THE_DATABASE = frozenset({"current_database", "current_catalog"})
_VERSION = "version"
_SETTING = ("current_setting", "set_config")


class Rewriting:
    """One pass over one tree.

    Args:
        catalog: knows what is in the system catalog.
        user: who asks.
        database: what they call the database.
        settings: those of their session, by name in lower case.
    """

    def __init__(self, catalog: SystemCatalog, user: str, database: str, settings: Mapping[str, str]) -> None:
        self._catalog = catalog
        self._user = user
        self._database = database
        self._settings = settings
        self._own: frozenset[str] = frozenset()
        self._target: Literal["views", "catalog"] = "catalog"
        self.has_changed = False
        """Whether anything was replaced."""

    @property
    def schemas(self) -> frozenset[str]:
        """The schemas that the result may name."""
        return frozenset({PG, INFORMATION}) if self._target == "catalog" else frozenset()

    @property
    def table_functions(self) -> frozenset[str]:
        """The functions that the result may use in a FROM."""
        return ALLOWED_IN_FROM | TABLE_FUNCTIONS.keys() if self._target == "catalog" else ALLOWED_IN_FROM

    def apply(self, parsed: Node) -> Literal["views", "catalog"]:
        """Replace, in place, and say who can answer.

        Raises:
            QueryRefused: it names a table of the catalog beside a view, or something that is not there.
        """
        self._own = tree.own_names(parsed)
        tables = [node for node in tree.nodes(parsed) if node.get("type") == "BASE_TABLE"]
        shown = any(node.get("type") == "SHOW_REF" for node in tree.nodes(parsed))
        of_catalog = [node for node in tables if self._system_schema(node)]
        of_views = [node for node in tables if not self._system_schema(node) and not self._is_own(node)]
        if of_catalog and of_views:
            message = f"{of_catalog[0]['table_name']} and {of_views[0]['table_name']} cannot be asked together"
            raise QueryRefused(message, hint="Ask the catalog and the views one after the other.")
        self._target = "views" if of_views or shown else "catalog"
        for node in tables:
            self._name_table(node)
        parsed["statements"] = self._replaced(parsed["statements"])
        if self._target == "catalog":
            self._show_functions(tree.body(parsed))
        return self._target

    def _system_schema(self, table: Node) -> str | None:
        schema, name = str(table["schema_name"]).lower(), str(table["table_name"]).lower()
        if schema:
            return _SCHEMAS.get(schema)
        if self._is_own(table) or name in self._catalog.views:
            return None
        return self._catalog.schema_of_table(name)

    def _is_own(self, table: Node) -> bool:
        return not table["schema_name"] and str(table["table_name"]).lower() in self._own

    def _name_table(self, table: Node) -> None:
        schema = str(table["schema_name"]).lower()
        name = str(table["table_name"])
        if system := self._system_schema(table):
            if not table["alias"]:
                table["alias"] = name
            self._rename(table, system, name.lower())
        elif schema == PUBLIC and str(table["catalog_name"]).lower() in ("", self._database.lower()):
            self._rename(table, name)

    def _show_functions(self, select: Node) -> None:
        """Functions that are columns of the answer itself are read by their names."""
        for place, column in enumerate(select.get("select_list") or []):
            if _is_function_column(column):
                name = column["alias"] or column["column_names"][-1]
                select["select_list"][place] = tree.call(PG, "regproc_name", [column | {"alias": ""}], name)
                self.has_changed = True

    def _rename(self, node: Node, *path: str) -> None:
        tree.qualify(node, *path)
        self.has_changed = True

    def _replaced(self, part: object) -> object:
        if isinstance(part, list):
            return [self._replaced(each) for each in part]
        if not isinstance(part, dict):
            return part
        node: Node = {key: self._replaced(value) for key, value in part.items()}
        handler = self._handlers.get(node.get("class") or node.get("type") or "")
        replacement = handler(self, node) if handler else None
        if replacement is None:
            return node
        self.has_changed = True
        return replacement

    def _column(self, node: Node) -> Node | None:
        path = [str(name) for name in node["column_names"]]
        if len(path) == 1:
            return self._about_session(path[0].lower(), [], node["alias"] or path[0])
        known = (PUBLIC, "pg_catalog", "information_schema")
        while len(path) > 2 and path[0].lower() in (*known, self._database.lower()):
            path = path[1:]
        return node | {"column_names": path} if path != node["column_names"] else None

    def _function(self, node: Node) -> Node | None:
        schema, name = str(node["schema"]).lower(), str(node["function_name"]).lower()
        arguments = [argument["expression"] for argument in node["arguments"]]
        if schema in ("", "pg_catalog"):
            about = self._about_session(name, arguments, node["alias"])
            if about is not None:
                return about
        if schema not in ("", "pg_catalog", "information_schema") or node["is_operator"]:
            return None
        known = SAME_BY_ANOTHER_NAME.get(name, name)
        if self._target == "catalog":
            known = OTHER_BY_THE_SAME_NAME.get(name, known)
            if known in FUNCTIONS:
                tree.qualify(node, PG, known)
                return node
        if schema or known != name:
            tree.qualify(node, known)
            return node
        return None

    def _table_function(self, node: Node) -> Node | None:
        function, is_changed = node["function"], False
        name = str(function["function_name"]).lower()
        if self._target == "catalog" and name in TABLE_FUNCTIONS:
            tree.qualify(function, PG, name)
            is_changed = True
        # PostgreSQL names the only column of a function's rows after the alias.
        if name in _OF_ONE_COLUMN and node["alias"] and not node["column_name_alias"]:
            node["column_name_alias"] = [node["alias"]]
            is_changed = True
        return node if is_changed else None

    def _about_session(self, name: str, arguments: list[Node], alias: str) -> Node | None:
        if name in _ABOUT_THE_USER and not arguments:
            return tree.text_constant(self._user, alias)
        if name in _ABOUT_THE_DATABASE and not arguments:
            return tree.text_constant(self._database, alias)
        if name == "current_schema" and not arguments:
            return tree.text_constant(PUBLIC, alias)
        if name == _VERSION and not arguments:
            return tree.text_constant(self._settings["version"], alias)
        if name in _SETTING and arguments and tree.is_text(arguments[0]):
            return self._setting(name, arguments, alias)
        return None

    def _setting(self, name: str, arguments: list[Node], alias: str) -> Node:
        if name == "set_config":
            return arguments[1] | {"alias": alias}
        asked = str(arguments[0]["literal"]["text"])
        value = self._settings.get(asked.lower())
        if value is not None:
            return tree.text_constant(value, alias)
        if len(arguments) > 1:  # current_setting(name, missing_ok)
            return tree.cast(tree.null_constant(alias), "VARCHAR")
        raise QueryRefused(f"there is no setting {asked}", hint="`show all` lists them.", kind="no_such_setting")

    @staticmethod
    def _any_of_text(node: Node) -> Node | None:
        """``x = any('{a,b}')``, whose list is a text."""
        match node:
            case {"child": {}, "subquery": {"node": {"select_list": [{"function_name": "unnest"} as only]}}}:
                (argument,) = only["arguments"]
                if tree.is_text(argument["expression"]):
                    text = _as_list(str(argument["expression"]["literal"]["text"]))
                    argument["expression"] = tree.cast(tree.text_constant(text), "VARCHAR[]")
                    return node
        return None

    def _collation(self, node: Node) -> Node:
        child: Node = node["child"]
        return child | {"alias": node["alias"] or child["alias"]}

    def _cast(self, node: Node) -> Node | None:
        child, kind = node["child"], str(node["type_expr"]["type_name"]).lower()
        if kind in _REGISTERED:
            return self._registered(child, kind, node["alias"])
        registered = _registered_kind(child)
        if registered and kind in _TEXT_TYPES:
            # `oid::regclass::text` is a name.
            (argument,) = child["arguments"]
            return tree.call(PG, f"{registered}_name", [argument["expression"]], node["alias"])
        if self._target == "catalog" and kind in _TEXT_TYPES and _is_function_column(child):
            return tree.call(PG, "regproc_name", [child | {"alias": ""}], node["alias"])
        if kind == "list" and tree.is_text(child) and str(child["literal"]["text"]).startswith("{"):
            return node | {"child": tree.text_constant(_as_list(str(child["literal"]["text"])))}
        if kind in ("date", "time") and tree.is_text(child):
            text = str(child["literal"]["text"])
            shorter = without_zone(text, kind)
            return node | {"child": tree.text_constant(shorter)} if shorter != text else None
        return None

    def _registered(self, child: Node, kind: str, alias: str) -> Node:
        if not tree.is_text(child):
            if kind == "regproc":
                return tree.call(PG, "regproc_name", [child], alias)
            return tree.call(PG, f"{kind}_oid", [child], alias)
        name = str(child["literal"]["text"])
        bare = name.replace('"', "")
        for schema in SCHEMA_OIDS:
            bare = bare.removeprefix(f"{schema}.")
        of, what = {
            "regclass": (self._catalog.oid_of_class, "table or view"),
            "regtype": (self._catalog.oid_of_type, "type"),
            "regproc": (self._catalog.oid_of_function, "function"),
        }[kind]
        found = int(bare) if bare.isdecimal() else of(bare)
        if found is None:
            raise QueryRefused(f"there is no {what} {name}", hint="`\\d` lists them.", kind="no_such_table")
        return tree.number_constant(found, alias)

    def _type(self, node: Node) -> Node | None:
        schema, name = str(node["schema"]).lower(), str(node["type_name"])
        if name.lower() in ("numeric", "decimal") and not node["children"]:
            return tree.type_of(duckdb_name(NUMERIC))  # DuckDB would round to three digits
        known = _TYPES.get(name.lower())
        if known is None and schema not in ("pg_catalog", "information_schema"):
            return None
        tree.qualify(node, known or name)
        return node

    _handlers: Mapping[str, Callable[["Rewriting", Node], Node | None]] = {
        "COLUMN_REF": _column,
        "FUNCTION": _function,
        "TABLE_FUNCTION": _table_function,
        "COLLATE": _collation,
        "SUBQUERY": lambda _, node: Rewriting._any_of_text(node),
        "CAST": _cast,
        "TYPE": _type,
    }


def _as_list(text: str) -> str:
    """PostgreSQL's text of an array as DuckDB's of a list."""
    return f"[{text.strip()[1:-1]}]"


def _is_function_column(node: Node) -> bool:
    return node.get("class") == "COLUMN_REF" and str(node["column_names"][-1]).lower() in _FUNCTION_COLUMNS


def _registered_kind(node: Node) -> str | None:
    """``regclass`` for the call that stands for a cast to it."""
    if node.get("class") == "FUNCTION" and node["schema"] == PG:
        kind = str(node["function_name"]).removesuffix("_oid")
        return kind if kind in _REGISTERED else None
    return None
