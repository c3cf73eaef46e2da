"""The acknowledgement link: no login, one button, and words for a link that does not work."""

from datetime import timedelta

from services.page_link import PageLink, sign
from tests.services.web.stack import BOB, Stack, eventually, now


def link(recount: Stack, incident: str, *, life: timedelta = timedelta(hours=1), page_id: str = "page-1") -> str:
    claims = PageLink(person_id=BOB, page_id=page_id, incident_id=incident, expires_at=now() + life)
    return f"/ack/{sign(claims, bytes.fromhex(recount.secrets.page_link_key))}"


def test_the_link_acknowledges_in_the_name_of_the_person_who_was_paged(recount: Stack):
    incident = recount.declare("pager duty calls")
    path = link(recount, incident)
    with recount.client("") as phone, recount.client() as program:
        for _ in range(2):  # as mail scanners do
            page = phone.get(path)
            assert page.status_code == 200
            assert "Acknowledge as Bob Kahn" in page.text
            assert page.headers["referrer-policy"] == "no-referrer"
        assert program.get(f"/api/incidents/{incident}").json()["responders"] == []
        assert phone.post(path).status_code == 200
        whole = (
            eventually(lambda: program.get(f"/api/incidents/{incident}").json()["responders"])
            and program.get(f"/api/incidents/{incident}").json()
        )
        assert whole["incident"]["acknowledged_by"] == BOB
        again = phone.post(path)
        assert again.status_code == 200
        assert "You acknowledged it at" in phone.get(path).text
        acknowledgements = [
            line for line in program.get(f"/api/incidents/{incident}").json()["timeline"]
            if line["type"] == "incident.acknowledged"
        ]  # fmt: skip
        assert len(acknowledgements) == 1


def test_an_expired_link_says_so(recount: Stack):
    with recount.client("") as phone:
        path = link(recount, recount.declare(), life=-timedelta(minutes=1))
        for answer in (phone.get(path), phone.post(path)):
            assert answer.status_code == 410
            assert "expired" in answer.text


def test_an_altered_link_opens_nothing(recount: Stack):
    path = link(recount, recount.declare())
    with recount.client("") as phone:
        for altered in (path[:-1], path + "A", "/ack/" + "A" * 3_000, "/ack/x.y", "/ack/%00", "/ack/%ED%A0%80"):
            answer = phone.post(altered)
            assert answer.status_code == 404, altered
            assert "not genuine" in answer.text or "no such page" in answer.text


def test_a_link_to_an_incident_that_is_over_says_that_nothing_is_left(recount: Stack):
    incident = recount.declare()
    with recount.client(**{"Recount-Actor": "ada"}) as ada:
        seq = ada.post(f"/api/incidents/{incident}/resolve", json={}).json()["seq"]
        ada.get("/api/position", params={"min_position": seq})
    with recount.client("") as phone:
        path = link(recount, incident, page_id="page-2")
        assert "there is nothing left to acknowledge" in phone.get(path).text
        refused = phone.post(path)
        assert refused.status_code == 409
        assert 'role="alert"' in refused.text
