"""Tables of PostgreSQL's system catalog for what Recount does not have: keys, indexes, triggers, functions, …

Tools join them all the same. The columns are those that tools name, as the PostgreSQL manual calls them.
"""

PG_CATALOG = {
    "pg_aggregate": "aggfnoid oid, aggkind char, aggnumdirectargs int",
    "pg_attrdef": "oid oid, adrelid oid, adnum int, adbin text, adsrc text",
    "pg_auth_members": "oid oid, roleid oid, member oid, grantor oid, admin_option bool",
    "pg_authid": "oid oid, rolname name, rolsuper bool, rolcanlogin bool",
    "pg_available_extensions": "name name, default_version text, installed_version text, comment text",
    "pg_cast": "oid oid, castsource oid, casttarget oid, castfunc oid, castcontext char, castmethod char",
    "pg_collation": (
        "oid oid, collname name, collnamespace oid, collowner oid, collprovider char, collisdeterministic bool,"
        " collencoding int, collcollate text, collctype text, colliculocale text, collversion text"
    ),
    "pg_constraint": (
        "oid oid, conname name, connamespace oid, contype char, condeferrable bool, condeferred bool,"
        " convalidated bool, conrelid oid, contypid oid, conindid oid, conparentid oid, confrelid oid,"
        " confupdtype char, confdeltype char, confmatchtype char, conislocal bool, coninhcount int,"
        " connoinherit bool, conkey int[], confkey int[], conpfeqop oid[], conbin text, consrc text,"
        " conenforced bool"
    ),
    "pg_conversion": "oid oid, conname name, connamespace oid",
    "pg_cursors": (
        "name text, statement text, is_holdable bool, is_binary bool, is_scrollable bool, creation_time timestamp"
    ),
    "pg_db_role_setting": "setdatabase oid, setrole oid, setconfig text[]",
    "pg_default_acl": "oid oid, defaclrole oid, defaclnamespace oid, defaclobjtype char, defaclacl text[]",
    "pg_depend": "classid oid, objid oid, objsubid int, refclassid oid, refobjid oid, refobjsubid int, deptype char",
    "pg_enum": "oid oid, enumtypid oid, enumsortorder real, enumlabel name",
    "pg_event_trigger": (
        "oid oid, evtname name, evtevent name, evtowner oid, evtfoid oid, evtenabled char, evttags text[]"
    ),
    "pg_extension": (
        "oid oid, extname name, extowner oid, extnamespace oid, extrelocatable bool, extversion text, extconfig oid[],"
        " extcondition text[]"
    ),
    "pg_foreign_data_wrapper": (
        "oid oid, fdwname name, fdwowner oid, fdwhandler oid, fdwvalidator oid, fdwoptions text[]"
    ),
    "pg_foreign_server": (
        "oid oid, srvname name, srvowner oid, srvfdw oid, srvtype text, srvversion text, srvoptions text[]"
    ),
    "pg_foreign_table": "ftrelid oid, ftserver oid, ftoptions text[]",
    "pg_index": (
        "indexrelid oid, indrelid oid, indnatts int, indnkeyatts int, indisunique bool, indnullsnotdistinct bool,"
        " indisprimary bool, indisexclusion bool, indimmediate bool, indisclustered bool, indisvalid bool,"
        " indcheckxmin bool, indisready bool, indislive bool, indisreplident bool, indkey int[], indcollation oid[],"
        " indclass oid[], indoption int[], indexprs text, indpred text"
    ),
    "pg_indexes": "schemaname name, tablename name, indexname name, tablespace name, indexdef text",
    "pg_inherits": "inhrelid oid, inhparent oid, inhseqno int, inhdetachpending bool",
    "pg_init_privs": "objoid oid, classoid oid, objsubid int, privtype char, initprivs text[]",
    "pg_locks": "locktype text, database oid, relation oid, pid int, mode text, granted bool",
    "pg_matviews": "schemaname name, matviewname name, matviewowner name, ispopulated bool, definition text",
    "pg_opclass": "oid oid, opcmethod oid, opcname name, opcnamespace oid, opcintype oid, opcdefault bool",
    "pg_operator": (
        "oid oid, oprname name, oprnamespace oid, oprkind char, oprleft oid, oprright oid, oprresult oid, oprcode oid"
    ),
    "pg_opfamily": "oid oid, opfmethod oid, opfname name, opfnamespace oid",
    "pg_partitioned_table": "partrelid oid, partstrat char, partnatts int, partdefid oid, partattrs int[]",
    "pg_policy": (
        "oid oid, polname name, polrelid oid, polcmd char, polpermissive bool, polroles oid[], polqual text,"
        " polwithcheck text"
    ),
    "pg_prepared_statements": "name text, statement text, prepare_time timestamp, from_sql bool",
    "pg_publication": (
        "oid oid, pubname name, pubowner oid, puballtables bool, pubinsert bool, pubupdate bool, pubdelete bool,"
        " pubtruncate bool, pubviaroot bool"
    ),
    "pg_publication_namespace": "oid oid, pnpubid oid, pnnspid oid",
    "pg_publication_rel": "oid oid, prpubid oid, prrelid oid, prqual text, prattrs int[]",
    "pg_range": "rngtypid oid, rngsubtype oid, rngmultitypid oid, rngcollation oid, rngsubopc oid",
    "pg_rewrite": "oid oid, rulename name, ev_class oid, ev_type char, ev_enabled char, is_instead bool",
    "pg_sequence": (
        "seqrelid oid, seqtypid oid, seqstart bigint, seqincrement bigint, seqmax bigint, seqmin bigint,"
        " seqcache bigint, seqcycle bool"
    ),
    "pg_sequences": "schemaname name, sequencename name, sequenceowner name, last_value bigint",
    "pg_shdescription": "objoid oid, classoid oid, description text",
    "pg_stat_activity": (
        "datid oid, datname name, pid int, usesysid oid, usename name, application_name text, client_addr text,"
        " backend_start timestamp, xact_start timestamp, query_start timestamp, state text, query text,"
        " backend_type text, wait_event text, wait_event_type text"
    ),
    "pg_stat_database": "datid oid, datname name, numbackends int, xact_commit bigint, xact_rollback bigint",
    "pg_stat_ssl": "pid int, ssl bool, version text, cipher text, bits int",
    "pg_statistic_ext": (
        "oid oid, stxrelid oid, stxname name, stxnamespace oid, stxowner oid, stxstattarget int, stxkeys int[],"
        " stxkind text[]"
    ),
    "pg_subscription": "oid oid, subdbid oid, subname name, subowner oid, subenabled bool",
    "pg_tables": (
        "schemaname name, tablename name, tableowner name, tablespace name, hasindexes bool, hasrules bool,"
        " hastriggers bool, rowsecurity bool"
    ),
    "pg_timezone_names": "name text, abbrev text, utc_offset interval, is_dst bool",
    "pg_trigger": (
        "oid oid, tgrelid oid, tgparentid oid, tgname name, tgfoid oid, tgtype int, tgenabled char, tgisinternal bool,"
        " tgconstrrelid oid, tgconstrindid oid, tgconstraint oid, tgdeferrable bool, tginitdeferred bool, tgnargs int"
    ),
    "pg_user": (
        "usename name, usesysid oid, usecreatedb bool, usesuper bool, userepl bool, usebypassrls bool, passwd text,"
        " valuntil timestamp, useconfig text[]"
    ),
}

INFORMATION_SCHEMA = {
    "applicable_roles": "grantee text, role_name text, is_grantable text",
    "character_sets": "character_set_catalog text, character_set_schema text, character_set_name text",
    "check_constraints": "constraint_catalog text, constraint_schema text, constraint_name text, check_clause text",
    "column_privileges": (
        "grantor text, grantee text, table_catalog text, table_schema text, table_name text, column_name text,"
        " privilege_type text, is_grantable text"
    ),
    "constraint_column_usage": (
        "table_catalog text, table_schema text, table_name text, column_name text, constraint_catalog text,"
        " constraint_schema text, constraint_name text"
    ),
    "domains": "domain_catalog text, domain_schema text, domain_name text, data_type text",
    "element_types": (
        "object_catalog text, object_schema text, object_name text, object_type text,"
        " collection_type_identifier text, data_type text"
    ),
    "key_column_usage": (
        "constraint_catalog text, constraint_schema text, constraint_name text, table_catalog text,"
        " table_schema text, table_name text, column_name text, ordinal_position int,"
        " position_in_unique_constraint int"
    ),
    "parameters": (
        "specific_catalog text, specific_schema text, specific_name text, ordinal_position int, data_type text"
    ),
    "referential_constraints": (
        "constraint_catalog text, constraint_schema text, constraint_name text, unique_constraint_catalog text,"
        " unique_constraint_schema text, unique_constraint_name text, match_option text, update_rule text,"
        " delete_rule text"
    ),
    "role_table_grants": (
        "grantor text, grantee text, table_catalog text, table_schema text, table_name text, privilege_type text,"
        " is_grantable text, with_hierarchy text"
    ),
    "routines": (
        "specific_catalog text, specific_schema text, specific_name text, routine_catalog text, routine_schema text,"
        " routine_name text, routine_type text, data_type text, routine_definition text"
    ),
    "sequences": "sequence_catalog text, sequence_schema text, sequence_name text, data_type text",
    "table_constraints": (
        "constraint_catalog text, constraint_schema text, constraint_name text, table_catalog text,"
        " table_schema text, table_name text, constraint_type text, is_deferrable text, initially_deferred text,"
        " enforced text"
    ),
    "table_privileges": (
        "grantor text, grantee text, table_catalog text, table_schema text, table_name text, privilege_type text,"
        " is_grantable text, with_hierarchy text"
    ),
    "triggers": (
        "trigger_catalog text, trigger_schema text, trigger_name text, event_manipulation text,"
        " event_object_schema text, event_object_table text, action_statement text, action_timing text"
    ),
}
