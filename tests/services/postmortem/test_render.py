"""The postmortem: the same position gives the same bytes, every line cites, nobody is named, nothing is injected."""

import re
from collections.abc import Iterator, Mapping, Sequence

import pytest
from msgspec.structs import replace

from events import Stored
from events.incident import AlertLinked, IncidentDeclared, IncidentReopened, IncidentSeverityChanged, Noted
from projections.query import Table
from projections.warehouse import Warehouse
from services.postmortem import render
from services.postmortem.render import UnknownIncident
from tests.services.postmortem.story import LATENCY, STORY, the_log
from tests.services.postmortem.test_markdown import TYPED, shape
from tests.spec import ADA, BOB, GRACE, alert, empty_warehouse, incident, log_of

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


def test_every_generated_line_cites_the_log(warehouse: Warehouse):
    text = document(warehouse, POSITION)
    generated = [part for part in text.split("\n## ")[1:] if "*(for people)*" not in part]
    assert len(generated) == 11
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
    assert resolved == ["resolved", "1", "2026-01-05 09:40:00Z", "2026-01-05 09:40:02Z", "(#21)"]


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


def test_corrections_show_as_such():
    reopened = incident("INC-42", IncidentReopened(kind="mistaken", reason="never was over", episode=2), at="10:00")
    text = document_of(the_log(reopened))
    assert "resolved (taken back: reopened as mistaken)" in [row[0] for row in rows(text, "Milestones")]
    assert ["episodes", "2", "(#2, #25)"] in rows(text, "At a glance")


def test_an_unknown_incident_is_said_to_be_unknown(warehouse: Warehouse):
    with pytest.raises(UnknownIncident, match="INC-42 is not known"):
        document(warehouse, 1)


def test_whatever_is_typed_changes_no_element_of_the_document():
    typed, plain = (
        document_of(
            log_of(
                incident("INC-42", IncidentDeclared(title=text, severity="sev1", service=text)),
                incident("INC-42", Noted(text=text)),
                incident("INC-42", AlertLinked(alert_key="latency", occurrence=1, title=text)),
                alert("latency", replace(LATENCY, title=text)),
            )
        )
        for text in ("\n\n".join(TYPED), "checkout is slow")
    )
    assert shape(typed) == shape(plain)
