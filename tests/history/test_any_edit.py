"""Whatever another system says next: told once, it holds, and it holds as if it had been said at once."""

from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, get_args

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from events.incident import (
    SEVERITIES,
    Correction,
    Determination,
    IncidentDeclared,
    IncidentOpened,
    IncidentSeverityChanged,
    TitleChanged,
)
from services.history.archive import Loaded
from services.history.belief import Belief
from services.history.checking import check
from services.history.commands import Snapshot
from services.history.phases import MAY_FOLLOW
from services.history.taking import take

BEGAN = datetime(2026, 3, 1, 10, tzinfo=UTC)
PEOPLE = ("ada", "bob")
MINUTES = st.integers(min_value=0, max_value=40)


def at(minute: int) -> str:
    """A minute of that morning."""
    return (BEGAN + timedelta(minutes=minute)).isoformat()


@st.composite
def milestones(draw: st.DrawFn) -> list[dict[str, Any]]:
    """A path through the phases, in order of time."""
    found: list[dict[str, Any]] = []
    before, minute = None, 0
    for _step in range(draw(st.integers(min_value=1, max_value=6))):
        allowed = sorted(MAY_FOLLOW[before])  # type: ignore[index]
        if not allowed:
            break
        before = draw(st.sampled_from(allowed))
        minute += draw(st.integers(min_value=0, max_value=9))
        found.append({"milestone": before, "at": at(minute)})
    if draw(st.booleans()):
        found.append({"milestone": "notified", "at": at(draw(MINUTES))})
    return found


@st.composite
def impact(draw: st.DrawFn) -> list[dict[str, Any]]:
    """Stretches on two scopes, one after the other on each."""
    found = []
    for scope in ("api", "web"):
        minute = 0
        for number in range(draw(st.integers(min_value=0, max_value=2))):
            start = minute + draw(st.integers(min_value=0, max_value=5))
            minute = start + draw(st.integers(min_value=0, max_value=5))
            stretch = {"scope": scope, "level": draw(st.integers(1, 4)), "start": at(start), "end": at(minute)}
            if draw(st.booleans()):
                stretch["changes"] = [{"level": draw(st.integers(1, 4)), "at": at(start)}]
            if number == 1 and draw(st.booleans()):
                del stretch["end"]
            found.append(stretch)
    return found


UPDATES = st.lists(
    st.fixed_dictionaries(
        {"at": MINUTES.map(at), "text": st.sampled_from(("Hello.", "Well.")), "author": st.sampled_from(PEOPLE)}
    ),
    max_size=3,
)
ACKNOWLEDGEMENTS = st.lists(st.fixed_dictionaries({"at": MINUTES.map(at), "by": st.sampled_from(PEOPLE)}), max_size=2)
ROLES = st.lists(
    st.fixed_dictionaries(
        {"role": st.sampled_from(("commander", "scribe")), "person": st.sampled_from(PEOPLE), "start": MINUTES.map(at)}
    ),
    max_size=2,
)
STATES = st.fixed_dictionaries(
    {
        "title": st.sampled_from(("Checkout is down", "Search is slow")),
        "severity": st.sampled_from(SEVERITIES),
        "service": st.sampled_from(("checkout", "search")),
        "milestones": milestones(),
        "impact": impact(),
        "updates": UPDATES,
        "acknowledgements": ACKNOWLEDGEMENTS,
        "roles": ROLES,
        "determination": st.sampled_from(get_args(Determination)),
    }
)


@given(st.lists(STATES, min_size=1, max_size=4))
@settings(deadline=None)
def test_what_was_told_last_holds_as_if_nothing_had_been_told_before(states: Sequence[dict[str, Any]]):
    after = take_over(states)
    alone = take_over(states[-1:])
    assert held(after.belief) == held(alone.belief)
    assert after.belief.title == alone.belief.title
    assert severity_of(after.belief) == severity_of(alone.belief)


@given(st.lists(STATES, min_size=1, max_size=3))
@settings(deadline=None)
def test_telling_the_same_again_changes_nothing(states: Sequence[dict[str, Any]]):
    after = take_over(states)
    # Its address is new, so that it is not passed over for being known.
    again = take(snapshot(states[-1] | {"url": "https://example.org"}, len(states)), {KEY: after}, {}, "", "", "")
    assert again.events == ()
    assert len(again.writes) == 1


KEY = ("test", "incident")
CORRECTIONS = get_args(Correction)


def snapshot(state: dict[str, Any], number: int) -> Snapshot:
    """A state, known some days later than the one before."""
    known_at = (BEGAN + timedelta(days=1 + number)).isoformat()
    found = msgspec.convert({"system": KEY[0], "id": KEY[1], "known_at": known_at, **state}, Snapshot)
    check(found)
    return found


def take_over(states: Sequence[dict[str, Any]]) -> Loaded:
    """What is believed after these states."""
    loaded = Loaded(guard="import.test")
    for number, state in enumerate(states):
        loaded = take(snapshot(state, number), {KEY: loaded}, {}, "INC-1", "administrator", "").after
    return loaded


def held(belief: Belief) -> Counter[Any]:
    """Every fact that holds with its time, but for names and severities, which have histories of their own. Of a
    determination, its last word alone."""
    described = (TitleChanged, IncidentSeverityChanged)
    found: Counter[Any] = Counter()
    determination = ""
    for told in belief.told:
        fact = told.fact
        if hasattr(fact, "determination"):
            determination = fact.determination
        elif isinstance(fact, IncidentOpened | IncidentDeclared):
            found[type(fact).__name__, fact.service, told.at] += 1
        elif hasattr(fact, "occurred_at") and fact.milestone == "notified":
            found["notified", fact.occurred_at] += 1
        elif not isinstance(fact, (*described, *CORRECTIONS)):
            found[repr(fact), told.at] += 1
    found["determined", determination or "suspected"] += 1
    return found


def severity_of(belief: Belief) -> str:
    """The last severity that was told."""
    told = belief.of(IncidentOpened, IncidentDeclared, IncidentSeverityChanged)
    severity: str = told[-1].fact.severity  # type: ignore[attr-defined]
    return severity
