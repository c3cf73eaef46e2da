"""From a stock Alertmanager to a postmortem, on the real parts and from outside."""

import re
from datetime import UTC, datetime, timedelta

import httpx
import pytest

from tests.e2e.conftest import Mailbox
from tests.e2e.deployment import Deployment, wait_for

pytestmark = pytest.mark.alertmanager

STEPS = (
    "incident.declared",
    "incident.alert_linked",
    "escalation.started",
    "page.requested",
    "page.attempted",
    "page.sent",
    "incident.acknowledged",
    "escalation.stopped",
    "incident.resolved",
)


def fire(alertmanager: str, name: str, started_at: datetime, *, over: bool = False) -> None:
    """Tell Alertmanager what Prometheus would."""
    alert = {
        "labels": {"alertname": name, "service": "checkout", "severity": "critical"},
        "annotations": {"summary": f"{name} on checkout"},
        "startsAt": started_at.isoformat(),
        "generatorURL": "http://prometheus.example.org/graph",
    }
    if over:
        alert["endsAt"] = datetime.now(UTC).isoformat()
    httpx.post(f"{alertmanager}/api/v2/alerts", json=[alert]).raise_for_status()


def test_an_alert_becomes_an_incident_a_page_a_row_a_metric_and_a_postmortem(
    deployment: Deployment, alertmanager: str, mailbox: tuple[Mailbox, int]
):
    started_at = datetime.now(UTC) - timedelta(minutes=3)
    fire(alertmanager, "CheckoutDown", started_at)

    (incident,) = deployment.rows("select incident_id, phase, severity, service from incidents")
    assert incident == {"incident_id": "INC-1", "phase": "active", "severity": "sev1", "service": "checkout"}
    assert "INC-1" in deployment.request("GET", "/").text

    box, _port = mailbox
    (mail,) = wait_for(lambda: box.to("ada@example.org"), "ada has mail")
    deployment.rows("select 1 from pages where state = 'sent'")
    assert "CheckoutDown" in str(mail["Subject"]) + mail.get_body(("plain",)).get_content()
    link = re.search(r"http://\S+/ack/\S+", mail.get_body(("plain",)).get_content())[0].rstrip(".>)")

    # A mail scanner follows the link; that alone must not stop the paging.
    assert httpx.get(link).status_code == 200
    assert deployment.sql("select acknowledged_at from incidents") == [{"acknowledged_at": None}]
    assert httpx.post(link).status_code == 200
    (acknowledged,) = deployment.rows("select acknowledged_by from incidents where acknowledged_at is not null")
    assert deployment.sql(f"select handle from people where person_id = '{acknowledged['acknowledged_by']}'") == [
        {"handle": "ada"}
    ]

    fire(alertmanager, "CheckoutSlow", datetime.now(UTC))
    assert deployment.rows("select 1 from incidents where alert_count = 2")
    assert deployment.sql("select count(*) as incidents from incidents") == [{"incidents": 1}]
    alerts = deployment.rows("select title, state, incident_id from alerts order by title", 2)
    assert [(alert["title"], alert["incident_id"]) for alert in alerts] == [
        ("CheckoutDown", "INC-1"),
        ("CheckoutSlow", "INC-1"),
    ]

    for name in ("CheckoutDown", "CheckoutSlow"):
        fire(alertmanager, name, started_at, over=True)
    deployment.rows("select 1 from alerts where state = 'cleared'", 2)
    deployment.ask("resolve", "INC-1", summary="rolled back")
    deployment.rows("select 1 from incidents where phase = 'resolved'")

    timeline = deployment.sql("select seq, type, happened_at, recorded_at from incident_timeline order by seq")
    types = [row["type"] for row in timeline]
    places = [types.index(step) for step in STEPS]
    assert places == sorted(places), types
    declared = timeline[types.index("incident.declared")]
    (fired,) = deployment.sql("select happened_at, recorded_at from alert_fired where title = 'CheckoutDown'")
    assert datetime.fromisoformat(fired["happened_at"]) == started_at, "it began when the sender says it began"
    assert datetime.fromisoformat(fired["recorded_at"]) > started_at + timedelta(minutes=2)
    (incident,) = deployment.sql("select detected_at, mitigated_at, resolved_at from incidents")
    assert datetime.fromisoformat(incident["detected_at"]) == started_at

    (tta,) = deployment.sql("select duration_s from tta where incident_id = 'INC-1'")
    assert tta["duration_s"] is not None

    text = deployment.request("GET", "/api/incidents/INC-1/postmortem").text
    for words in ("CheckoutDown", "CheckoutSlow", "rolled back", "Ada Lovelace"):
        assert words in text
    cited = [f"{row['seq']}" for row in timeline]
    assert all(re.search(rf"\b{seq}\b", text) for seq in cited), "each generated line cites its event"
    position = deployment.caught_up()
    first, second = (
        deployment.request("GET", f"/api/incidents/INC-1/postmortem?as_of={position}&names=false").content
        for _ in range(2)
    )
    assert first == second

    before = deployment.sql("select phase from incidents", as_of=declared["seq"])
    assert before == [{"phase": "active"}]
    assert deployment.differences() == []


@pytest.mark.parametrize("deployment", [{"answer_within_s": 2}], indirect=True)
def test_an_unanswered_page_climbs_to_the_next_person(
    deployment: Deployment, alertmanager: str, mailbox: tuple[Mailbox, int]
):
    fire(alertmanager, "CheckoutDown", datetime.now(UTC))
    box, _port = mailbox
    wait_for(lambda: box.to("ada@example.org"), "ada has mail")
    wait_for(lambda: box.to("grace@example.org"), "grace has mail")
    assert deployment.rows("select type from log where type = 'escalation.exhausted'")
    assert len(box.to("ada@example.org")) == 1
    assert deployment.differences() == []
