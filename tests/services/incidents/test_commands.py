"""Orders as they come over the wire."""

from datetime import date

import msgspec
import pytest

from services.command import CommandRefused
from services.incidents.commands import VERBS, AgreeAction, Declare, Merge, parse


def test_every_verb_is_read_back_from_its_own_bytes():
    wish = Declare(title="checkout is down", severity="sev1", profile="security", commander="per-ada")
    assert parse("declare", msgspec.json.encode(wish)) == wish
    assert parse("merge", b'{"into_incident_id": "INC-7"}') == Merge(into_incident_id="INC-7")
    assert parse("agree_action", b'{"text": "a runbook", "due_on": "2026-04-01"}') == AgreeAction(
        text="a runbook", due_on=date(2026, 4, 1)
    )


def test_every_verb_says_what_it_does():
    assert all(kind.__doc__ for kind in VERBS.values())
    assert {"declare", "acknowledge", "resolve", "publish_review"} <= set(VERBS)


@pytest.mark.parametrize(
    ("verb", "body", "because"),
    [
        ("severity", b'{"severity": "sev9"}', "`$.severity` cannot be 'sev9'"),
        ("severity", b"{}", "`$.severity` is missing"),
        ("declare", b'{"titel": "checkout"}', "unknown field `titel`"),
        ("declare", b'{"title": 7}', "Expected `str`, got `int` - at `$.title`"),
        ("declare", b'{"detected_at": "2026-03-01T14:00:00"}', "timezone component - at `$.detected_at`"),
        ("assign", b'{"role": "commander", "person_id": "per ada"}', "at `$.person_id`"),
        ("merge", b'{"into_incident_id": "INC-7\\n"}', "at `$.into_incident_id`"),
        ("impact", b'{"scope": "checkout", "level": 5}', "`int` <= 4 - at `$.level`"),
        ("note", b'{"type": "rename", "text": "x"}', "Invalid value 'rename' - at `$.type`"),
        ("note", b'{"text": ""}', "at `$.text`"),
        ("note", b"\xff", "JSON is malformed"),
        ("note", b'{"text": "\xff"}', "utf-8"),
        ("reopen", b'{"kind": "relapse", "reason": ""}', "at `$.reason`"),
        ("explode", b"{}", "incidents have no verb 'explode'"),
    ],
)
def test_what_cannot_be_read_is_refused_with_its_place(verb: str, body: bytes, because: str):
    with pytest.raises(CommandRefused) as caught:
        parse(verb, body)
    assert because in caught.value.answer.because
    assert caught.value.answer.code == "invalid"
    assert caught.value.answer.instead
