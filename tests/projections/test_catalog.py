"""The catalog: finds the files, orders them, and refuses what breaks the rules."""

from pathlib import Path

import pytest

from projections.catalog import BadProjection, read_catalog

HEADER = "-- Notes.\n-- grain: one row a note\n-- key: incident_id\n-- refresh: {refresh}\n"
NOTES = "select stream_id as incident_id, text from incident_noted"


def test_every_file_is_a_view_after_what_it_reads():
    catalog = read_catalog()
    names = [view.name for view in catalog.views]
    assert names.index("roles") < names.index("incidents") < names.index("open_work")
    files = {path.stem for path in (Path(__file__).resolve().parents[2] / "projections").rglob("*.sql")}
    assert set(names) == files | {"links"}
    for view in catalog.views:
        assert view.sentence.endswith("."), view.name
        assert view.columns, view.name


def test_a_new_file_is_a_new_view(tmp_path: Path):
    (tmp_path / "notes.sql").write_text(HEADER.format(refresh="stream") + NOTES)
    (view,) = [view for view in read_catalog(tmp_path).views if view.name == "notes"]
    assert view.key == ("incident_id",)
    assert view.reads == {"incident.noted"}
    assert [(column.name, column.type) for column in view.columns] == [("incident_id", "VARCHAR"), ("text", "VARCHAR")]


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("select 1 as one", "has no '-- grain'"),
        ("-- grain: g\n-- key: one\n-- refresh: view\nselect 1 as one", "has no '-- sentence'"),
        (HEADER.format(refresh="hourly") + NOTES, "refresh is 'hourly'"),
        (HEADER.format(refresh="stream") + NOTES + "; select 2", "there are 2 statements"),
        (HEADER.format(refresh="stream") + "delete from log", "the statement is DELETE"),
        (HEADER.format(refresh="stream") + "select text as incident_id from nowhere", "reads nowhere"),
        (HEADER.format(refresh="stream") + "select text from incident_noted", "has no column incident_id"),
        (HEADER.format(refresh="stream") + "select wrong as incident_id from incident_noted", "wrong"),
        (HEADER.format(refresh="stream") + "select stream_id as incident_id from log", "reads every event"),
        (
            HEADER.format(refresh="stream") + f"{NOTES} union select stream_id, null from page_sent",
            "its refresh is a closure",
        ),
        (
            HEADER.replace("key: incident_id", "key: text").format(refresh="closure") + NOTES,
            "the first key column is none of",
        ),
        (HEADER.format(refresh="view") + "select incident_id from notes", "in a circle"),
    ],
)
def test_what_breaks_the_rules_is_refused_and_named(tmp_path: Path, text: str, complaint: str):
    (tmp_path / "notes.sql").write_text(text)
    with pytest.raises(BadProjection, match=r"notes") as refusal:
        read_catalog(tmp_path)
    assert complaint in str(refusal.value)


def test_what_is_stored_may_not_read_the_clock(tmp_path: Path):
    (tmp_path / "clock.sql").write_text(HEADER.format(refresh="view").replace("incident_id", "moment") + CLOCK)
    (tmp_path / "notes.sql").write_text(
        HEADER.format(refresh="stream") + "select stream_id as incident_id, moment from incident_noted, clock"
    )
    with pytest.raises(BadProjection, match=r"notes\.sql reads every event"):
        read_catalog(tmp_path)


CLOCK = "select max(recorded_at) as moment from log"
