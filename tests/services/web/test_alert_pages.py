"""Pages of alerts, silences, rules and pages: what they list, and a silence from an alert to its end."""

import re
from datetime import timedelta

import httpx
import pytest

from events.alert import AlertCleared, AlertFired, AlertHeld
from events.page import PageRequested, PageWithheld
from events.rules import RulesPublished
from events.silence import SilenceHeldAlert
from tests.services.web.stack import BOB, Stack, now

# Other tests share the platform: published or not, these rules decide alike.
BUILT_IN = '[route]\nopens_at = "error"\n'


def fired(title: str, *, severity: str = "info", service: str = "pages", **labels: str) -> AlertFired:
    return AlertFired(
        integration="key-json",
        sender="json",
        fingerprint=title,
        occurrence=1,
        title=title,
        severity=severity,
        service=service,
        labels=labels,
        annotations={"summary": f"about {title}"},
    )


def send(browser: httpx.Client, path: str, **fields: str) -> httpx.Response:
    token = re.search(r'name="csrf_token" value="([^"]+)"', browser.get("/declare").text)
    assert token
    return browser.post(path, data={"csrf_token": token[1]} | fields)


def follow(browser: httpx.Client, answer: httpx.Response) -> str:
    assert answer.status_code == 303, answer.text
    return browser.get(answer.headers["location"]).text


@pytest.fixture(scope="module", autouse=True)
def alerts(recount: Stack) -> None:
    recount.append("alert.pagesdisk", fired("disk of pages full", disk="sda", host="db-1"))
    recount.append("alert.pagescpu", fired("cpu of pages busy", severity="warning", host="db-1"))
    recount.append("alert.pagesold", fired("memory of pages low", host="db-2"), AlertCleared())


def test_alerts_are_listed_by_state_severity_service_and_text(recount: Stack):
    with recount.browser("bob") as bob:
        firing = bob.get("/alerts", params={"text": "of pages"}).text
        assert "disk of pages full" in firing
        assert "memory of pages low" not in firing
        cleared = bob.get("/alerts", params={"show": "cleared", "text": "of pages"}).text
        assert "memory of pages low" in cleared
        warnings = bob.get("/alerts", params={"severity": "warning", "service": "pages"}).text
        assert "cpu of pages busy" in warnings
        assert "disk of pages full" not in warnings
        by_label = bob.get("/alerts", params={"text": "sda"}).text
        assert "disk of pages full" in by_label
        narrowed = bob.get("/alerts", params={"text": "nothing is called so"}).text
        assert "No alert is like that." in narrowed
        assert "No alert has come yet." not in narrowed
        before = bob.get("/alerts", params={"as_of": 1}).text
        assert "No alert had come yet." in before
        assert "Where senders post" in before
        assert bob.get("/alerts", params={"show": "asleep"}).status_code == 400
        assert bob.get("/alerts", params={"severity": "dire"}).status_code == 400
    with recount.client() as client:
        rows = client.get("/api/alerts", params={"text": "of pages", "show": "all"}).json()["alerts"]
        assert {row["alert_key"] for row in rows} == {"pagesdisk", "pagescpu", "pagesold"}


def test_an_alert_shows_its_labels_its_timeline_and_why(recount: Stack):
    with recount.browser("bob") as bob:
        text = bob.get("/alerts/pagesdisk").text
        assert "db-1" in text
        assert "about disk of pages full" in text
        assert "host=&#34;db-1&#34;" in text
        assert "What led to it" in text
        assert bob.get("/alerts/no-such-alert").status_code == 404
    with recount.client() as client:
        view = client.get("/api/alerts/pagesold").json()
        assert view["occurrences"][0]["cleared_at"] is not None
        assert view["alert"]["state"] == "cleared"


def test_a_silence_is_previewed_made_lengthened_and_ended(recount: Stack):
    matchers = 'service="pages"\nhost=~"db-.*"'
    with recount.browser("bob") as bob:
        looked = bob.get("/silences/new", params={"matchers": matchers, "reason": "disks are replaced"}).text
        assert "disk of pages full" in looked
        assert "cpu of pages busy" in looked
        assert "memory of pages low" not in looked
        answer = send(bob, "/silences", matchers=matchers, reason="disks are replaced", lasts_s="3600", order_id="o-1")
        shown = follow(bob, answer)
        assert "disks are replaced" in shown
        assert "Bob Kahn" in shown
        path = answer.headers["location"].partition("?")[0]
        silence_id = path.rpartition("/")[2]
        recount.append(f"silence.{silence_id}", SilenceHeldAlert(alert_key="pagesdisk", occurrence=1))
        recount.append("alert.pagesdisk", AlertHeld(occurrence=1, because="silenced", held_by=silence_id))
        assert "holds 1 alert back" in bob.get("/silences").text
        assert silence_id in bob.get("/alerts/pagesdisk").text
        assert "disk of pages full" in bob.get("/alerts", params={"show": "held"}).text
        assert "disk of pages full" in bob.get(path).text
        longer = follow(bob, send(bob, f"{path}/change", lasts_s="86400", reason="the second disk, too"))
        assert "the second disk, too" in longer
        ended = follow(bob, send(bob, f"{path}/end", reason="all are replaced"))
        assert ">ended<" in ended
        created = int(answer.headers["location"].rpartition("=")[2])
        assert ">active<" in bob.get(path, params={"as_of": created}).text
        refused = send(bob, f"{path}/change", lasts_s="3600")
        assert refused.status_code == 409
        assert "it ended" in refused.text
        assert bob.get(f"{path}/change").status_code == 303


def test_a_silence_of_everything_or_of_nothing_readable_is_refused_with_what_was_typed(recount: Stack):
    with recount.browser("bob") as bob:
        everything = send(bob, "/silences", matchers='host=~".*"', reason="peace", lasts_s="3600")
        assert everything.status_code == 400
        assert "peace" in everything.text
        assert bob.get("/silences/new", params={"matchers": 'host=~"("'}).status_code == 400
        assert send(bob, "/silences", matchers='host="a"', reason="x", lasts_s="long").status_code == 400
        assert bob.get("/silences/sil-unknown").status_code == 404


def test_a_maintenance_window_waits(recount: Stack):
    starts = (now() + timedelta(hours=5)).strftime("%Y-%m-%dT%H:%M")
    with recount.browser("bob") as bob:
        answer = send(bob, "/silences", matchers='host="db-9"', reason="moving racks", lasts_s="3600", starts_at=starts)
        assert ">pending<" in follow(bob, answer)


def test_the_rules_are_shown_with_their_history(recount: Stack):
    with recount.browser("bob") as bob:
        first = RulesPublished(text=BUILT_IN, text_sha256="a" * 64, note="to begin with")
        second = RulesPublished(text=f'{BUILT_IN}group_by = ["service"]\n', text_sha256="b" * 64, note="in full")
        one = recount.append("rules.default", first)
        two = recount.append("rules.default", second)
        text = bob.get("/rules").text
        assert "in full" in text
        assert "+group_by = [&#34;service&#34;]" in text
        former = bob.get("/rules", params={"version": one}).text
        assert "A former version" in former
        assert bob.get("/rules", params={"version": two + 10_000}).status_code == 404
        assert "Nobody has published rules" in bob.get("/rules", params={"as_of": one - 1}).text


def test_a_page_tells_whom_it_asked_and_why_it_was_withheld(recount: Stack):
    incident = recount.declare("pages are slow", "sev4")
    requested = PageRequested(
        incident_id=incident, person_id=BOB, run=1, round=0, level=1, answer_within_s=300, target="rotation.primary"
    )
    recount.append("page.pg-pages1", requested)
    recount.append("page.pg-pages1", PageWithheld(incident_id=incident, reason="it was acknowledged meanwhile"))
    with recount.browser("ada") as ada:
        text = ada.get("/pages/pg-pages1").text
        assert "Bob Kahn was not paged" in text
        assert "it was acknowledged meanwhile" in text
        assert ada.get("/pages/pg-none").status_code == 404
        assert "/pages/pg-pages1" in ada.get(f"/incidents/{incident}").text
