"""Small things by themselves: sessions, durations, names, values on the wire."""

from datetime import UTC, datetime, timedelta

import pytest

from events import Event, Fact, Recorded
from events.audit import TokenCreated, TokenRevoked
from services.clock import FakeClock
from services.incidents.commands import VERBS
from services.incidents.lifecycle import ALLOWED_FROM
from services.secrets import hash_secret
from services.web.answers import json_value
from services.web.correcting import CORRECTIONS
from services.web.forms import command_fields, moves_for
from services.web.moves import MOVES
from services.web.names import in_words, speak
from services.web.reader import parse_moment
from services.web.sessions import SESSION_TTL, Sessions
from services.web.tokens import Tokens
from services.web.wording import duration, lag, phase_word


def recorded(seq: int, fact: Fact) -> Recorded:
    event = Event(id=f"event-{seq}", fact=fact, happened_at=START, source="recount/test")
    return Recorded(seq=seq, stream="token.tok-1", recorded_at=START, event=event)


START = datetime(2026, 3, 1, 3, 0, tzinfo=UTC)


def test_a_session_cookie_that_was_altered_or_has_expired_opens_nothing():
    clock = FakeClock(START)
    sessions = Sessions(b"k" * 32, clock, secure=True)
    session = sessions.new("tok-1", "per-ada")
    cookie = sessions.cookie(session)
    assert cookie.secure
    value = str(cookie.value)
    assert sessions.read(value) == session
    for altered in (value[:-2], value.replace(".", "x"), f"A{value}", "", ".", "é.x", "x" * 5_000):
        assert sessions.read(altered) is None
    assert Sessions(b"o" * 32, clock, secure=True).read(value) is None
    clock.moment = START + SESSION_TTL
    assert sessions.read(value) is None


def test_a_revoked_token_does_not_come_back_when_old_facts_are_heard_again():
    created = recorded(1, TokenCreated(scope="admin", secret_sha256=hash_secret("old")))
    revoked = recorded(2, TokenRevoked(reason="lost"))
    tokens = Tokens()
    tokens.fold([created])
    assert tokens.by_secret("old")
    assert tokens.by_secret("new") is None
    tokens.fold([revoked, created])
    assert tokens.by_secret("old") is None
    assert tokens.by_id("tok-1") is None


def test_a_csrf_token_is_of_one_session_only():
    sessions = Sessions(b"k" * 32, FakeClock(START), secure=False)
    ada, bob = sessions.new("tok-1", "per-ada"), sessions.new("tok-1", "per-bob")
    assert sessions.csrf_holds(ada, sessions.csrf_token(ada))
    assert not sessions.csrf_holds(bob, sessions.csrf_token(ada))
    assert not sessions.csrf_holds(ada, None)
    assert not sessions.csrf_holds(ada, "é")


@pytest.mark.parametrize(
    ("span", "words"),
    [
        (timedelta(seconds=42), "42 s"),
        (timedelta(seconds=90), "1 min 30 s"),
        (timedelta(minutes=5), "5 min"),
        (timedelta(minutes=38, seconds=12), "38 min"),
        (timedelta(hours=3, minutes=5), "3 h 05 min"),
        (timedelta(days=2, hours=4), "2 d 4 h"),
    ],
)
def test_a_duration_has_its_two_largest_units(span: timedelta, words: str):
    assert duration(span) == words


def test_clocks_that_hardly_differ_are_not_mentioned():
    assert lag(START, START + timedelta(seconds=1)) == ""
    assert lag(START, START + timedelta(minutes=12)) == "12 min later"
    assert lag(START, START - timedelta(minutes=12)) == "12 min before it happened"


def test_containment_is_called_mitigation_in_operations_only():
    assert phase_word("contained", "ops") == "mitigated"
    assert phase_word("contained", "security") == "contained"


def test_names_stand_for_ids_and_machines_are_told_apart_from_people():
    called = {"per-ada2222222": "Ada Lovelace"}
    assert in_words("per-ada2222222 is commander, not per-bob2222222", called) == (
        "Ada Lovelace is commander, not per-bob2222222"
    )
    assert speak("per-ada2222222", called) == "Ada Lovelace"
    assert speak("service:incidents", called) == "Recount (incidents)"
    assert speak("key:key-1", called) == "integration key key-1"
    assert speak("administrator", called) == "an administrator"


def test_times_are_utc_unless_they_say_otherwise():
    assert parse_moment("2026-03-01T14:05:00+02:00") == datetime(2026, 3, 1, 12, 5, tzinfo=UTC)
    assert parse_moment("2026-03-01T14:05:00 02:00") == datetime(2026, 3, 1, 12, 5, tzinfo=UTC)  # an unescaped plus
    assert parse_moment("2026-03-01") == datetime(2026, 3, 1, tzinfo=UTC)
    assert parse_moment("0001-01-01T00:00:00+14:00") is None
    assert parse_moment("now") is None


def test_values_that_json_cannot_hold_are_told_apart():
    assert json_value(2**53) == str(2**53)
    assert json_value(True) is True
    assert json_value(float("inf")) is None
    assert json_value({1: (timedelta(seconds=90), b"\x00")}) == {"1": ["PT90S", "AA=="]}


def test_every_phase_offers_a_way_on_and_no_phase_an_impossible_one():
    for phase in ("triage", "active", "contained", "eradicated", "resolved", "dismissed", "merged"):
        for profile in ("ops", "security"):
            moves = moves_for(phase, profile)
            assert moves[0].weight == "next", phase
            assert len({move.label for move in moves}) == len(moves)
    assert {move.verb for move in moves_for("closed", "ops")} >= {"reopen"}


def test_every_change_of_phase_is_offered_where_it_is_allowed_and_nowhere_else():
    for kind, phases in ALLOWED_FROM.items():
        verb = str(kind.__struct_config__.tag)
        for phase in phases - {"unopened"}:
            for profile in ("ops", "security"):
                assert verb in {move.verb for move in moves_for(phase, profile)}, (verb, phase, profile)
        offered = {phase for move in MOVES if move.verb == verb for phase in move.phases}
        assert offered <= phases, verb


def test_every_verb_has_a_form():
    elsewhere = {"open", "note", "agree_action", "finish_action", "publish_review"}
    assert {move.verb for move in (*MOVES, *CORRECTIONS)} | elsewhere == set(VERBS)


def test_a_choice_between_things_of_the_incident_is_offered_when_there_are_any():
    def roles(**choices: list[tuple[str, str]]) -> dict[str, tuple[tuple[str, str], ...]]:
        named = {name.replace("_", "."): found for name, found in choices.items()}
        return {move.verb: move.fields[0].choices for move in moves_for("active", "ops", named) if move.fields}

    assert "accept" not in roles()
    assert roles(accept_role=[("commander", "commander")])["accept"] == (("commander", "commander"),)


def test_a_form_leaves_out_what_was_left_empty_and_knows_an_unticked_box():
    assert command_fields("contain", {"summary": " ", "ends_impact_asked": "1"}) == {"ends_impact": False}
    assert command_fields("contain", {"summary": "drained"}) == {"summary": "drained"}
    assert command_fields("impact", {"scope": "checkout", "level": "3", "stranger": "x"}) == {
        "scope": "checkout",
        "level": 3,
    }
    assert len({(move.verb, move.profile, move.phases) for move in MOVES}) == len(MOVES)
