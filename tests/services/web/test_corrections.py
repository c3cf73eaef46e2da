"""The page of an incident: saying what was not so, and seeing what was believed before."""

import re

from tests.services.web.stack import Stack
from tests.services.web.test_pages import follow, send


def words(page: str) -> str:
    """What a person reads of a page."""
    return " ".join(re.sub(r"<[^>]*>", " ", page).split())


def test_a_time_is_corrected_with_its_bounds_and_shows_what_was_said(recount: Stack):
    with recount.browser("bob") as bob:
        path = f"/incidents/{recount.declare()}"
        said = {"milestone": "impact_started", "reason": "the graph", "evidence": "https://graphs.example.org/1"}
        between = {"earliest": "2026-01-05T08:40:00", "latest": "2026-01-05T09:05"}
        text = words(follow(bob, send(bob, f"{path}/correct", occurred_at="2026-01-05T08:50:00", **said, **between)))
        assert "impact started 2026-01-05 08:50 (08:40–09:05) UTC corrected ; nothing had said so" in text
        assert "impact started → 2026-01-05 08:50:00: the graph" in text
        refused = send(bob, f"{path}/correct", occurred_at="2026-01-05T08:30:00", **said, **between)
        assert refused.status_code == 400
        assert "does not lie within" in words(refused.text)


def test_a_line_is_taken_back_and_stays_struck_through(recount: Stack):
    with recount.browser("bob") as bob:
        path = f"/incidents/{recount.declare()}"
        follow(bob, send(bob, f"{path}/note", text="it is the database"))
        page = bob.get(path).text
        (seq,) = re.findall(r'id="seq-(\d+)" class="incident incident-noted"', page)
        page = follow(bob, send(bob, f"{path}/retract", seq=seq, reason="it was the cache"))
        assert re.search(r"<s>[^<]*it is the database</s>", page)
        assert "retraction Bob Kahn: it is the database: it was the cache" in words(page)
        refused = send(bob, f"{path}/retract", seq="999999", reason="it was the cache")
        assert refused.status_code == 404
        assert 'value="999999"' in refused.text


def test_a_severity_and_a_determination_were_wrong(recount: Stack):
    with recount.browser("bob") as bob:
        path = f"/incidents/{recount.declare()}"
        text = words(follow(bob, send(bob, f"{path}/correct_severity", severity="sev5", reason="nobody noticed")))
        assert "→ sev5: nobody noticed" in text
        refused = send(bob, f"{path}/correct_determination", determination="benign", reason="a test")
        assert "no determination was given" in words(refused.text)
        follow(bob, send(bob, f"{path}/determine", determination="confirmed"))
        text = words(follow(bob, send(bob, f"{path}/correct_determination", determination="blocked", reason="it held")))
        assert "confirmed → blocked: it held" in text


def test_programs_correct_by_the_same_door(recount: Stack):
    incident = recount.declare()
    with recount.client(**{"Recount-Actor": "ada"}) as program:
        wrong = {"milestone": "detected", "occurred_at": "2026-01-05T08:50:00", "reason": "a mail", "earliest": "soon"}
        answer = program.post(f"/api/incidents/{incident}/correct", json=wrong)
        assert answer.status_code == 400
        assert "earliest 'soon' cannot be read" in answer.text
        done = program.post(f"/api/incidents/{incident}/correct", json=wrong | {"earliest": ""}).json()
        whole = program.get(f"/api/incidents/{incident}", params={"min_position": done["seq"]}).json()
        assert whole["incident"]["detected_at"] == "2026-01-05T08:50:00Z"
        (correction,) = whole["corrections"]
        assert (correction["seq"], correction["milestone"]) == (done["seq"], "detected")
        between = {"happened_earliest": "2026-01-05T09:00:00Z", "happened_latest": "2026-01-05T09:10:00Z"}
        note = {"text": "somebody called", "happened_at": "2026-01-05T09:05:00Z"} | between
        assert program.post(f"/api/incidents/{incident}/note", json=note).status_code == 200
        outside = program.post(
            f"/api/incidents/{incident}/note", json=note | {"happened_at": "2026-01-05T09:30:00Z"}
        ).json()
        assert "does not lie between" in outside["because"]
