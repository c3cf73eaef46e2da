"""A key that was used for something else is refused at once, and says what to do."""

from time import monotonic

import pytest

from services.command import ANSWER_TIMEOUT_S
from tests.services.web.stack import Stack


@pytest.mark.parametrize(
    ("first", "second", "body"),
    [
        ("/api/heartbeats/one", "/api/heartbeats/two", {"every_s": 60}),
        ("/api/incidents/{one}/note", "/api/incidents/{two}/note", {"text": "seen"}),
        (
            "/api/rotations/one",
            "/api/rotations/two",
            {"zone": "UTC", "starts_at": "2026-03-01T09:00:00", "shift_days": 7, "members": []},
        ),
    ],
)
def test_one_key_for_two_things(recount: Stack, first: str, second: str, body: dict[str, object]):
    incidents = {"one": recount.declare(), "two": recount.declare()}
    key = first.replace("{", "").replace("}", "")
    with recount.client(**{"Idempotency-Key": key}) as program:
        program.post(first.format(**incidents), json=body).raise_for_status()
        began = monotonic()
        answer = program.post(second.format(**incidents), json=body)
        assert answer.status_code == 400
        assert "use another one" in answer.json()["instead"]
        assert monotonic() - began < ANSWER_TIMEOUT_S
