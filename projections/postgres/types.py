"""PostgreSQL's built-in types, by the object ids (OIDs) of its catalog ``pg_type.dat``, and DuckDB's types as them."""

import re

import msgspec


class PgType(msgspec.Struct, frozen=True):
    """One type of PostgreSQL."""

    oid: int
    name: str
    size: int
    """Bytes of a value; -1 when it varies."""
    category: str
    """``pg_type.typcategory``: N for numbers, S for strings, …"""
    array_oid: int
    sql_name: str
    """What ``format_type`` and information_schema call it."""


PG_TYPES: tuple[PgType, ...] = (
    PgType(16, "bool", 1, "B", 1000, "boolean"),
    PgType(17, "bytea", -1, "U", 1001, "bytea"),
    PgType(18, "char", 1, "Z", 1002, '"char"'),
    PgType(19, "name", 64, "S", 1003, "name"),
    PgType(20, "int8", 8, "N", 1016, "bigint"),
    PgType(21, "int2", 2, "N", 1005, "smallint"),
    PgType(23, "int4", 4, "N", 1007, "integer"),
    PgType(25, "text", -1, "S", 1009, "text"),
    PgType(26, "oid", 4, "N", 1028, "oid"),
    PgType(114, "json", -1, "U", 199, "json"),
    PgType(700, "float4", 4, "N", 1021, "real"),
    PgType(701, "float8", 8, "N", 1022, "double precision"),
    PgType(705, "unknown", -2, "X", 0, "unknown"),
    PgType(1042, "bpchar", -1, "S", 1014, "character"),
    PgType(1043, "varchar", -1, "S", 1015, "character varying"),
    PgType(1082, "date", 4, "D", 1182, "date"),
    PgType(1083, "time", 8, "D", 1183, "time without time zone"),
    PgType(1114, "timestamp", 8, "D", 1115, "timestamp without time zone"),
    PgType(1184, "timestamptz", 8, "D", 1185, "timestamp with time zone"),
    PgType(1186, "interval", 16, "T", 1187, "interval"),
    PgType(1266, "timetz", 12, "D", 1270, "time with time zone"),
    PgType(1700, "numeric", -1, "N", 1231, "numeric"),
    PgType(2205, "regclass", 4, "N", 2210, "regclass"),
    PgType(2206, "regtype", 4, "N", 2211, "regtype"),
    PgType(2950, "uuid", 16, "U", 2951, "uuid"),
    PgType(3802, "jsonb", -1, "U", 3807, "jsonb"),
)

BY_OID = {each.oid: each for each in PG_TYPES}
ELEMENT_OF = {each.array_oid: each for each in PG_TYPES if each.array_oid}
"""The type of the elements, by the OID of the array."""

TEXT, JSON, NUMERIC = 25, 114, 1700

_OIDS = {
    "BOOLEAN": 16,
    "TINYINT": 21,
    "UTINYINT": 21,
    "SMALLINT": 21,
    "USMALLINT": 23,
    "INTEGER": 23,
    "UINTEGER": 26,  # what an OID is
    "BIGINT": 20,
    "UBIGINT": NUMERIC,
    "HUGEINT": NUMERIC,
    "UHUGEINT": NUMERIC,
    "BIGNUM": NUMERIC,
    "FLOAT": 700,
    "DOUBLE": 701,
    "VARCHAR": TEXT,
    "BLOB": 17,
    "DATE": 1082,
    "TIME": 1083,
    "TIMESTAMP": 1114,
    "TIMESTAMP_S": 1114,
    "TIMESTAMP_MS": 1114,
    "TIMESTAMP_NS": 1114,
    "TIMESTAMP WITH TIME ZONE": 1184,
    "INTERVAL": 1186,
    "UUID": 2950,
    "JSON": JSON,
    "VARIANT": JSON,
}
# What a value of a type is called when it is cast in DuckDB.
_DUCKDB_NAMES = {
    16: "BOOLEAN",
    17: "BLOB",
    20: "BIGINT",
    21: "SMALLINT",
    23: "INTEGER",
    26: "UINTEGER",
    JSON: "JSON",
    700: "FLOAT",
    701: "DOUBLE",
    1082: "DATE",
    1083: "TIME",
    1114: "TIMESTAMP",
    1184: "TIMESTAMP WITH TIME ZONE",
    1186: "INTERVAL",
    NUMERIC: "DECIMAL(38,10)",
    2950: "UUID",
}
_NESTED = re.compile(r"^(STRUCT|MAP|UNION)\(|\]$")


def oid_of(duckdb_type: str) -> int:
    """The PostgreSQL type that a DuckDB type is sent as. Nested ones are JSON, but for lists of simple values."""
    if duckdb_type.endswith("[]") and not _NESTED.search(element := duckdb_type.removesuffix("[]")):
        return BY_OID[oid_of(element)].array_oid
    if _NESTED.search(duckdb_type):
        return JSON
    if duckdb_type.startswith("DECIMAL"):
        return NUMERIC
    return _OIDS.get(duckdb_type, TEXT)


def duckdb_name(oid: int) -> str:
    """The DuckDB type of a parameter that was declared as a PostgreSQL type; text for one that is not known."""
    if element := ELEMENT_OF.get(oid):
        return f"{duckdb_name(element.oid)}[]"
    return _DUCKDB_NAMES.get(oid, "VARCHAR")


def type_name(oid: int) -> str:
    """The type as ``format_type`` writes it."""
    if element := ELEMENT_OF.get(oid):
        return f"{element.sql_name}[]"
    return BY_OID[oid].sql_name if oid in BY_OID else "unknown"


def oid_of_name(written: str) -> int | None:
    """The type that a name stands for, as PostgreSQL spells its types; None when there is none of that name."""
    name = " ".join(_MODIFIER.sub("", written).lower().split()).removeprefix("pg_catalog.")
    if name == '"char"':  # of one byte; without quotes it is a text
        return _OID_OF_NAME[name]
    name = name.replace('"', "")
    if name.endswith("[]"):
        element = oid_of_name(name.removesuffix("[]"))
        return BY_OID[element].array_oid or None if element in BY_OID else None
    return _OID_OF_NAME.get(_ALSO_CALLED.get(name, name))


# A length or a precision, which says nothing of the type here.
_MODIFIER = re.compile(r"\(\s*\d+(?:\s*,\s*\d+)?\s*\)")
_ALSO_CALLED = {"int": "int4", "decimal": "numeric", "dec": "numeric", "float": "float8", "char": "bpchar"}
_OID_OF_NAME = {name: each.oid for each in PG_TYPES for name in (each.sql_name, each.name)} | {
    f"_{each.name}": oid for oid, each in ELEMENT_OF.items()
}


def without_zone(text: str, type_name: str) -> str:
    """A date or time without the zone, or the time of day, that PostgreSQL ignores after it and DuckDB refuses."""
    found = _WITH_ZONE[type_name].fullmatch(text.strip())
    return found[1] if found else text


_WITH_ZONE = {
    "date": re.compile(r"(-?\d+-\d+-\d+)(?:[ T][\d:.]+)?\s*(?:[+-][\d:]+|Z|UTC)?"),
    "time": re.compile(r"(\d+:\d+(?::[\d.]+)?)\s*(?:[+-][\d:]+|Z|UTC)?"),
}
