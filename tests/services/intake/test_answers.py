"""What senders' clients ask and are answered from the log."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import uuid4

from events import Event, Write
from events.alert import AlertAcknowledged, AlertCleared, AlertFired, AlertHeld, AlertPassedOver, AlertUpdated
from events.heartbeat import HeartbeatConfigured, HeartbeatMissed
from events.incident import AlertLinked
from events.memory_log import MemoryLog
from events.silence import SilenceChanged, SilenceCreated, SilenceEnded
from services.intake.standing import Standing
from tests.services.intake.stack import Stack, eventually

HOUR = timedelta(hours=1)


async def tell(intake: Stack, stream: str, *facts) -> None:
    """Append facts to a stream."""
    history = await intake.log.read(stream)
    now = datetime.now(UTC)
    events = tuple(
        Event(id=uuid4().hex, fact=fact, happened_at=now, source="recount/test", actor="per-ada") for fact in facts
    )
    await intake.log.append(Write(stream, history[-1].seq if history else 0, events))


async def ask(intake: Stack, path: str, sender: str = "alertmanager_api", **query):
    """Ask with a sender's key."""
    return await intake.http.get(
        path, params=query, headers={"authorization": f"Bearer {intake.secrets[sender]}"}, follow_redirects=True
    )


async def test_alertmanagers_status_needs_a_key(intake: Stack):
    assert (await intake.http.get("/api/v2/status")).status_code == 401
    assert (await ask(intake, "/api/v2/status", "json")).status_code == 403
    answer = await ask(intake, "/api/v2/status")
    assert answer.status_code == 200
    assert set(answer.json()) == {"cluster", "config", "uptime", "versionInfo"}
    assert (await ask(intake, "/api/v2/receivers")).json() == [{"name": "recount"}]
    assert (await intake.http.put("/api/v2/alerts")).headers["allow"] == "POST, GET, OPTIONS"


async def test_firing_alerts_are_shown_to_the_key_that_sent_them(intake: Stack):
    posted = [
        {"labels": {"alertname": "Down", "service": "checkout"}, "startsAt": "2026-03-01T14:00:00Z"},
        {"labels": {"alertname": "Slow"}},
    ]
    headers = {"authorization": f"Bearer {intake.secrets['alertmanager_api']}"}
    assert (await intake.post("/api/v2/alerts", posted, **headers)).status_code == 200
    await intake.post(intake.hook("json"), {"title": "somebody else's"})
    facts = await intake.said("AlertFired", "AlertFired", "AlertFired")
    shown = (await ask(intake, "/api/v2/alerts")).json()
    assert {one["labels"]["alertname"] for one in shown} == {"Down", "Slow"}
    assert (await ask(intake, "/api/v2/alerts", filter='service=~"check.*"')).json()[0]["status"]["state"] == "active"
    assert (await ask(intake, "/api/v2/alerts", filter='alertname!="Down"', active="false")).json() == []
    assert (await ask(intake, "/api/v2/alerts", filter="x~~")).status_code == 400
    assert (await ask(intake, "/api/v2/alerts", active="perhaps")).status_code == 400
    down = next(one for one in await intake.facts() if one.fact.title == "Down")
    await tell(intake, down.stream, AlertHeld(occurrence=1, because="silenced", held_by="sil-1"))
    (held,) = (await ask(intake, "/api/v2/alerts", active="false")).json()
    assert held["status"] == {"inhibitedBy": [], "silencedBy": ["sil-1"], "state": "suppressed"}
    assert held["startsAt"] == "2026-03-01T14:00:00.000Z"
    assert held["fingerprint"] == down.fact.fingerprint
    over = [{**posted[0], "endsAt": "2026-03-01T14:20:00Z"}]
    await intake.post("/api/v2/alerts", over, **headers)

    async def is_gone() -> bool:
        return [one["labels"] for one in (await ask(intake, "/api/v2/alerts")).json()] == [{"alertname": "Slow"}]

    await eventually(is_gone, "what is over is not shown")
    assert len(facts) == 3


async def test_silences_are_shown_as_alertmanager_does(intake: Stack):
    now = datetime.now(UTC)
    for silence_id, starts, ends in (
        ("sil-a", -HOUR, HOUR),
        ("sil-b", HOUR, 2 * HOUR),
        ("sil-c", -200 * HOUR, -150 * HOUR),
    ):
        matchers = ('service="checkout"', 'alertname=~"Disk.*"')
        created = SilenceCreated(matchers=matchers, starts_at=now + starts, ends_at=now + ends, reason="deploying")
        await tell(intake, f"silence.{silence_id}", created)
    shown = (await ask(intake, "/api/v2/silences")).json()
    assert [(one["id"], one["status"]["state"]) for one in shown] == [("sil-a", "active"), ("sil-b", "pending")]
    assert shown[0]["createdBy"] == "per-ada"
    assert shown[0]["matchers"][1] == {"isEqual": True, "isRegex": True, "name": "alertname", "value": "Disk.*"}
    assert len((await ask(intake, "/api/v2/silences", filter='service="checkout"')).json()) == 2
    assert (await ask(intake, "/api/v2/silences", filter='service="other"')).json() == []
    await tell(intake, "silence.sil-a", SilenceEnded())
    assert (await ask(intake, "/api/v2/silences")).json()[0]["status"]["state"] == "expired"


async def test_an_opsgenie_heartbeat_is_shown(intake: Stack):
    assert (await ask(intake, "/v2/heartbeats/backup", "opsgenie")).status_code == 404
    await tell(intake, "heartbeat.backup", HeartbeatConfigured(name="backup", every_s=7_200), HeartbeatMissed())
    answer = await ask(intake, "/v2/heartbeats/backup", "opsgenie")
    assert answer.json()["data"] == {
        "name": "backup",
        "description": "",
        "interval": 2,
        "enabled": True,
        "intervalUnit": "hours",
        "expired": True,
    }


async def test_what_became_of_an_opsgenie_request_is_told(intake: Stack):
    headers = {"authorization": f"GenieKey {intake.secrets['opsgenie']}"}
    answer = await intake.post("/v2/alerts", {"message": "disk full", "alias": "db/1 disk"}, **headers)
    assert answer.status_code == 202
    assert answer.json()["result"] == "Request will be processed"
    await intake.said("AlertFired")
    created = (await intake.http.get(f"/v2/alerts/requests/{answer.json()['requestId']}", headers=headers)).json()[
        "data"
    ]
    assert (created["success"], created["action"], created["alias"]) == (True, "Create", "db/1 disk")
    shown = (await intake.http.get("/v2/alerts/db%2F1%20disk?identifierType=alias", headers=headers)).json()["data"]
    assert (shown["id"], shown["status"], shown["message"]) == (created["alertId"], "open", "disk full")
    closed = await intake.post(f"/v2/alerts/{shown['tinyId']}/close?identifierType=tiny", {"note": "wiped"}, **headers)
    await intake.said("AlertFired", "AlertNoted", "AlertCleared")

    async def told() -> dict:
        status = await intake.http.get(f"/v2/alerts/requests/{closed.json()['requestId']}", headers=headers)
        return status.json().get("data", {})

    assert (await eventually(told, "the request is told"))["status"] == "Closed alert"
    unknown = await intake.post("/v2/alerts/nothing/acknowledge?identifierType=alias", {}, **headers)
    closed = unknown
    assert (await eventually(told, "the request is told"))["success"] is False
    for other in (str(uuid4()), "x", "ffffffff-ffff-ffff-ffff-ffffffffffff"):
        assert (await intake.http.get(f"/v2/alerts/requests/{other}", headers=headers)).status_code == 404


async def test_what_opsgenie_has_and_recount_has_not_is_said(intake: Stack):
    headers = {"authorization": f"GenieKey {intake.secrets['opsgenie']}"}
    await intake.post("/v2/alerts", {"message": "disk full", "alias": "disk"}, **headers)
    await intake.said("AlertFired")
    file = {"file": ("graph.png", b"\x89PNG")}
    sent = await intake.http.post("/v2/alerts/disk/attachments?identifierType=alias", files=file, headers=headers)
    assert (sent.status_code, "put the address of the file into a note" in sent.json()["message"]) == (404, True)
    for what in ("attachments", "logs", "recipients"):
        answer = await intake.http.get(f"/v2/alerts/disk/{what}?identifierType=alias", headers=headers)
        assert (answer.status_code, f"{what} of an alert are not offered" in answer.json()["message"]) == (501, True)
    for query in ({"limit": "101"}, {"limit": "0"}, {"offset": "-1"}, {"sort": "owner"}, {"order": "up"}):
        answer = await ask(intake, "/v2/alerts", "opsgenie", **query)
        assert (answer.status_code, next(iter(query)) in answer.json()["message"]) == (422, True)
    assert (await ask(intake, "/v2/alerts", "opsgenie", searchIdentifier="mine")).status_code == 422
    assert (await ask(intake, "/v2/alerts/none/notes", "opsgenie")).status_code == 404
    assert (await ask(intake, "/v2/alerts/x/notes", "opsgenie", identifierType="tiny")).status_code == 422


async def test_a_list_of_opsgenie_comes_in_pages_and_shows_another_key_nothing(intake: Stack):
    headers = {"authorization": f"GenieKey {intake.secrets['opsgenie']}"}
    for number in range(5):
        await intake.post("/v2/alerts", {"message": f"disk {number}", "alias": f"disk-{number}"}, **headers)
    await intake.post(intake.hook("json"), {"title": "somebody else's"})
    await intake.said(*["AlertFired"] * 6)
    seen: list[str] = []
    address = "/v2/alerts?limit=2&sort=alias&order=asc"
    while address:
        page = (await intake.http.get(address, headers=headers)).json()
        seen += [one["alias"] for one in page["data"]]
        address = page["paging"].get("next", "")
    assert seen == [f"disk-{number}" for number in range(5)]
    assert (await ask(intake, "/v2/alerts/count", "opsgenie")).json()["data"] == {"count": 5}


async def test_what_stands_follows_the_log():
    now = datetime(2026, 3, 1, 12, tzinfo=UTC)
    log = MemoryLog(lambda: now)
    standing = Standing(log)

    async def take(stream: str, *facts) -> None:
        history = await log.read(stream)
        events = tuple(Event(id=uuid4().hex, fact=fact, happened_at=now, source="t", actor="per-ada") for fact in facts)
        await log.append(Write(stream, history[-1].seq if history else 0, events))
        await standing.catch_up()

    fired = AlertFired(
        integration="key-1", sender="json", fingerprint="a", occurrence=1, title="disk", severity="error"
    )
    await take("alert.a", fired)
    await take("alert.a", AlertUpdated(title="disk full", severity="critical", annotations={}))
    await take("alert.a", AlertAcknowledged(), AlertHeld(occurrence=1, because="inhibited", holder_alert_key="b"))
    alert = standing.alerts["a"]
    assert (alert.fired.title, alert.fired.severity, alert.is_acknowledged) == ("disk full", "critical", True)
    assert alert.held is not None
    await take("incident.INC-1", AlertLinked(alert_key="a", occurrence=1, title="disk full"))
    assert standing.alerts["a"].held is None
    await take("alert.a", AlertHeld(occurrence=1, because="silenced", held_by="s"))
    await take("alert.a", AlertPassedOver(occurrence=1, rule="r", reason="low"))
    assert standing.alerts["a"].held is None
    created = SilenceCreated(matchers=('a="b"',), starts_at=now, ends_at=now + HOUR, reason="deploying")
    await take("silence.s", created, SilenceChanged(starts_at=now, ends_at=now + 2 * HOUR, reason="longer"))
    (silence,) = standing.silences_at(now)
    assert (silence.ends_at, silence.reason, silence.author) == (now + 2 * HOUR, "longer", "per-ada")
    assert standing.silences_at(now + 200 * HOUR) == []
    await take("alert.a", AlertCleared())
    assert standing.alerts == {}


async def test_events_of_alertmanager_told_twice_and_in_disorder_are_told_once(intake: Stack):
    """The end of an alert comes first, a silence holds it back in two evaluations, and all of it comes twice."""
    batch = (Path(__file__).parents[2] / "adapters/alertmanager_events/batch_out_of_order.payload").read_bytes()
    for _ in range(2):
        assert (await intake.post(intake.hook("alertmanager_events"), batch)).status_code == 202
    await eventually(intake.is_idle, "every receipt is dealt with")
    assert await intake.names() == ["AlertClearedUnseen", "AlertFired", "AlertCleared", "AlertNoted"]
    assert await intake.names("change") == ["ChangeRecorded"]
