"""What is always true, whatever went wrong on the way. Each law is a function over a finished history.

The laws fold the facts by themselves: a law that asked the code under test for its opinion would agree with it.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator

from events import Recorded
from events.alert import ALERT_SEVERITIES, AlertFired, AlertHeld, AlertPassedOver, AlertUpdated
from events.escalation import EscalationExhausted, EscalationStarted, EscalationStopped, LevelReached
from events.fact import tag_of
from events.group import GroupAssigned
from events.incident import (
    AlertLinked,
    EventRetracted,
    IncidentAcknowledged,
    IncidentDeclared,
    IncidentReinstated,
    IncidentReopened,
    IncidentSeverityChanged,
    RoleAssigned,
    RoleHandoffAccepted,
    RoleRelieved,
    SeverityCorrected,
)
from events.page import PageAnswered, PageFailed, PageRequested, PageSent, PageWithheld
from events.subjects import split
from services.command import Done
from tests.simulation.history import History
from tests.simulation.outside import (
    a_beginning_is_told_once,
    a_message_was_attempted_first_and_says_when_it_may_not_be_the_only_one,
    nothing_leaves_long_after_an_answer,
    what_its_sender_says_is_believed,
    what_was_sent_left,
)
from tests.simulation.paging import CONTACTS
from tests.simulation.phases import OPEN, Phases
from tests.simulation.quiet import Quiet

Law = Callable[[History], None]

OPENS_AT = "error"
PAGED_AT = "sev3"


def positions_are_consecutive_and_ids_unique(history: History) -> None:
    """The log has no gap, no event twice, and its own clock never runs backwards."""
    assert [event.seq for event in history.events] == list(range(1, len(history.events) + 1))
    # A timer that fired is sourced past the version checks, so the log may hold it twice.
    ids = Counter(event.event.id for event in history.events if not event.stream.startswith("timer."))
    assert max(ids.values(), default=1) == 1, ids.most_common(1)
    times = [event.recorded_at for event in history.events]
    assert times == sorted(times)


def phases_change_only_along_the_table(history: History) -> None:
    """Fourteen transitions, and no other; merging makes no circle."""
    phases = Phases()
    for event in history.events:
        phases.follow(event)
        category, incident_id = split(event.stream)
        if category == "incident":
            phases.root(incident_id)


def a_group_has_one_open_incident(history: History) -> None:
    """A group goes to another incident only when the one it had is over."""
    phases, had = Phases(), dict[str, str]()
    for event in history.events:
        phases.follow(event)
        if not isinstance(event.fact, GroupAssigned):
            continue
        given = event.fact.incident_id
        before = phases.root(had.get(event.stream, given))
        assert before == given or phases.of(before) not in OPEN, (
            f"{event.stream} at position {event.seq} goes from {before}, which is open, to {given}"
        )
        had[event.stream] = given


def no_alert_opens_two_incidents(history: History) -> None:
    """Of the incidents that a rule declared, no two answer the same event."""
    causes = Counter(
        event.event.causation_id
        for event in history.events
        if isinstance(event.fact, IncidentDeclared) and event.fact.rule
    )
    assert max(causes.values(), default=1) == 1, causes.most_common(1)


def every_firing_is_placed_exactly_once(history: History) -> None:
    """A severe one belongs to one incident by rule, unless it was held back until it was over; a mild one was passed
    over once, with a reason, or held back."""
    severities = dict(_loudest(history))
    linked: Counter[tuple[str, int]] = Counter()
    passed_over: Counter[tuple[str, int]] = Counter()
    held: set[tuple[str, int]] = set()
    for event in history.events:
        if isinstance(event.fact, AlertLinked) and event.fact.rule:
            assert event.fact.reason
            linked[event.fact.alert_key, event.fact.occurrence] += 1
        if isinstance(event.fact, AlertPassedOver):
            assert event.fact.reason
            passed_over[split(event.stream)[1], event.fact.occurrence] += 1
        if isinstance(event.fact, AlertHeld):
            held.add((split(event.stream)[1], event.fact.occurrence))
    for firing, severity in severities.items():
        is_severe = ALERT_SEVERITIES.index(severity) <= ALERT_SEVERITIES.index(OPENS_AT)
        wanted = {1} if is_severe and firing not in held else {0, 1} if is_severe else {0}
        assert linked[firing] in wanted, f"{firing} ({severity}) was linked {linked[firing]} times"
        assert passed_over[firing] <= 1
        is_decided = is_severe or passed_over[firing] == 1 or firing in held
        assert is_decided, f"{firing} ({severity}) was neither placed nor passed over nor held back"


def nothing_is_held_back_without_a_reason_that_lasts(history: History) -> None:
    """Once the world is at rest, an alert that still fires and is held back is so by a silence that has not ended, by
    an alert that still fires, or until a time that is to come: by the last that was said of it."""
    quiet = Quiet()
    for event in history.events:
        quiet.follow(event)
    for firing in quiet.held:
        if quiet.is_firing(firing) and firing not in quiet.linked and firing not in quiet.passed_over:
            assert quiet.is_held(firing, history.ended_at), f"{firing} is held back for nothing: {quiet.held[firing]}"


def nothing_joins_while_it_is_held_back(history: History) -> None:
    """What was held back opens or joins an incident by rule only when its reason is over, so that nobody is paged for
    it before. One that waits for its group to open may join it when another has opened it."""
    quiet = Quiet()
    for event in history.events:
        fact = event.fact
        if isinstance(fact, AlertLinked) and fact.rule and (fact.alert_key, fact.occurrence) in quiet.held:
            firing, moment = (fact.alert_key, fact.occurrence), event.happened_at
            waits = quiet.held[firing].because == "grouping" or quiet.is_held_anew(firing, moment)
            assert waits or not quiet.is_held(firing, moment), f"position {event.seq}: {quiet.held[firing]}"
        quiet.follow(event)


class Command:
    """Who commands which incident, followed event by event, as is believed by then: what was taken back never was."""

    def __init__(self) -> None:
        self._said: dict[str, list[Recorded]] = defaultdict(list)

    def follow(self, event: Recorded) -> None:
        """One more event."""
        match event.fact:
            case (
                RoleAssigned(role="commander") | RoleHandoffAccepted(role="commander") | RoleRelieved(role="commander")
            ):
                self._said[event.stream].append(event)
            case EventRetracted(event_id=event_id):
                self._said[event.stream] = [past for past in self._said[event.stream] if past.event.id != event_id]

    def holders(self, stream: str) -> set[str]:
        """Who commands now."""
        return self._all(stream)[-1]

    def shared_by(self, stream: str) -> set[str]:
        """Who ever commanded together."""
        return next((holders for holders in self._all(stream) if len(holders) > 1), set())

    def _all(self, stream: str) -> list[set[str]]:
        found: list[set[str]] = [set()]
        for event in self._said[stream]:
            match event.fact:
                case RoleAssigned(person_id=person):
                    found.append(found[-1] | {person})
                case RoleHandoffAccepted(person_id=person, previous_person_id=previous):
                    found.append(found[-1] - {previous} | {person})
                case RoleRelieved(person_id=person):
                    found.append(found[-1] - {person})
        return found


def an_incident_has_one_commander_at_most(history: History) -> None:
    """Command passes; it is never shared, at no time, as is believed then."""
    command = Command()
    for event in history.events:
        command.follow(event)
        shared = command.shared_by(event.stream)
        assert not shared, f"{event.stream} at position {event.seq}: {shared}"


def an_answered_order_was_done_once(history: History) -> None:
    """What people were told is in the log, and no order was carried out twice."""
    by_position = {event.seq: event for event in history.events}
    for order, verb, answer in history.answers:
        if isinstance(answer, Done) and answer.seq:
            assert by_position[answer.seq].event.causation_id == order.id, f"{verb} {order.id}: {answer}"
    said: dict[str, set[str]] = defaultdict(set)
    for event in history.events:
        if tag_of(type(event.fact)) == "incident.declared" and event.event.causation_id.startswith("order-"):
            said[event.event.causation_id].add(event.stream)
    assert all(len(streams) == 1 for streams in said.values()), said
    for order, verb, answer in history.answers:
        if isinstance(answer, Done) and verb == "declare" and not order.target:
            assert said[order.id] == {f"incident.{answer.target}"}, f"{order.id}: {answer}, and it was {said[order.id]}"


def a_level_is_asked_once_a_run_and_round(history: History) -> None:
    """One page request a person and level, and one level reached, in each round of each run."""
    levels: Counter[tuple[object, ...]] = Counter()
    pages: Counter[tuple[object, ...]] = Counter()
    for event in history.events:
        match event.fact:
            case LevelReached(run=run, round=number, level=level):
                levels[event.stream, run, number, level] += 1
            case PageRequested() as page:
                pages[page.incident_id, page.run, page.round, page.level, page.person_id] += 1
    assert max(levels.values(), default=1) == 1, levels.most_common(1)
    assert max(pages.values(), default=1) == 1, pages.most_common(1)


def nobody_is_paged_after_acknowledgement(history: History) -> None:
    """From the acknowledgement until it is opened again, no page is requested for the incident."""
    acknowledged: set[str] = set()
    for event in history.events:
        match event.fact:
            case IncidentAcknowledged():
                acknowledged.add(split(event.stream)[1])
            case IncidentReopened() | IncidentReinstated():
                acknowledged.discard(split(event.stream)[1])
            case PageRequested(incident_id=incident_id):
                assert incident_id not in acknowledged, f"{event.stream} at position {event.seq} for {incident_id}"


def every_page_ends(history: History) -> None:
    """Once the world is at rest, each page was sent, failed on every contact, was withheld, or was answered."""
    requested, ended = dict[str, str](), set[str]()
    for event in history.events:
        match event.fact:
            case PageRequested(person_id=person_id):
                requested[event.stream] = person_id
            case PageSent() | PageWithheld() | PageAnswered():
                ended.add(event.stream)
            case PageFailed(final=True, contact=contact) if contact == len(CONTACTS[requested[event.stream]]) - 1:
                ended.add(event.stream)
    assert set(requested) <= ended, f"never ended: {sorted(set(requested) - ended)}"


def every_escalation_ends(history: History) -> None:
    """Once the world is at rest, each run was stopped, or asked every level every round in vain."""
    running: dict[str, int] = {}
    for event in history.events:
        match event.fact:
            case EscalationStarted(run=run):
                assert event.stream not in running, f"{event.stream} at position {event.seq}: two runs at once"
                running[event.stream] = run
            case EscalationStopped(run=run) | EscalationExhausted(run=run):
                assert running.pop(event.stream, None) == run, f"{event.stream} at position {event.seq}"
    assert not running, running


def whoever_is_needed_is_called(history: History) -> None:
    """Once the world is at rest, somebody was asked about every incident that is active, severe and unacknowledged."""
    phases, severity, called, quiet = Phases(), dict[str, str](), set[str](), set[str]()
    for event in history.events:
        phases.follow(event)
        _category, incident_id = split(event.stream)
        match event.fact:
            case IncidentDeclared() | IncidentSeverityChanged():
                severity[incident_id] = event.fact.severity
            case SeverityCorrected():
                severity.pop(incident_id, None)  # it may never have been so severe; the scenarios tell of that
            case IncidentAcknowledged():
                quiet.add(incident_id)
            case IncidentReopened() | IncidentReinstated():
                quiet.discard(incident_id)
            case EscalationStarted():
                called.add(incident_id)
    needed = {name for name, how in severity.items() if how <= PAGED_AT and phases.of(name) == "active"} - quiet
    assert needed <= called, f"nobody was asked about {sorted(needed - called)}"


LAWS: tuple[Law, ...] = (
    positions_are_consecutive_and_ids_unique,
    phases_change_only_along_the_table,
    a_group_has_one_open_incident,
    no_alert_opens_two_incidents,
    every_firing_is_placed_exactly_once,
    nothing_is_held_back_without_a_reason_that_lasts,
    nothing_joins_while_it_is_held_back,
    an_incident_has_one_commander_at_most,
    an_answered_order_was_done_once,
    a_level_is_asked_once_a_run_and_round,
    nobody_is_paged_after_acknowledgement,
    every_page_ends,
    every_escalation_ends,
    whoever_is_needed_is_called,
    a_message_was_attempted_first_and_says_when_it_may_not_be_the_only_one,
    what_was_sent_left,
    nothing_leaves_long_after_an_answer,
    what_its_sender_says_is_believed,
    a_beginning_is_told_once,
)


def _loudest(history: History) -> Iterator[tuple[tuple[str, int], str]]:
    found: dict[tuple[str, int], str] = {}
    occurrence: dict[str, int] = {}
    for event in history.events:
        _category, alert_key = split(event.stream)
        if isinstance(event.fact, AlertFired):
            occurrence[alert_key] = event.fact.occurrence
            found[alert_key, event.fact.occurrence] = event.fact.severity
        if isinstance(event.fact, AlertUpdated) and alert_key in occurrence:
            firing = (alert_key, occurrence[alert_key])
            found[firing] = min(found[firing], event.fact.severity, key=ALERT_SEVERITIES.index)
    yield from found.items()
