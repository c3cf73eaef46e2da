"""Whatever is sent, the answer is never a 500."""

import string
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from services.incidents.commands import VERBS
from tests.services.web.stack import Stack

# The platform is shared by all examples, which is what is wanted here.
SHORT = settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])

JSON: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=10), inner, max_size=3),
    max_leaves=6,
)
FIELDS = sorted({field for kind in VERBS.values() for field in kind.__struct_fields__} | {"happened_at"})


@SHORT
@given(
    verb=st.sampled_from([*VERBS, "no such verb"]), fields=st.dictionaries(st.sampled_from(FIELDS), JSON, max_size=4)
)
def test_any_command_body(recount: Stack, verb: str, fields: dict[str, Any]):
    with recount.client() as program:
        answer = program.post(f"/api/incidents/INC-1/{verb}", json=json_safe(fields))
        assert answer.status_code < 500, answer.text


@SHORT
@given(
    verb=st.sampled_from([*VERBS]), fields=st.dictionaries(st.sampled_from(FIELDS), st.text(max_size=30), max_size=4)
)
def test_any_form(recount: Stack, verb: str, fields: dict[str, str]):
    with recount.client() as program:
        answer = program.post(f"/incidents/INC-1/{verb}", data=text_safe(fields))
        assert answer.status_code < 500, answer.text


@SHORT
@given(body=st.binary(max_size=200), path=st.sampled_from(["/api/incidents", "/api/sql", "/api/people", "/api/keys"]))
def test_any_bytes(recount: Stack, body: bytes, path: str):
    with recount.client() as program:
        answer = program.post(path, content=body, headers={"Content-Type": "application/json"})
        assert 400 <= answer.status_code < 500, answer.text


@SHORT
@given(sql=st.text(alphabet=string.printable, min_size=1, max_size=60) | st.text(min_size=1, max_size=20))
def test_any_sql(recount: Stack, sql: str):
    with recount.client() as program:
        answer = program.post("/api/sql", json={"sql": text_safe({"": sql})[""]})
        assert answer.status_code in (200, 400), answer.text


@SHORT
@given(
    path=st.sampled_from(["/", "/incidents/INC-1", "/oncall", "/api/incidents", "/api/resolve", "/api/tail", "/sql"]),
    name=st.sampled_from(["as_of", "min_position", "phase", "after", "sql", "incident"]),
    value=st.text(max_size=30),
)
def test_any_query(recount: Stack, path: str, name: str, value: str):
    if path == "/api/tail" and name != "after":
        return  # it would be open for ever
    if name == "min_position" and value.isdecimal():
        return  # it would be waited for
    with recount.client() as program, program.stream("GET", path, params=text_safe({name: value})) as answer:
        assert answer.status_code < 500


def json_safe(value: Any) -> Any:
    match value:
        case float():
            return None if value != value or value in (float("inf"), float("-inf")) else value
        case str():
            return value.encode(errors="replace").decode()
        case dict():
            return {json_safe(key): json_safe(item) for key, item in value.items()}
        case list():
            return [json_safe(item) for item in value]
    return value


def text_safe(fields: dict[str, str]) -> dict[str, str]:
    return {name: value.encode(errors="replace").decode() for name, value in fields.items()}
