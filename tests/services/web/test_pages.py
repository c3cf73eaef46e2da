"""Pages: what people see, in words; nothing that somebody typed becomes markup."""

import hashlib
import re

import httpx
import pytest

from tests.services.incidents.alerts import fired
from tests.services.web.stack import BOB, GRACE, Stack

PAYLOAD = "<script>alert(1)</script>\"'><img src=x onerror=alert(2)>{{1234567*7}}"


def send(browser: httpx.Client, path: str, **fields: str) -> httpx.Response:
    token = re.search(r'name="csrf_token" value="([^"]+)"', browser.get("/declare").text)
    assert token
    return browser.post(path, data={"csrf_token": token[1]} | fields)


def follow(browser: httpx.Client, answer: httpx.Response) -> str:
    assert answer.status_code == 303, answer.text
    return browser.get(answer.headers["location"]).text


def without_slider(page: str) -> str:
    """A page without the marks of its slider, which name all that can be looked back to."""
    return re.sub(r'<datalist id="moments">.*?</datalist>', "", page, flags=re.DOTALL)


def test_an_incident_is_worked_through_with_forms_alone(recount: Stack):
    with recount.browser("bob") as bob:
        answer = send(bob, "/declare", title="payments are late", severity="sev2", service="payments", profile="ops")
        text = follow(bob, answer)
        path = answer.headers["location"].partition("?")[0]
        assert "payments are late" in text
        assert "Acknowledge</button>" in text
        text = follow(bob, send(bob, f"{path}/acknowledge"))
        assert "acknowledged by Bob Kahn" in text
        assert "Acknowledge</button>" not in text
        text = follow(bob, send(bob, f"{path}/assign", role="commander", person_id="grace"))
        assert "Grace Hopper is commander" in text
        text = follow(bob, send(bob, f"{path}/impact", scope="payments", level="3"))
        assert "impact level 3 on payments began" in text
        text = follow(
            bob, send(bob, f"{path}/contain", summary="queue drained", ends_impact_asked="1", ends_impact="true")
        )
        assert ">mitigated<" in text
        text = follow(bob, send(bob, f"{path}/resolve", summary="all paid"))
        assert ">resolved<" in text
        assert "payments are late" in bob.get("/?phase=resolved").text
        assert "payments are late" not in bob.get("/?phase=open").text


def test_an_incident_that_is_over_is_declared_with_its_own_times(recount: Stack):
    past = {"declared_at": "2026-02-01T10:05", "resolved_at": "2026-02-01T12:00"}
    with recount.browser() as bob:
        refused = send(bob, "/declare", verb="open", title="was down", severity="sev3", **past)
        assert "is not only suspected" in refused.text
        shown = follow(bob, send(bob, "/declare", title="was down", severity="sev3", profile="ops", **past))
    assert ">resolved<" in shown
    assert "2026-02-01 12:00" in shown


def test_a_suspicion_is_opened_for_triage_and_then_declared(recount: Stack):
    with recount.browser("bob") as bob:
        first_sign = "2026-03-01T14:00:00"
        refused = send(bob, "/declare", verb="open", title="odd logins", severity="sev3", commander="ada")
        assert refused.status_code == 400
        assert "nobody commands what is only suspected" in refused.text
        answer = send(
            bob,
            "/declare",
            verb="open",
            title="odd logins",
            severity="sev3",
            profile="security",
            detected_at=first_sign,
        )
        text = follow(bob, answer)
        assert ">triage<" in text
        assert "opened for triage: odd logins" in text
        path = answer.headers["location"].partition("?")[0]
        assert ">active<" in follow(bob, send(bob, f"{path}/declare", severity="sev2", commander="grace"))
        whole = bob.get(f"/api{path}").json()["incident"]
        assert (whole["severity"], whole["profile"], whole["detected_at"][:19]) == ("sev2", "security", first_sign)


def test_a_role_is_handed_over_by_both(recount: Stack):
    incident = recount.declare(commander="ada")
    with recount.browser("ada") as ada, recount.browser("grace") as grace:
        assert f"/incidents/{incident}/accept" not in grace.get(f"/incidents/{incident}").text
        assert f"/incidents/{incident}/offer" not in grace.get(f"/incidents/{incident}").text
        text = follow(ada, send(ada, f"/incidents/{incident}/offer", role="commander", person_id="grace"))
        assert "offered to Grace Hopper" in text
        assert f"/incidents/{incident}/accept" not in text
        assert f"/incidents/{incident}/accept" in grace.get(f"/incidents/{incident}").text
        text = follow(grace, send(grace, f"/incidents/{incident}/accept", role="commander"))
        assert "Grace Hopper took over as commander from Ada Lovelace" in text
        assert "who has not taken over yet" not in text
        offers = grace.get(f"/api/incidents/{incident}").json()["offers"]
        assert offers == []


def test_an_offer_ends_when_it_is_made_to_another_or_its_holder_is_relieved(recount: Stack):
    incident = recount.declare(commander="ada")
    with recount.client(**{"Recount-Actor": "ada"}) as ada:

        def offered_to(verb: str, **fields: str) -> list[str]:
            seq = ada.post(f"/api/incidents/{incident}/{verb}", json=fields).json()["seq"]
            whole = ada.get(f"/api/incidents/{incident}", params={"min_position": seq}).json()
            return [offer["person_id"] for offer in whole["offers"]]

        assert offered_to("assign", role="scribe", person_id="ada") == []
        assert offered_to("offer", role="commander", person_id="bob") == [BOB]
        assert offered_to("offer", role="scribe", person_id="bob") == [BOB, BOB]
        assert offered_to("offer", role="commander", person_id="grace") == [BOB, GRACE]
        assert offered_to("relieve", role="commander", person_id="ada") == [BOB]


def test_actions_are_agreed_on_and_finished_where_they_stand(recount: Stack):
    incident = recount.declare()
    path = f"/incidents/{incident}"
    with recount.browser() as ada:
        assert "Nothing is agreed on." in ada.get(path).text
        for text in ("alert on queue depth", "write a runbook"):
            page = follow(ada, send(ada, f"{path}/agree_action", text=text, owner_id="bob", due_on="2026-12-01"))
            assert text in page
        refused = send(ada, f"{path}/finish_action", action_id="A2", dropped_asked="1", dropped="true")
        assert refused.status_code == 400
        assert refused.text.count('role="alert"') == 1
        assert re.search(r"<details open>\s*<summary>Finish A2</summary>", refused.text)
        page = follow(
            ada,
            send(ada, f"{path}/finish_action", action_id="A2", dropped="true", dropped_asked="1", reason="one exists"),
        )
        assert "Finish A1" in page
        assert "Finish A2" not in page
        unknown = send(ada, f"{path}/finish_action", action_id="A9", dropped_asked="1")
        assert unknown.text.count('role="alert"') == 1


def test_an_alert_is_added_to_an_incident_and_taken_out(recount: Stack):
    incident, stranger = recount.declare(), "alert-of-the-database"
    recount.append(f"alert.{stranger}", fired("DatabaseDown", severity="warning", service="database"))
    path = f"/incidents/{incident}"
    with recount.browser() as ada:
        assert "DatabaseDown (database)" in ada.get(path).text
        page = follow(ada, send(ada, f"{path}/link", alert_key=stranger))
        assert "alert joined: DatabaseDown" in page
        assert f"{path}/unlink" in page
        page = follow(ada, send(ada, f"{path}/unlink", alert_key=stranger, reason="another cause"))
        assert "taken out: another cause" in page


def test_a_postmortem_is_published_and_lets_the_incident_be_closed(recount: Stack):
    incident = recount.declare()
    with recount.browser() as ada:
        follow(ada, send(ada, f"/incidents/{incident}/resolve", summary="rolled back"))
        assert send(ada, f"/incidents/{incident}/close").status_code == 409
        document = ada.get(f"/postmortem/{incident}").text
        position = re.search(r'name="made_from_seq" value="(\d+)"', document)
        assert position
        assert send(ada, f"/postmortem/{incident}/publish").status_code == 400
        page = follow(ada, send(ada, f"/postmortem/{incident}/publish", made_from_seq=position[1]))
        assert "postmortem published" in page
        assert ">closed<" in follow(ada, send(ada, f"/incidents/{incident}/close"))
        text = ada.get(f"/api/incidents/{incident}/postmortem?as_of={position[1]}&names=false").content
        asked = f"select document_sha256 from review_published where stream_id = '{incident}'"
        with recount.client() as program:
            rows = program.post("/api/sql", json={"sql": asked}).json()["rows"]
        assert rows == [[hashlib.sha256(text).hexdigest()]]


def test_the_page_about_who_is_on_call_tells_how_to_change_it(recount: Stack):
    with recount.browser() as ada:
        page = ada.get("/oncall").text
        assert all(f"recount {verb}" in page for verb in ("people add", "keys create", "dead-letters replay"))


def test_a_refusal_stands_where_the_person_acted_and_keeps_what_was_typed(recount: Stack):
    incident = recount.declare()
    with recount.browser() as ada:
        send(ada, f"/incidents/{incident}/impact", scope="checkout", level="4")
        answer = send(ada, f"/incidents/{incident}/resolve", summary="I hope that it is over")
        assert answer.status_code == 409
        assert "users are still affected: impact on checkout has not ended" in answer.text
        assert "End the impact first" in answer.text
        assert "I hope that it is over" in answer.text
        assert re.search(r'<details class="next" open>\s*<summary>Resolve</summary>', answer.text)
        assert ada.get(f"/incidents/{incident}/resolve").headers["location"] == f"/incidents/{incident}"


def test_a_declaration_that_is_refused_keeps_what_was_typed(recount: Stack):
    with recount.browser() as ada:
        answer = send(ada, "/declare", title="late", severity="sev2", detected_at="2099-01-01T00:00:00")
        assert answer.status_code == 400
        assert 'value="late"' in answer.text
        assert 'role="alert"' in answer.text


def test_a_form_sent_twice_is_carried_out_once(recount: Stack):
    incident = recount.declare()
    with recount.browser() as ada:
        for _ in range(2):
            text = follow(
                ada, send(ada, f"/incidents/{incident}/note", text="only once", order_id="order-of-this-form")
            )
            assert without_slider(text).count("only once") == 1


def test_nothing_that_somebody_typed_becomes_markup(recount: Stack):
    incident = recount.declare(PAYLOAD, service=PAYLOAD, reason=PAYLOAD)
    with recount.client(**{"Recount-Actor": "ada"}) as program:
        seq = program.post(f"/api/incidents/{incident}/note", json={"text": PAYLOAD}).json()["seq"]
    with recount.browser() as ada:
        for path in (
            f"/incidents/{incident}",
            "/",
            f"/postmortem/{incident}",
            f"/sql?sql={PAYLOAD}",
            f"/?phase={PAYLOAD}",
            f"/incidents/{incident}?as_of={seq}",
            f"/incidents/{PAYLOAD}",
            f"/?as_of={PAYLOAD[:40]}",
        ):
            page = ada.get(path, params=None if "?" in path else {"min_position": seq}).text
            assert "<script>alert" not in page, path
            assert "<img src=x" not in page, path
            assert "8641969" not in page, path
        result = send(ada, "/sql", sql=f"select title from incidents where incident_id = '{incident}'").text
        assert "&lt;script&gt;alert(1)" in result
        assert "<script>alert" not in result


def test_a_page_of_the_past_says_so_and_offers_no_commands(recount: Stack):
    incident = recount.declare("disk is full")
    with recount.browser() as ada:
        then = ada.get("/api/position").json()["position"]
        follow(ada, send(ada, f"/incidents/{incident}/rename", title="volume is full"))
        page = ada.get(f"/incidents/{incident}?as_of={then}").text
        assert f"As known at log position {then}" in page
        assert "disk is full" in page
        assert "volume is full" not in without_slider(page)
        assert "What now?" not in page
        assert f'action="/incidents/{incident}/' not in page
        assert "data-tail" not in page
        listed = ada.get(f"/?as_of={then}").text
        assert "disk is full" in listed
        assert "volume is full" not in listed
        before = ada.get(f"/incidents/{incident}?as_of=1")
        assert before.status_code == 404
        assert "None was known at log position 1" in before.text


def test_what_was_recorded_late_shows_both_clocks(recount: Stack):
    incident = recount.declare(declared_at="2026-03-01T14:00:00Z", detected_at="2026-03-01T13:59:00Z")
    with recount.browser() as ada:
        page = ada.get(f"/incidents/{incident}").text
        assert "14:00:00" in page
        assert re.search(r"recorded \d\d:\d\d:\d\d, \d+ d \d+ h later", page)


def test_every_page_has_its_landmarks_and_labels(recount: Stack):
    incident = recount.declare()
    with recount.browser() as ada:
        for path in ("/", f"/incidents/{incident}", "/declare", "/oncall", "/sql", f"/postmortem/{incident}"):
            page = ada.get(path).text
            assert page.count("<main") == page.count("<h1") == 1, path
            assert '<html lang="en">' in page
            assert "style=" not in page
            assert not re.search(r"<[^>]+\son\w+=", page), path
            ids = re.findall(r'\sid="([^"]+)"', page)
            assert len(ids) == len(set(ids)), path
            labelled = set(re.findall(r'<label for="([^"]+)"', page))
            wanted = set(re.findall(r'<(?:input|select|textarea) id="([^"]+)"', page))
            assert wanted == labelled, path


def test_the_console_shows_answers_refusals_and_csv(recount: Stack):
    recount.declare()
    with recount.browser() as ada:
        answer = send(ada, "/sql", sql="select count(*) as incidents from incidents", format="table")
        assert "1 row" in answer.text
        refused = send(ada, "/sql", sql="drop table log")
        assert refused.status_code == 400
        assert "only one SELECT is answered" in refused.text
        assert "drop table log" in refused.text
        assert send(ada, "/sql", sql="  ").status_code == 400
        table = send(ada, "/sql", sql="select 1 as one", format="csv")
        assert table.headers["content-disposition"] == 'attachment; filename="recount.csv"'
        assert table.text == "one\r\n1\r\n"


@pytest.mark.parametrize("path", ["/nowhere", "/incidents/INC-424242", "/postmortem/INC-424242", "/incidents/nonsense"])
def test_what_does_not_exist_is_a_page_that_leads_back(recount: Stack, path: str):
    with recount.browser() as ada:
        answer = ada.get(path)
        assert answer.status_code == 404
        assert 'href="/"' in answer.text


def test_a_refusal_begins_with_a_capital(recount: Stack):
    with recount.browser() as ada:
        assert "<h1>As known at &#39;bogus&#39; cannot be read</h1>" in ada.get("/", params={"as_of": "bogus"}).text


def test_the_postmortem_is_shown_with_its_position_and_as_markdown(recount: Stack):
    incident = recount.declare("cache was cold")
    with recount.browser() as ada:
        page = ada.get(f"/postmortem/{incident}").text
        assert "Made by replay from log position" in page
        assert "cache was cold" in page
        text = ada.get(f"/api/incidents/{incident}/postmortem")
        assert text.headers["content-type"] == "text/markdown; charset=utf-8"
        position = text.headers["recount-position"]
        again = [ada.get(f"/api/incidents/{incident}/postmortem?as_of={position}&names=false").content for _ in "12"]
        assert again[0] == again[1]
