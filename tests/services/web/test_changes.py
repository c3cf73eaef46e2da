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
