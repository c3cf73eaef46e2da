"""The tables of PostgreSQL's system catalog that have rows here, and how they are filled from the views.

Names and meaning of tables and columns are those of the PostgreSQL manual, chapters 53 (``pg_catalog``) and 37
(``information_schema``); what tools do not ask for is left out.
"""

from collections.abc import Iterator, Sequence
from typing import Any

from projections.postgres.relation import Relation
from projections.postgres.types import PG_TYPES, oid_of, type_name

# OIDs below 16384 are PostgreSQL's own.
FIRST_OID = 16_384
CATALOG_OID, INFORMATION_OID, PUBLIC_OID = 11, 13_000, 2_200
OWNER_OID, DATABASE_OID, ROLE_OID = 10, 5, 16_383
PG_CLASS_OID, PG_TYPE_OID, PG_NAMESPACE_OID, PG_CONSTRAINT_OID = 1_259, 1_247, 2_615, 2_606
SCHEMA_OIDS = {"pg_catalog": CATALOG_OID, "information_schema": INFORMATION_OID, "public": PUBLIC_OID}

OWNER = "recount"
"""Who owns every view; nobody can connect as it."""

PG_CATALOG = {
    "pg_namespace": "oid oid, nspname name, nspowner oid, nspacl text",
    "pg_class": (
        "oid oid, relname name, relnamespace oid, reltype oid, reloftype oid, relowner oid, relam oid, relfilenode oid,"
        " reltablespace oid, relpages int, reltuples real, relallvisible int, reltoastrelid oid, relhasindex bool,"
        " relisshared bool, relpersistence char, relkind char, relnatts int, relchecks int, relhasrules bool,"
        " relhastriggers bool, relhassubclass bool, relrowsecurity bool, relforcerowsecurity bool,"
        " relispopulated bool, relreplident char, relispartition bool, relhasoids bool, relrewrite oid,"
        " relfrozenxid int, relminmxid int, relacl text[], reloptions text[], relpartbound text, xmin int"
    ),
    "pg_attribute": (
        "attrelid oid, attname name, atttypid oid, attstattarget int, attlen int, attnum int, attndims int,"
        " attcacheoff int, atttypmod int, attbyval bool, attalign char, attstorage char, attcompression char,"
        " attnotnull bool, atthasdef bool, atthasmissing bool, attidentity char, attgenerated char,"
        " attisdropped bool, attislocal bool, attinhcount int, attcollation oid, attacl text[], attoptions text[],"
        " attfdwoptions text[], attmissingval text[]"
    ),
    "pg_type": (
        "oid oid, typname name, typnamespace oid, typowner oid, typlen int, typbyval bool, typtype char,"
        " typcategory char, typispreferred bool, typisdefined bool, typdelim char, typrelid oid, typsubscript text,"
        " typelem oid, typarray oid, typinput oid, typoutput oid, typreceive oid, typsend oid, typmodin text,"
        " typmodout text, typanalyze text, typalign char, typstorage char, typnotnull bool, typbasetype oid,"
        " typtypmod int, typndims int, typcollation oid, typdefaultbin text, typdefault text, typacl text[]"
    ),
    "pg_proc": (
        "oid oid, proname name, pronamespace oid, proowner oid, prolang oid, procost real, prorows real,"
        " provariadic oid, prokind char, prosecdef bool, proleakproof bool, proisstrict bool, proretset bool,"
        " provolatile char, proparallel char, pronargs int, pronargdefaults int, prorettype oid, proargtypes oid[],"
        " proallargtypes oid[], proargmodes text[], proargnames text[], prosrc text, probin text, proconfig text[],"
        " proacl text[], proisagg bool, proiswindow bool"
    ),
    "pg_description": "objoid oid, classoid oid, objsubid int, description text",
    "pg_database": (
        "oid oid, datname name, datdba oid, encoding int, datlocprovider char, datistemplate bool, datallowconn bool,"
        " datconnlimit int, datfrozenxid int, datminmxid int, dattablespace oid, datcollate text, datctype text,"
        " daticulocale text, datcollversion text, datacl text[], datlastsysoid oid"
    ),
    "pg_roles": (
        "oid oid, rolname name, rolsuper bool, rolinherit bool, rolcreaterole bool, rolcreatedb bool, rolcanlogin bool,"
        " rolreplication bool, rolconnlimit int, rolpassword text, rolvaliduntil timestamp, rolbypassrls bool,"
        " rolconfig text[]"
    ),
    "pg_settings": (
        "name text, setting text, unit text, category text, short_desc text, extra_desc text, context text,"
        " vartype text, source text, min_val text, max_val text, enumvals text[], boot_val text, reset_val text,"
        " sourcefile text, sourceline int, pending_restart bool"
    ),
    "pg_am": "oid oid, amname name, amhandler text, amtype char",
    "pg_views": "schemaname name, viewname name, viewowner name, definition text",
    "pg_tablespace": "oid oid, spcname name, spcowner oid, spcacl text[], spcoptions text[]",
    "pg_language": (
        "oid oid, lanname name, lanowner oid, lanispl bool, lanpltrusted bool, lanplcallfoid oid, laninline oid,"
        " lanvalidator oid, lanacl text[], tableoid oid"
    ),
    "pg_stat_user_tables": "relid oid, schemaname name, relname name, n_live_tup bigint, n_dead_tup bigint",
}

INFORMATION_SCHEMA = {
    "schemata": (
        "catalog_name text, schema_name text, schema_owner text, default_character_set_catalog text,"
        " default_character_set_schema text, default_character_set_name text, sql_path text"
    ),
    "tables": (
        "table_catalog text, table_schema text, table_name text, table_type text, self_referencing_column_name text,"
        " reference_generation text, user_defined_type_catalog text, user_defined_type_schema text,"
        " user_defined_type_name text, is_insertable_into text, is_typed text, commit_action text"
    ),
    "views": (
        "table_catalog text, table_schema text, table_name text, view_definition text, check_option text,"
        " is_updatable text, is_insertable_into text, is_trigger_updatable text, is_trigger_deletable text,"
        " is_trigger_insertable_into text"
    ),
    "columns": (
        "table_catalog text, table_schema text, table_name text, column_name text, ordinal_position int,"
        " column_default text, is_nullable text, data_type text, character_maximum_length int,"
        " character_octet_length int, numeric_precision int, numeric_precision_radix int, numeric_scale int,"
        " datetime_precision int, interval_type text, interval_precision int, character_set_catalog text,"
        " character_set_schema text, character_set_name text, collation_catalog text, collation_schema text,"
        " collation_name text, domain_catalog text, domain_schema text, domain_name text, udt_catalog text,"
        " udt_schema text, udt_name text, scope_catalog text, scope_schema text, scope_name text,"
        " maximum_cardinality int, dtd_identifier text, is_self_referencing text, is_identity text,"
        " identity_generation text, identity_start text, identity_increment text, identity_maximum text,"
        " identity_minimum text, identity_cycle text, is_generated text, generation_expression text,"
        " is_updatable text"
    ),
    "enabled_roles": "role_name text",
}

DATABASE = "recount"

Rows = list[dict[str, Any]]


def rows_of(relations: Sequence[Relation], settings: Sequence[tuple[str, str, str]]) -> dict[str, Rows]:
    """The rows of every table that has some, by its name; columns that are left out are null.

    Args:
        relations: the views, in the order of their OIDs.
        settings: name, value and description of each setting.
    """
    oids = {relation.name: FIRST_OID + number for number, relation in enumerate(relations)}
    return {
        "pg_namespace": [{"oid": oid, "nspname": name, "nspowner": OWNER_OID} for name, oid in SCHEMA_OIDS.items()],
        "pg_class": [*map(_system_class, _SYSTEM_CLASSES), *(_class(each, oids[each.name]) for each in relations)],
        "pg_attribute": [row for each in relations for row in _attributes(each, oids[each.name])],
        "pg_type": list(_types()),
        "pg_proc": [
            {"oid": oid, "proname": name, "pronamespace": CATALOG_OID, "proowner": OWNER_OID, "prokind": "f"}
            for name, oid in PROC_OIDS.items()
        ],
        "pg_description": [row for each in relations for row in _descriptions(each, oids[each.name])],
        "pg_database": [_DATABASE_ROW],
        "pg_roles": [_role(OWNER_OID, OWNER, can_login=False), _role(ROLE_OID, "recount_readers", can_login=False)],
        "pg_settings": [
            {"name": name, "setting": value, "short_desc": text, "context": "user", "vartype": "string"}
            for name, value, text in settings
        ],
        "pg_am": [{"oid": 2, "amname": "heap", "amtype": "t"}],
        "pg_views": [
            {"schemaname": "public", "viewname": each.name, "viewowner": OWNER, "definition": each.sql}
            for each in relations
        ],
        "pg_tablespace": [{"oid": 1_663, "spcname": "pg_default", "spcowner": OWNER_OID}],
        "pg_language": [{"oid": 14, "lanname": "sql", "lanowner": OWNER_OID, "lanispl": False, "lanpltrusted": True}],
        "schemata": [{"catalog_name": DATABASE, "schema_name": name, "schema_owner": OWNER} for name in SCHEMA_OIDS],
        "tables": [_table(each) for each in relations],
        "views": [_view(each) for each in relations],
        "columns": [row for each in relations for row in _columns(each)],
        "enabled_roles": [{"role_name": "recount_readers"}],
    }


_SYSTEM_CLASSES = (
    (PG_TYPE_OID, "pg_type"),
    (PG_CLASS_OID, "pg_class"),
    (PG_NAMESPACE_OID, "pg_namespace"),
    (PG_CONSTRAINT_OID, "pg_constraint"),
    (1_249, "pg_attribute"),
    (1_255, "pg_proc"),
    (1_262, "pg_database"),
    (1_260, "pg_authid"),
    (2_604, "pg_attrdef"),
    (2_609, "pg_description"),
    (2_610, "pg_index"),
    (2_618, "pg_rewrite"),
    (2_620, "pg_trigger"),
    (3_079, "pg_extension"),
)
SYSTEM_CLASS_OIDS = {name: oid for oid, name in _SYSTEM_CLASSES}

_TYPE_FUNCTIONS = {"typinput": "in", "typoutput": "out", "typreceive": "recv", "typsend": "send"}
_WITH_UNDERSCORE = frozenset(
    {*("date", "time", "timetz", "timestamp", "timestamptz", "interval", "numeric", "uuid", "json", "jsonb"), "array"}
)


def _stem(type_name: str) -> str:
    """What the names of a type's functions begin with: ``int4`` of ``int4recv``, ``date_`` of ``date_recv``."""
    return f"{type_name}_" if type_name in _WITH_UNDERSCORE else type_name


# Drivers tell arrays and binary forms by these functions of a type; nobody can call one.
PROC_OIDS = {
    name: 10_000 + number
    for number, name in enumerate(
        _stem(name) + suffix
        for name in ("array", *(each.name for each in PG_TYPES))
        for suffix in _TYPE_FUNCTIONS.values()
    )
}

_DATABASE_ROW = {
    "oid": DATABASE_OID,
    "datname": DATABASE,
    "datdba": OWNER_OID,
    "encoding": 6,  # UTF8
    "datlocprovider": "c",
    "datistemplate": False,
    "datallowconn": True,
    "datconnlimit": -1,
    "dattablespace": 1_663,
    "datcollate": "C.UTF-8",
    "datctype": "C.UTF-8",
    "datlastsysoid": FIRST_OID - 1,
}

_CLASS: dict[str, Any] = {
    "relnamespace": PUBLIC_OID,
    "reltype": 0,
    "reloftype": 0,
    "relowner": OWNER_OID,
    "relam": 0,
    "reltablespace": 0,
    "relpages": 0,
    "reltuples": -1,
    "reltoastrelid": 0,
    "relhasindex": False,
    "relisshared": False,
    "relpersistence": "p",
    "relkind": "v",
    "relchecks": 0,
    "relhasrules": False,
    "relhastriggers": False,
    "relhassubclass": False,
    "relrowsecurity": False,
    "relforcerowsecurity": False,
    "relispopulated": True,
    "relreplident": "n",
    "relispartition": False,
    "relhasoids": False,
    "relrewrite": 0,
    "xmin": 1,
}


def _class(relation: Relation, oid: int) -> dict[str, Any]:
    return _CLASS | {"oid": oid, "relname": relation.name, "relnatts": len(relation.columns)}


def _system_class(each: tuple[int, str]) -> dict[str, Any]:
    oid, name = each
    return _CLASS | {"oid": oid, "relname": name, "relnamespace": CATALOG_OID, "relkind": "r", "relnatts": 0}


def _attributes(relation: Relation, oid: int) -> Iterator[dict[str, Any]]:
    for number, column in enumerate(relation.columns, 1):
        yield {
            "attrelid": oid,
            "attname": column.name,
            "atttypid": oid_of(column.type),
            "attstattarget": -1,
            "attlen": -1,
            "attnum": number,
            "attndims": 1 if column.type.endswith("[]") else 0,
            "atttypmod": _modifier(column.type),
            "attnotnull": False,
            "atthasdef": False,
            "attidentity": "",
            "attgenerated": "",
            "attstorage": "x",
            "attcompression": "",
            "attisdropped": False,
            "attislocal": True,
            "attinhcount": 0,
            "attcollation": 0,
        }


def _modifier(duckdb_type: str) -> int:
    """``pg_attribute.atttypmod``: of a numeric, precision and scale and the length of a header."""
    if not duckdb_type.startswith("DECIMAL(") or not duckdb_type.endswith(")"):
        return -1
    precision, scale = map(int, duckdb_type[len("DECIMAL(") : -1].split(","))
    return (precision << 16 | scale) + 4


def _types() -> Iterator[dict[str, Any]]:
    common = {
        "typnamespace": CATALOG_OID,
        "typowner": OWNER_OID,
        "typtype": "b",
        "typispreferred": False,
        "typisdefined": True,
        "typdelim": ",",
        "typrelid": 0,
        "typnotnull": False,
        "typbasetype": 0,
        "typtypmod": -1,
        "typndims": 0,
        "typcollation": 0,
    }
    for each in PG_TYPES:
        yield common | {
            "oid": each.oid,
            "typname": each.name,
            "typlen": each.size,
            "typbyval": 0 < each.size <= 8,
            "typcategory": each.category,
            "typelem": 0,
            "typarray": each.array_oid,
            "typsubscript": "-",
            **{column: PROC_OIDS[_stem(each.name) + suffix] for column, suffix in _TYPE_FUNCTIONS.items()},
        }
        if each.array_oid:
            yield common | {
                "oid": each.array_oid,
                "typname": f"_{each.name}",
                "typlen": -1,
                "typbyval": False,
                "typcategory": "A",
                "typelem": each.oid,
                "typarray": 0,
                "typsubscript": "array_subscript_handler",
                **{column: PROC_OIDS[f"array_{suffix}"] for column, suffix in _TYPE_FUNCTIONS.items()},
            }


def _descriptions(relation: Relation, oid: int) -> Iterator[dict[str, Any]]:
    told = [relation.comment, *(column.comment for column in relation.columns)]
    for number, text in enumerate(told):
        if text:
            yield {"objoid": oid, "classoid": PG_CLASS_OID, "objsubid": number, "description": text}


def _role(oid: int, name: str, *, can_login: bool) -> dict[str, Any]:
    flags = dict.fromkeys(("rolsuper", "rolcreaterole", "rolcreatedb", "rolreplication", "rolbypassrls"), False)
    return flags | {"oid": oid, "rolname": name, "rolinherit": True, "rolcanlogin": can_login, "rolconnlimit": -1}


def _named(relation: Relation) -> dict[str, Any]:
    return {"table_catalog": DATABASE, "table_schema": "public", "table_name": relation.name}


def _table(relation: Relation) -> dict[str, Any]:
    return _named(relation) | {"table_type": "VIEW", "is_insertable_into": "NO", "is_typed": "NO"}


def _view(relation: Relation) -> dict[str, Any]:
    return _named(relation) | {
        "view_definition": relation.sql or None,
        "check_option": "NONE",
        "is_updatable": "NO",
        "is_insertable_into": "NO",
    }


def _columns(relation: Relation) -> Iterator[dict[str, Any]]:
    for number, column in enumerate(relation.columns, 1):
        oid = oid_of(column.type)
        is_array = column.type.endswith("[]") and oid != oid_of("JSON")
        modifier = _modifier(column.type)
        yield _named(relation) | {
            "column_name": column.name,
            "ordinal_position": number,
            "is_nullable": "YES",
            "data_type": "ARRAY" if is_array else type_name(oid),
            "numeric_precision": (modifier - 4) >> 16 if modifier > 0 else None,
            "numeric_precision_radix": 10 if modifier > 0 else None,
            "numeric_scale": (modifier - 4) & 0xFFFF if modifier > 0 else None,
            "datetime_precision": 6 if "TIME" in column.type else None,
            "udt_catalog": DATABASE,
            "udt_schema": "pg_catalog",
            "udt_name": _TYPE_NAMES[oid],
            "dtd_identifier": str(number),
            "is_self_referencing": "NO",
            "is_identity": "NO",
            "identity_cycle": "NO",
            "is_generated": "NEVER",
            "is_updatable": "NO",
        }


_TYPE_NAMES = {each.oid: each.name for each in PG_TYPES} | {each.array_oid: f"_{each.name}" for each in PG_TYPES}
