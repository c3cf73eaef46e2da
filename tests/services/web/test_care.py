"""People, keys, dead letters and on-call: what an administrator looks after, and what everybody sees of it."""

import httpx

from events.audit import DeadLetterRecorded
from events.escalation import Level
from events.oncall import PolicyConfigured, RotationConfigured, ShiftStarted
from services.secrets import hash_secret
from tests.services.web.stack import ADA, BOB, GRACE, Stack, eventually, now


def person(program: httpx.Client, handle: str) -> dict[str, object] | None:
    people = program.get("/api/people").json()["people"]
    return next((person for person in people if person["handle"] == handle), None)


def test_a_person_is_added_acts_and_is_erased_leaving_no_name_behind(recount: Stack):
    with recount.client() as program, recount.browser() as ada:
        added = program.post(
            "/api/people",
            json={"handle": "edsger", "name": "Edsger Dijkstra", "contacts": ["smtp:edsger@example.org", "console:"]},
        )
        assert added.status_code == 201, added.text
        person_id = added.json()["target"]
        assert eventually(lambda: person(program, "edsger"))
        incident = recount.declare("goto considered harmful", commander="edsger")
        page = ada.get(f"/incidents/{incident}").text
        assert "Edsger Dijkstra is commander" in page
        assert person_id not in page.replace(f'value="{person_id}"', "")
        erased = program.delete("/api/people/edsger", params={"reason": "left the company"})
        assert erased.status_code == 200, erased.text
        eventually(lambda: "Dijkstra" not in ada.get(f"/incidents/{incident}").text)
        assert "erased person is commander" in ada.get(f"/incidents/{incident}").text
        assert "edsger@example.org" not in program.get("/api/people").text
        assert program.delete("/api/people/edsger", params={"reason": "again"}).status_code == 404


def test_a_new_key_tells_its_secret_once_and_the_log_only_its_hash(recount: Stack):
    with recount.client() as program:
        body = {"sender": "json", "name": "cron", "service": "backup"}
        made = program.post("/api/keys", json=body, headers={"Idempotency-Key": "key-for-cron"})
        assert made.status_code == 201, made.text
        key = made.json()
        program.get("/api/position", params={"min_position": key["seq"]})
        listed = program.get("/api/keys")
        assert key["key_id"] in listed.text
        assert key["secret"] not in listed.text
        digest = {"sql": f"select count(*) from log where data::varchar like '%{hash_secret(key['secret'])}%'"}
        assert program.post("/api/sql", json=digest).json()["rows"] == [[1]]
        again = program.post("/api/keys", json=body, headers={"Idempotency-Key": "key-for-cron"})
        assert again.status_code == 409
        assert "secret" not in again.json()
        rotated = program.post(f"/api/keys/{key['key_id']}/rotate", json={"former_for_s": 60})
        assert rotated.status_code == 200, rotated.text
        assert rotated.json()["secret"] not in (key["secret"], "")
        program.get("/api/position", params={"min_position": rotated.json()["seq"]})
        (listed,) = [row for row in program.get("/api/keys").json()["keys"] if row["key_id"] == key["key_id"]]
        assert listed["rotated_at"] < listed["former_until_at"]
        assert program.delete(f"/api/keys/{key['key_id']}", params={"reason": "rotated"}).status_code == 200


def test_dead_letters_are_listed_by_state(recount: Stack):
    letter = DeadLetterRecorded(
        service="intake",
        source_stream="INTAKE",
        source_seq=7,
        source_subject="intake.json",
        error="not an alert: Expected `object`, got `int`",
        attempts=1,
    )
    recount.append("deadletter.d7", letter)
    with recount.client() as program:
        found = program.get("/api/dead-letters", params={"state": "waiting"}).json()["dead_letters"]
        assert [row["dead_letter_id"] for row in found] == ["d7"]
        assert program.get("/api/dead-letters", params={"state": "handled"}).json()["dead_letters"] == []
        answer = program.post("/api/dead-letters/nothing/replay")
        assert answer.status_code in (400, 404, 409), answer.text


def test_the_on_call_page_says_who_until_when_who_next_and_what_the_policy_does(recount: Stack):
    with recount.browser() as ada:
        # The platform is shared, and others may have begun a shift since.
        assert "Nobody was on call" in ada.get("/oncall?as_of=1").text
        recount.append(
            "rotation.primary",
            RotationConfigured(name="primary", zone="Europe/London", starts_at=now(), shift_days=7, members=(ADA, BOB)),
            ShiftStarted(person_id=ADA, ends_at=now()),
        )
        levels = (
            Level(targets=("rotation.primary",), answer_within_s=300),
            Level(targets=(f"person.{GRACE}",), answer_within_s=90),
        )
        recount.append("policy.default", PolicyConfigured(name="default", levels=levels, repeat=1))
        page = ada.get("/oncall").text
        assert "Ada Lovelace" in page
        assert "then Bob Kahn" in page
        assert "Ask <b>whoever is on call in primary</b>; if nobody answers within 5 min, go on." in page
        assert "Ask <b>Grace Hopper</b>; if nobody answers within 1 min 30 s, go on." in page
        assert "Begin again, 1 more time." in page
