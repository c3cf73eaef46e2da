"""SQLAlchemy reflects the views and asks them."""

from collections.abc import Iterator

import pytest
import sqlalchemy as sa

from tests.pgwire.serving import Serving


@pytest.fixture
def engine(server: Serving) -> Iterator[sa.Engine]:
    made = sa.create_engine(f"postgresql+psycopg{server.url}?sslmode=disable")
    yield made
    made.dispose()


def test_it_lists_views_and_no_tables(engine: sa.Engine):
    inspector = sa.inspect(engine)
    assert inspector.get_table_names() == []
    assert {"incidents", "log", "people"} <= set(inspector.get_view_names())
    assert "log_rows" not in inspector.get_view_names()
    assert "public" in inspector.get_schema_names()
    assert inspector.has_table("incidents")
    assert not inspector.has_table("nosuch")


def test_it_reads_columns_and_what_they_mean(engine: sa.Engine):
    columns = {column["name"]: column for column in sa.inspect(engine).get_columns("incidents")}
    assert isinstance(columns["opened_at"]["type"], sa.TIMESTAMP)
    assert isinstance(columns["last_seq"]["type"], sa.BIGINT)
    assert columns["incident_id"]["comment"] == "Which incident, such as `INC-42`."
    assert (sa.inspect(engine).get_table_comment("incidents")["text"] or "").startswith("Every incident")


@pytest.mark.parametrize(
    "question", ["get_foreign_keys", "get_indexes", "get_unique_constraints", "get_check_constraints"]
)
def test_there_are_no_keys(engine: sa.Engine, question: str):
    assert getattr(sa.inspect(engine), question)("incidents") == []


def test_it_asks_a_reflected_view(engine: sa.Engine):
    incidents = sa.Table("incidents", sa.MetaData(), autoload_with=engine)
    asked = sa.select(incidents.c.title).where(incidents.c.severity == "sev1").order_by(incidents.c.opened_at).limit(3)
    with engine.connect() as connection:
        assert connection.execute(asked).scalars().all() == ["checkout is down"]
