"""The HTTP door: what each sender is answered, and what is kept."""

import gzip
import re
from uuid import uuid4

import httpx
import msgspec
import pytest

from events.audit import DeadLetterRecorded
from services.command import Done, Refused
from services.intake.commands import CreateKey, Replay, RevokeKey
from services.intake.http import ADDRESS_BYTES_MAX, BODY_BYTES_MAX, HEADERS_BYTES_MAX
from services.intake.keys import secret_sha256
from services.intake.routing import target_of
from tests.services.intake.stack import Stack, eventually


def alertmanager(*alerts: dict, **fields) -> dict:
    return {
        "version": "4",
        "groupKey": '{}:{alertname="CheckoutDown"}',
        "truncatedAlerts": 0,
        "status": "firing",
        "receiver": "recount",
        "externalURL": "http://alertmanager:9093",
        "alerts": list(alerts),
        **fields,
    }


def alert(status: str = "firing", starts_at: str = "2026-03-01T14:00:00Z", **fields) -> dict:
    return {
        "status": status,
        "labels": {"alertname": "CheckoutDown", "service": "checkout", "severity": "critical"},
        "annotations": {"summary": "checkout answers 500"},
        "startsAt": starts_at,
        "endsAt": "0001-01-01T00:00:00Z" if status == "firing" else "2026-03-01T14:10:00Z",
        "generatorURL": "http://prometheus:9090/graph",
        "fingerprint": "a1b2c3d4e5f60718",
        **fields,
    }


def trigger(key: str, **fields) -> dict:
    return {
        "routing_key": key,
        "event_action": "trigger",
        "dedup_key": "checkout-5xx",
        "payload": {"summary": "checkout answers 500", "source": "lb-1", "severity": "critical"},
        **fields,
    }


async def test_an_alertmanager_notification_becomes_an_alert(intake: Stack):
    answer = await intake.post(intake.hook("alertmanager"), alertmanager(alert()))
    assert answer.status_code == 202
    (fired,) = await intake.said("AlertFired")
    assert (fired.title, fired.severity, fired.service) == ("CheckoutDown", "critical", "checkout")
    assert fired.integration == "key-alertmanager"
    await intake.post(intake.hook("alertmanager"), alertmanager(alert("resolved")))
    await intake.said("AlertFired", "AlertCleared")


async def test_pagerduty_is_answered_byte_for_byte(intake: Stack):
    answer = await intake.post("/v2/enqueue", trigger(intake.secrets["pagerduty"]))
    assert answer.status_code == 202
    assert answer.content == b'{"status":"success","message":"Event processed","dedup_key":"checkout-5xx"}'
    answer = await intake.post("/v2/enqueue", trigger(intake.secrets["pagerduty"], event_action="explode"))
    assert answer.status_code == 400
    assert answer.content == (
        b'{"status":"invalid event","message":"Event object is invalid","errors":["\'event_action\' is invalid '
        b"(must be one of the following: 'trigger', 'acknowledge' or 'resolve')\"]}"
    )
    answer = await intake.post("/v2/enqueue", trigger(uuid4().hex))
    assert answer.status_code == 400
    assert answer.json()["errors"] == ["Invalid routing key"]


@pytest.mark.parametrize("path", ["/v2/enqueue", "/v2/change/enqueue"])
async def test_older_clients_of_pagerduty_have_the_key_in_a_header(intake: Stack, path: str):
    event = trigger(intake.secrets["pagerduty"])
    del event["routing_key"]
    assert (await intake.post(path, event)).status_code == 400
    assert (await intake.post(path, event, x_routing_key=intake.secrets["pagerduty"])).status_code == 202


async def test_who_brings_no_key_is_asked_for_user_and_password(intake: Stack):
    """Cloud Monitoring and SNS send them after they were asked, and only then."""
    incident = {"incident": {"incident_id": "f2e08c33", "state": "open", "policy_name": "CPU"}, "version": "1.2"}
    asked = await intake.post("/hooks/gcp", incident)
    assert asked.status_code == 401
    assert asked.headers["www-authenticate"].split(",")[0].lower() == 'basic realm="recount"'
    async with httpx.AsyncClient(base_url=intake.url) as client:
        answer = await client.post("/hooks/gcp", json=incident, auth=("google", intake.secrets["gcp"]))
    assert answer.status_code == 202
    await intake.said("AlertFired")


async def test_a_trigger_without_a_key_gets_one_that_resolves_it(intake: Stack):
    event = trigger(intake.secrets["pagerduty"])
    del event["dedup_key"]
    dedup_key = (await intake.post("/v2/enqueue", event)).json()["dedup_key"]
    assert re.fullmatch("[0-9a-f]{32}", dedup_key)
    await intake.post(
        "/v2/enqueue",
        {"routing_key": intake.secrets["pagerduty"], "event_action": "resolve", "dedup_key": dedup_key},
    )
    fired, _cleared = await intake.said("AlertFired", "AlertCleared")
    assert fired.fingerprint == dedup_key


async def test_no_secret_is_stored_wherever_it_came_from(intake: Stack):
    answers: list[httpx.Response] = []
    for sender, secret in intake.secrets.items():
        hook = f"/hooks/{sender}"
        answers.append(await intake.post(f"{hook}/{secret}", f'{{"title": "see {secret}"}}'))
        bearer = {"authorization": f"Bearer {secret}"}
        answers.append(await intake.post(hook, f'["{secret}"]', **bearer, content_type=secret))
        form = f"note=%{ord(secret[0]):02x}{secret[1:]}&other=a%26b"
        answers.append(await intake.post(hook, form, **bearer, content_type="application/x-www-form-urlencoded"))
    secret = intake.secrets["pagerduty"]
    answers.append(await intake.post("/v2/enqueue", trigger(secret, client=f"tool {secret}")))
    escaped = "".join(f"\\u{ord(character):04x}" for character in secret)
    event = f'{{"routing_key":"{escaped}","event_action":"resolve","dedup_key":"checkout-5xx"}}'
    answers.append(await intake.post("/v2/enqueue", event))
    assert answers[-1].status_code == 202
    answers.append(await intake.post("/v2/enqueue", f'{{"routing_key": "{secret}", broken'))
    cloudevent = {"id": "1", "source": "/x", "specversion": "1.0", "type": f"t.{intake.secrets['cloudevents']}"}
    named = {f"ce_{name}": value for name, value in cloudevent.items()}
    answers.append(await intake.post(intake.hook("cloudevents"), b"", **named))
    genie = intake.secrets["opsgenie"]
    answers.append(await intake.post(f"/v2/alerts?apiKey={genie}", {"message": f"leaked {genie}"}))
    answers.append(await intake.post(f"/v2/alerts/{genie}/close?apiKey={genie}&identifierType=alias", {}))
    # What a sender must sign is not taken without.
    kept = [answer for answer in answers if answer.status_code not in (401, 403)]
    assert len(kept) > len(intake.secrets)
    assert await intake.receipt_count() == len(kept)
    js = intake.client.jetstream()
    for stream in ("INTAKE", "EVENTS"):
        last = (await js.stream_info(stream)).state.last_seq
        for seq in range(1, last + 1):
            message = await js.get_msg(stream, seq)
            whole = f"{message.subject} {message.headers} {message.data!r}"
            assert not any(hidden in whole for hidden in (*intake.secrets.values(), escaped)), (stream, seq)


async def test_a_request_without_a_valid_key_is_refused_and_not_kept(intake: Stack):
    before = await intake.receipt_count()
    payload = alertmanager(alert())
    assert (await intake.post("/hooks/alertmanager", payload)).status_code == 401
    assert (await intake.post(f"/hooks/alertmanager/{uuid4().hex}", payload)).status_code == 401
    assert (await intake.post(f"/hooks/alertmanager/{intake.secrets['json']}", payload)).status_code == 403
    answer = await intake.post("/hooks/alertmanager", payload, authorization=f"Bearer {intake.secrets['json']}")
    assert answer.status_code == 403
    assert answer.json()["because"] == "key-json is for json, not for alertmanager"
    assert await intake.receipt_count() == before


async def test_a_revoked_key_is_refused_within_seconds(intake: Stack):
    assert isinstance(await intake.order(RevokeKey(reason="laptop lost"), target="key-json"), Done)

    async def is_refused() -> bool:
        answer = await intake.post(intake.hook("json"), {"title": "checkout is down"})
        return answer.status_code == 403

    await eventually(is_refused, "the revoked key is refused")


async def test_a_new_key_works_at_once(intake: Stack):
    secret = uuid4().hex
    done = await intake.order(CreateKey(sender="json", secret_sha256=secret_sha256(secret), service="checkout"))
    assert isinstance(done, Done)
    assert (await intake.post(f"/hooks/json/{secret}", {"title": "disk full"})).status_code == 202
    (fired,) = await intake.said("AlertFired")
    assert (fired.service, fired.integration) == ("checkout", done.target)


async def test_an_invalid_payload_is_refused_kept_and_becomes_a_dead_letter(intake: Stack):
    answer = await intake.post(intake.hook("alertmanager"), b'{"alerts": [{"status": 7}]}')
    assert answer.status_code == 400
    assert "$.alerts[0].status" in answer.json()["because"]
    (letter,) = await intake.said("DeadLetterRecorded", category="deadletter")
    assert isinstance(letter, DeadLetterRecorded)
    assert letter.source_stream == "INTAKE"
    assert letter.source_subject.startswith("intake.alertmanager.key-")
    kept = await intake.receipts.get(letter.source_seq)
    assert kept is not None
    assert kept.body == b'{"alerts": [{"status": 7}]}'
    await intake.post(intake.hook("alertmanager"), alertmanager(alert()))
    await intake.said("AlertFired")


async def test_a_dead_letter_that_fails_again_says_so_and_an_unknown_one_is_refused(intake: Stack):
    await intake.post(intake.hook("json"), b"[[[")
    await intake.said("DeadLetterRecorded", category="deadletter")
    (recorded,) = await intake.facts("deadletter")
    identifier = recorded.stream.partition(".")[2]
    done = await intake.order(Replay(), target=identifier, order_id="once")
    assert isinstance(done, Done)
    assert "failed again" in done.message
    assert isinstance(await intake.order(Replay(), target=identifier, order_id="once"), Done)
    await intake.said("DeadLetterRecorded", "DeadLetterReplayed", category="deadletter")
    assert isinstance(await intake.order(Replay(dead_letter_id="nothing")), Refused)


async def test_what_is_too_large_is_refused(intake: Stack):
    large = b" " * (BODY_BYTES_MAX + 1)
    assert (await intake.post(intake.hook("json"), large)).status_code == 413

    async def in_chunks():
        for _ in range(20):
            yield b" " * 64 * 1024

    assert (await intake.http.post(intake.hook("json"), content=in_chunks())).status_code == 413
    answer = await intake.post("/v2/enqueue", b" " * (512 * 1024 + 1))
    assert answer.status_code == 413
    assert answer.json()["errors"] == ["Event object exceeds 524288 bytes"]
    answer = await intake.post(intake.hook("json"), b"{}", x_padding="x" * HEADERS_BYTES_MAX)
    assert answer.status_code == 431


async def test_the_largest_body_is_taken_and_what_a_fact_cannot_hold_is_marked(intake: Stack):
    noise = "\x01" * 150_000  # six bytes each in JSON
    answer = await intake.post(intake.hook("json"), {"title": "checkout is down", "description": noise})
    assert answer.status_code == 202
    labels = {f"label-{number}": "ü" * 9_000 for number in range(50)}
    assert (await intake.post(intake.hook("json"), {"title": "disk full", "labels": labels})).status_code == 202
    facts = await intake.said("AlertFired", "AlertFired")
    assert all("recount_shortened" in fact.annotations for fact in facts)


@pytest.mark.parametrize("path", ["/", "/hooks", "/hooks/nagios/key", "/hooks/json/key/more", "/v2", "/v2/enqueue/x"])
async def test_an_unknown_route_says_where_the_doors_are(intake: Stack, path: str):
    answer = await intake.post(path, b"{}")
    assert answer.status_code == 404
    assert "/hooks/<sender>/<key>" in answer.json()["because"]


async def test_other_methods_and_unknown_packing_are_refused(intake: Stack):
    answer = await intake.http.get(intake.hook("json"))
    assert (answer.status_code, answer.headers["allow"]) == (405, "POST, OPTIONS")
    answer = await intake.post(intake.hook("json"), b"\x1f\x8b", content_encoding="br")
    assert (answer.status_code, answer.headers["accept-encoding"]) == (415, "gzip, identity")


async def test_packed_bodies_are_unpacked_within_the_limit(intake: Stack):
    secret = intake.secrets["json"]
    packed = gzip.compress(msgspec.json.encode({"title": f"disk full {secret}"}))
    answer = await intake.post(intake.hook("json"), packed, content_encoding="gzip")
    assert answer.status_code == 202
    (fired,) = await intake.said("AlertFired")
    assert fired.title == "disk full key-json"
    bomb = gzip.compress(b" " * (BODY_BYTES_MAX + 1))
    assert (await intake.post(intake.hook("json"), bomb, content_encoding="gzip")).status_code == 413
    for broken in (b"\x1f\x8b", packed[:-9], b"plain", packed + b"more"):
        answer = await intake.post(intake.hook("json"), broken, content_encoding="gzip")
        assert answer.status_code == 400, broken
    assert await intake.receipt_count() == 1


async def test_a_key_is_taken_as_password_and_an_address_is_kept_without_it(intake: Stack):
    secret = intake.secrets["json"]
    for user, password in (("recount", secret), (secret, "")):
        answer = await intake.http.post("/hooks/json", content=b'{"title": "disk full"}', auth=(user, password))
        assert answer.status_code == 202
    escaped = "".join(f"%{ord(character):02x}" for character in secret)
    answer = await intake.post(f"/hooks/json/{escaped}?for={secret}&again={escaped}&team=a%26b", {"title": "disk full"})
    assert answer.status_code == 202
    receipt = await intake.receipts.get(3)
    assert receipt is not None
    assert receipt.headers == {"recount-target": "POST /hooks/json?for=key-json&again=key-json&team=a%26b"}
    assert target_of(receipt, ()).query == {"for": "key-json", "again": "key-json", "team": "a&b"}
    answer = await intake.post(f"{intake.hook('json')}?{'x' * ADDRESS_BYTES_MAX}", {"title": "disk full"})
    assert answer.status_code == 414


async def test_a_deeply_nested_payload_harms_nobody(intake: Stack):
    for sender in intake.secrets:
        for bomb in (b"[" * 200_000, b'{"a":' * 100_000, b'{"data":' + b"[" * 100_000):
            answer = await intake.post(intake.hook(sender), bomb, content_type="application/cloudevents+json")
            # What each answers is its own matter: to a mail it is text, and to a ping nothing at all.
            assert answer.status_code < 500, sender
    assert (await intake.http.get("/healthz")).status_code == 200


async def test_health_and_figures(intake: Stack):
    answer = await intake.http.get("/healthz")
    assert answer.json() == {"status": "ok"}
    await intake.post(intake.hook("json"), {"title": "checkout is down"})
    assert b'recount_intake_receipts_stored_total{sender="json"}' in (await intake.http.get("/metrics")).content


async def test_alerts_that_were_left_out_of_a_notification_are_an_alert_of_their_own(intake: Stack):
    await intake.post(intake.hook("alertmanager"), alertmanager(alert(), truncatedAlerts=12))
    _fired, left_out = await intake.said("AlertFired", "AlertFired")
    assert left_out.title == "Alertmanager leaves alerts out of its notifications"
    assert left_out.annotations["left_out"] == "12"
    await intake.post(intake.hook("alertmanager"), alertmanager(alert()))
    await intake.said("AlertFired", "AlertFired", "AlertCleared")


async def test_a_connection_that_breaks_off_leaves_nothing_behind(intake: Stack):
    async def broken_off():
        yield b'{"title": '
        raise RuntimeError("the sender died")

    with pytest.raises((RuntimeError, httpx.HTTPError)):
        await intake.http.post(intake.hook("json"), content=broken_off())
    assert (await intake.post(intake.hook("json"), {"title": "checkout is down"})).status_code == 202
    assert await intake.receipt_count() == 1
