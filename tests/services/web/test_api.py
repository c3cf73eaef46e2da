"""The HTTP API: commands and their refusals, reading one's own writes, SQL, and reading the past."""

import csv
import io
from datetime import UTC, datetime, timedelta

import pytest

from tests.services.web.stack import ADA, Stack


def test_a_declared_incident_is_read_at_once_with_the_position_of_its_answer(recount: Stack):
    with recount.client(**{"Recount-Actor": "ada"}) as program:
        for number in range(5):
            body = {"title": f"checkout is slow {number}", "severity": "sev3", "commander": "ada"}
            answer = program.post("/api/incidents", json=body)
            assert answer.status_code == 201
            done = answer.json()
            assert done["result"] == "done"
            read = program.get(f"/api/incidents/{done['target']}", params={"min_position": done["seq"]})
            assert read.status_code == 200
            whole = read.json()
            assert whole["incident"]["title"] == f"checkout is slow {number}"
            assert whole["incident"]["commander"] == ADA
            assert whole["names"][ADA] == "Ada Lovelace"
            assert whole["incident"]["opened_at"].endswith("Z")
            types = [line["type"] for line in whole["timeline"] if line["type"].startswith("incident.")]
            assert types == ["incident.declared", "incident.role_assigned"]


def test_a_suspicion_is_opened_for_triage_with_the_time_of_its_first_sign(recount: Stack):
    with recount.client(**{"Recount-Actor": "ada"}) as program:
        body = {"type": "open", "title": "odd logins", "severity": "sev2", "happened_at": "2026-03-01T14:00:00Z"}
        answer = program.post("/api/incidents", json=body)
        assert answer.status_code == 201
        done = answer.json()
        read = program.get(f"/api/incidents/{done['target']}", params={"min_position": done["seq"]}).json()["incident"]
        assert (read["phase"], read["detected_at"], read["declared_at"]) == ("triage", "2026-03-01T14:00:00Z", None)
        assert program.post("/api/incidents", json=body | {"type": "explode"}).status_code == 400


def test_the_same_idempotency_key_declares_once(recount: Stack):
    with recount.client() as program:
        body = {"title": "declared by a script", "severity": "sev4"}
        answers = [
            program.post("/api/incidents", json=body, headers={"Idempotency-Key": "script-17"}) for _ in range(3)
        ]
        assert len({answer.json()["target"] for answer in answers}) == 1
        wrong = program.post("/api/incidents", json=body, headers={"Idempotency-Key": "x" * 300})
        assert wrong.status_code == 400
        assert "1 to 200" in wrong.json()["because"]


def test_answers_name_people_not_ids(recount: Stack):
    incident = recount.declare()
    with recount.client(**{"Recount-Actor": "ada"}) as ada:
        done = ada.post(f"/api/incidents/{incident}/assign", json={"role": "commander", "person_id": "grace"}).json()
        assert "Grace Hopper is commander" in done["message"]
        refused = ada.post(f"/api/incidents/{incident}/assign", json={"role": "commander", "person_id": "bob"})
        assert refused.status_code == 409
        assert "Grace Hopper" in refused.json()["because"]
        assert "per-" not in refused.text


def test_a_refusal_says_what_why_and_what_instead(recount: Stack):
    incident = recount.declare()
    with recount.client() as program:
        answer = program.post(f"/api/incidents/{incident}/close", json={})
        assert answer.status_code == 409
        assert set(answer.json()) == {"error", "because", "instead"}
        assert program.post("/api/incidents/INC-999999/acknowledge", json={}).status_code in (404, 409)


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        ("/api/incidents", b"{", 400),
        ("/api/incidents", b"[]", 400),
        ("/api/incidents", b"[" * 200_000, 400),
        ("/api/incidents", b'{"title":' * 20_000, 400),
        ("/api/incidents", b"", 400),
        ("/api/incidents", b'{"title": "no severity"}', 400),
        ("/api/incidents", b'{"title": "x", "severity": "sev9"}', 400),
        ("/api/incidents", b'{"title": "x", "severity": "sev1", "colour": "red"}', 400),
        ("/api/incidents", b'{"title": "x", "severity": "sev1", "commander": "eve"}', 404),
        ("/api/incidents", b'{"title": "x", "severity": "sev1", "happened_at": "yesterday"}', 400),
        ("/api/incidents/INC-1/dance", b"{}", 400),
        ("/api/incidents/INC-1/note", b'{"text": ""}', 400),
        ("/api/incidents/not%20an%20id/note", b'{"text": "x"}', 400),
        ("/api/sql", b"{}", 400),
        ("/api/sql", b'{"sql": ""}', 400),
        ("/api/sql", b'{"sql": "select", "as_of": 1}', 400),
        ("/api/sql", b'{"sql": "select 1", "as_of": "2026-13-01"}', 400),
        ("/api/sql", b'{"sql": "select 1", "as_of": -4}', 400),
        ("/api/sql", b'{"sql": "select 1", "format": "xml"}', 400),
        ("/api/sql", b'{"sql": "select 1; select 2"}', 400),
        ("/api/sql", b'{"sql": "insert into log values (1)"}', 400),
        ("/api/sql", b'{"sql": "select * from read_csv(\'/etc/passwd\')"}', 400),
        ("/api/people", b'{"handle": "eve", "contacts": ["nowhere"]}', 400),
        ("/api/keys", b"{}", 400),
    ],
)
def test_wrong_input_is_answered_with_what_is_wrong(recount: Stack, path: str, body: bytes, status: int):
    with recount.client() as program:
        answer = program.post(path, content=body, headers={"Content-Type": "application/json"})
        assert answer.status_code == status, answer.text
        assert answer.json()["error"]
        assert answer.json().get("because") or answer.json().get("instead")


@pytest.mark.parametrize(
    "query",
    [
        *("as_of=x", "as_of=99999999999", "as_of=9999-01-01T00:00:00Z", "as_of=2026-02-30", "min_position=x"),
        *("known_by=4711", "known_by=9999-01-01", "happened_by=x", "happened_by=9999-01-01T00:00:00Z"),
        *("phase=-", "phase=active,stuck"),
    ],
)
def test_wrong_questions_about_the_past_are_400(recount: Stack, query: str):
    with recount.client() as program:
        answer = program.get(f"/api/incidents?{query}")
        assert answer.status_code == 400, answer.text
        assert answer.json()["instead"]


def test_a_position_that_does_not_come_is_503_with_retry_after(recount: Stack):
    with recount.client() as program:
        answer = program.get("/api/position?min_position=99999999")
        assert answer.status_code == 503
        assert answer.headers["retry-after"] == "5"
        assert "the projector is at" in answer.json()["because"]


def test_the_past_is_answered_as_it_was_known_then(recount: Stack):
    incident = recount.declare("search is slow", "sev3")
    with recount.client(**{"Recount-Actor": "bob"}) as bob:
        then = bob.get("/api/position").json()["position"]
        seq = bob.post(f"/api/incidents/{incident}/severity", json={"severity": "sev1"}).json()["seq"]
        now = bob.get(f"/api/incidents/{incident}", params={"min_position": seq}).json()
        assert now["incident"]["severity"] == "sev1"
        past = bob.get(f"/api/incidents/{incident}/replay", params={"as_of": then}).json()
        assert past["incident"]["severity"] == "sev3"
        assert past["as_of"] == past["position"] == then
        resolved = bob.get("/api/resolve", params={"as_of": past["recorded_at"]}).json()
        assert resolved["position"] == then
        by_time = bob.get(f"/api/incidents/{incident}", params={"as_of": past["recorded_at"]}).json()
        assert by_time["incident"] == past["incident"]
        sql = {"sql": f"select severity from incidents where incident_id = '{incident}'", "as_of": then}
        assert bob.post("/api/sql", json=sql).json()["rows"] == [["sev3"]]


def test_backdated_acts_keep_both_clocks(recount: Stack):
    incident = recount.declare(declared_at=(datetime.now(UTC) - timedelta(hours=1)).isoformat())
    happened = (datetime.now(UTC) - timedelta(minutes=30)).replace(microsecond=0)
    with recount.client(**{"Recount-Actor": "ada"}) as ada:
        body = {"text": "restarted the cache", "happened_at": happened.isoformat()}
        seq = ada.post(f"/api/incidents/{incident}/note", json=body).json()["seq"]
        whole = ada.get(f"/api/incidents/{incident}", params={"min_position": seq}).json()
        line = whole["timeline"][-1]
        assert line["happened_at"] == happened.isoformat().replace("+00:00", "Z")
        assert line["recorded_at"] > line["happened_at"]


def test_sql_answers_json_and_csv(recount: Stack):
    query = "select 9007199254740993 as big, 1.5::decimal(4, 2) as exact, timestamp '2026-03-01 14:05:00' as at_time, "
    query += "'a \"quoted\", line\nbreak' as text_, null as nothing, [1, 2] as list_, 'nan'::double as odd"
    with recount.client() as program:
        answer = program.post("/api/sql", json={"sql": query}).json()
        assert answer["rows"] == [
            [
                "9007199254740993",
                "1.50",
                "2026-03-01T14:05:00Z",
                'a "quoted", line\nbreak',
                None,
                [1, 2],
                None,
            ]
        ]
        assert answer["columns"][0] == {"name": "big", "type": "BIGINT"}
        assert answer["truncated"] is False
        assert answer["position"] > 0
        table = program.post("/api/sql", json={"sql": query, "format": "csv"})
        assert table.headers["content-type"].startswith("text/csv")
        assert table.text.count("\r\n") == 2
        assert list(csv.reader(io.StringIO(table.text, newline=""))) == [
            ["big", "exact", "at_time", "text_", "nothing", "list_", "odd"],
            ["9007199254740993", "1.50", "2026-03-01T14:05:00Z", 'a "quoted", line\nbreak', "", "[1,2]", ""],
        ]


def test_too_many_rows_are_cut_and_the_answer_says_so(recount: Stack):
    with recount.client() as program:
        answer = program.post("/api/sql", json={"sql": "select * from range(20000)"}).json()
        assert answer["truncated"] is True
        assert len(answer["rows"]) == 10_000
        table = program.post("/api/sql", json={"sql": "select * from range(20000)", "format": "csv"})
        assert table.headers["recount-truncated"] == "true"


def test_the_views_are_described(recount: Stack):
    with recount.client() as program:
        views = {view["name"]: view for view in program.get("/api/views").json()}
        assert views["incidents"]["sentence"]
        [severity] = [column for column in views["incidents"]["columns"] if column["name"] == "severity"]
        assert (severity["type"], severity["meaning"]) == ("VARCHAR", "sev1, the most severe, to sev5.")
        assert "incident_declared" not in views
        everything = {view["name"]: view for view in program.get("/api/views", params={"all": True}).json()}
        assert everything["incident_declared"]["columns"]
        assert {"people", "log", "history"} < set(everything)


def test_a_rebuild_tells_its_progress_and_leaves_no_difference(recount: Stack):
    recount.declare()
    with recount.client() as program:
        lines = [line for line in program.post("/api/rebuild").text.splitlines() if line]
        assert '"finished":true' in lines[-1]
        verified = program.post("/api/verify/views").json()
        assert verified["differences"] == []
        assert verified["projections"] >= 10


def test_health_needs_no_login_and_tells_nothing_else(recount: Stack):
    with recount.client("") as nobody:
        health = nobody.get("/healthz").json()
        assert set(health) == {"status", "position", "log_position"}
        assert health["status"] == "ok"


def test_a_body_that_is_too_large_is_413(recount: Stack):
    with recount.client() as program:
        assert program.post("/api/sql", json={"sql": "x" * 600_000}).status_code == 413
