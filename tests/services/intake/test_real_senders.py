"""Debian's Prometheus and Alertmanager, and Opsgenie's own client, pointed here."""

import asyncio
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import opsgenie_sdk
import pytest

from events.alert import AlertCleared, AlertFired, AlertNoted
from tests.http_process import ALERTMANAGER, alertmanager_command
from tests.nats_process import free_port
from tests.services.intake.stack import Stack, eventually

PROMETHEUS = shutil.which("prometheus") or ""


@asynccontextmanager
async def sender(folder: Path, *command: str, url: str) -> AsyncIterator[None]:
    """A sender in a process of its own, ready."""
    with (folder / "sender.log").open("wb") as output:
        process = await asyncio.create_subprocess_exec(*command, stdout=output, stderr=output, cwd=folder)
    try:

        async def is_ready() -> bool:
            assert process.returncode is None, (folder / "sender.log").read_text()
            try:
                async with httpx.AsyncClient() as http:
                    return (await http.get(f"{url}/-/ready")).status_code == 200
            except httpx.TransportError:
                return False

        await eventually(is_ready, f"{command[0]} is ready")
        yield
    finally:
        if process.returncode is None:
            process.terminate()
        await process.wait()


def facts_of(told, kind: type) -> list:
    """The facts of one kind."""
    return [one.fact for one in told if isinstance(one.fact, kind)]


@pytest.mark.skipif(not PROMETHEUS, reason="Debian's prometheus is not installed")
async def test_prometheus_posts_an_alert_while_its_rule_fires_and_then_that_it_is_over(intake: Stack, tmp_path: Path):
    port = free_port()
    host = intake.url.removeprefix("http://")

    def write_rule(expression: str) -> None:
        (tmp_path / "rules.yml").write_text(f"""
groups:
- name: checkout
  interval: 1s
  rules:
  - alert: CheckoutDown
    expr: {expression}
    labels: {{ severity: critical, service: checkout }}
    annotations: {{ summary: "checkout answers 500" }}
""")

    write_rule("vector(1)")
    (tmp_path / "prometheus.yml").write_text(f"""
global: {{ evaluation_interval: 1s }}
rule_files: [ rules.yml ]
alerting:
  alertmanagers:
  - authorization: {{ credentials: "{intake.secrets["alertmanager_api"]}" }}
    static_configs: [ {{ targets: [ "{host}" ] }} ]
""")
    command = (
        PROMETHEUS,
        f"--config.file={tmp_path / 'prometheus.yml'}",
        f"--storage.tsdb.path={tmp_path / 'data'}",
        f"--web.listen-address=127.0.0.1:{port}",
        "--rules.alert.resend-delay=1s",
        "--web.enable-lifecycle",
    )
    url = f"http://127.0.0.1:{port}"
    async with sender(tmp_path, *command, url=url), httpx.AsyncClient(base_url=url) as http:

        async def is_repeated() -> bool:
            return await intake.receipt_count() > 1

        async def is_over() -> bool:
            return bool(facts_of(await intake.facts(), AlertCleared))

        await eventually(is_repeated, "the alert is posted again")
        write_rule("vector(1) > 1")
        (await http.post("/-/reload")).raise_for_status()
        await eventually(is_over, "the alert is over")
    fired, cleared = await intake.said("AlertFired", "AlertCleared")
    assert (fired.title, fired.severity, fired.service) == ("CheckoutDown", "critical", "checkout")
    assert fired.sender == "alertmanager_api"
    assert fired.annotations == {"summary": "checkout answers 500"}
    assert fired.started_at <= cleared.ended_at


@pytest.mark.alertmanager
@pytest.mark.skipif(not ALERTMANAGER, reason="Debian's prometheus-alertmanager is not installed")
async def test_alertmanagers_webhook_pagerduty_and_opsgenie_receivers_fire_and_clear(intake: Stack, tmp_path: Path):
    port = free_port()
    config = f"""
route: {{ receiver: recount, group_by: [ alertname ], group_wait: 0s, group_interval: 1s }}
receivers:
- name: recount
  webhook_configs:
  - url: {intake.url}{intake.hook("alertmanager")}
  pagerduty_configs:
  - url: {intake.url}/v2/enqueue
    routing_key: {intake.secrets["pagerduty"]}
    severity: critical
  opsgenie_configs:
  - api_url: {intake.url}/
    api_key: {intake.secrets["opsgenie"]}
    priority: P1
    update_alerts: true
"""
    command = alertmanager_command(tmp_path, config, port)
    url = f"http://127.0.0.1:{port}"
    alert = {
        "labels": {"alertname": "CheckoutDown", "service": "checkout", "severity": "critical"},
        "startsAt": (datetime.now(UTC) - timedelta(minutes=1)).isoformat(),
    }
    async with sender(tmp_path, *command, url=url), httpx.AsyncClient(base_url=url) as http:

        async def post(**fields: str) -> None:
            (await http.post("/api/v2/alerts", json=[{**alert, **fields}])).raise_for_status()

        async def have(kind: type) -> bool:
            return len(facts_of(await intake.facts(), kind)) == 3

        await post()
        await eventually(lambda: have(AlertFired), "all three receivers fired")
        await post(endsAt=datetime.now(UTC).isoformat())
        await eventually(lambda: have(AlertCleared), "all three receivers cleared")
    told = await intake.facts()
    fired = {fact.sender: fact for fact in facts_of(told, AlertFired)}
    assert set(fired) == {"alertmanager", "pagerduty", "opsgenie"}
    assert {fact.severity for fact in fired.values()} == {"critical"}
    assert "CheckoutDown" in fired["opsgenie"].title
    assert fired["opsgenie"].labels["priority"] == "P1"
    assert await intake.facts("deadletter") == []


# What a client may post to Alertmanager's API, right and wrong. Debian's does not know names such as ``service.name``,
# which later ones take.
POSTED = (
    '[{"labels":{"alertname":"A","empty":""},"annotations":{"s":""}}]',
    r'[{"labels":{"alertname":"B","zone":"\u00fc\"\\"},"endsAt":"2099-01-01T00:00:00Z","startsAt":null}]',
    "[]",
    "{}",
    "x",
    '[{"labels":{}}]',
    '[{"labels":{"a":""}}]',
    '[{"annotations":{}}]',
    '[{"labels":{"":"x"}}]',
    '[{"labels":{"a":1}}]',
    '[{"labels":{"alertname":"C"},"annotations":{"":"x"}}]',
    '[{"labels":{"alertname":"D"},"startsAt":"2026-01-02T00:00:00Z","endsAt":"2026-01-01T00:00:00Z"}]',
    '[{"labels":{"alertname":"E"}},{"labels":{}}]',
    '[{"labels":{"alertname":"F"},"startsAt":"yesterday"}]',
)


@pytest.mark.alertmanager
@pytest.mark.skipif(not ALERTMANAGER, reason="Debian's prometheus-alertmanager is not installed")
async def test_posts_are_answered_and_alerts_identified_as_by_alertmanager(intake: Stack, tmp_path: Path):
    port = free_port()
    config = "route: { receiver: nobody }\nreceivers: [ { name: nobody } ]\n"
    command = alertmanager_command(tmp_path, config, port)
    url = f"http://127.0.0.1:{port}"
    ours = {"authorization": f"Bearer {intake.secrets['alertmanager_api']}", "content-type": "application/json"}
    async with sender(tmp_path, *command, url=url), httpx.AsyncClient(base_url=url) as http:
        for body in POSTED:
            theirs = await http.post("/api/v2/alerts", content=body, headers={"content-type": "application/json"})
            answer = await intake.http.post("/api/v2/alerts", content=body, headers=ours)
            assert answer.status_code == theirs.status_code, (body, answer.text, theirs.text)
            # Go's decoder has words of its own for what is no list of alerts.
            if b"parsing alerts body" not in theirs.content:
                assert answer.content.strip() == theirs.content.strip(), body
        known = {one["fingerprint"]: one["labels"] for one in (await http.get("/api/v2/alerts")).json()}

    async def is_shown() -> bool:
        answer = await intake.http.get("/api/v2/alerts", headers=ours)
        return {one["fingerprint"]: one["labels"] for one in answer.json()} == known

    await eventually(is_shown, "the same alerts are shown with the same fingerprints")
    assert len(known) == 3


def listed(alerts: opsgenie_sdk.AlertApi, alert_id: str) -> None:
    """What Opsgenie's client is told of the one alert that fires."""
    found = alerts.list_alerts(
        query='status: open AND tag: "EU" AND priority=P2', limit=5, sort="updatedAt", order="asc"
    )
    (one,) = found.data
    assert (one.id, one.alias, one.message, one.status, one.priority) == (
        alert_id,
        "checkout-5xx",
        "checkout answers 500",
        "open",
        "P2",
    )
    assert found.paging.first == found.paging.last
    assert alerts.count_alerts(query="alias: checkout-5xx").data.count == 1
    assert alerts.count_alerts(query="message: nothing AND status: open").data.count == 0
    assert alerts.list_notes(alert_id).data == []
    for query, because in (("status: closed", "select"), ("(a OR b)", "joined by AND"), ("owner: ada", "owner")):
        with pytest.raises(opsgenie_sdk.exceptions.ConfigurationException) as refused:
            alerts.list_alerts(query=query)
        assert (refused.value.status, because in refused.value.body) == (422, True)
    with pytest.raises(opsgenie_sdk.exceptions.ServerErrorException) as refused:
        alerts.list_logs(alert_id)
    assert (refused.value.status, "logs of an alert are not offered" in refused.value.body) == (501, True)


async def test_opsgenies_own_client_creates_acknowledges_notes_snoozes_and_closes(intake: Stack):
    configuration = opsgenie_sdk.configuration.Configuration()
    configuration.host = intake.url
    configuration.api_key["Authorization"] = intake.secrets["opsgenie"]
    client = opsgenie_sdk.api_client.ApiClient(configuration=configuration)
    alerts = opsgenie_sdk.AlertApi(api_client=client)
    beats = opsgenie_sdk.HeartbeatApi(api_client=client)
    until = datetime.now(UTC) + timedelta(hours=1)

    def status(request_id: str):
        """What became of a request; the client asks again while it is not known."""
        return alerts.get_request_status(request_id).data

    def talk() -> tuple:
        payload = opsgenie_sdk.CreateAlertPayload(
            message="checkout answers 500",
            alias="checkout-5xx",
            description="one in three requests",
            responders=[{"name": "shop", "type": "team"}],
            tags=["checkout", "eu"],
            details={"service": "checkout"},
            entity="checkout",
            priority="P2",
        )
        created = alerts.create_alert(create_alert_payload=payload)
        return created, alerts.create_alert(create_alert_payload=payload)

    def act(alert_id: str) -> list:
        by_alias = {"identifier_type": "alias", "identifier": "checkout-5xx"}
        return [
            alerts.acknowledge_alert(**by_alias, acknowledge_alert_payload={"user": "ada"}),
            alerts.add_note(identifier=alert_id, add_note_to_alert_payload={"note": "on it", "user": "ada"}),
            alerts.snooze_alert(identifier=alert_id, snooze_alert_payload={"endTime": until.isoformat()}),
            alerts.close_alert(**by_alias, close_alert_payload={"source": "cron"}),
        ]

    created, again = await asyncio.to_thread(talk)
    assert created.result == "Request will be processed"
    assert created.request_id != again.request_id
    (fired,) = await intake.said("AlertFired")
    assert (fired.title, fired.severity, fired.service) == ("checkout answers 500", "error", "checkout")
    told = await asyncio.to_thread(status, created.request_id)
    assert (told.is_success, told.action, told.alias) == (True, "Create", "checkout-5xx")
    await asyncio.to_thread(listed, alerts, told.alert_id)
    acted = await asyncio.to_thread(act, told.alert_id)
    said = await intake.said("AlertFired", "AlertAcknowledged", "AlertNoted", "AlertSnoozed", "AlertCleared")
    assert facts_of(await intake.facts(), AlertNoted)[0].text == "on it"
    assert abs(said[3].until_at - until) < timedelta(seconds=1)
    closed = await asyncio.to_thread(status, acted[-1].request_id)
    assert (closed.is_success, closed.action) == (True, "Close")
    (note,) = (await asyncio.to_thread(alerts.list_notes, "checkout-5xx", identifier_type="alias")).data
    assert (note.note, note.owner) == ("on it", "ada")
    assert (await asyncio.to_thread(alerts.count_alerts)).data.count == 0
    pong = await asyncio.to_thread(beats.ping, "backup")
    assert pong.result == "PONG - Heartbeat received"
    wrong = opsgenie_sdk.configuration.Configuration()
    wrong.host = intake.url
    wrong.api_key["Authorization"] = "unknown"
    stranger = opsgenie_sdk.AlertApi(api_client=opsgenie_sdk.api_client.ApiClient(configuration=wrong))
    with pytest.raises(opsgenie_sdk.exceptions.AuthenticationException):
        await asyncio.to_thread(stranger.create_alert, opsgenie_sdk.CreateAlertPayload(message="x"))
