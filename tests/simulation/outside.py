"""Laws about what the world outside saw: the messages that left, and the alerts that its monitoring sent."""

from collections import Counter
from datetime import datetime, timedelta

from events.alert import AlertCleared, AlertClearedUnseen, AlertFired
from events.incident import IncidentAcknowledged, IncidentReinstated, IncidentReopened
from events.page import PageAttempted, PageRequested, PageSent
from events.subjects import split
from tests.simulation.history import History
from tests.simulation.phases import OPEN, Phases

# Between its last look at the incident and the attempt in the log, a copy of the notifier may be kept waiting; in the
# simulated world, by a few steps of up to 20 minutes.
LOOKED_BEFORE_MAX = timedelta(hours=2)


def a_message_was_attempted_first_and_says_when_it_may_not_be_the_only_one(history: History) -> None:
    """Each message that left stands in the log as an attempt, leaves once, and is marked as a possible duplicate when
    another of its page left before."""
    attempts = dict(_attempts(history))
    times = Counter(history.messages)
    assert max(times.values(), default=1) == 1, times.most_common(1)
    left: set[str] = set()
    for message in history.messages:
        page_id = message.rpartition(".")[0]
        assert message in attempts, f"{message} left, and no attempt is in the log"
        assert page_id not in left or attempts[message].possibly_duplicate, f"{message} is another, and does not say so"
        left.add(page_id)


def what_was_sent_left(history: History) -> None:
    """A page that counts as sent is one that its channel took."""
    for event in history.events:
        if isinstance(event.fact, PageSent):
            message = f"{split(event.stream)[1]}.{event.fact.attempt}"
            assert message in history.messages, f"{event.stream} at position {event.seq}: {message} never left"


def nothing_leaves_long_after_an_answer(history: History) -> None:
    """While an incident is acknowledged or over, no message about it is attempted, but for those under way."""
    phases, about = Phases(), dict[str, str]()
    acknowledged, quiet_since = set[str](), dict[str, datetime]()
    for event in history.events:
        phases.follow(event)
        category, identifier = split(event.stream)
        match event.fact:
            case IncidentAcknowledged():
                acknowledged.add(identifier)
            case IncidentReopened() | IncidentReinstated():
                acknowledged.discard(identifier)
            case PageRequested(incident_id=incident_id):
                about[identifier] = incident_id
            case PageAttempted():
                since = quiet_since.get(about[identifier], event.happened_at)
                assert event.happened_at - since <= LOOKED_BEFORE_MAX, (
                    f"{event.stream} at position {event.seq}: quiet since {since}"
                )
        if category == "incident" and (identifier in acknowledged or phases.of(identifier) not in OPEN):
            quiet_since.setdefault(identifier, event.recorded_at)
        elif category == "incident":
            quiet_since.pop(identifier, None)


def what_its_sender_says_is_believed(history: History) -> None:
    """Once the world is at rest, an alert fires exactly when its sender says so, since the time that it says."""
    firing: dict[str, datetime | None] = {}
    fingerprints: dict[str, str] = {}
    for event in history.events:
        match event.fact:
            case AlertFired(fingerprint=fingerprint, started_at=started_at):
                fingerprints[event.stream] = fingerprint
                firing[fingerprint] = started_at
            case AlertCleared():
                firing.pop(fingerprints[event.stream], None)
            case AlertClearedUnseen(fingerprint=fingerprint):
                firing.pop(fingerprint, None)
    assert firing == history.firing, {fp: firing.get(fp, "quiet") for fp in firing.keys() ^ history.firing.keys()}


def a_beginning_is_told_once(history: History) -> None:
    """Of all that its sender said about an alert, each beginning is one firing, and there is no other. One may be
    missing when a newer beginning, or a stop that lies after it, was told before it: then it is old news. Where no
    times are said, there are not more firings than beginnings."""
    told: Counter[tuple[str, datetime]] = Counter()
    untimed: Counter[str] = Counter()
    fingerprints: dict[str, str] = {}
    newest: dict[str, datetime] = {}
    for event in history.events:
        match event.fact:
            case AlertFired(fingerprint=fingerprint, started_at=None):
                untimed[fingerprint] += 1
                continue
            case AlertFired(fingerprint=fingerprint, started_at=moment):
                fingerprints[event.stream] = fingerprint
                told[fingerprint, moment] += 1
            case AlertClearedUnseen(fingerprint=fingerprint, ended_at=moment):
                pass
            case AlertCleared(ended_at=moment) if event.stream in fingerprints:
                fingerprint = fingerprints[event.stream]
            case _:
                continue
        if moment is not None:
            newest[fingerprint] = max(moment, newest.get(fingerprint, moment))
    said = Counter(fingerprint for fingerprint, _began_at in history.began)
    assert untimed <= said, untimed - said
    assert max(told.values(), default=1) == 1, told.most_common(1)
    assert set(told) <= history.began, f"nobody said so: {set(told) - history.began}"
    for fingerprint, began_at in history.began - set(told):
        is_told = fingerprint in untimed or began_at < newest.get(fingerprint, began_at)
        assert is_told, f"{fingerprint} of {began_at} was never told"


def _attempts(history: History) -> list[tuple[str, PageAttempted]]:
    return [
        (f"{split(event.stream)[1]}.{event.fact.attempt}", event.fact)
        for event in history.events
        if isinstance(event.fact, PageAttempted)
    ]
