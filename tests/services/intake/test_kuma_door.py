"""Uptime Kuma in every form that its settings offer, through the real door."""

import json

from tests.services.intake.stack import Stack

MONITOR = {"id": 7, "name": "API", "type": "port", "hostname": "api.example.org", "port": 443, "url": "https://"}


def told(status: int, at: str, message: str) -> dict:
    return {"heartbeat": {"monitorID": 7, "status": status, "time": at, "msg": message}, "monitor": MONITOR, "msg": "x"}


async def test_json_form_and_query_say_the_same(intake: Stack):
    hook = intake.hook("uptime_kuma")
    down, up = told(0, "2026-03-01 14:00:00.000", "refused"), told(1, "2026-03-01 14:03:00.000", "200 - OK")
    assert (await intake.post(hook, down)).status_code == 202
    # The library's form data, as Kuma's: one field with the whole.
    answer = await intake.http.post(hook, files={"data": (None, json.dumps(up))})
    assert answer.status_code == 202, answer.text
    again = {name: json.dumps(value) for name, value in told(0, "2026-03-01 14:09:00.000", "refused").items()}
    answer = await intake.http.get(hook, params=again | {"msg": "[API] down"})
    assert answer.status_code == 202, answer.text
    answer = await intake.http.post(hook, data={"data": json.dumps(told(1, "2026-03-01 14:12:00.000", "200 - OK"))})
    assert answer.status_code == 202, answer.text
    first, _cleared, second, _again = await intake.said("AlertFired", "AlertCleared", "AlertFired", "AlertCleared")
    assert (first.title, first.occurrence, second.occurrence) == ("API is down", 1, 2)
    for fact in (first, second):
        receipt = await intake.receipts.get(fact.receipt_seq)
        assert receipt is not None
        assert intake.secrets["uptime_kuma"] not in f"{receipt.headers}{receipt.body!r}"


async def test_the_button_test_is_answered_and_says_nothing(intake: Stack):
    answer = await intake.post(
        intake.hook("uptime_kuma"), {"heartbeat": None, "monitor": None, "msg": "Recount Testing"}
    )
    assert (answer.status_code, answer.json()) == (202, {"status": "accepted", "alerts": 0})
    refused = await intake.post(intake.hook("uptime_kuma"), {"heartbeat": {"status": 0}, "msg": ""})
    assert (refused.status_code, "monitorID is missing" in refused.json()["because"]) == (400, True)
    assert await intake.names("alert") == []
