"""Functions of PostgreSQL that tools call about the catalog, as macros; those DuckDB has by the same name are not here.

Each answers for a database whose every relation is a view that all its users may read and nobody may change.
"""

from projections.postgres.types import BY_OID, ELEMENT_OF, type_name

PG, INFORMATION = "pg", "info"
"""Schemas of the instance that stand for ``pg_catalog`` and ``information_schema``, whose names DuckDB keeps."""


_DEFINITION = (
    f"min(view_.definition) from {PG}.pg_views view_ join {PG}.pg_class class_ on class_.relname = view_.viewname"
    " where class_.oid = try_cast(of_oid as bigint) or class_.relname = of_oid::varchar"
)

_SETTING = f"(select min(set_.setting) from {PG}.pg_settings set_ where lower(set_.name) = lower(of_name))"
_TYPE_NAMES = f"{PG}.type_names type_"
_TOLD = f"select min(told_.description) from {PG}.pg_description told_ where told_.objoid = of_oid and told_.objsubid"

# A constant and no join, which would give the rows of a question without ORDER BY in another order than it has them.
_OIDS = [*BY_OID, *ELEMENT_OF]
_NAMES_BY_OID = f"map({_OIDS}, {[type_name(oid) for oid in _OIDS]})"

FUNCTIONS: dict[str, tuple[str, ...]] = {
    # What things are called.
    "format_type": (
        "(of_oid, modifier) as case when of_oid = 1700 and modifier > 4 then 'numeric(' ||"
        f" ((modifier - 4) >> 16) || ',' || ((modifier - 4) & 65535) || ')' else {_NAMES_BY_OID}[of_oid::bigint] end",
    ),
    "regclass_oid": (
        f"(of_name) as coalesce((select min(class_.oid) from {PG}.pg_class class_ where class_.relname ="
        " replace(replace(replace(of_name::varchar, 'public.', ''), 'pg_catalog.', ''), '\"', '')),"
        " try_cast(of_name as uinteger))",
    ),
    "regclass_name": (f"(of_oid) as (select min(class_.relname) from {PG}.pg_class class_ where class_.oid = of_oid)",),
    "regtype_oid": (
        f"(of_name) as coalesce((select min(type_.oid) from {_TYPE_NAMES}"
        " where of_name::varchar in (type_.name, type_.short)), try_cast(of_name as uinteger))",
    ),
    "regtype_name": (f"(of_oid) as (select min(type_.name) from {_TYPE_NAMES} where type_.oid = of_oid)",),
    "regproc_name": (f"(of_oid) as (select min(proc_.proname) from {PG}.pg_proc proc_ where proc_.oid = of_oid)",),
    "to_regclass": (f"(name) as {PG}.regclass_oid(name)",),
    "to_regtype": (f"(name) as {PG}.regtype_oid(name)",),
    "quote_ident": (
        "(name) as case when regexp_full_match(name::varchar, '[a-z_][a-z0-9_$]*') then name::varchar"
        " else '\"' || replace(name::varchar, '\"', '\"\"') || '\"' end",
    ),
    "quote_literal": ("(value) as '''' || replace(value::varchar, '''', '''''') || ''''",),
    "parse_ident": ("(name) as list_transform(string_split(name, '.'), lambda part: trim(part, '\"'))",),
    "pg_get_userbyid": ("(oid) as 'recount'",),
    "pg_encoding_to_char": ("(encoding) as 'UTF8'",),
    "pg_client_encoding": ("() as 'UTF8'",),
    "setting_of": (f"(of_name) as {_SETTING}", f"(of_name, missing_ok) as {_SETTING}"),
    # What is said about things.
    "obj_description": (f"(of_oid, catalog) as ({_TOLD} = 0)", f"(of_oid) as ({_TOLD} = 0)"),
    "col_description": (f"(of_oid, of_number) as ({_TOLD} = of_number)",),
    "shobj_description": ("(oid, catalog) as null::varchar",),
    "pg_get_viewdef": (
        f"(of_oid) as (select {_DEFINITION})",
        f"(of_oid, pretty) as (select {_DEFINITION})",
    ),
    "pg_get_expr": ("(text, oid) as null::varchar", "(text, oid, pretty) as null::varchar"),
    "pg_get_constraintdef": ("(oid) as null::varchar", "(oid, pretty) as null::varchar"),
    "pg_get_indexdef": ("(oid) as null::varchar", "(oid, part, pretty) as null::varchar"),
    "pg_get_triggerdef": ("(oid) as null::varchar", "(oid, pretty) as null::varchar"),
    "pg_get_ruledef": ("(oid) as null::varchar", "(oid, pretty) as null::varchar"),
    "pg_get_functiondef": ("(oid) as null::varchar",),
    "pg_get_function_result": ("(oid) as null::varchar",),
    "pg_get_function_arguments": ("(oid) as null::varchar",),
    "pg_get_function_identity_arguments": ("(oid) as null::varchar",),
    "pg_get_partkeydef": ("(oid) as null::varchar",),
    "pg_get_statisticsobjdef_columns": ("(oid) as null::varchar",),
    "pg_get_serial_sequence": ("(relation, attribute) as null::varchar",),
    # What may be seen and done.
    "pg_table_is_visible": ("(oid) as true",),
    "pg_type_is_visible": ("(oid) as true",),
    "pg_function_is_visible": ("(oid) as true",),
    "pg_opclass_is_visible": ("(oid) as true",),
    "pg_collation_is_visible": ("(oid) as true",),
    "pg_statistics_obj_is_visible": ("(oid) as true",),
    "pg_relation_is_publishable": ("(oid) as false",),
    "pg_is_other_temp_schema": ("(oid) as false",),
    "pg_has_role": ("(role, privilege) as false", "(holder, role, privilege) as false"),
    "has_schema_privilege": (
        "(name, privilege) as lower(privilege) = 'usage'",
        "(holder, name, privilege) as lower(privilege) = 'usage'",
    ),
    "has_database_privilege": (
        "(name, privilege) as lower(privilege) = 'connect'",
        "(holder, name, privilege) as lower(privilege) = 'connect'",
    ),
    "has_table_privilege": (
        "(name, privilege) as lower(privilege) = 'select'",
        "(holder, name, privilege) as lower(privilege) = 'select'",
    ),
    "has_any_column_privilege": (
        "(name, privilege) as lower(privilege) = 'select'",
        "(holder, name, privilege) as lower(privilege) = 'select'",
    ),
    "has_column_privilege": (
        "(name, attribute, privilege) as lower(privilege) = 'select'",
        "(holder, name, attribute, privilege) as lower(privilege) = 'select'",
    ),
    # Where one is.
    "current_schemas": ("(implicit) as case when implicit then ['pg_catalog', 'public'] else ['public'] end",),
    "pg_my_temp_schema": ("() as 0",),
    "pg_is_in_recovery": ("() as false",),
    "pg_backend_pid": ("() as 1",),
    "pg_postmaster_start_time": ("() as null::timestamp",),
    "pg_conf_load_time": ("() as null::timestamp",),
    "inet_server_addr": ("() as null::varchar",),
    "inet_server_port": ("() as null::integer",),
    "inet_client_addr": ("() as null::varchar",),
    "inet_client_port": ("() as null::integer",),
    "txid_current": ("() as 1",),
    "pg_current_xact_id_if_assigned": ("() as null::bigint",),
    "pg_advisory_unlock_all": ("() as ''",),
    "pg_export_snapshot": ("() as '1'",),
    # What things take.
    "pg_relation_size": ("(oid) as 0::bigint", "(oid, fork) as 0::bigint"),
    "pg_table_size": ("(oid) as 0::bigint",),
    "pg_total_relation_size": ("(oid) as 0::bigint",),
    "pg_indexes_size": ("(oid) as 0::bigint",),
    "pg_database_size": ("(name) as 0::bigint",),
    "pg_tablespace_size": ("(name) as 0::bigint",),
    "pg_tablespace_location": ("(oid) as ''",),
    "pg_size_pretty": ("(size) as size::varchar || ' bytes'",),
    # Arrays and texts as PostgreSQL counts and writes them.
    "array_lower": ("(list, dimension) as case when len(list) > 0 then 1 end",),
    "array_upper": ("(list, dimension) as nullif(len(list), 0)",),
    "array_length": ("(list, dimension) as nullif(len(list), 0)",),
    "cardinality": ("(list) as len(list)",),
    "array_ndims": ("(list) as case when len(list) > 0 then 1 end",),
    "array_remove": ("(list, item) as list_filter(list, lambda each: each is distinct from item)",),
    "array_out": ("(list) as '{' || array_to_string(list, ',') || '}'",),
    "textin": ("(value) as value::varchar",),
    "_pg_expandarray": ("(list) as unnest(list_transform(list, lambda x, n: {'x': x, 'n': n}))",),
    "generate_subscripts": ("(list, dimension) as unnest(range(1, coalesce(len(list), 0) + 1))",),
    "pg_format": (
        "(form, a) as replace(replace(form, '%I', a::varchar), '%s', a::varchar)",
        "(form, a, b) as regexp_replace(regexp_replace(form, '%[IsL]', a::varchar), '%[IsL]', b::varchar)",
    ),
    "pg_age": ("(xid) as 0",),
    "mxid_age": ("(xid) as 0",),
}

OTHER_BY_THE_SAME_NAME = {"format": "pg_format", "age": "pg_age", "current_setting": "setting_of"}
"""Functions that DuckDB has too, but for something else: what stands for PostgreSQL's."""

SAME_BY_ANOTHER_NAME = {
    "json_build_object": "json_object",
    "jsonb_build_object": "json_object",
    "json_build_array": "json_array",
    "jsonb_build_array": "json_array",
    "json_agg": "json_group_array",
    "jsonb_agg": "json_group_array",
    "row_to_json": "to_json",
    "to_jsonb": "to_json",
    "char_length": "length",
    "character_length": "length",
    "btrim": "trim",
    "clock_timestamp": "now",
    "statement_timestamp": "now",
    "transaction_timestamp": "now",
    "pg_typeof": "typeof",
}
"""Functions that DuckDB has under another name."""

TABLE_FUNCTIONS: dict[str, str] = {
    "string_to_array": "(value, separator) as table select string_split(value, separator) as string_to_array",
    "pg_get_keywords": "() as table select keyword_name as word, case keyword_category when 'reserved' then 'R'"
    " when 'column_name' then 'C' when 'type_function' then 'T' else 'U' end as catcode, keyword_category as catdesc"
    " from duckdb_keywords()",
    "pg_options_to_table": "(options) as table select null::varchar as option_name, null::varchar as option_value"
    " where false",
    "aclexplode": "(acl) as table select null::bigint as grantor, null::bigint as grantee,"
    " null::varchar as privilege_type, null::boolean as is_grantable where false",
    "pg_timezone_names": "() as table select null::varchar as name where false",
    "pg_get_publication_tables": "(name) as table select null::bigint as relid where false",
    "pg_partition_ancestors": "(oid) as table select null::bigint as relid where false",
    "pg_show_all_settings": f"() as table select * from {PG}.pg_settings",
}
"""Macros used in a FROM."""
