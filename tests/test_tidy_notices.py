"""Each law of test_tidy.py is shown a tree that breaks it, and one that nearly does."""

from pathlib import Path
from typing import ClassVar

import pytest

from events.fact import Fact
from tests.tidy import fact_laws, file_laws, python_laws, sql_laws

HEADER = "-- One incident.\n-- grain: incident\n-- key: incident_id\n-- refresh: stream\n"


@pytest.fixture
def plant(tmp_path: Path):
    """Write a file into an otherwise empty tree and return the tree."""

    def write(name: str, text: str) -> Path:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        return tmp_path

    return write


PYTHON = [
    (python_laws.layers_import_downwards, "events/incident.py", "from projections.warehouse import Warehouse"),
    (python_laws.layers_import_downwards, "projections/query.py", "def f():\n    import services.clock"),
    (python_laws.layers_import_downwards, "events/incident.py", "from services import clock"),
    (python_laws.source_does_not_import_tests, "services/clock.py", "from tests.platform import Platform"),
    (python_laws.only_projections_import_duckdb, "services/clock.py", "import duckdb"),
    (python_laws.only_projections_import_duckdb, "events/log.py", "from duckdb import connect"),
    (python_laws.few_modules_import_nats, "services/clock.py", "from nats.aio.client import Client"),
    (python_laws.few_modules_import_nats, "projections/warehouse.py", "import nats"),
    (python_laws.deciders_are_pure, "services/incidents/state.py", "import time"),
    (python_laws.deciders_are_pure, "services/incidents/decider.py", "from uuid import uuid4"),
    (python_laws.deciders_are_pure, "services/oncall/schedule.py", "async def shift(): ..."),
    (python_laws.deciders_are_pure, "services/oncall/escalation.py", "NOW = datetime.now(UTC)"),
    (python_laws.deciders_are_pure, "services/intake/adapters/json.py", "from events.ids import new_event_id"),
    (python_laws.deciders_are_pure, "services/notifier/delivery.py", "import faststream.nats"),
    (python_laws.public_names_are_documented, "events/log.py", '"""The log."""\n\n\ndef append(): ...'),
    (
        python_laws.public_names_are_documented,
        "events/log.py",
        '"""The log."""\nclass Log:\n    """A."""\n    def x(self): 1',
    ),
    (python_laws.public_names_are_documented, "services/clock.py", "NOW = 1"),
]


@pytest.mark.parametrize(("law", "name", "text"), PYTHON)
def test_a_module_that_breaks_the_law_is_named(plant, law, name: str, text: str):
    complaints = law(plant(name, text))
    assert complaints
    assert name in complaints[0]


def test_a_decider_is_judged_by_what_it_imports_too(plant):
    plant("services/incidents/__init__.py", "")
    plant("services/incidents/decider.py", "from services.incidents.numbering import next_number")
    root = plant("services/incidents/numbering.py", "import random")
    assert python_laws.deciders_are_pure(root) == [
        "services/incidents/numbering.py:1 imports random: a decision is pure, so give it what it needs"
    ]


def test_a_service_may_import_only_the_commands_of_another(plant):
    for service in ("incidents", "oncall", "cli"):
        plant(f"services/{service}/__init__.py", "")
    root = plant(
        "services/oncall/service.py", "from services.incidents.commands import Acknowledge\nimport services.clock"
    )
    plant("services/cli/ack.py", "from services.incidents import state")
    assert python_laws.services_know_only_each_others_commands(root) == []
    plant("services/oncall/service.py", "from services.incidents.state import State")
    plant("services/clock.py", "from .oncall import schedule")
    complaints = python_laws.services_know_only_each_others_commands(root)
    assert len(complaints) == 2
    assert "services/clock.py:1 imports services.oncall.schedule" in complaints[0]
    assert "use services.incidents.commands" in complaints[1]


def test_the_few_modules_that_know_nats_and_duckdb_are_left_alone(plant):
    for name in ("events/nats_log.py", "events/timers.py", "services/broker.py", "services/supervisor/nats_server.py"):
        root = plant(name, "import nats")
    plant("projections/warehouse.py", "import duckdb")
    assert python_laws.few_modules_import_nats(root) == []
    assert python_laws.only_projections_import_duckdb(root) == []


SELECTS = [
    ("select now() as moment", "clock"),
    ("select *\nfrom incidents\nwhere opened_at < current_date", "clock"),
    ("select current_timestamp", "clock"),
    ("select random()", "same rows"),
    ("select any_value(title) from log", "arg_min"),
    ("select first(title) from log", "arg_min"),
    ("select last (title order by seq) from log", "arg_min"),
    ("select avg(duration_s) from ttd", "microseconds"),
    ("select sum(duration_s::double) from ttd", "microseconds"),
    ("select string_agg(title, ',') from log", "needs an `order by`"),
    ("select list(title) from (select * from log order by seq)", "needs an `order by`"),
    ("select array_agg(distinct title) from log", "needs an `order by`"),
    ("select row_number() over (partition by stream) from log", "needs an `order by`"),
    ("select title from incidents limit 10", "limit without an order"),
    ("select * from main.log", "as of"),
    ("select happened_at at time zone 'Asia/Kolkata' from log", "UTC"),
]


@pytest.mark.parametrize(("select", "complaint"), SELECTS)
def test_a_select_that_could_give_other_rows_is_refused(plant, select: str, complaint: str):
    complaints = sql_laws.same_log_same_rows(plant("projections/now/incidents.sql", HEADER + select))
    assert len(complaints) == 1
    assert complaint in complaints[0]


def test_words_in_comments_names_and_texts_are_not_mistaken_for_calls(plant):
    select = (
        "-- now() would be wrong\n"
        "select last_seq, first_at, 'now()' as text, list(title order by seq) as titles,\n"
        "    row_number() over (partition by stream order by seq) as number, coalesce(lag(a, 1) over (order by b), 1)\n"
        "from log"
    )
    assert sql_laws.same_log_same_rows(plant("projections/now/incidents.sql", HEADER + select)) == []


@pytest.mark.parametrize(
    "text",
    [
        "select 1; select 2",
        "create view incidents as select 1",
        "with gone as (insert into log values (1) returning seq) select * from gone",
        "selekt 1",
        "",
    ],
)
def test_a_file_that_is_not_one_select_is_refused(plant, text: str):
    assert len(sql_laws.each_file_is_one_select(plant("projections/now/incidents.sql", HEADER + text))) == 1


@pytest.mark.parametrize(
    "header",
    [
        "",
        "-- grain: incident\n-- key: incident_id\n-- refresh: stream\n",
        "-- One incident.\n-- key: incident_id\n-- refresh: stream\n",
        "-- One incident.\n-- grain: incident\n-- refresh: stream\n",
        "-- One incident.\n-- grain: incident\n-- key: incident_id\n",
        HEADER.replace("stream", "hourly"),
    ],
)
def test_a_header_without_sentence_grain_key_or_refresh_is_refused(plant, header: str):
    assert sql_laws.each_file_has_a_header(plant("projections/now/incidents.sql", header + "select 1"))
    assert not sql_laws.each_file_has_a_header(plant("projections/now/incidents.sql", HEADER + "select 1"))


def test_a_projection_without_a_test_is_refused(plant):
    root = plant("projections/now/incidents.sql", HEADER + "select 1")
    assert len(sql_laws.each_file_has_a_test(root)) == 1
    plant("tests/projections/test_incidents.py", "")
    assert sql_laws.each_file_has_a_test(root) == []


def test_a_long_file_is_refused_and_so_is_an_excuse_that_is_not_needed(plant, monkeypatch):
    root = plant("events/incident.py", "\n" * 401)
    assert file_laws.files_stay_short(root) == ["events/incident.py has 401 lines; split it by noun (at most 400)"]
    monkeypatch.setattr(file_laws, "LONG_FILES", frozenset({"events/incident.py"}))
    assert file_laws.files_stay_short(root) == []
    plant("events/incident.py", "\n" * 400)
    assert file_laws.files_stay_short(root) == ["events/incident.py is short again, or gone: remove it from LONG_FILES"]


@pytest.mark.parametrize("name", ["events/utils.py", "services/common/clock.py", "services/manager.py"])
def test_a_name_that_fits_anything_is_refused(plant, name: str):
    assert len(file_laws.files_are_named_by_a_noun(plant(name, ""))) == 1


# In pieces, so that this file does not break the law that it tests.
@pytest.mark.parametrize(
    "pieces", [("# TO", "DO: later"), ("# FIX", "ME"), ("see ../sha", "red/design.md"), ("/wo", "rk/main")]
)
def test_words_that_do_not_belong_in_a_repository_are_refused(plant, pieces: tuple[str, ...]):
    assert len(file_laws.nothing_speaks_of_where_it_was_written(plant("docs/operating.md", "".join(pieces)))) == 1


def test_what_tools_leave_behind_is_not_source(plant):
    plant(".venv/lib/utils.py", "\n" * 900)
    root = plant("build/lib/events/utils.py", "\n" * 900)
    assert file_laws.files_stay_short(root) == []


class Sloppy(Fact, frozen=True, tag="incident.sloppy"):
    headline: ClassVar[str] = "{nobody} did it"
    order: int
    delay: int


def test_a_sloppy_fact_is_refused():
    sloppy = {"incident.sloppy": Sloppy}
    assert "order is not a column name" in fact_laws.field_names_are_columns(sloppy)[0]
    assert "delay is a length of time without a unit" in fact_laws.durations_name_their_unit(sloppy)[0]
    complaints = fact_laws.facts_explain_themselves(sloppy)
    assert "does not say what it means" in complaints[0]
    assert "unknown fields ['nobody']" in complaints[1]
