"""The postmortem: the same position gives the same bytes, every line cites, nobody is named, nothing is injected."""

import hashlib
import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import pytest
from msgspec.structs import replace

from events import Stored
from events.incident import (
    AlertLinked,
    EventRetracted,
    IncidentDeclared,
    IncidentReopened,
    IncidentResolved,
    IncidentSeverityChanged,
    MilestoneCorrected,
    Noted,
    SeverityCorrected,
)
from events.page import PageWithheld
from projections.catalog import read_catalog
from projections.lens import Lens
from projections.query import Table
from projections.warehouse import Warehouse
from services.postmortem import render
from services.postmortem.render import UnknownIncident
from tests.services.postmortem.story import LATENCY, STORY, the_log
from tests.services.postmortem.test_markdown import TYPED, shape
from tests.spec import ADA, BOB, GRACE, alert, empty_warehouse, incident, log_of, moment, page

POSITION = len([told for group in STORY for told in group])


@pytest.fixture(scope="module")
def warehouse() -> Iterator[Warehouse]:
    with empty_warehouse() as warehouse:
        warehouse.apply(the_log())
        yield warehouse


def document(warehouse: Warehouse, as_of: int, names: Mapping[str, str] | None = None) -> str:
    def ask(sql: str, params: Sequence[object]) -> Table:
        return warehouse.ask(sql, params, as_of=as_of)

    return render(ask, "INC-42", names=names)


def document_of(log: list[Stored], names: Mapping[str, str] | None = None) -> str:
    with empty_warehouse() as warehouse:
        warehouse.apply(log)
        return document(warehouse, log[-1].seq, names)


def clock(clock_time: str) -> datetime:
    return moment(clock_time).replace(tzinfo=UTC)


def _taken_back(seq: int, reason: str) -> EventRetracted:
    return EventRetracted(
        event_id=f"event-{seq}",
        event_seq=seq,
        event_stream="incident.INC-42",
        event_type="incident.noted",
        reason=reason,
    )


def _moved(seq: int, words: str) -> MilestoneCorrected:
    return MilestoneCorrected(
        milestone="declared",
        occurred_at=clock("08:00"),
        reason=words,
        evidence=words,
        replaces_event_id=f"event-{seq}",
        replaces_seq=seq,
    )


def section(text: str, heading: str) -> list[str]:
    return text.split(f"\n## {heading}")[1].split("\n## ")[0].splitlines()


def rows(text: str, heading: str) -> list[list[str]]:
    table = [line for line in section(text, heading) if line.startswith("|")]
    return [[cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]] for line in table[2:]]


def test_the_same_position_gives_the_same_bytes_however_the_log_goes_on(warehouse: Warehouse):
    then = document(warehouse, POSITION)
    later = [
        incident("INC-42", IncidentReopened(kind="relapse", reason="slow again", episode=2)),
        incident("INC-42", Noted(text="it came back"), at="08:00"),
        incident("INC-43", IncidentDeclared(title="payments fail", severity="sev1")),
    ]
    with empty_warehouse(threads=1) as longer:
        longer.apply(the_log(*later))
        assert document(longer, POSITION) == then
        assert document(longer, longer.position) != then


def test_the_receipt_names_the_definitions_by_a_hash_of_their_sql(warehouse: Warehouse):
    catalog = read_catalog()
    sql = {each.name: each.sql for each in (*catalog.typed, *catalog.views)}
    text = "\0".join(part for name in sorted(sql) for part in (name, sql[name]))
    line = next(line for line in section(document(warehouse, POSITION), "Receipt") if "definitions" in line)
    assert f"`{hashlib.sha256(text.encode()).hexdigest()}`" in line
    assert len(line) < 160


def test_a_page_that_was_withheld_does_not_count_as_one():
    withheld = PageWithheld(incident_id="INC-42", target="policy.default", reason="no policy 'default' is configured")
    text = document_of(
        log_of(incident("INC-42", IncidentDeclared(title="slow", severity="sev2")), page("pg-1", withheld))
    )
    assert ["pages", "0, and 1 withheld", "(#2)"] in rows(text, "At a glance")


def test_a_document_bounded_by_another_clock_says_so(warehouse: Warehouse):
    lens = Lens(position=POSITION, happened_by=datetime(2026, 3, 1, 9, 30), known_by=datetime(2026, 3, 1, 10))

    def ask(sql: str, params: Sequence[Any] = ()) -> Table:
        return warehouse.ask(sql, params, as_of=lens)

    receipt = render(ask, "INC-42", lens=lens).splitlines()[2]
    assert "from what its first recorder knew by 2026-03-01 10:00:00Z" in receipt
    assert "from what is believed to have happened by 2026-03-01 09:30:00Z" in receipt
    assert "Made again from that position and within these bounds" in receipt


def test_every_generated_line_cites_the_log(warehouse: Warehouse):
    text = document(warehouse, POSITION)
    generated = [part for part in text.split("\n## ")[1:] if "*(for people)*" not in part]
    assert len(generated) == 12
    for part in generated:
        lines = [line for line in part.splitlines()[1:] if line]
        header = [number for number, line in enumerate(lines) if line.startswith("| ---")]
        told = [line for number, line in enumerate(lines) if number not in header and number + 1 not in header]
        assert told
        for line in told:
            assert line.startswith(("| ", "- "))
            cited = re.findall(r"#(\d+)", line)
            assert cited, f"cites nothing: {line}"
            assert all(1 <= int(position) <= POSITION for position in cited)


def test_an_incident_of_which_little_is_known_still_cites_in_every_line():
    text = document_of(log_of(incident("INC-42", IncidentDeclared(title="checkout is down", severity="sev1"))))
    for heading in ("Impact", "Who held which role", "Pages", "Alerts", "Action items"):
        assert all("(#1)" in line for line in section(text, heading)[1:] if line)
    assert ["time to acknowledge (tta)", "not defined: nobody was paged"] in [
        row[:2] for row in rows(text, "Durations")
    ]


def test_the_story_is_told_with_both_clocks(warehouse: Warehouse):
    text = document(warehouse, POSITION)
    timeline = rows(text, "Timeline")
    assert timeline[0][3:] == ["impact level 3 on checkout began", "(#14)"]
    assert timeline[0][:2] == ["2026-01-05 08:55:00Z", "2026-01-05 09:14:02Z"]
    assert [row[0] for row in timeline] == sorted(row[0] for row in timeline)
    assert len(timeline) == POSITION
    resolved = next(row for row in rows(text, "Milestones") if row[0] == "resolved")
    assert resolved == ["resolved", "1", "2026-01-05 09:40:00Z", "–", "2026-01-05 09:40:02Z", "(#21)"]


def test_the_timeline_tells_why_the_severity_changed():
    text = document_of(
        log_of(
            incident(
                "INC-42",
                IncidentDeclared(title="checkout is down", severity="sev2"),
                IncidentSeverityChanged(severity="sev1", previous="sev2", reason="it spreads to payments"),
                IncidentSeverityChanged(severity="sev3", previous="sev1"),
            )
        )
    )
    told = [row[3] for row in rows(text, "Timeline")]
    assert told == [
        "declared sev2: checkout is down",
        "severity sev2 → sev1: it spreads to payments",
        "severity sev1 → sev3",
    ]


def test_durations_say_from_where_to_where(warehouse: Warehouse):
    durations = {row[0]: row[1] for row in rows(document(warehouse, POSITION), "Durations")}
    assert durations == {
        "time to detect (ttd)": "5 min",
        "time to acknowledge (tta)": "2 min",
        "time to contain (ttc)": "25 min",
        "time to mitigate (ttm)": "30 min",
        r"time to recover (ttr\_recover)": "45 min",
    }


def test_a_page_tells_how_it_went(warehouse: Warehouse):
    sent, withheld = rows(document(warehouse, POSITION), "Pages and acknowledgements")
    assert "an attempt failed: timed out, may have arrived twice" in sent[4]
    assert sent[5] == "(#4, #5, #6, #7, #8, #11)"
    assert withheld[4:] == ["withheld: nobody is on call", "(#9)"]


def test_people_go_by_letters_in_order_of_appearance(warehouse: Warehouse):
    text = document(warehouse, POSITION)
    assert [line for line in section(text, "Who is who") if line] == [
        f"- Responder A is `{ADA}`, first seen (#4)",
        f"- Responder B is `{BOB}`, first seen (#13)",
        f"- Responder C is `{GRACE}`, first seen (#16)",
    ]
    before = text.split("\n## Who is who")[0]
    assert not any(person_id in before for person_id in (ADA, BOB, GRACE))
    assert rows(text, "Who held")[0][:2] == ["commander", "Responder B"]


def test_names_are_used_when_they_are_given(warehouse: Warehouse):
    text = document(warehouse, POSITION, {ADA: "Ada Lovelace", BOB: "Bob"})
    assert "paging Ada Lovelace, answer within 300 s" in text
    assert "Responder C: rolled back" in text
    assert "go by name" in text


def test_a_reopening_as_mistaken_shows_as_a_correction():
    reopened = incident("INC-42", IncidentReopened(kind="mistaken", reason="never was over", episode=2), at="10:00")
    text = document_of(the_log(reopened))
    assert "resolved (taken back: reopened as mistaken)" in [row[0] for row in rows(text, "Milestones")]
    assert ["episodes", "2", "(#2, #25)"] in rows(text, "At a glance")
    assert rows(text, "Corrections") == [
        ["reopened as mistaken", "resolved", "–", "Responder A", "never was over", "(#21, #25)"]
    ]


def test_a_corrected_time_shows_what_was_said_and_moves_what_is_computed_from_it():
    corrected = MilestoneCorrected(
        milestone="resolved",
        occurred_at=clock("09:35"),
        reason=f"{BOB} read the graph",
        replaces_event_id="event-21",
        replaces_seq=21,
        occurred_earliest_at=clock("09:30"),
        occurred_latest_at=clock("09:38"),
        evidence="https://graphs.example.org/1",
    )
    text = document_of(the_log(incident("INC-42", corrected, at="10:00")))
    resolved = next(row for row in rows(text, "Milestones") if row[0] == "resolved")
    assert resolved[2:4] == ["2026-01-05 09:35:00Z (09:30:00–09:38:00)", "2026-01-05 09:40:00Z"]
    assert resolved[-1] == "(#21, #25)"
    recover = next(row for row in rows(text, "Durations") if row[0].startswith("time to recover"))
    assert (recover[1], recover[-1]) == ("40 min", "(#14, #21, #25)")
    assert rows(text, "Corrections") == [
        [
            "resolved",
            "2026-01-05 09:40:00Z",
            "2026-01-05 09:35:00Z",
            "Responder A",
            "Responder B read the graph (https://graphs.example.org/1)",
            "(#21, #25)",
        ]
    ]
    told = next(row for row in rows(text, "Timeline") if row[4] == "(#21, #25)")
    assert told[3] == "resolved: latency is back to normal, corrected to 2026-01-05 09:35:00Z"


def test_what_was_taken_back_is_struck_through_and_says_who_and_why():
    retracted = EventRetracted(
        event_id="event-16",
        event_seq=16,
        event_stream="incident.INC-42",
        event_type="incident.noted",
        reason="it was another release",
    )
    text = document_of(the_log(incident("INC-42", retracted, at="10:00", by=BOB)))
    told = next(row for row in rows(text, "Timeline") if row[4] == "(#16, #25)")
    assert told[3] == (
        "~~Responder C: rolled back the release of 08:50~~, taken back by Responder B: it was another release"
    )
    assert rows(text, "Corrections")[0][:2] == ["retraction", "Responder C: rolled back the release of 08:50"]


def test_a_severity_that_was_wrong_from_the_start_shows_as_if_the_right_one_had_been_said():
    corrected = SeverityCorrected(
        severity="sev1", previous="sev2", replaces_event_id="event-2", replaces_seq=2, reason="everybody was hit"
    )
    text = document_of(the_log(incident("INC-42", corrected, at="10:00")))
    assert ["severity", "sev1 → sev2 → sev1", "(#2, #12, #15, #25)"] in rows(text, "At a glance")
    assert rows(text, "Corrections")[0][:3] == ["severity", "sev2", "sev1"]


def test_an_incident_recorded_when_it_was_over_says_so():
    text = document_of(
        log_of(
            incident("INC-42", IncidentDeclared(title="checkout was down", severity="sev1"), at="07:00"),
            incident("INC-42", IncidentResolved(), at="08:00"),
        )
    )
    assert rows(text, "Corrections") == [
        ["declared retroactively", "–", "checkout was down", "Responder A", "–", "(#1)"]
    ]


def test_an_unknown_incident_is_said_to_be_unknown(warehouse: Warehouse):
    with pytest.raises(UnknownIncident, match="INC-42 is not known"):
        document(warehouse, 1)


def test_whatever_is_typed_changes_no_element_of_the_document():
    typed, plain = (
        document_of(
            log_of(
                incident("INC-42", IncidentDeclared(title=text, severity="sev1", service=text)),
                incident("INC-42", Noted(text=text)),
                incident("INC-42", _taken_back(2, text), _moved(1, text)),
                incident("INC-42", AlertLinked(alert_key="latency", occurrence=1, title=text)),
                alert("latency", replace(LATENCY, title=text)),
            )
        )
        for text in ("\n\n".join(TYPED), "checkout is slow")
    )
    assert shape(typed) == shape(plain)
