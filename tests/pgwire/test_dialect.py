"""What only PostgreSQL writes becomes what DuckDB reads; what both read stays as it was."""

from collections.abc import Iterator

import pytest

from projections.postgres.dialect import Asker, Statement, understand, without_operator_schemas
from projections.postgres.lexer import statements, tokens
from projections.postgres.relation import Relation, RelationColumn
from projections.postgres.system_catalog import SystemCatalog
from projections.query import QueryRefused
from projections.warehouse import Warehouse
from tests.spec import empty_warehouse

ASKER = Asker("ada", "recount", {"version": "PostgreSQL 16.0", "search_path": '"$user", public'})


@pytest.fixture(scope="module")
def warehouse(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Warehouse]:
    with empty_warehouse(tmp_path_factory.mktemp("dialect")) as opened:
        yield opened


@pytest.fixture(scope="module")
def catalog() -> Iterator[SystemCatalog]:
    made = SystemCatalog([Relation("incidents", (RelationColumn("incident_id", "VARCHAR"),))])
    yield made
    made.close()


@pytest.fixture
def read(catalog: SystemCatalog, warehouse: Warehouse):
    def understood(sql: str, *declared: int) -> Statement:
        def describe(target: str, text: str, parameters: int):
            asked = catalog.describe if target == "catalog" else warehouse.describe_sandboxed
            return asked(text, parameters)

        return understand(catalog, sql, ASKER, describe, declared)

    return understood


@pytest.mark.parametrize(
    "sql",
    [
        "select title from incidents where severity = 'sev1' order by opened_at desc limit 3",
        "with open as (select * from incidents) select count(*) from open",
        "select a.range from range(3) as a",
    ],
)
def test_what_both_read_is_not_touched(read, sql: str):
    assert read(sql).sql == sql


@pytest.mark.parametrize(
    ("written", "asked"),
    [
        ('select * from "public"."incidents"', "SELECT * FROM incidents"),
        ("select public.incidents.title from public.incidents", "SELECT incidents.title FROM incidents"),
        ("select pg_catalog.lower(title) from incidents", "SELECT lower(title) FROM incidents"),
        ("select title::pg_catalog.text from incidents", "SELECT CAST(title AS text) FROM incidents"),
        ('select title collate "C" from incidents', "SELECT title FROM incidents"),
        ("select current_user, current_database()", "SELECT 'ada' AS current_user, 'recount'"),
        ("select '{1,2}'::int[]", "SELECT CAST('[1,2]' AS INTEGER[])"),
        ("select 'incidents'::regclass::oid", "SELECT CAST(16384 AS uinteger)"),
    ],
)
def test_what_only_postgresql_writes_is_replaced(read, written: str, asked: str):
    assert read(written).sql == asked


@pytest.mark.parametrize(
    ("sql", "target"),
    [
        ("select 1", "catalog"),
        ("select relname from pg_class", "catalog"),
        ("select * from information_schema.columns", "catalog"),
        ("select * from incidents", "views"),
        ("with pg_class as (select * from incidents) select * from pg_class", "views"),
        ("describe incidents", "views"),
    ],
)
def test_it_is_clear_who_answers(read, sql: str, target: str):
    assert read(sql).target == target


@pytest.mark.parametrize(
    ("sql", "oids"),
    [
        ("select * from incidents where last_seq > $1 and opened_at between $2 and $3 limit $4", (20, 1114, 1114, 20)),
        ("select * from incidents where incident_id = any($1)", (1009,)),
        ("select * from incidents where retroactive = $1 or title like $2", (16, 25)),
        ("select $2::uuid, $1::timestamptz", (1184, 2950)),
        ("select * from (select * from incidents where last_seq = $1) where title = $2", (20, 25)),
        ("with a as (select * from incidents) select * from a where last_seq = $1", (20,)),
        ("select $1", (25,)),
    ],
)
def test_a_parameter_has_the_type_that_its_place_asks_for(read, sql: str, oids: tuple[int, ...]):
    assert read(sql).parameters == oids


def test_a_declared_type_is_kept(read):
    assert read("select * from incidents where last_seq > $1", 23).parameters == (23,)


@pytest.mark.parametrize(
    ("sql", "because"),
    [
        ("select * from incidents, pg_class", "cannot be asked together"),
        ("select 'nosuch'::regclass", "there is no table or view nosuch"),
        ("select * from log_rows, pg_class", "cannot be asked together"),
        ("select * from recount_people.main.people", "names a schema"),
        ("select * from main.incidents", "names a schema"),
        ("select * from pg.pg_class", "names a schema"),
        ("select * from duckdb_settings()", "is not allowed in a FROM"),
        ("select current_setting('nosuch')", "there is no setting nosuch"),
        ("select current_setting(title) from incidents", "current_setting() is not allowed"),
    ],
)
def test_the_sandbox_stays_whole(read, sql: str, because: str):
    with pytest.raises(QueryRefused) as refusal:
        read(sql)
    assert because in str(refusal.value)


def test_operators_and_collations_lose_their_schema():
    assert without_operator_schemas("a OPERATOR(pg_catalog.~) '^x' COLLATE pg_catalog.default") == "a ~ '^x' "
    assert without_operator_schemas("select 'operator(pg_catalog.~)'") == "select 'operator(pg_catalog.~)'"


@pytest.mark.parametrize(
    "sql",
    ["", "select 1", 'E\'a\\\'b\' $$x;y$$ $t$ $$ $t$ "a;""b" /* ; */ -- ;\n $1 1.5e3 ::', "'open", "$$open", "/* open"],
)
def test_tokens_are_the_whole_text(sql: str):
    assert "".join(token.text for token in tokens(sql)) == sql


@pytest.mark.parametrize(
    ("sql", "found"),
    [
        ("", []),
        (" ; -- nothing\n;", []),
        ("select 1", ["select 1"]),
        ("select ';' ; select $$;$$;", ["select ';'", "select $$;$$"]),
        ("/* a; b */ select 1; -- c\nselect 2", ["select 1", "select 2"]),
    ],
)
def test_statements_are_told_apart(sql: str, found: list[str]):
    assert [text for _, text in statements(sql)] == found
