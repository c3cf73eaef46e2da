"""What Statuspage publishes, as snapshots; and its edits, once they are imported."""

import json
from typing import Any

import msgspec

from events.memory_log import MemoryLog
from services.history.commands import Snapshot
from services.history.reading import parse_line
from tests.history.conftest import Importing


def update(identifier: str, status: str, at: str, **components: str) -> dict[str, Any]:
    """An update as the API shows it, with the new status of some components."""
    return {
        "id": identifier,
        "status": status,
        "body": f"We are {status}.",
        "incident_id": "kf4w2nsv",
        "created_at": at,
        "updated_at": at,
        "display_at": at,
        "affected_components": [
            {"code": name, "name": name, "old_status": "operational", "new_status": new}
            for name, new in components.items()
        ]
        or None,
        "deliver_notifications": True,
        "tweet_id": None,
    }


def document(updated_at: str, *updates: dict[str, Any], **fields: Any) -> dict[str, Any]:
    """``incidents.json`` with one incident; the newest update first, as the API has it."""
    incident = {
        "id": "kf4w2nsv",
        "name": "Elevated errors",
        "status": updates[-1]["status"],
        "impact": "major",
        "created_at": updates[0]["created_at"],
        "started_at": updates[0]["created_at"],
        "updated_at": updated_at,
        "monitoring_at": None,
        "resolved_at": None,
        "shortlink": "https://stspg.io/kf4w2nsv",
        "page_id": "y2j98763l56x",
        "incident_updates": list(reversed(updates)),
        "components": [],
    }
    page = {"id": "y2j98763l56x", "name": "Example", "url": "https://status.example.org", "updated_at": updated_at}
    return {"page": page, "incidents": [incident | fields]}


def read(published: dict[str, Any]) -> Snapshot:
    """The one snapshot of a document."""
    [(path, snapshot)] = parse_line(json.dumps(published).encode(), "statuspage")
    assert isinstance(snapshot, Snapshot), snapshot
    assert path == "$.incidents[0]"
    return snapshot


INVESTIGATING = update(
    "u1", "investigating", "2026-03-01T10:00:00.000Z", api="partial_outage", web="degraded_performance"
)
IDENTIFIED = update("u2", "identified", "2026-03-01T10:20:00.000Z", api="major_outage")
MONITORING = update("u3", "monitoring", "2026-03-01T11:00:00.000Z", api="degraded_performance", web="operational")
RESOLVED = update("u4", "resolved", "2026-03-01T12:00:00.000+00:00", api="operational")
POSTMORTEM = update("u5", "postmortem", "2026-03-04T12:00:00.000Z")


def test_an_incident_with_its_phases_and_the_impact_on_each_component():
    snapshot = read(document("2026-03-04T12:00:00Z", INVESTIGATING, IDENTIFIED, MONITORING, RESOLVED, POSTMORTEM))
    assert (snapshot.title, snapshot.severity, snapshot.url) == ("Elevated errors", "sev2", "https://stspg.io/kf4w2nsv")
    assert [reached.milestone for reached in snapshot.milestones] == ["declared", "contained", "resolved", "closed"]
    assert [
        (stretch.scope, stretch.level, [change.level for change in stretch.changes], stretch.end.isoformat())
        for stretch in snapshot.impact
    ] == [("api", 3, [4, 2], "2026-03-01T12:00:00+00:00"), ("web", 2, [], "2026-03-01T11:00:00+00:00")]
    assert snapshot.updates[0].text == "We are investigating."
    assert snapshot.extra == {"page_id": "y2j98763l56x", "status": "postmortem"}


def test_going_back_is_a_regression_or_a_relapse():
    again = update("u6", "investigating", "2026-03-01T13:00:00.000Z")
    assert [
        reached.milestone
        for reached in read(document("2026-03-02T00:00:00Z", INVESTIGATING, MONITORING, again)).milestones
    ] == ["declared", "contained", "regressed"]
    assert [
        reached.milestone
        for reached in read(document("2026-03-02T00:00:00Z", INVESTIGATING, RESOLVED, again)).milestones
    ] == ["declared", "resolved", "reopened"]


def test_what_is_no_such_document_names_the_place():
    [(path, bad)] = parse_line(b'{"page": {"id": "x"}, "incidents": []}', "statuspage")
    assert path == "$"
    assert str(bad) == "Object missing required field `updated_at`"
    assert bad.path == "$.page"


async def test_successive_documents_are_successive_states(importing: Importing, memory_log: MemoryLog):
    edited = INVESTIGATING | {"body": "Some requests fail.", "updated_at": "2026-03-01T12:05:00.000Z"}
    documents = [
        document("2026-03-01T10:05:00Z", INVESTIGATING),
        document("2026-03-01T11:05:00Z", INVESTIGATING, IDENTIFIED, MONITORING, impact="critical"),
        document("2026-03-01T12:10:00Z", edited, IDENTIFIED, MONITORING, RESOLVED, impact="critical", name="Errors"),
    ]
    headlines = []
    for published in documents:
        snapshot = msgspec.to_builtins(read(published))
        headlines.append((await importing.record(snapshot, dry_run=True)).outcomes[0].headlines)
        await importing.record(snapshot)
    assert len(headlines[0]) == 4
    assert "severity sev2 → sev1" in headlines[1]
    assert [text.partition(" at position")[0] for text in headlines[2]] == [
        "incident.noted",
        "import:statuspage: Some requests fail.",
        "impact on api ended",
        "resolved",
        "import:statuspage: We are resolved.",
        "renamed: Errors",
    ]
    assert len(await memory_log.read_category("import")) == 4
