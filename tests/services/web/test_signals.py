"""The HTTP API of rules and silences."""

from datetime import UTC, datetime, timedelta

from events.ids import new_event_id
from events.silence import SilenceHeldAlert
from tests.services.web.stack import ADA, RESPONDER_SECRET, Stack

RULES = '[route]\nopens_at = "critical"\n'


def test_rules_are_published_shown_and_found_at_their_position(recount: Stack):
    with recount.client(**{"Recount-Actor": "ada"}) as program:
        text = f"# {new_event_id()}\n{RULES}"
        answer = program.post("/api/rules", json={"text": text, "note": "only the worst"})
        assert answer.status_code == 200, answer.text
        seq = answer.json()["seq"]
        now = program.get("/api/rules", params={"min_position": seq}).json()
        assert (now["rules_seq"], now["text"], now["note"], now["actor"]) == (seq, text, "only the worst", ADA)
        assert program.get(f"/api/rules/{seq}").json()["text"] == text
        assert program.get("/api/rules/history").json()["history"][0]["rules_seq"] == seq
        assert program.get("/api/rules", params={"as_of": seq - 1}).json()["rules_seq"] != seq
        assert program.post("/api/rules", json={"text": text}).json()["seq"] == 0
        assert program.get("/api/rules/1").status_code == 404
        back = program.post("/api/rules", json={"text": "", "note": "as they come"}).json()
        program.get("/api/rules", params={"min_position": back["seq"]}).raise_for_status()


def test_rules_that_are_none_are_refused_with_the_key(recount: Stack):
    with recount.client() as program:
        for path in ("/api/rules", "/api/rules/check"):
            answer = program.post(path, json={"text": '[route]\nopens_at = "high"'})
            assert answer.status_code == 400
            assert "route.opens_at: expected one of critical" in answer.json()["because"]
            assert answer.json()["instead"]
        good = program.post("/api/rules/check", json={"text": "[[route.routes]]\nname = 'a'"})
        assert good.json()["routes"] == ["default", "default/a"]
        assert good.json()["advice"] == []
        odd = program.post("/api/rules/check", json={"text": "[services.a]\ndepends_on = ['a']"})
        assert "in a circle: a -> a" in odd.json()["advice"][0]


def test_only_an_admin_publishes_rules(recount: Stack):
    with recount.client(RESPONDER_SECRET) as responder:
        assert responder.get("/api/rules").status_code == 200
        assert responder.post("/api/rules", json={"text": RULES}).status_code == 403


def test_a_responder_makes_changes_and_ends_a_silence(recount: Stack):
    with recount.client(RESPONDER_SECRET) as responder:
        body = {"matchers": ['service="cart"'], "reason": "moving house", "lasts_s": 3600}
        made = responder.post("/api/silences", json=body)
        assert made.status_code == 201, made.text
        silence_id, seq = made.json()["target"], made.json()["seq"]
        shown = responder.get(f"/api/silences/{silence_id}", params={"min_position": seq}).json()
        assert (shown["state"], shown["matchers"], shown["created_by"]) == ("active", ['service="cart"'], ADA)
        until = (datetime.now(UTC) + timedelta(hours=3)).replace(microsecond=0)
        changed = responder.post(f"/api/silences/{silence_id}/change", json={"ends_at": until.isoformat()}).json()
        recount.append(f"silence.{silence_id}", SilenceHeldAlert(alert_key="a1", occurrence=1))
        shown = responder.get(f"/api/silences/{silence_id}", params={"min_position": changed["seq"]}).json()
        assert (shown["ends_at"], shown["held_ever"]) == (f"{until:%Y-%m-%dT%H:%M:%S}Z", 1)
        ended = responder.post(f"/api/silences/{silence_id}/end", json={"reason": "unpacked"}).json()
        listed = responder.get("/api/silences", params={"state": "ended", "min_position": ended["seq"]}).json()
        (row,) = [row for row in listed["silences"] if row["silence_id"] == silence_id]
        assert (row["state"], row["ended_by"], row["ended_reason"]) == ("ended", ADA, "unpacked")
        before = responder.get(f"/api/silences/{silence_id}", params={"as_of": seq}).json()
        assert (before["state"], before["held_ever"]) == ("active", 0)


def test_a_silence_that_makes_no_sense_is_refused(recount: Stack):
    with recount.client(RESPONDER_SECRET) as responder:
        body = {"matchers": ['team=~".*"'], "reason": "all of it", "lasts_s": 60}
        answer = responder.post("/api/silences", json=body)
        assert answer.status_code == 400
        assert "it would hold back every alert" in answer.json()["because"]
        answer = responder.post("/api/silences", json=body | {"ends_at": "tomorrow"})
        assert answer.json()["error"] == "ends_at 'tomorrow' cannot be read"
        assert responder.get("/api/silences/sil-none").status_code == 404
        assert responder.post("/api/silences/sil-none/end", json={}).status_code == 404
        assert responder.get("/api/silences", params={"state": "over"}).status_code == 400
