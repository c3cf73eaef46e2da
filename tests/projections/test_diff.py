"""What changed between two looks at the log: which rows, which columns, and because of which events."""

import random
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from events.alert import AlertFired
from events.incident import (
    AlertLinked,
    EventRetracted,
    IncidentDeclared,
    IncidentResolved,
    IncidentSeverityChanged,
    Noted,
)
from events.page import PageRequested, PageSent
from projections.change import Cell, Diff
from projections.diff import UnknownView
from projections.lens import Lens
from tests.projections.histories import random_history
from tests.spec import ADA, MORNING, Told, alert, empty_warehouse, incident, log_of, page

DECLARED = IncidentDeclared(title="checkout is down", severity="sev2", service="checkout")
FIRED = AlertFired(
    title="CheckoutErrors", severity="critical", service="checkout", sender="json", integration="key-1",
    fingerprint="f", labels={"alertname": "CheckoutErrors"}, occurrence=1, receipt_seq=1,
)  # fmt: skip


def changes(told: Sequence[Sequence[Told]], before: Any, after: Any = None, **wanted: Any) -> Diff:
    with empty_warehouse() as warehouse:
        warehouse.apply(log_of(*told))
        return warehouse.diff(before, after, **wanted)


def change_of(diff: Diff, view: str, **key: Any) -> Any:
    [found] = [
        change
        for each in diff.views
        if each.view == view
        for change in each.changes
        if all(change.key[name] == value for name, value in key.items())
    ]
    return found


def cells(change: Any) -> dict[str, tuple[Any, Any]]:
    return {cell.column: (cell.before, cell.after) for cell in change.cells}


def test_a_row_that_changed_names_its_columns_and_the_event_that_did_it():
    told = [
        incident("INC-1", DECLARED),
        incident("INC-2", DECLARED),
        incident("INC-1", IncidentSeverityChanged(severity="sev1", previous="sev2", reason="it spreads")),
    ]
    diff = changes(told, 2)
    change = change_of(diff, "incidents", incident_id="INC-1")
    assert change.kind == "changed"
    assert cells(change)["severity"] == ("sev2", "sev1")
    assert "title" not in cells(change)
    assert change.causes == (3,)
    assert change.is_certain
    assert diff.events == 1
    cause = diff.causes[3]
    assert (cause.stream, cause.type, cause.actor) == ("incident.INC-1", "incident.severity_changed", ADA)
    assert "sev1" in cause.headline
    assert not [change for each in diff.views for change in each.changes if change.key.get("incident_id") == "INC-2"]


def test_a_row_that_came_and_one_that_went_are_told_whole():
    told = [incident("INC-1", DECLARED), incident("INC-2", DECLARED)]
    come = change_of(changes(told, 1, 2), "incidents", incident_id="INC-2")
    assert (come.kind, cells(come)["title"]) == ("added", (None, "checkout is down"))
    gone = change_of(changes(told, 2, 1), "incidents", incident_id="INC-2")
    assert (gone.kind, cells(gone)["title"]) == ("removed", ("checkout is down", None))


def test_what_happened_in_a_linked_stream_is_a_cause():
    told = [
        incident("INC-1", DECLARED),
        alert("a1", FIRED),
        incident("INC-1", AlertLinked(alert_key="a1", title="CheckoutErrors", occurrence=1)),
        page("p1", PageRequested(incident_id="INC-1", person_id=ADA, target="rotation.primary", level=1,
                                 run=1, round=0, answer_within_s=300)),
        page("p1", PageSent(channel="smtp", contact=0, attempt=1, provider_reference="m")),
    ]  # fmt: skip
    diff = changes(told, 4)
    notified = change_of(diff, "incidents", incident_id="INC-1")
    assert notified.causes == (5,)
    assert diff.causes[5].stream == "page.p1"
    assert change_of(changes(told, 2), "alerts", alert_key="a1").causes == (3,)


def test_a_retraction_is_the_cause_of_what_it_takes_back():
    resolved = IncidentResolved(summary="over")
    told = [
        incident("INC-1", DECLARED),
        incident("INC-1", resolved),
        incident(
            "INC-1",
            EventRetracted(
                event_id="event-2", event_seq=2, event_stream="incident.INC-1", event_type="incident.resolved",
                phase="active", reason="meant for another incident",
            ),
        ),
    ]  # fmt: skip
    change = change_of(changes(told, 2), "incidents", incident_id="INC-1")
    assert cells(change)["phase"] == ("resolved", "active")
    assert change.causes == (3,)


def test_a_lens_of_the_other_clock_can_be_compared_too():
    told = [
        incident("INC-1", DECLARED, at="09:00"),
        incident("INC-1", IncidentResolved(summary="over"), at="09:20"),
    ]
    early, late = (Lens(happened_by=MORNING + timedelta(minutes=minutes)) for minutes in (10, 30))
    diff = changes(told, early, late)
    assert cells(change_of(diff, "incidents", incident_id="INC-1"))["phase"] == ("active", "resolved")
    assert list(diff.causes) == [2]


def test_one_incident_or_one_view_alone():
    told = [incident("INC-1", DECLARED, Noted(text="looking")), incident("INC-2", DECLARED)]
    of_one = changes(told, 0, incident_id="INC-2")
    assert {change.key["incident_id"] for each in of_one.views for change in each.changes} == {"INC-2"}
    of_view = changes(told, 0, views=["incidents"])
    assert of_view.compared == ("incidents",)
    with pytest.raises(UnknownView, match="nonsense"):
        changes(told, 0, views=["nonsense"])


def test_a_figure_over_many_incidents_names_all_that_it_reads_and_says_so():
    told = [incident("INC-1", DECLARED), incident("INC-2", DECLARED)]
    for change in changes(told, 0, views=["metric_summary"]).views[0].changes:
        assert not change.is_certain
        assert change.causes == (1, 2)


def test_only_views_that_read_what_happened_are_compared():
    told = [incident("INC-1", DECLARED), incident("INC-1", Noted(text="looking"))]
    diff = changes(told, 1)
    assert "on_call_now" not in diff.compared
    assert changes(told, 2).views == changes(told, 2).compared == ()


def test_many_rows_are_counted_and_the_first_are_told(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("projections.diff.ROWS_PER_VIEW_MAX", 2)
    told = [incident(f"INC-{number}", DECLARED) for number in range(1, 6)]
    [found] = changes(told, 0, views=["incidents"]).views
    assert (found.added, len(found.changes), found.truncated) == (5, 2, True)


@pytest.mark.parametrize("seed", range(3))
def test_the_rows_before_with_the_changes_are_the_rows_after(tmp_path: Path, seed: int):
    history = random_history(seed, 80)
    first, second = sorted(random.Random(seed).sample(range(1, 80), 2))
    with empty_warehouse(tmp_path) as warehouse:
        warehouse.apply(history)
        diff = warehouse.diff(first, second)
        stored = [view for view in warehouse.views() if view.stored and view.name != "links"]
        for view in stored:
            [told] = [each for each in diff.views if each.view == view.name] or [None]
            rows = {before: _keyed(warehouse, view, before) for before in (first, second)}
            patched = dict(rows[first])
            for change in told.changes if told else ():
                _apply(patched, change, view)
            assert patched == rows[second], view.name


def _keyed(warehouse: Any, view: Any, position: int) -> dict[Any, dict[str, Any]]:
    rows = warehouse.ask(f'select * from "{view.name}"', as_of=position).dicts()
    return {tuple(row[name] for name in view.key): row for row in rows}


def _apply(rows: dict[Any, dict[str, Any]], change: Any, view: Any) -> None:
    key = tuple(change.key[name] for name in view.key)
    assert change.causes, f"{view.name} {key} changed without a cause"
    if change.kind == "removed":
        del rows[key]
        return
    row = {column.name: None for column in view.columns} | change.key if change.kind == "added" else dict(rows[key])
    cell: Cell
    for cell in change.cells:
        assert row[cell.column] == cell.before
        row[cell.column] = cell.after
    rows[key] = row
