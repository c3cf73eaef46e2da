"""Requests to every route of an OpenAPI document, as schemathesis makes them up, and a look at every answer."""

import random
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import httpx
import requests
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import seed as seeded
from hypothesis import strategies as st
from hypothesis.errors import Unsatisfiable
from schemathesis import APIOperation, Case, GenerationMode
from schemathesis.checks import CHECKS, load_all_checks

from services.intake.adapters import TARGET_HEADER, adapters
from services.intake.answers import answers
from services.intake.door_document import document as door_document
from services.sources import examples
from services.web.api_document import document as api_document
from tests.platform import Platform
from tests.services.intake.arbitrary import Payload, payloads

# The dearest answer takes about a second of a processor. Whoever waits longer than this, on a machine as busy as they
# get, waits for nothing.
ANSWER_S_MAX = 60.0
# Computing everything again, or copying it, takes seconds: once a round is enough.
COSTLY = {"POST /api/rebuild", "POST /api/snapshot", "POST /api/verify/views"}
# An open stream has no end to wait for; `tests/services/web/test_tail.py` reads it.
ENDLESS = {"GET /api/tail"}
# Senders whose signature cannot be checked where no certificate can be fetched.
SIGNED = {"sns"}
ANSWERED = {f"{one.route.method} {one.route.template}" for one in answers()}

load_all_checks()
# Whether a request is taken is not among them: a document cannot say that an incident exists, or that a text is rules.
CHECKED = CHECKS.get_by_names(
    [
        "status_code_conformance",
        "content_type_conformance",
        "response_headers_conformance",
        "response_schema_conformance",
    ]
)


@dataclass
class Asked:
    """What was asked, and what came back."""

    routes: set[str] = field(default_factory=set)
    statuses: Counter[int] = field(default_factory=Counter)
    taken: int = 0
    """Payloads that were answered with a 2xx."""
    taken_in_part: int = 0
    """Payloads that Alertmanager's own API answers with a 400, and takes all the same what it can."""

    def check(self, case: Case, answer: requests.Response | httpx.Response) -> None:
        """Look at an answer: is it one of those that the document promises?"""
        self.routes.add(case.operation.label)
        self.statuses[answer.status_code] += 1
        case.validate_response(answer, checks=CHECKED)


def operations(document: dict[str, Any]) -> Iterator[APIOperation]:
    """Every operation of a document."""
    for found in schemathesis.openapi.from_dict(document).get_all_operations():
        yield found.ok()


def ask_the_web(platform: Platform, *, seed: int, count: int) -> Asked:
    """Ask every route of the HTTP API.

    Args:
        platform: is asked.
        seed: the same gives the same requests.
        count: of requests that fit, and as many that do not, a route.
    """
    asked = Asked()
    names = _names(platform)
    session = requests.Session()

    def ask(example: tuple[Case, str, bool]) -> None:
        case, token, is_known = example
        for name, known in names.items():
            if is_known and name in case.path_parameters:
                case.path_parameters[name] = random.Random(str(case.path_parameters[name])).choice(known)
        # A position that is not there yet is waited for, in vain.
        case.query.pop("min_position", None)
        case.headers.pop("Authorization", None)
        answer = case.call(base_url=platform.url, session=session, headers=_bearer(token), timeout=ANSWER_S_MAX)
        asked.check(case, answer)
        assert answer.status_code != 503, answer.text

    with session:
        for operation in operations(api_document()):
            if operation.label in ENDLESS:
                continue
            is_costly = operation.label in COSTLY
            modes = [GenerationMode.POSITIVE] if is_costly else [GenerationMode.POSITIVE, GenerationMode.NEGATIVE]
            for mode in modes:
                strategy = st.tuples(
                    operation.as_strategy(generation_mode=mode),
                    st.sampled_from([*[platform.token] * 12, "wrong", ""]),
                    st.sampled_from([True, True, False]),
                )
                _each(strategy, ask, seed=seed, count=1 if is_costly else count)
    return asked


def ask_intake(platform: Platform, keys: dict[str, str], *, seed: int, count: int) -> Asked:
    """Ask every route of intake's port: with real payloads, or what was made of them.

    Args:
        platform: is asked.
        keys: the secret of an integration key by sender.
        seed: the same gives the same requests.
        count: of requests a route.
    """
    asked = Asked()

    def ask(example: tuple[Case, Payload, str]) -> None:
        case, payload, secret = example
        if "key" in case.path_parameters:
            case.path_parameters["key"] = secret or case.path_parameters["key"]
        headers = {name: value for name, value in payload.headers.items() if name != TARGET_HEADER}
        answer = platform.intake.request(
            case.method,
            case.formatted_path,
            content=payload.body,
            headers=headers | {"content-type": payload.kind} | _bearer(secret),
            timeout=ANSWER_S_MAX,
        )
        asked.check(case, answer)
        sender = _sender(case.operation)
        assert answer.status_code != 503 or sender in SIGNED, answer.text
        if sender and case.operation.label not in ANSWERED:
            asked.taken += answer.is_success
            asked.taken_in_part += sender == "alertmanager_api" and answer.status_code == 400

    for operation in operations(_without_bodies(door_document())):
        sender = _sender(operation)
        strategy = st.tuples(
            operation.as_strategy(),
            payloads(sender) if sender else st.just(Payload(b"")),
            st.sampled_from([*[keys.get(sender, "")] * 12, "wrong", ""]),
        )
        _each(strategy, ask, seed=seed, count=count)
    return asked


def make_keys(platform: Platform) -> dict[str, str]:
    """An integration key of every sender; gives their secrets."""
    keys: dict[str, str] = {}
    for sender in adapters():
        key = {"sender": sender, "mapping": examples()[sender].mapping}
        answer = platform.http.post("/api/keys", json=key).raise_for_status().json()
        platform.http.get("/api/position", params={"min_position": answer["seq"]}).raise_for_status()
        keys[sender] = answer["secret"]
    return keys


def _bearer(secret: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {secret}"} if secret else {}


def _without_bodies(document: dict[str, Any]) -> dict[str, Any]:
    """The same, for whoever has payloads of their own."""
    paths = {
        path: {
            method: {name: part for name, part in operation.items() if name != "requestBody"}
            for method, operation in item.items()
        }
        for path, item in document["paths"].items()
    }
    return {**document, "paths": paths}


def _sender(operation: APIOperation) -> str:
    """Whose route it is; empty for one of intake's own."""
    (tag,) = operation.definition.raw["tags"]
    return tag if tag in adapters() else ""


def _names(platform: Platform) -> dict[str, list[str]]:
    """What is there to be named in a path, by parameter. The keys of others are not among it."""
    key = platform.http.post("/api/keys", json={"sender": "json", "name": "to be changed"}).json()
    lasting = {"matchers": ['service="none"'], "reason": "nothing has this service", "lasts_s": 600}
    silence = platform.http.post("/api/silences", json=lasting).json()
    dead = platform.http.get("/api/dead-letters").json()["dead_letters"]
    return {
        "incident_id": ["INC-1", "INC-2", "INC-3"],
        "key_id": [key["key_id"]],
        "silence_id": [silence["target"]],
        "dead_letter_id": [one["dead_letter_id"] for one in dead[:20]] or ["none"],
        "handle": ["ada"],
        "metric": ["ttr_resolve", "pages", "mttr"],
        "rotation_id": ["primary"],
        "policy_id": ["default"],
        "name": ["nightly"],
    }


def _each(strategy: st.SearchStrategy[Any], ask: Callable[[Any], None], *, seed: int, count: int) -> None:
    """Ask with so many examples. A failure is told at once: making it smaller would ask a server that has changed."""

    @seeded(seed)
    @settings(
        max_examples=count, database=None, deadline=None, phases=[Phase.generate], suppress_health_check=[*HealthCheck]
    )
    @given(strategy)
    def each(example: Any) -> None:
        ask(example)

    # Of a route that takes no parameters, or any, nothing can be wrong.
    with suppress(Unsatisfiable):
        each()
