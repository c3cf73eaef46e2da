"""Every door through a lens: as known at, as happened by, and both; kept while one walks, and told in the answer."""

import re
from datetime import timedelta

import httpx
import pytest

from events.escalation import Level
from events.incident import IncidentSeverityChanged
from events.oncall import PolicyConfigured, RotationConfigured, ShiftEnded, ShiftStarted
from tests.services.web.stack import ADA, BOB, Stack, now

PAGES = ("/", "/oncall", "/work", "/sql", "/incidents/{incident}", "/postmortem/{incident}")
DOORS = ("/api/incidents", "/api/incidents/{incident}", "/api/incidents/{incident}/replay", "/api/oncall", "/api/work",
         "/api/keys", "/api/dead-letters", "/api/changes")  # fmt: skip


@pytest.fixture
def incident(recount: Stack) -> str:
    return recount.declare("orders are late", "sev3")


@pytest.fixture
def then(recount: Stack, incident: str) -> int:
    """A position after which the incident became worse."""
    position = recount.position()
    recount.append(
        f"incident.{incident}", IncidentSeverityChanged(severity="sev1", previous="sev3", reason="all regions")
    )
    return position


@pytest.mark.parametrize("page", PAGES)
def test_a_page_says_through_which_lens_one_looks_and_leads_back(recount: Stack, incident: str, then: int, page: str):
    with recount.browser() as ada:
        address = page.format(incident=incident)
        shown = ada.get(address, params={"as_of": then})
        assert shown.status_code == 200, shown.text
        assert f"As known at log position {then}," in shown.text
        assert f'<a href="{address}">Back to now</a>' in shown.text
        assert f'href="/diff?from={then}' in shown.text
        # The lens stays while one walks.
        for other in ("/", "/oncall", "/work", "/sql"):
            assert f'href="{other}?as_of={then}"' in shown.text
        assert "As known at" not in ada.get(address).text.partition("<main")[2].partition("<form")[0]


def test_the_lens_stays_beside_what_else_the_address_asks(recount: Stack, incident: str, then: int):
    with recount.browser() as ada:
        shown = ada.get("/", params={"phase": "open", "as_of": then}).text
        assert f'<a href="/incidents/{incident}?as_of={then}">' in shown
        assert f'<a href="/?phase=all&amp;as_of={then}"' in shown
        assert '<a href="/?phase=open">Back to now</a>' in shown


@pytest.mark.parametrize("door", DOORS)
def test_every_door_of_the_api_takes_a_lens_and_says_through_which_it_answered(
    recount: Stack, incident: str, then: int, door: str
):
    with recount.client() as program:
        by = now().isoformat()
        answer = program.get(door.format(incident=incident), params={"as_of": then, "happened_by": by, "known_by": by})
        assert answer.status_code == 200, answer.text
        told = answer.json()
        assert told["position"] == then
        assert told["happened_by"].endswith("Z")
        assert told["known_by"].endswith("Z")


def test_both_clocks_are_asked_apart_and_together(recount: Stack):
    noon = now() - timedelta(hours=2)
    with recount.client(**{"Recount-Actor": "ada"}) as ada:
        said = {"title": "the night shift saw it first", "severity": "sev2", "happened_at": noon.isoformat()}
        done = ada.post("/api/incidents", json=said).json()
        ada.get("/api/position", params={"min_position": done["seq"]})

        def known(**lens: object) -> bool:
            listed = ada.get("/api/incidents", params=lens).json()["incidents"]
            return done["target"] in [row["incident_id"] for row in listed]

        # It happened two hours ago, but nobody knew.
        after, before = (noon + timedelta(minutes=1)).isoformat(), (noon - timedelta(minutes=1)).isoformat()
        assert known(happened_by=after)
        assert not known(happened_by=before)
        assert not known(as_of=after)
        assert not known(as_of=after, happened_by=after)
        assert known(as_of=done["seq"], happened_by=after)


def test_who_was_on_call_is_asked_for_any_moment(recount: Stack):
    configured = RotationConfigured(
        name="night", zone="Europe/London", starts_at=now(), shift_days=7, members=(ADA, BOB)
    )
    recount.append("rotation.night", configured, ShiftStarted(person_id=ADA, ends_at=now()))
    levels = (Level(targets=("rotation.night",), answer_within_s=300),)
    then = recount.append("policy.night", PolicyConfigured(name="at night", levels=levels))
    recount.append("rotation.night", ShiftEnded(person_id=ADA), ShiftStarted(person_id=BOB, ends_at=now()))
    recount.append("policy.night", PolicyConfigured(name="by night", levels=levels, repeat=2))
    with recount.client() as program:
        assert _on_call(program) == (BOB, "by night")
        assert _on_call(program, as_of=then) == (ADA, "at night")
    with recount.browser() as ada:
        assert "Policy by night" in ada.get("/oncall").text
        assert "Policy at night" in ada.get("/oncall", params={"as_of": then}).text


def _on_call(program: httpx.Client, **lens: int) -> tuple[str, str]:
    told = program.get("/api/oncall", params=lens).json()
    [shift] = [shift for shift in told["shifts"] if shift["rotation_id"] == "night"]
    [policy] = [policy for policy in told["policies"] if policy["policy_id"] == "night"]
    return shift["person_id"], policy["name"]


def test_sql_through_both_clocks(recount: Stack, incident: str, then: int):
    question = {"sql": f"select severity from incidents where incident_id = '{incident}'"}
    with recount.client() as program:

        def severity(**lens: object) -> list[list[str]]:
            rows: list[list[str]] = program.post("/api/sql", json=question | lens).json()["rows"]
            return rows

        assert severity() == [["sev1"]]
        assert severity(as_of=then) == [["sev3"]]
        assert severity(happened_by=(now() - timedelta(hours=1)).isoformat()) == []
    with recount.browser() as ada:
        form = {"sql": question["sql"], "as_of": str(then), "format": "table"}
        console = ada.get("/sql").text
        token = console.partition('name="csrf" value="')[2].partition('"')[0] or _csrf(console)
        shown = ada.post("/sql", data=form | {_csrf_field(console): token}).text
        assert "sev3" in shown
        assert f"As known at log position {then}," in shown
        assert f'href="/oncall?as_of={then}"' in shown


def test_what_waited_then(recount: Stack, incident: str, then: int):
    with recount.client() as program:
        waiting = [row["id"] for row in program.get("/api/work", params={"as_of": then}).json()["work"]]
        assert incident in waiting
        before = program.get("/api/work", params={"as_of": 1}).json()
        assert before["work"] == []
        assert before["position"] == 1
    with recount.browser() as ada:
        assert "orders are late" in ada.get("/work").text
        assert "Nothing waited for anybody" in ada.get("/work", params={"as_of": 1}).text


def test_what_changed_is_named_with_its_cause(recount: Stack, incident: str, then: int):
    with recount.client() as program:
        answer = program.get("/api/diff", params={"from": then, "incident": incident})
        assert answer.status_code == 200, answer.text
        told = answer.json()
        assert told["from"]["position"] == then
        [view] = [view for view in told["views"] if view["view"] == "incidents"]
        [change] = view["changes"]
        assert {"column": "severity", "before": "sev3", "after": "sev1"} in change["cells"]
        assert change["kind"] == "changed"
        [seq] = change["causes"]
        assert told["causes"][str(seq)]["type"] == "incident.severity_changed"
        assert program.get("/api/diff", params={"from": then, "to": then}).json()["views"] == []
    with recount.browser() as ada:
        page = ada.get("/diff", params={"from": then, "incident": incident}).text
        assert "<del>sev3</del>" in page
        assert "<ins>sev1</ins>" in page
        assert "all regions" in page
        # An event is told once, however many rows it changed.
        assert page.count(f'id="event-{seq}"') == 1
        assert f'href="#event-{seq}"' in page
        assert "Compare" in ada.get("/diff").text


@pytest.mark.parametrize(
    "query", ["", "from=x", "from=99999999999", "from=1&to=x", "from=1&view=nonsense", "from=1&happened_by=x"]
)
def test_a_comparison_that_cannot_be_made_is_400(recount: Stack, query: str):
    with recount.client() as program:
        answer = program.get(f"/api/diff?{query}")
        assert answer.status_code == 400, answer.text
        assert answer.json()["instead"]


def test_the_incident_page_has_a_slider_over_what_happened(recount: Stack, incident: str, then: int):
    with recount.browser() as ada:
        page = ada.get(f"/incidents/{incident}", params={"as_of": then}).text
        slider = re.search(r'<input id="moment" type="range" name="as_of" min="(\d+)" max="(\d+)" value="(\d+)"', page)
        assert slider is not None
        first, last, shown = map(int, slider.groups())
        assert first <= shown == then < last
        assert f'<option value="{last}" label="' in page


def _csrf_field(page: str) -> str:
    return page.partition('<input type="hidden" name="')[2].partition('"')[0]


def _csrf(page: str) -> str:
    return page.partition(f'name="{_csrf_field(page)}" value="')[2].partition('"')[0]
