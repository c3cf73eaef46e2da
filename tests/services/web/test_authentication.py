"""Who may do what: tokens, sessions, and what other sites cannot make a browser do."""

import re
from typing import Any

import pytest
from litestar import Litestar

from events.audit import TokenCreated, TokenRevoked
from services.secrets import hash_secret
from services.web.login_failures import FAILURES_FORGOTTEN_AFTER_S, FAILURES_MAX, LoginFailures
from services.web.page_login import safe_path
from services.web.problems import Problem
from tests.services.web.stack import RESPONDER_SECRET, Stack, eventually

OPEN_TO_ALL = {"/healthz", "/api/openapi.json", "/login", "/ack/{token:str}", "/static/{file_path:path}"}


def every_route(recount: Stack) -> list[tuple[str, str]]:
    app = recount.server.config.app
    assert isinstance(app, Litestar)
    return sorted((method, route.path_format) for route in app.routes for method in route.methods)  # type: ignore[union-attr]


def test_every_route_without_credentials_is_refused(recount: Stack):
    routes = every_route(recount)
    assert len(routes) > 60
    with recount.client("") as nobody:
        for method, path in routes:
            template = re.sub(r"\{(\w+)\}", r"{\1:str}", path).replace("{file_path:str}", "{file_path:path}")
            if template in OPEN_TO_ALL:
                continue
            asked = re.sub(r"\{\w+_seq\}", "1", path)
            answer = nobody.request(method, re.sub(r"\{[^}]*\}", "INC-1", asked))
            if path.startswith("/api/"):
                assert answer.status_code == 401, (method, path)
                assert answer.json()["error"] == "This needs a login"
                assert answer.headers["www-authenticate"] == "Bearer"
            else:
                assert answer.status_code == 303, (method, path)
                assert answer.headers["location"].startswith("/login"), (method, path)


@pytest.mark.parametrize("secret", ["wrong", "x" * 5_000, "\u00e4".encode().decode("latin-1")])
def test_a_wrong_token_is_refused_even_beside_a_good_session(recount: Stack, secret: str):
    with recount.browser() as ada:
        answer = ada.get("/api/position", headers={"Authorization": f"Bearer {secret}".encode("latin-1")})
        assert answer.status_code == 401


def test_a_token_that_is_revoked_ends_its_sessions(recount: Stack):
    secret = "a-token-that-will-be-revoked"
    recount.append("token.tok-temp", TokenCreated(scope="admin", secret_sha256=hash_secret(secret)))
    with recount.client(secret) as program, recount.client("") as browser:
        eventually(lambda: program.get("/api/position").status_code == 200)
        browser.post("/login", data={"token": secret})
        assert browser.get("/").status_code == 200
        recount.append("token.tok-temp", TokenRevoked(reason="lost"))
        eventually(lambda: program.get("/api/position").status_code == 401)
        assert browser.get("/").status_code == 303


def test_logging_in_leads_to_where_one_wanted_to_go(recount: Stack):
    incident = recount.declare()
    with recount.client("") as browser:
        asked = browser.get(f"/incidents/{incident}?as_of=")
        assert asked.headers["location"] == f"/login?next=%2Fincidents%2F{incident}%3Fas_of%3D"
        form = browser.get(asked.headers["location"])
        assert f'value="/incidents/{incident}?as_of="' in form.text
        token = recount.secrets.admin_token.secret
        done = browser.post("/login", data={"token": token, "next": f"/incidents/{incident}", "handle": "bob"})
        assert done.headers["location"] == f"/incidents/{incident}"
        cookie = done.headers["set-cookie"]
        assert "HttpOnly" in cookie
        assert "SameSite=lax" in cookie
        assert "Max-Age=604800" in cookie
        assert "Bob Kahn" in browser.get(f"/incidents/{incident}").text


@pytest.mark.parametrize(
    "wanted",
    [
        "https://evil.example/",
        "//evil.example",
        "/\\evil.example",
        "\\\\evil.example",
        "/\t/evil.example",
        "/\n/evil.example",
        "javascript:alert(1)",
        "evil.example",
        "",
        "http:evil.example",
        " //evil.example",
    ],
)
def test_a_login_never_leads_to_another_site(recount: Stack, wanted: str):
    assert safe_path(wanted) == "/"
    with recount.client("") as browser:
        token = recount.secrets.admin_token.secret
        assert browser.post("/login", data={"token": token, "next": wanted}).headers["location"] == "/"


def test_a_wrong_login_says_so_and_gives_no_session(recount: Stack):
    with recount.client("") as browser:
        answer = browser.post("/login", data={"token": "wrong"})
        assert answer.status_code == 401
        assert "This token is not valid" in answer.text
        assert "set-cookie" not in answer.headers
        unknown = browser.post("/login", data={"token": recount.secrets.admin_token.secret, "handle": "eve"})
        assert "There is no person &#39;eve&#39;" in unknown.text


def test_a_guessing_machine_is_told_to_wait(monkeypatch: pytest.MonkeyPatch):
    moment = 1_000.0
    monkeypatch.setattr("services.web.login_failures.monotonic", lambda: moment)
    failures = LoginFailures()
    for _ in range(FAILURES_MAX):
        failures.refuse_guessing("192.0.2.1")
        failures.add("192.0.2.1")
    with pytest.raises(Problem, match="Too many logins failed"):
        failures.refuse_guessing("192.0.2.1")
    failures.refuse_guessing("192.0.2.2")
    moment += FAILURES_FORGOTTEN_AFTER_S + 1
    failures.refuse_guessing("192.0.2.1")


def test_logging_out_ends_the_session(recount: Stack):
    with recount.browser() as ada:
        token = csrf_of(ada.get("/").text)
        assert ada.post("/logout", data={"csrf_token": token}).status_code == 303
        assert ada.get("/").status_code == 303


@pytest.mark.parametrize(
    ("headers", "form"),
    [
        ({}, {}),
        ({}, {"csrf_token": "wrong"}),
        ({"Sec-Fetch-Site": "cross-site"}, None),
        ({"Origin": "https://evil.example"}, None),
        ({"Origin": "null"}, None),
    ],
)
def test_a_form_of_another_site_is_refused(recount: Stack, headers: dict[str, str], form: dict[str, str] | None):
    incident = recount.declare()
    with recount.browser() as ada:
        valid = {"csrf_token": csrf_of(ada.get("/declare").text)}
        data = {"text": "forged"} | (valid if form is None else form)
        answer = ada.post(f"/incidents/{incident}/note", data=data, headers=headers)
        assert answer.status_code == 403
        assert "The form was not accepted" in answer.text
        answer = ada.post("/api/incidents", json={"title": "forged", "severity": "sev1"}, headers=headers)
        assert answer.status_code == 403
        assert "forged" not in ada.get(f"/incidents/{incident}").text


def test_a_session_may_use_the_api_with_its_csrf_token(recount: Stack):
    with recount.browser() as ada:
        token = csrf_of(ada.get("/").text)
        answer = ada.post("/api/sql", json={"sql": "select 1"}, headers={"X-CSRF-Token": token})
        assert answer.status_code == 200


def test_a_login_that_another_site_sends_is_refused(recount: Stack):
    with recount.client("", **{"Sec-Fetch-Site": "cross-site"}) as browser:
        answer = browser.post("/login", data={"token": recount.secrets.admin_token.secret})
        assert answer.status_code == 403


def test_a_responder_acts_in_their_own_name_only_and_manages_nothing(recount: Stack):
    incident = recount.declare()
    with recount.client(RESPONDER_SECRET) as ada:
        assert ada.post(f"/api/incidents/{incident}/acknowledge", json={}).status_code == 200
        as_bob = ada.post(f"/api/incidents/{incident}/note", json={"text": "x"}, headers={"Recount-Actor": "bob"})
        assert as_bob.status_code == 403
        assert ada.post(
            f"/api/incidents/{incident}/note", json={"text": "x"}, headers={"Recount-Actor": "ada"}
        ).is_success
        for method, path in (
            ("POST", "/api/keys"),
            ("POST", "/api/people"),
            ("DELETE", "/api/people/bob"),
            ("POST", "/api/rebuild"),
            ("POST", "/api/verify/views"),
            ("POST", "/api/dead-letters/x/replay"),
        ):
            body: Any = {"sender": "json", "handle": "eve"} if path in ("/api/keys", "/api/people") else None
            body = {"sender": "json"} if path == "/api/keys" else body and {"handle": "eve"}
            answer = ada.request(method, path, json=body)
            assert answer.status_code == 403, (method, path, answer.text)
            assert answer.json()["error"] == "This needs an admin token"


def test_an_actor_that_nobody_is_called_is_refused_with_those_that_exist(recount: Stack):
    incident = recount.declare()
    with recount.client(**{"Recount-Actor": "eve"}) as program:
        answer = program.post(f"/api/incidents/{incident}/acknowledge", json={})
        assert answer.status_code == 404
        assert answer.json()["because"] == "known handles are: ada, bob, grace"


def test_every_answer_carries_the_security_headers(recount: Stack):
    with recount.client("") as nobody:
        for path in ("/login", "/healthz", "/api/position", "/static/recount.css", "/nowhere", "/ack/x"):
            headers = nobody.get(path).headers
            assert "script-src 'self'" in headers["content-security-policy"]
            assert "frame-ancestors 'none'" in headers["content-security-policy"]
            assert "unsafe" not in headers["content-security-policy"]
            assert headers["x-content-type-options"] == "nosniff"
        assert nobody.get("/ack/x").headers["referrer-policy"] == "no-referrer"
        assert nobody.get("/static/../app.py").status_code == 404
        assert nobody.get("/static/recount.css%00").status_code == 404
        assert nobody.get("/static/%2e%2e/app.py").status_code == 404


def csrf_of(html: str) -> str:
    found = re.search(r'name="csrf_token" value="([^"]+)"', html)
    assert found
    return found[1]
