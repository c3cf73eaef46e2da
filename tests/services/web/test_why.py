"""Why: the chain from the payload to the channel's answer, and what did not happen, over HTTP."""

from typing import Any

import httpx
import pytest

from events.alert import AlertFired, AlertHeld, AlertPassedOver
from events.nats_intake import NatsReceipts
from events.page import PageAttempted, PageFailed, PageRequested, PageSent
from events.receipt import Receipt
from events.silence import SilenceCreated, SilenceHeldAlert
from tests.services.web.stack import BOB, Stack, eventually, now

JSON = "application/json"


def fired(title: str, severity: str = "critical", service: str = "why") -> AlertFired:
    return AlertFired(
        integration="key-json",
        sender="json",
        fingerprint=title,
        occurrence=1,
        title=title,
        severity=severity,
        service=service,
        labels={"service": service},
    )


def with_step(client: httpx.Client, about: str, step: str) -> dict[str, Any] | None:
    """The answer, once one of its lines is such a step."""
    told: dict[str, Any] = client.get(f"/api/why/{about}").json()
    return told if step in {line["step"] for line in told["chain"]} else None


@pytest.fixture(scope="module")
def story(recount: Stack) -> dict[str, str]:
    """A critical alert that opened an incident."""
    recount.append("alert.whyalert1", fired("checkout answers 500 for why", service="why-checkout"))
    with recount.client() as client:

        def incident() -> str:
            sql = "select incident_id from alerts where alert_key = 'whyalert1' and incident_id is not null"
            rows = client.post("/api/sql", json={"sql": sql}).json()["rows"]
            return str(rows[0][0]) if rows else ""

        return {"incident": eventually(incident)}


@pytest.fixture(scope="module")
def quiet(recount: Stack) -> dict[str, Any]:
    """What is told of an alert that was passed over, once it was."""
    recount.append("alert.whyquiet", fired("cache is a little cold", "info", "why-cache"))
    with recount.client() as client:
        return eventually(lambda: with_step(client, "whyquiet", "decided"))


def test_an_alert_tells_the_way_to_its_incident_and_why_nobody_was_paged(recount: Stack, story: dict[str, str]):
    with recount.client() as client:
        told = eventually(lambda: with_step(client, "whyalert1", "escalation"))
    assert told["subject"]["kind"] == "alert"
    steps = [line["step"] for line in told["chain"]]
    assert steps[0] == "alert"
    assert "incident" in steps
    assert "decided" in steps
    declared = next(line for line in told["chain"] if line["headline"].startswith("declared"))
    assert declared["cause_seq"] == told["chain"][0]["seq"]
    assert any(story["incident"] in sentence for sentence in told["answer"])
    assert any(one["what"].startswith("Nobody was paged") and "policy" in one["because"] for one in told["absent"])


def test_an_alert_is_found_by_its_title_and_two_that_fit_are_told_apart(recount: Stack, story: dict[str, str]):
    recount.append("alert.whyalert2", fired("checkout answers 500 for why not", "info"))
    with recount.client() as client:
        assert client.get("/api/why/answers 500 for why not").json()["subject"]["id"] == "whyalert2"
        assert client.get("/api/why/checkout answers 500 for why").json()["subject"]["id"] == "whyalert1"
        several = client.get("/api/why/500 for why")
        assert several.status_code == 409
        assert "whyalert1" in several.json()["because"]
        nothing = client.get("/api/why/no-such-thing-at-all")
        assert nothing.status_code == 404


def test_an_alert_that_was_passed_over_says_which_rule_did_it(quiet: dict[str, Any]):
    (absent,) = quiet["absent"]
    assert absent["what"] == "No incident was opened or joined by cache is a little cold"
    assert "info" in absent["because"]
    assert absent["seq"] == quiet["chain"][-1]["seq"]


def test_it_can_be_asked_as_of_a_moment_before_the_decision(recount: Stack, story: dict[str, str]):
    with recount.client() as client:
        now_told = client.get("/api/why/whyalert1").json()
        first = now_told["chain"][0]["seq"]
        then = client.get("/api/why/whyalert1", params={"as_of": first}).json()
    assert [line["seq"] for line in then["chain"]] == [first]
    assert then["position"] == first
    assert "nothing was decided" in then["absent"][0]["because"]


def test_a_page_leads_back_to_the_alert_and_on_to_the_channels_answer(recount: Stack, story: dict[str, str]):
    incident = story["incident"]
    requested = PageRequested(
        incident_id=incident, person_id=BOB, run=1, round=0, level=1, answer_within_s=300, target="rotation.primary"
    )
    recount.append("page.pg-why1", requested)
    recount.append(
        "page.pg-why1",
        PageAttempted(channel="ntfy", contact=0, attempt=1),
        PageFailed(channel="ntfy", contact=0, attempt=1, error="503 from the server"),
        PageAttempted(channel="smtp", contact=1, attempt=1),
        PageSent(channel="smtp", contact=1, attempt=1, provider_reference="<1@example.org>"),
    )
    with recount.client() as client:
        told = client.get("/api/why/pg-why1").json()
    steps = [line["step"] for line in told["chain"]]
    assert steps.count("delivery") == 4
    assert any(line["stream"] == "alert.whyalert1" for line in told["chain"])
    assert any("503 from the server" in sentence for sentence in told["answer"])
    assert any("smtp took it" in sentence for sentence in told["answer"])


def test_a_silence_says_what_it_held_or_that_it_held_nothing(recount: Stack):
    created = SilenceCreated(
        matchers=('service="why-batch"',), starts_at=now(), ends_at=now().replace(year=2099), reason="moving disks"
    )
    recount.append("silence.sil-why1", created)
    with recount.client() as client:
        told = client.get("/api/why/sil-why1").json()
        assert told["absent"][0]["what"] == "It held no alert back"
        assert any("moving disks" in sentence for sentence in told["answer"])
        recount.append("alert.whybatch", fired("batch is late", "info", "why-batch"))
        recount.append("silence.sil-why1", SilenceHeldAlert(alert_key="whybatch", occurrence=1))
        told = client.get("/api/why/sil-why1").json()
    assert "It held back 1 alert." in told["answer"]
    assert any(line["stream"] == "alert.whybatch" for line in told["chain"])


def test_a_receipt_is_told_with_its_bytes_and_one_that_is_gone_says_so(recount: Stack):
    async def put() -> int:
        receipts = NatsReceipts(recount.actors.client)
        try:
            body = b'{"title": "disk of why full", "severity": "critical", "service": "why-disk"}'
            return await receipts.put(
                Receipt(
                    source="json", integration="key-why", received_at=now(), content_type="application/json", body=body
                )
            )
        finally:
            await receipts.close()

    seq = recount.ask(put)
    with recount.client() as client:
        told = eventually(lambda: answer if (answer := client.get(f"/api/why/receipt:{seq}").json())["chain"] else None)
        assert told["receipts"][0]["first_line"].startswith('{"title": "disk of why full"')
        alert = told["chain"][0]
        assert alert["receipt_seq"] == seq
        key = alert["stream"].partition(".")[2]
        by_alert = client.get(f"/api/why/{key}").json()
        assert by_alert["receipts"][0]["seq"] == seq
        gone = client.get("/api/why/receipt:99999999").json()
    assert "INTAKE does not hold it" in gone["receipts"][0]["trouble"]
    assert gone["absent"][0]["what"] == "Nothing follows from it"


def test_an_event_is_found_by_its_position_and_leads_both_ways(recount: Stack, story: dict[str, str]):
    with recount.client() as client:
        chain = client.get("/api/why/whyalert1").json()["chain"]
        told = client.get(f"/api/why/%23{chain[0]['seq']}").json()
    assert told["subject"]["kind"] == "event"
    assert any(line["step"] == "decided" for line in told["chain"])


def test_an_event_says_nothing_of_what_lies_beside_its_way(recount: Stack, story: dict[str, str]):
    with recount.client() as client:
        chain = client.get("/api/why/whyalert1").json()["chain"]
        (declared,) = [line["seq"] for line in chain if line["step"] == "incident"]
        told = client.get(f"/api/why/%23{declared}").json()
    assert told["subject"]["title"] == f"incident.declared of incident.{story['incident']}"
    assert [each["what"] for each in told["absent"] if not each["seq"]] == []


@pytest.mark.usefixtures("quiet")
def test_the_panel_and_the_page_show_it(recount: Stack, story: dict[str, str]):
    with recount.browser("bob") as bob:
        page = bob.get("/why", params={"about": story["incident"]}).text
        assert "What did not happen" in page
        assert "checkout answers 500 for why" in page
        assert bob.get("/why/panel", params={"about": "whyquiet"}).status_code == 200
        assert bob.get("/why", params={"about": "nothing like it"}).status_code == 404
        assert "Why was this opened" in bob.get(f"/incidents/{story['incident']}").text


def test_what_is_passed_over_in_the_future_is_unknown_to_the_past(recount: Stack):
    seq = recount.append("alert.whypast", fired("late disk", "info", "why-past"))
    recount.append("alert.whypast", AlertPassedOver(occurrence=1, rule="r", reason="because"))
    with recount.client() as client:
        assert client.get("/api/why/whypast", params={"as_of": seq - 1}).status_code == 404


@pytest.mark.usefixtures("quiet")
def test_a_decision_is_made_again_by_the_rules_of_its_moment(recount: Stack, story: dict[str, str]):
    with recount.client() as client:
        (placed,) = client.get("/api/why/whyalert1").json()["decisions"]
        (passed_over,) = client.get("/api/why/whyquiet").json()["decisions"]
    assert placed["recorded"] == f"opened {story['incident']}"
    assert placed["agrees"]
    steps = [step["what"] for step in placed["steps"] if not step["what"].startswith("silence ")]
    assert steps == ["route default", "severity of default", "group of default"]
    assert passed_over["recorded"].startswith("only recorded: its severity is info")
    assert passed_over["agrees"]
    assert passed_over["steps"][-1]["outcome"] == "records"


def test_the_silence_of_that_moment_is_asked_and_a_later_one_is_not(recount: Stack):
    until = now().replace(year=2099)
    matchers = ('service="why-held"',)
    recount.append(
        "silence.sil-why2", SilenceCreated(matchers=matchers, starts_at=now(), ends_at=until, reason="moving racks")
    )
    recount.append("alert.whyheld", fired("rack is dark", "info", "why-held"))
    held = AlertHeld(occurrence=1, because="silenced", held_by="sil-why2", until_at=until, route="default")
    recount.append("alert.whyheld", held)
    recount.append(
        "silence.sil-why3", SilenceCreated(matchers=matchers, starts_at=now(), ends_at=until, reason="later")
    )
    with recount.client() as client:
        decisions = client.get("/api/why/whyheld").json()["decisions"]
    found = next(decision for decision in decisions if decision["recorded"] == "held back, silenced by sil-why2")
    assert found["agrees"], found
    asked = {step["what"]: step["outcome"] for step in found["steps"]}
    assert asked["silence sil-why2"] == "holds"
    assert asked["silence sil-why1"] == "does not fit"
    assert "silence sil-why3" not in asked
