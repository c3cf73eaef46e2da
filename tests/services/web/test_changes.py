"""Changes beside the incident they may have caused, and in a list of their own."""

from datetime import timedelta

from events.change import ChangeRecorded
from tests.services.web.stack import Stack, now


def change(title: str, **fields: str) -> ChangeRecorded:
    told = {"integration": "key-ci", "sender": "cdevents", "external_id": title, "service": "shop"} | fields
    return ChangeRecorded(title=title, **told)


def test_what_was_changed_is_shown_beside_the_incident_and_listed(recount: Stack):
    recount.append("change.old", change("last month's release"), at=now() - timedelta(days=30))
    recount.append(
        "change.c1",
        change("shop: deployment finished", outcome="finished", version="1.4", url="https://ci.example.org/41"),
        at=now() - timedelta(hours=2),
    )
    before = recount.position()
    recount.append("change.c2", change("other", service="search"), at=now() - timedelta(hours=1))
    recount.append("change.c3", change("flag on", url="javascript:alert(1)"), at=now() - timedelta(minutes=30))
    incident = recount.declare("orders are late", "sev3", service="shop")

    with recount.browser() as ada:
        shown = ada.get(f"/incidents/{incident}").text
        assert '<a href="https://ci.example.org/41" rel="noreferrer">shop: deployment finished</a>' in shown
        assert "flag on" in shown
        assert "javascript:" not in shown
        assert "last month" not in shown
        assert "other" not in shown.partition('id="changes-title"')[2].partition("</section>")[0]
        unnamed = recount.declare("something", "sev4", service="")
        assert "It names no service" in ada.get(f"/incidents/{unnamed}").text

    with recount.client() as program:
        titles = [row["title"] for row in program.get("/api/changes").json()["changes"]]
        assert titles == ["flag on", "other", "shop: deployment finished", "last month's release"]
        around = program.get("/api/changes", params={"incident": incident}).json()["changes"]
        assert [row["change_key"] for row in around] == ["c3", "c1"]
        asked = {"service": "shop", "hours": 24}
        assert len(program.get("/api/changes", params=asked).json()["changes"]) == 2
        then = program.get("/api/changes", params={"as_of": before}).json()
        assert [row["change_key"] for row in then["changes"]] == ["c1", "old"]
        assert program.get("/api/changes", params={"incident": "INC-999"}).status_code == 404


def test_what_change_did_it_is_said_on_the_page_and_counts(recount: Stack):
    """Two deployments of parcels, one of which caused an incident, and a rollback that ended it."""
    for key, title, kind in (("d1", "parcels 1", "deployment"), ("d2", "parcels 2", "deployment")):
        recount.append(f"change.{key}", change(title, kind=kind, outcome="finished", service="parcels"))
    rollback = change("parcels 1 again", kind="service.rolledback", outcome="finished", service="other")
    recount.append("change.d3", rollback)
    incident = recount.declare("parcels are lost", "sev3", service="parcels")
    with recount.browser() as ada:
        shown = ada.get(f"/incidents/{incident}").text
        token = shown.partition('name="csrf_token" value="')[2].partition('"')[0]
        choice = shown.partition(f'action="/incidents/{incident}/link_change"')[2].partition("</form>")[0]
        assert '<option value="d2"' in choice
        assert "d3" not in choice
        assert "Take a change out" not in shown

        def say(verb: str, **fields: str) -> str:
            answer = ada.post(
                f"/incidents/{incident}/{verb}", data={"csrf_token": token} | fields, follow_redirects=True
            )
            assert answer.status_code == 200
            return answer.text

        linked = say("link_change", change_key="d2", part="cause", reason="the stack trace")
        assert '<span class="state cause">cause</span>' in linked
        assert "Take a change out" in linked
        say("identify", summary="a label is printed twice")

    with recount.client() as program:

        def order(verb: str, **command: str) -> int:
            answer = program.post(f"/api/incidents/{incident}/{verb}", json=command)
            assert answer.status_code == 200, answer.text
            position: int = answer.json()["seq"]
            return position

        order("link_change", change_key="d3", part="remedy")
        position = order("resolve")
        refused = program.post(
            f"/api/incidents/{incident}/link_change", json={"change_key": "none-such", "part": "cause"}
        )
        assert (refused.status_code, refused.json()["instead"]) == (404, "find its key: `recount changes list`")
        # What is linked comes first, also where it is of another service.
        asked = {"incident": incident, "min_position": position}
        around = program.get("/api/changes", params=asked).json()["changes"]
        assert [(row["change_key"], row["parts"]) for row in around] == [
            ("d3", ["remedy"]),
            ("d2", ["cause"]),
            ("d1", []),
        ]

        def counted(metric: str, **said: object) -> tuple[int, int]:
            answer = program.get(f"/api/metrics/{metric}", params={"service": "parcels"} | said).json()
            (figure,) = answer["counts"][0]["figures"]
            again = program.post("/api/metrics/receipt", json={"receipt": figure["receipt"]}).json()
            assert again["holds"]
            return figure["part"], figure["whole"]

        assert counted("dora_change_fail_rate") == (1, 2)
        assert counted("dora_rework_rate", service="other") == (1, 1)
        assert counted("dora_deployment_frequency")[0] == 2
        (recovery,) = program.get("/api/metrics/dora_recovery_time", params={"service": "parcels"}).json()["metrics"]
        assert (recovery["starts"], recovery["figures"][0]["measured"]) == ("deployed", 1)
        (repair,) = program.get("/api/metrics/ttr_repair", params={"service": "parcels"}).json()["metrics"]
        assert (repair["version"], repair["figures"][0]["measured"]) == (2, 1)
        order("unlink_change", change_key="d2", part="cause", reason="it was there before")
        position = order("note", text="looked again")
        assert counted("dora_change_fail_rate", min_position=position) == (0, 2)
