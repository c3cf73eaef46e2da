"""What BI tools send to PostgreSQL when they connect and look around: the texts as their sources have them.

* Grafana: public/app/plugins/datasource/grafana-postgresql-datasource/postgresMetaQuery.ts
* pgjdbc, under Metabase, DBeaver and most others: PgDatabaseMetaData.java, TypeInfoCache.java
* Metabase: src/metabase/driver/postgres.clj, as HoneySQL writes it
* Npgsql, under Power BI and every .NET tool: PostgresDatabaseInfo.cs, NpgsqlConnector.cs
* ADBC's PostgreSQL driver: postgres_type_resolver.cc
* asyncpg: connection.py
* DBeaver: ext.postgresql/model/PostgreExecutionContext.java, PostgreSchema.java

Where a driver binds a value, ``%s`` stands.
"""

_GRAFANA_SCHEMAS = """
          quote_ident(table_schema) IN (
          SELECT
            CASE WHEN trim(s[i]) = '"$user"' THEN user ELSE trim(s[i]) END
          FROM
            generate_series(
              array_lower(string_to_array(current_setting('search_path'),','),1),
              array_upper(string_to_array(current_setting('search_path'),','),1)
            ) as i,
            string_to_array(current_setting('search_path'),',') s
          )"""

GRAFANA_VERSION = "SELECT current_setting('server_version_num')::int/100 as version"
GRAFANA_TIMESCALE = "SELECT extversion FROM pg_extension WHERE extname = 'timescaledb'"
GRAFANA_TABLES = f"""SELECT
    CASE WHEN {_GRAFANA_SCHEMAS}
      THEN quote_ident(table_name)
      ELSE quote_ident(table_schema) || '.' || quote_ident(table_name)
    END AS "table"
    FROM information_schema.tables
    WHERE quote_ident(table_schema) NOT IN ('information_schema',
                             'pg_catalog',
                             '_timescaledb_cache',
                             '_timescaledb_catalog',
                             '_timescaledb_internal',
                             '_timescaledb_config',
                             'timescaledb_information',
                             'timescaledb_experimental')
    ORDER BY CASE WHEN {_GRAFANA_SCHEMAS} THEN 0 ELSE 1 END, 1"""
GRAFANA_COLUMNS = f"""SELECT quote_ident(column_name) AS "column", data_type AS "type"
    FROM information_schema.columns
    WHERE
      CASE WHEN array_length(parse_ident('incidents'),1) = 2
        THEN quote_ident(table_schema) = (parse_ident('incidents'))[1]
          AND quote_ident(table_name) = (parse_ident('incidents'))[2]
        ELSE quote_ident(table_name) = 'incidents'
          AND {_GRAFANA_SCHEMAS}
      END"""
# What its macros $__timeGroup and $__timeFilter become.
GRAFANA_PANEL = """SELECT floor(extract(epoch from opened_at)/3600)*3600 AS "time", count(*) AS value
    FROM incidents
    WHERE opened_at BETWEEN '2026-01-01T00:00:00Z' AND '2026-12-31T00:00:00Z'
    GROUP BY 1 ORDER BY 1"""

JDBC_SCHEMAS = (
    "SELECT nspname AS TABLE_SCHEM , NULL AS TABLE_CATALOG  FROM pg_catalog.pg_namespace WHERE nspname <> 'pg_toast'"
    " AND (nspname !~ '^pg_temp_' OR nspname = (pg_catalog.current_schemas(true))[1])"
    " AND (nspname !~ '^pg_toast_temp_' OR nspname = replace((pg_catalog.current_schemas(true))[1], 'pg_temp_',"
    " 'pg_toast_temp_'))  ORDER BY TABLE_SCHEM"
)
JDBC_TABLES = (
    "SELECT NULL AS TABLE_CAT, n.nspname AS TABLE_SCHEM, c.relname AS TABLE_NAME,"
    "  CASE n.nspname ~ '^pg_' OR n.nspname = 'information_schema'  WHEN true THEN CASE"
    "  WHEN n.nspname = 'pg_catalog' OR n.nspname = 'information_schema' THEN CASE c.relkind"
    "   WHEN 'r' THEN 'SYSTEM TABLE'   WHEN 'v' THEN 'SYSTEM VIEW'   WHEN 'i' THEN 'SYSTEM INDEX'   ELSE NULL   END"
    "  WHEN n.nspname = 'pg_toast' THEN CASE c.relkind   WHEN 'r' THEN 'SYSTEM TOAST TABLE'"
    "   WHEN 'i' THEN 'SYSTEM TOAST INDEX'   ELSE NULL   END  ELSE CASE c.relkind   WHEN 'r' THEN 'TEMPORARY TABLE'"
    "   WHEN 'i' THEN 'TEMPORARY INDEX'   WHEN 'S' THEN 'TEMPORARY SEQUENCE'   WHEN 'v' THEN 'TEMPORARY VIEW'"
    "   ELSE NULL   END  END  WHEN false THEN CASE c.relkind  WHEN 'r' THEN 'TABLE'  WHEN 'i' THEN 'INDEX'"
    "  WHEN 'S' THEN 'SEQUENCE'  WHEN 'v' THEN 'VIEW'  WHEN 'c' THEN 'TYPE'  WHEN 'f' THEN 'FOREIGN TABLE'"
    "  WHEN 'm' THEN 'MATERIALIZED VIEW'  ELSE NULL  END  ELSE NULL  END  AS TABLE_TYPE, d.description AS REMARKS"
    "  FROM pg_catalog.pg_namespace n, pg_catalog.pg_class c"
    "  LEFT JOIN pg_catalog.pg_description d ON (c.oid = d.objoid AND d.objsubid = 0)"
    "  LEFT JOIN pg_catalog.pg_class dc ON (d.classoid=dc.oid AND dc.relname='pg_class')"
    "  LEFT JOIN pg_catalog.pg_namespace dn ON (dn.oid=dc.relnamespace AND dn.nspname='pg_catalog')"
    "  WHERE c.relnamespace = n.oid  AND c.relname LIKE '%'"
    " AND (false  OR ( c.relkind = 'r' AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema' )"
    "  OR ( c.relkind = 'v' AND n.nspname <> 'pg_catalog' AND n.nspname <> 'information_schema' ) )"
    "  ORDER BY TABLE_TYPE,TABLE_SCHEM,TABLE_NAME "
)
JDBC_COLUMNS = (
    "SELECT * FROM (SELECT n.nspname,c.relname,a.attname,a.atttypid,"
    "a.attnotnull OR (t.typtype = 'd' AND t.typnotnull) AS attnotnull,a.atttypmod,a.attlen,"
    "row_number() OVER (PARTITION BY a.attrelid ORDER BY a.attnum) AS attnum, "
    "pg_catalog.pg_get_expr(def.adbin, def.adrelid) AS adsrc,dsc.description,t.typbasetype,t.typtype "
    " FROM pg_catalog.pg_namespace n  JOIN pg_catalog.pg_class c ON (c.relnamespace = n.oid) "
    " JOIN pg_catalog.pg_attribute a ON (a.attrelid=c.oid)  JOIN pg_catalog.pg_type t ON (a.atttypid = t.oid) "
    " LEFT JOIN pg_catalog.pg_attrdef def ON (a.attrelid=def.adrelid AND a.attnum = def.adnum) "
    " LEFT JOIN pg_catalog.pg_description dsc ON (c.oid=dsc.objoid AND a.attnum = dsc.objsubid) "
    " LEFT JOIN pg_catalog.pg_class dc ON (dc.oid=dsc.classoid AND dc.relname='pg_class') "
    " LEFT JOIN pg_catalog.pg_namespace dn ON (dc.relnamespace=dn.oid AND dn.nspname='pg_catalog') "
    " WHERE c.relkind in ('r','v','f','m') and a.attnum > 0 AND NOT a.attisdropped "
    " AND n.nspname LIKE 'public' AND c.relname LIKE 'incidents') c WHERE true  ORDER BY nspname,c.relname,attnum "
)
JDBC_PRIMARY_KEYS = (
    "SELECT NULL AS TABLE_CAT, n.nspname AS TABLE_SCHEM,   ct.relname AS TABLE_NAME, a.attname AS COLUMN_NAME, "
    "  (i.keys).n AS KEY_SEQ, ci.relname AS PK_NAME FROM pg_catalog.pg_class ct "
    "  JOIN pg_catalog.pg_attribute a ON (ct.oid = a.attrelid) "
    "  JOIN pg_catalog.pg_namespace n ON (ct.relnamespace = n.oid) "
    "  JOIN (SELECT i.indexrelid, i.indrelid, i.indisprimary, "
    "             information_schema._pg_expandarray(i.indkey) AS keys         FROM pg_catalog.pg_index i) i "
    "    ON (a.attnum = (i.keys).x AND a.attrelid = i.indrelid) "
    "  JOIN pg_catalog.pg_class ci ON (ci.oid = i.indexrelid) WHERE true  AND n.nspname = 'public'"
    " AND ct.relname = 'incidents' AND i.indisprimary  ORDER BY table_name, pk_name, key_seq"
)
JDBC_IMPORTED_KEYS = (
    "SELECT NULL::text AS PKTABLE_CAT, pkn.nspname AS PKTABLE_SCHEM, pkc.relname AS PKTABLE_NAME,"
    " pka.attname AS PKCOLUMN_NAME, NULL::text AS FKTABLE_CAT, fkn.nspname AS FKTABLE_SCHEM,"
    " fkc.relname AS FKTABLE_NAME, fka.attname AS FKCOLUMN_NAME, pos.n AS KEY_SEQ, CASE con.confupdtype "
    " WHEN 'c' THEN 0 WHEN 'n' THEN 2 WHEN 'd' THEN 4 WHEN 'r' THEN 1 WHEN 'a' THEN 3 ELSE NULL END AS UPDATE_RULE,"
    " con.conname AS FK_NAME, pkic.relname AS PK_NAME, CASE "
    " WHEN con.condeferrable AND con.condeferred THEN 5 WHEN con.condeferrable THEN 6 ELSE 7 END AS DEFERRABILITY "
    " FROM  pg_catalog.pg_namespace pkn, pg_catalog.pg_class pkc, pg_catalog.pg_attribute pka, "
    " pg_catalog.pg_namespace fkn, pg_catalog.pg_class fkc, pg_catalog.pg_attribute fka, "
    " pg_catalog.pg_constraint con,  pg_catalog.generate_series(1, 32) pos(n),  pg_catalog.pg_depend dep,"
    " pg_catalog.pg_class pkic  WHERE pkn.oid = pkc.relnamespace AND pkc.oid = pka.attrelid"
    " AND pka.attnum = con.confkey[pos.n] AND con.confrelid = pkc.oid  AND fkn.oid = fkc.relnamespace"
    " AND fkc.oid = fka.attrelid AND fka.attnum = con.conkey[pos.n] AND con.conrelid = fkc.oid "
    " AND con.contype = 'f' AND con.oid = dep.objid AND pkic.oid = dep.refobjid AND pkic.relkind = 'i'"
    " AND dep.classid = 'pg_constraint'::regclass::oid AND dep.refclassid = 'pg_class'::regclass::oid "
    " AND fkn.nspname = 'public' AND fkc.relname = 'incidents' ORDER BY pkn.nspname,pkc.relname, con.conname,pos.n"
)
JDBC_TYPE_BY_NAME = (
    "SELECT t.oid, n.nspname = ANY(current_schemas(true)), n.nspname, t.typinput = 'array_in'::regproc,"
    " t.typname, t.typelem, t.typtype, t.typdelim, e.typname, e.typtype, e.typdelim, arr.oid, e.typtype"
    "  FROM pg_catalog.pg_type t  JOIN pg_catalog.pg_namespace n ON n.oid = t.typnamespace"
    "  LEFT JOIN pg_catalog.pg_type arr ON (arr.typelem, arr.typinput) = (t.oid, 'array_in'::regproc)"
    "  LEFT JOIN pg_catalog.pg_type e ON t.typelem = e.oid"
    "  LEFT JOIN (SELECT s.r, (current_schemas(false))[r] AS nspname"
    "               FROM generate_series(1, array_upper(current_schemas(false), 1)) AS s (r)) AS sp"
    "    USING (nspname) WHERE t.typname = %s ORDER BY sp.r, t.oid DESC LIMIT 1;"
)

METABASE_ZONE = "show timezone;"
METABASE_ENUMS = (
    "SELECT nspname, typname FROM pg_type t JOIN pg_namespace n ON n.oid = t.typnamespace"
    " WHERE t.oid IN (SELECT DISTINCT enumtypid FROM pg_enum e)"
)
METABASE_TABLES = (
    'SELECT "n"."nspname" AS "schema", "c"."relname" AS "name", CASE "c"."relkind" WHEN \'r\' THEN \'TABLE\''
    " WHEN 'p' THEN 'PARTITIONED TABLE' WHEN 'v' THEN 'VIEW' WHEN 'f' THEN 'FOREIGN TABLE'"
    ' WHEN \'m\' THEN \'MATERIALIZED VIEW\' ELSE NULL END AS "type", "d"."description" AS "description",'
    ' "stat"."n_live_tup" AS "estimated_row_count" FROM "pg_catalog"."pg_class" AS "c"'
    ' INNER JOIN "pg_catalog"."pg_namespace" AS "n" ON "c"."relnamespace" = "n"."oid"'
    ' LEFT JOIN "pg_catalog"."pg_description" AS "d" ON ("c"."oid" = "d"."objoid") AND ("d"."objsubid" = 0)'
    ' AND ("d"."classoid" = \'pg_class\'::regclass) LEFT JOIN "pg_stat_user_tables" AS "stat"'
    ' ON ("n"."nspname" = "stat"."schemaname") AND ("c"."relname" = "stat"."relname")'
    ' WHERE ("c"."relnamespace" = "n"."oid") AND ("n"."nspname" !~ \'^pg_\')'
    " AND (\"n\".\"nspname\" <> 'information_schema') AND c.relkind in ('r', 'p', 'v', 'f', 'm')"
    ' AND ("n"."nspname" IN (%s)) ORDER BY "type" ASC, "schema" ASC, "name" ASC'
)
METABASE_FIELDS = (
    'SELECT "c"."column_name" AS "name", CASE WHEN "c"."udt_schema" IN (\'public\', \'pg_catalog\')'
    ' THEN FORMAT(\'%%s\', "c"."udt_name") ELSE FORMAT(\'"%%s"."%%s"\', "c"."udt_schema", "c"."udt_name") END'
    ' AS "database-type", "c"."ordinal_position" - 1 AS "database-position", "c"."table_schema" AS "table-schema",'
    ' "c"."table_name" AS "table-name", "pk"."column_name" IS NOT NULL AS "pk?",'
    ' COL_DESCRIPTION(CAST(CAST(FORMAT(\'%%I.%%I\', CAST("c"."table_schema" AS TEXT),'
    ' CAST("c"."table_name" AS TEXT)) AS REGCLASS) AS OID), "c"."ordinal_position") AS "field-comment",'
    ' (("column_default" IS NULL) OR (LOWER("column_default") = \'null\')) AND ("is_nullable" = \'NO\')'
    ' AND NOT ((("column_default" IS NOT NULL) AND ("column_default" LIKE \'%%nextval(%%\'))'
    ' OR ("is_identity" <> \'NO\')) AS "database-required" FROM "information_schema"."columns" AS "c"'
    ' LEFT JOIN (SELECT "tc"."table_schema", "tc"."table_name", "kc"."column_name"'
    ' FROM "information_schema"."table_constraints" AS "tc"'
    ' INNER JOIN "information_schema"."key_column_usage" AS "kc"'
    ' ON ("tc"."constraint_name" = "kc"."constraint_name") AND ("tc"."table_schema" = "kc"."table_schema")'
    ' AND ("tc"."table_name" = "kc"."table_name") WHERE "tc"."constraint_type" = \'PRIMARY KEY\') AS "pk"'
    ' ON ("c"."table_schema" = "pk"."table_schema") AND ("c"."table_name" = "pk"."table_name")'
    ' AND ("c"."column_name" = "pk"."column_name")'
    ' WHERE c.table_schema !~ \'^information_schema|catalog_history|pg_\' AND ("c"."table_schema" IN (%s))'
    ' AND ("c"."table_name" IN (%s)) UNION ALL SELECT "pa"."attname" AS "name",'
    ' CASE WHEN "ptn"."nspname" IN (\'public\', \'pg_catalog\') THEN FORMAT(\'%%s\', "pt"."typname")'
    ' ELSE FORMAT(\'"%%s"."%%s"\', "ptn"."nspname", "pt"."typname") END AS "database-type",'
    ' "pa"."attnum" - 1 AS "database-position", "pn"."nspname" AS "table-schema", "pc"."relname" AS "table-name",'
    ' FALSE AS "pk?", NULL AS "field-comment", FALSE AS "database-required" FROM "pg_catalog"."pg_class" AS "pc"'
    ' INNER JOIN "pg_catalog"."pg_namespace" AS "pn" ON "pn"."oid" = "pc"."relnamespace"'
    ' INNER JOIN "pg_catalog"."pg_attribute" AS "pa" ON "pa"."attrelid" = "pc"."oid"'
    ' INNER JOIN "pg_catalog"."pg_type" AS "pt" ON "pt"."oid" = "pa"."atttypid"'
    ' INNER JOIN "pg_catalog"."pg_namespace" AS "ptn" ON "ptn"."oid" = "pt"."typnamespace"'
    ' WHERE ("pc"."relkind" = \'m\') AND ("pa"."attnum" >= 1)'
    ' ORDER BY "table-schema" ASC, "table-name" ASC, "database-position" ASC'
)
METABASE_FOREIGN_KEYS = (
    'SELECT "fk_ns"."nspname" AS "fk-table-schema", "fk_table"."relname" AS "fk-table-name",'
    ' "fk_column"."attname" AS "fk-column-name", "pk_ns"."nspname" AS "pk-table-schema",'
    ' "pk_table"."relname" AS "pk-table-name", "pk_column"."attname" AS "pk-column-name"'
    ' FROM "pg_constraint" AS "c" INNER JOIN "pg_class" AS "fk_table" ON "c"."conrelid" = "fk_table"."oid"'
    ' INNER JOIN "pg_namespace" AS "fk_ns" ON "c"."connamespace" = "fk_ns"."oid"'
    ' INNER JOIN "pg_attribute" AS "fk_column" ON "c"."conrelid" = "fk_column"."attrelid"'
    ' INNER JOIN "pg_class" AS "pk_table" ON "c"."confrelid" = "pk_table"."oid"'
    ' INNER JOIN "pg_namespace" AS "pk_ns" ON "pk_table"."relnamespace" = "pk_ns"."oid"'
    ' INNER JOIN "pg_attribute" AS "pk_column" ON "c"."confrelid" = "pk_column"."attrelid"'
    " WHERE fk_ns.nspname !~ '^information_schema|catalog_history|pg_' AND (\"c\".\"contype\" = 'f'::char)"
    ' AND ("fk_column"."attnum" = ANY(c.conkey)) AND ("pk_column"."attnum" = ANY(c.confkey))'
    ' ORDER BY "fk-table-schema" ASC, "fk-table-name" ASC'
)
# A question of its own: incidents a month.
METABASE_QUESTION = (
    'SELECT DATE_TRUNC(\'month\', "public"."incidents"."opened_at") AS "opened_at", COUNT(*) AS "count"'
    ' FROM "public"."incidents" WHERE ("public"."incidents"."severity" = %s)'
    ' AND ("public"."incidents"."opened_at" >= timestamp with time zone \'2026-01-01 00:00:00.000Z\')'
    ' GROUP BY DATE_TRUNC(\'month\', "public"."incidents"."opened_at")'
    ' ORDER BY DATE_TRUNC(\'month\', "public"."incidents"."opened_at") ASC'
)

DBEAVER_CONTEXT = "SELECT current_schema(),session_user"
DBEAVER_SEARCH_PATH = "SHOW search_path"
DBEAVER_SET_SEARCH_PATH = 'SET search_path = public,"$user"'
DBEAVER_COLUMNS = (
    "SELECT c.relname,a.*,pg_catalog.pg_get_expr(ad.adbin, ad.adrelid, true) as def_value,dsc.description"
    "\nFROM pg_catalog.pg_attribute a\nINNER JOIN pg_catalog.pg_class c ON (a.attrelid=c.oid)"
    "\nLEFT OUTER JOIN pg_catalog.pg_attrdef ad ON (a.attrelid=ad.adrelid AND a.attnum = ad.adnum)"
    "\nLEFT OUTER JOIN pg_catalog.pg_description dsc ON (c.oid=dsc.objoid AND a.attnum = dsc.objsubid)"
    "\nWHERE NOT a.attisdropped AND c.relnamespace=%s AND c.relkind not in ('i','c')  ORDER BY a.attnum"
)
DBEAVER_CONSTRAINTS = (
    "SELECT c.oid,c.*,t.relname as tabrelname,rt.relnamespace as refnamespace"
    "\nFROM pg_catalog.pg_constraint c\nINNER JOIN pg_catalog.pg_class t ON t.oid=c.conrelid"
    "\nLEFT OUTER JOIN pg_catalog.pg_class rt ON rt.oid=c.confrelid\nWHERE t.relnamespace=%s\nORDER BY c.oid"
)
DBEAVER_INDEXES = (
    "SELECT i.*,i.indkey as keys,c.relname,c.relnamespace,c.relam,tc.relname as tabrelname,dsc.description"
    ",pg_catalog.pg_get_expr(i.indexprs, i.indrelid, true) as expr\nFROM pg_catalog.pg_index i"
    "\nINNER JOIN pg_catalog.pg_class c ON c.oid=i.indexrelid"
    "\nINNER JOIN pg_catalog.pg_class tc ON tc.oid=i.indrelid"
    "\nLEFT OUTER JOIN pg_catalog.pg_description dsc ON i.indexrelid=dsc.objoid"
    "\nWHERE  c.relnamespace=%s ORDER BY c.relname"
)
DBEAVER_PROCEDURES = (
    "SELECT p.oid,p.*,d.description\nFROM pg_catalog.pg_proc p\n"
    "LEFT OUTER JOIN pg_catalog.pg_description d ON d.objoid=p.oid\nWHERE p.pronamespace=%s\nORDER BY p.proname"
)

NPGSQL_TYPES = """SELECT version();

SELECT ns.nspname, t.oid, t.typname, t.typtype, t.typnotnull, t.elemtypoid
FROM (
    -- Arrays have typtype=b - this subquery identifies them by their typreceive and converts their typtype to a
    -- We first do this for the type (innerest-most subquery), and then for its element type
    -- This also returns the array element, range subtype and domain base type as elemtypoid
    SELECT
        typ.oid, typ.typnamespace, typ.typname, typ.typtype, typ.typrelid, typ.typnotnull, typ.relkind,
        elemtyp.oid AS elemtypoid, elemtyp.typname AS elemtypname, elemcls.relkind AS elemrelkind,
        CASE WHEN elemproc.proname='array_recv' THEN 'a' ELSE elemtyp.typtype END AS elemtyptype
    FROM (
        SELECT typ.oid, typnamespace, typname, typrelid, typnotnull, relkind, typelem AS elemoid,
            CASE WHEN proc.proname='array_recv' THEN 'a' ELSE typ.typtype END AS typtype,
            CASE
                WHEN proc.proname='array_recv' THEN typ.typelem
                WHEN typ.typtype='r' THEN rngsubtype
                WHEN typ.typtype='m' THEN (SELECT rngtypid FROM pg_range WHERE rngmultitypid = typ.oid)
                WHEN typ.typtype='d' THEN typ.typbasetype
            END AS elemtypoid
        FROM pg_type AS typ
        LEFT JOIN pg_class AS cls ON (cls.oid = typ.typrelid)
        LEFT JOIN pg_proc AS proc ON proc.oid = typ.typreceive
        LEFT JOIN pg_range ON (pg_range.rngtypid = typ.oid)
    ) AS typ
    LEFT JOIN pg_type AS elemtyp ON elemtyp.oid = elemtypoid
    LEFT JOIN pg_class AS elemcls ON (elemcls.oid = elemtyp.typrelid)
    LEFT JOIN pg_proc AS elemproc ON elemproc.oid = elemtyp.typreceive
) AS t
JOIN pg_namespace AS ns ON (ns.oid = typnamespace)
WHERE
    typtype IN ('b', 'r', 'm', 'e', 'd') OR -- Base, range, multirange, enum, domain
    (typtype = 'c' AND relkind='c') OR -- User-defined free-standing composites (not table composites) by default
    (typtype = 'p' AND typname IN ('record', 'void')) OR -- Some special supported pseudo-types
    (typtype = 'a' AND (  -- Array of...
        elemtyptype IN ('b', 'r', 'm', 'e', 'd') OR -- Array of base, range, multirange, enum, domain
        (elemtyptype = 'p' AND elemtypname IN ('record', 'void')) OR -- Arrays of special supported pseudo-types
        (elemtyptype = 'c' AND elemrelkind='c') -- Array of user-defined free-standing composites
    ))
ORDER BY CASE
       WHEN typtype IN ('b', 'e', 'p') THEN 0           -- First base types, enums, pseudo-types
       WHEN typtype = 'r' THEN 1                        -- Ranges after
       WHEN typtype = 'm' THEN 2                        -- Multiranges after
       WHEN typtype = 'c' THEN 3                        -- Composites after
       WHEN typtype = 'd' AND elemtyptype <> 'a' THEN 4 -- Domains over non-arrays after
       WHEN typtype = 'a' THEN 5                        -- Arrays after
       WHEN typtype = 'd' AND elemtyptype = 'a' THEN 6  -- Domains over arrays last
END;

-- Load field definitions for (free-standing) composite types
SELECT typ.oid, att.attname, att.atttypid
FROM pg_type AS typ
JOIN pg_namespace AS ns ON (ns.oid = typ.typnamespace)
JOIN pg_class AS cls ON (cls.oid = typ.typrelid)
JOIN pg_attribute AS att ON (att.attrelid = typ.typrelid)
WHERE
  (typ.typtype = 'c' AND cls.relkind='c') AND
  attnum > 0 AND     -- Don't load system attributes
  NOT attisdropped
ORDER BY typ.oid, att.attnum;

-- Load enum fields
SELECT pg_type.oid, enumlabel
FROM pg_enum
JOIN pg_type ON pg_type.oid=enumtypid
ORDER BY oid, enumsortorder;"""
# As a connection goes back to its pool; the second with statements that are to stay prepared.
NPGSQL_RESET = "DISCARD ALL"
NPGSQL_RESET_KEEPING = (
    "CLOSE ALL;SET SESSION AUTHORIZATION DEFAULT;RESET ALL;UNLISTEN *;SELECT pg_advisory_unlock_all();"
    "DISCARD SEQUENCES;DISCARD TEMP"
)
ASYNCPG_RESET = "SELECT pg_advisory_unlock_all();CLOSE ALL;UNLISTEN *;RESET ALL;"
ADBC_TYPES = (
    "SELECT oid, typname, typreceive, typbasetype, typrelid, typarray FROM pg_catalog.pg_type"
    " WHERE (typreceive != 0 OR typsend != 0) AND typtype != 'r' AND typreceive::TEXT != 'array_recv'"
)
