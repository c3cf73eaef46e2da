"""Figures over HTTP: with intervals, reasons and receipts, compared, restated, and checked by a stranger."""

import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from events.incident import ImpactEnded, ImpactStarted, IncidentDeclared, MilestoneCorrected
from events.page import PageRequested, PageSent
from tests.services.web.past_incidents import tell, tell_month
from tests.services.web.stack import ADA, BOB, Stack

MINUTE = 60_000_000
FEBRUARY = datetime(2026, 2, 2, 9)
SERVICE = "ledger"


@pytest.fixture(scope="module")
def february(recount: Stack) -> dict[str, str]:
    """Ten incidents of one service in February; the last two are not over."""
    lengths: dict[str, float | None] = {f"INC-8{number:02}": 10.0 * (number + 1) for number in range(8)}
    tell_month(recount, FEBRUARY, lengths | {"INC-808": None, "INC-809": None}, service=SERVICE)
    return {"service": SERVICE, "period": "2026-02"}


def ask(recount: Stack, metric: str = "ttr_recover", **said: Any) -> dict[str, Any]:
    with recount.client() as client:
        answer = client.get(f"/api/metrics/{metric}", params=said)
        assert answer.status_code == 200, answer.text
        return answer.json()  # type: ignore[no-any-return]


def the_figure(answer: dict[str, Any]) -> dict[str, Any]:
    (metric,) = answer["metrics"]
    (figure,) = metric["figures"]
    return figure  # type: ignore[no-any-return]


def test_a_figure_has_its_interval_its_counts_and_its_definition(recount: Stack, february: dict[str, str]):
    answer = ask(recount, **february)
    (metric,) = answer["metrics"]
    assert metric["sentence"].startswith("Time to recover: from the start of impact")
    assert (metric["starts"], metric["ends"], len(metric["sha256"])) == ("impact_started", "first_resolved", 64)
    figure = the_figure(answer)
    assert (figure["n"], figure["measured"], figure["censored"]) == (10, 8, 2)
    assert figure["median"]["value_us"] == 50 * MINUTE
    assert figure["median"]["low_us"] < 50 * MINUTE
    assert figure["p90"] | {"low_us": 0} == {
        "value_us": None,
        "low_us": 0,
        "high_us": None,
        "absent": "not reached",
        "low_absent": "",
        "high_absent": "an upper end needs 36 measured, there are 8",
    }
    assert answer["severity"] == "peak"


def test_all_metrics_are_answered_at_once_or_those_that_are_named(recount: Stack, february: dict[str, str]):
    with recount.client() as client:
        everything = client.get("/api/metrics").json()
        two = client.get("/api/metrics", params={"metric": "ttd,tta"} | february).json()
    assert {"ttd", "tta", "ttc", "ttm", "ttr_recover"} <= {metric["metric"] for metric in everything["metrics"]}
    assert [metric["metric"] for metric in two["metrics"]] == ["ttd", "tta"]


def test_a_cohort_may_be_of_one_profile(recount: Stack, february: dict[str, str]):
    assert the_figure(ask(recount, profile="ops", **february))["n"] >= 10
    assert the_figure(ask(recount, profile="security", **february))["n"] == 0


def test_groups_carry_their_own_figures_and_receipts(recount: Stack, february: dict[str, str]):
    (metric,) = ask(recount, by="week", **february)["metrics"]
    assert [figure["group"] for figure in metric["figures"]] == ["2026-W06"]
    assert check(recount, metric["figures"][0]["receipt"])["holds"]


def test_the_curve_can_be_had_with_its_band(recount: Stack, february: dict[str, str]):
    curve = the_figure(ask(recount, curve=1, **february))["curve"]
    assert [step["duration_us"] // MINUTE for step in curve] == [10, 20, 30, 40, 50, 60, 70, 80]
    assert curve[4]["survival"] == pytest.approx(0.5)
    assert curve[4]["low"] < 0.5 < curve[4]["high"]


def check(recount: Stack, receipt: str) -> dict[str, Any]:
    with recount.client() as client:
        answer = client.post("/api/metrics/receipt", json={"receipt": receipt})
        assert answer.status_code == 200, answer.text
        return answer.json()  # type: ignore[no-any-return]


def changed(receipt: str, **parts: Any) -> str:
    """A receipt with other parts."""
    body = receipt.removeprefix("rc1.")
    said = json.loads(urlsafe_b64decode(body + "=" * (-len(body) % 4)))
    return "rc1." + urlsafe_b64encode(json.dumps(said | parts).encode()).decode().rstrip("=")


def test_a_receipt_holds_however_long_the_log_has_grown(recount: Stack, february: dict[str, str]):
    receipt = the_figure(ask(recount, mean=1, **february))["receipt"]
    tell_month(recount, FEBRUARY, {"INC-811": 500.0}, service=SERVICE)
    verdict = check(recount, receipt)
    assert (verdict["holds"], verdict["differences"]) == (True, [])
    assert verdict["now"]["n"] == 10
    assert verdict["now"]["mean"]["method"] == "bca"
    assert the_figure(ask(recount, mean=1, **february))["n"] == 11


def test_a_receipt_that_was_tampered_with_names_the_part_that_differs(recount: Stack, february: dict[str, str]):
    receipt = the_figure(ask(recount, **february))["receipt"]
    for part, value, name, holds in (
        ("f", "0" * 32, "figure", False),
        ("d", "0" * 64, "definition", False),
        ("q", "1.0.0", "engine", True),
        ("r", "0.0.1", "program", True),
    ):
        verdict = check(recount, changed(receipt, **{part: value}))
        assert [difference["part"] for difference in verdict["differences"]] == [name]
        assert verdict["holds"] is holds


@pytest.mark.parametrize("receipt", ["hello", "rc1.", "rc1.e30", "rc1.!!!!", "rc1." + "A" * 500])
def test_what_is_no_receipt_is_refused(recount: Stack, receipt: str):
    with recount.client() as client:
        answer = client.post("/api/metrics/receipt", json={"receipt": receipt})
    assert answer.status_code == 400
    assert "rc1." in answer.json()["instead"]


def test_a_receipt_of_a_longer_log_is_not_found(recount: Stack, february: dict[str, str]):
    receipt = the_figure(ask(recount, **february))["receipt"]
    with recount.client() as client:
        answer = client.post("/api/metrics/receipt", json={"receipt": changed(receipt, p=10**9)})
    assert answer.status_code == 404
    assert "another log" in answer.json()["because"]


def test_a_correction_restates_the_figure_and_is_named(recount: Stack):
    start = datetime(2026, 4, 6, 9)
    tell_month(recount, start, {f"INC-84{number}": 10.0 * (number + 1) for number in range(6)}, service="search")
    asked = {"service": "search", "period": "2026-04"}
    before = ask(recount, **asked)
    with recount.client() as client:
        said = "select seq, event_id from incident_impact_started where stream_id = 'INC-842'"
        ((seq, event_id),) = client.post("/api/sql", json={"sql": said}).json()["rows"]
    tell(
        recount,
        "INC-842",
        (
            datetime(2026, 5, 1, tzinfo=UTC),
            MilestoneCorrected(
                milestone="impact_started",
                occurred_at=datetime(2026, 4, 6, 12, tzinfo=UTC),
                reason="the graphs show it",
                replaces_seq=seq,
                replaces_event_id=event_id,
            ),
        ),
    )
    with recount.client() as client:
        answer = client.get(
            "/api/metrics/restatement", params={"metric": "ttr_recover", "since": before["position"]} | asked
        ).json()
    (restated,) = answer["restated"]
    assert restated["restated"]
    assert restated["then"] == the_figure(before)
    assert restated["now"]["median"]["value_us"] > restated["then"]["median"]["value_us"]
    (change,) = restated["changes"]
    assert (change["incident_id"], change["kind"]) == ("INC-842", "restated")
    assert (change["then"]["duration_us"], change["now"]["duration_us"]) == (30 * MINUTE, 90 * MINUTE)
    assert [event["type"] for event in change["events"] if event["is_correction"]] == ["incident.milestone_corrected"]
    assert "the graphs show it" in change["events"][0]["headline"]


def test_two_periods_are_compared_and_no_trend_is_called_of_so_few(recount: Stack, february: dict[str, str]):
    tell_month(recount, datetime(2026, 3, 2, 9), {f"INC-83{n}": 8.0 * (n + 1) for n in range(8)}, service=SERVICE)
    answer = ask(recount, service=SERVICE, earlier="2026-02", later="2026-03")
    (comparison,) = answer["comparison"]["figures"]
    assert comparison["call"] == "no trend"
    assert comparison["ratio_low"] < 1 < comparison["ratio_high"]
    assert "can be told from chance" in comparison["sentence"]


@pytest.mark.parametrize(
    ("path", "said", "status", "words"),
    [
        ("mttr", {}, 404, "at least four meanings"),
        ("ttd", {"by": "colour"}, 400, "service, team, source"),
        ("ttd", {"period": "last month"}, 400, "2026-Q1"),
        ("ttd", {"period": "2026-02", "from": "2026-01-01"}, 400, "one of both"),
        ("ttd", {"from": "2026-02-02", "to": "2026-02-01"}, 400, "2026-02"),
        ("ttd", {"servce": "checkout"}, 400, "service"),
        ("ttd", {"earlier": "2026-01"}, 400, "2026-Q1"),
        ("restatement", {}, 400, "since=4711"),
    ],
)
def test_a_question_that_cannot_be_answered_says_what_to_ask(
    recount: Stack, path: str, said: dict[str, str], status: int, words: str
):
    with recount.client() as client:
        answer = client.get(f"/api/metrics/{path}", params=said)
    assert answer.status_code == status
    assert words in json.dumps(answer.json())


def test_the_page_of_all_metrics_links_to_each_and_checks_receipts(recount: Stack, february: dict[str, str]):
    with recount.browser() as browser:
        text = browser.get("/metrics", params=february).text
        assert 'href="/metrics/ttr_recover?period=2026-02&amp;service=ledger"' in text
        assert "<b>NR</b>" in text
        token = text.partition('name="csrf_token" value="')[2].partition('"')[0]
        receipt = the_figure(ask(recount, **february))["receipt"]
        checked = browser.post("/metrics/receipt", data={"csrf_token": token, "receipt": receipt})
        assert "<h1>Equal</h1>" in checked.text
        tampered = browser.post("/metrics/receipt", data={"csrf_token": token, "receipt": changed(receipt, f="0" * 32)})
        assert "<h1>Not equal</h1>" in tampered.text


def test_the_page_of_a_metric_shows_definition_curve_and_the_incidents_behind(recount: Stack, february: dict[str, str]):
    with recount.browser() as browser:
        text = browser.get("/metrics/ttr_recover", params=february | {"by": "week"}).text
    assert "Time to recover: from the start of impact" in text
    assert '<polyline class="line"' in text
    assert '<polygon class="band"' in text
    assert "/incidents/INC-803" in text
    assert "2026-W06" in text
    assert "rc1." in text


def test_the_page_can_be_seen_as_of_an_earlier_position(recount: Stack, february: dict[str, str]):
    position = ask(recount, **february)["position"]
    tell_month(recount, datetime(2026, 2, 20), {"INC-860": 90.0}, service=SERVICE)
    with recount.browser() as browser:
        then = browser.get("/metrics/ttr_recover", params=february | {"as_of": str(position)}).text
        now = browser.get("/metrics/ttr_recover", params=february).text
    assert "INC-860" in now
    assert "INC-860" not in then
    assert f"As known at log position {position}" in then


def test_the_page_says_what_was_restated_and_what_cannot_be_compared(recount: Stack, february: dict[str, str]):
    with recount.browser() as browser:
        compared = browser.get(
            "/metrics/ttr_recover", params={"service": SERVICE, "earlier": "2025-01", "later": "2026-02"}
        ).text
        since = browser.get("/metrics/ttr_recover", params=february | {"since": "1"}).text
    assert "cannot be compared" in compared
    assert "Restated since" in since


@pytest.mark.parametrize(
    "said",
    [
        {"period": "\0"},
        {"period": "9998-12"},
        {"period": "٢٠٢٦-02"},
        {"from": "0001-01-01T00:00:00+14:00"},
        {"to": "9999-12-31T23:59:59-14:00"},
        {"service": "\0'; drop table log_rows; --"},
        {"team": "'" * 200},
        {"severity": "x" * 201},
        {"since": "9" * 40},
        {"by": "service; select 1"},
        {"metric": ",,ttd,"},
        {"curve": "1", "by": "week"},
    ],
    ids=str,
)
@pytest.mark.parametrize("path", ["/api/metrics", "/metrics", "/metrics/ttd", "/api/metrics/restatement"])
def test_whatever_is_typed_is_answered_or_refused(recount: Stack, path: str, said: dict[str, str]):
    with recount.client() as client:
        answer = client.get(path, params=said)
    assert answer.status_code in (200, 400)


def counted(answer: dict[str, Any], metric: str) -> list[dict[str, Any]]:
    """The figures of a counted metric."""
    (found,) = [each for each in answer["counts"] if each["metric"] == metric]
    return found["figures"]  # type: ignore[no-any-return]


def test_minutes_of_impact_add_up_and_have_a_receipt_that_holds(recount: Stack):
    """Ten minutes at level 3, and one hour at level 1: 90 minutes."""
    began = datetime(2026, 6, 1, 9, tzinfo=UTC)
    for incident_id, level, minutes in (("INC-870", 3, 10), ("INC-871", 1, 60)):
        tell(
            recount,
            incident_id,
            (began, IncidentDeclared(title="slow", severity="sev3", service="invoices")),
            (began, ImpactStarted(scope="invoices", level=level)),
            (began + timedelta(minutes=minutes), ImpactEnded(scope="invoices")),
        )
    asked = {"service": "invoices", "period": "2026-06"}
    answer = ask(recount, "impact_minutes", **asked)
    (figure,) = counted(answer, "impact_minutes")
    assert (figure["part"], figure["whole"], figure["share"]) == (90 * MINUTE, 2, None)
    assert answer["counts"][0]["sentence"].startswith("How long users were affected")
    with recount.browser() as browser:
        text = browser.get("/metrics", params=asked).text
        assert "<b>90.0</b>" in text
        assert "over 2 incidents" in text
        token = text.partition('name="csrf_token" value="')[2].partition('"')[0]
        checked = browser.post("/metrics/receipt", data={"csrf_token": token, "receipt": figure["receipt"]}).text
        assert "<h1>Equal</h1>" in checked
    tell(recount, "INC-871", (began + timedelta(hours=2), ImpactStarted(scope="invoices", level=1)))
    (now,) = counted(ask(recount, "impact_minutes", **asked), "impact_minutes")
    assert (now["whole"], now["lasting"]) == (2, 1)
    assert now["lasting_part"] < now["part"]
    assert check(recount, figure["receipt"])["holds"]
    (then,) = counted(ask(recount, "impact_minutes", as_of=answer["position"], **asked), "impact_minutes")
    assert then == figure
    asked_since = {"metric": "impact_minutes", "since": answer["position"]} | asked
    with recount.client() as client:
        (restated,) = client.get("/api/metrics/restatement", params=asked_since).json()["counts"]
    assert (restated["then"], restated["now"]["lasting"]) == (figure, 1)


def test_pages_are_told_by_person_with_their_names(recount: Stack):
    at = datetime(2026, 6, 6, 23, tzinfo=UTC)  # a Saturday night
    tell(recount, "INC-872", (at, IncidentDeclared(title="slow", severity="sev1", service="parcels")))
    for page_id, person in (("pg-871", ADA), ("pg-872", ADA), ("pg-873", BOB)):
        requested = PageRequested(
            incident_id="INC-872",
            person_id=person,
            run=1,
            round=0,
            level=1,
            answer_within_s=300,
            target=f"person.{person}",
        )
        recount.append(f"page.{page_id}", requested, PageSent(channel="smtp", contact=0, attempt=1), at=at)
    asked = {"service": "parcels", "period": "2026-06"}
    answer = ask(recount, "pages_per_person", by="person", **asked)
    assert [(each["group"], each["part"]) for each in counted(answer, "pages_per_person")] == [(ADA, 2), (BOB, 1)]
    assert answer["names"][ADA] == "Ada Lovelace"
    (whole,) = counted(ask(recount, "pages_at_night", **asked), "pages_at_night")
    assert (whole["part"], whole["whole"]) == (3, 3)
    with recount.browser() as browser:
        text = browser.get("/metrics", params=asked | {"by": "person"}).text
    assert "<td>Ada Lovelace</td>" in text
    assert "impact_minutes is not counted by person" in text
    assert all(check(recount, each["receipt"])["holds"] for each in counted(answer, "pages_per_person"))


@pytest.mark.parametrize("path", ["/api/metrics/ttd", "/metrics/ttd"])
def test_no_incident_is_somebodys(recount: Stack, path: str):
    with recount.client() as client:
        answer = client.get(path, params={"by": "person"})
    assert answer.status_code == 400
    assert "pages_per_person" in answer.text
