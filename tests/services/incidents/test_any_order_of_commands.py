"""Whatever is asked, in whatever order: only refusals, and only the listed changes of phase."""

from datetime import timedelta
from typing import get_args

from hypothesis import given, settings
from hypothesis import strategies as some
from msgspec.structs import replace

from events import Event, Recorded
from events.cause import ChangePart
from events.incident import (
    DismissalReason,
    EventRetracted,
    IncidentStep,
    Milestone,
    Profile,
    ReopenKind,
    Role,
    Severity,
)
from services.command import CommandRefused
from services.incidents.circumstances import Circumstances, KnownAlert
from services.incidents.commands import (
    AcceptRole,
    Acknowledge,
    AddNote,
    AssignRole,
    ChangeSeverity,
    Close,
    Contain,
    CorrectDetermination,
    CorrectionCommand,
    CorrectMilestone,
    CorrectSeverity,
    Declare,
    Determine,
    Dismiss,
    Eradicate,
    IdentifyCause,
    IncidentCommand,
    LinkAlert,
    LinkChange,
    Merge,
    OfferRole,
    Open,
    Regress,
    Reinstate,
    RelieveRole,
    Rename,
    Reopen,
    Resolve,
    Retract,
    SetImpact,
    UnlinkAlert,
    UnlinkChange,
    Unmerge,
)
from services.incidents.consistency import contradictions
from services.incidents.decider import decide
from services.incidents.lifecycle import NO_INCIDENT
from services.incidents.state import UNOPENED, Incident, evolve, fold
from tests.services.incidents.story import (
    ADA,
    BOB,
    GRACE,
    INC,
    TWO_O_CLOCK,
    after,
    declared,
    declared_security,
    opened,
)
from tests.services.incidents.test_phase_table import CELLS

EDGES = {(phase, reached) for phase, _verb, reached in CELLS if reached not in "·="} | {
    # Separation returns to whichever phase came before the merge.
    ("merged", phase)
    for phase in ("triage", "active", "contained", "eradicated", "resolved", "closed", "dismissed")
}

people = some.sampled_from([ADA, BOB, GRACE])
roles = some.sampled_from(get_args(Role))
reasons = some.sampled_from(["it came back", "a test"])
waivers = some.sampled_from(["", "not needed"])
alerts = some.sampled_from(["alert-1", "alert-2"])
parts = some.sampled_from(get_args(ChangePart))
positions = some.sampled_from([0, 0, 0, *range(1, 20)])

COMMANDS: dict[type[IncidentCommand], some.SearchStrategy[IncidentCommand]] = {
    Open: some.builds(
        Open,
        title=some.sampled_from(["checkout is slow", "checkout is down"]),
        severity=some.sampled_from(get_args(Severity)),
    ),
    Declare: some.builds(
        Declare,
        title=some.sampled_from(["", "checkout is down"]),
        severity=some.sampled_from([None, *get_args(Severity)]),
        profile=some.sampled_from([None, *get_args(Profile)]),
        commander=some.sampled_from(["", ADA, BOB]),
    ),
    Acknowledge: some.just(Acknowledge()),
    ChangeSeverity: some.builds(ChangeSeverity, severity=some.sampled_from(get_args(Severity))),
    AssignRole: some.builds(AssignRole, role=roles, person_id=people),
    OfferRole: some.builds(OfferRole, role=roles, person_id=people),
    AcceptRole: some.builds(AcceptRole, role=roles),
    RelieveRole: some.builds(RelieveRole, role=roles, person_id=people),
    AddNote: some.just(AddNote(text="restarted it")),
    Rename: some.builds(Rename, title=some.sampled_from(["checkout is down", "checkout pays twice"])),
    Contain: some.builds(Contain, ends_impact=some.booleans()),
    Eradicate: some.builds(Eradicate, waiver=waivers),
    Resolve: some.builds(Resolve, waiver=waivers),
    Regress: some.builds(Regress, reason=reasons),
    Close: some.builds(Close, waiver=waivers),
    Reopen: some.builds(Reopen, kind=some.sampled_from(get_args(ReopenKind)), reason=reasons),
    Dismiss: some.builds(Dismiss, reason=some.sampled_from(get_args(DismissalReason))),
    Reinstate: some.builds(Reinstate, reason=reasons),
    Merge: some.builds(Merge, into_incident_id=some.sampled_from([INC, "INC-7"])),
    Unmerge: some.just(Unmerge()),
    SetImpact: some.builds(
        SetImpact, scope=some.sampled_from(["checkout", "search"]), level=some.integers(min_value=0, max_value=4)
    ),
    Determine: some.builds(Determine, determination=some.sampled_from(["confirmed", "suspected", *NO_INCIDENT])),
    LinkAlert: some.builds(LinkAlert, alert_key=alerts),
    UnlinkAlert: some.builds(UnlinkAlert, alert_key=alerts),
    IdentifyCause: some.just(IdentifyCause(summary="the index is missing")),
    LinkChange: some.builds(LinkChange, change_key=alerts, part=parts),
    UnlinkChange: some.builds(UnlinkChange, change_key=alerts, part=parts),
    CorrectMilestone: some.builds(
        CorrectMilestone,
        milestone=some.sampled_from(get_args(Milestone)),
        occurred_at=some.integers(min_value=-120, max_value=60 * 24).map(lambda minutes: after(minutes=minutes)),
        reason=reasons,
        seq=positions,
    ),
    Retract: some.builds(Retract, seq=some.integers(min_value=1, max_value=60), reason=reasons),
    CorrectSeverity: some.builds(
        CorrectSeverity, severity=some.sampled_from(get_args(Severity)), reason=reasons, seq=positions
    ),
    CorrectDetermination: some.builds(
        CorrectDetermination,
        determination=some.sampled_from(["confirmed", "suspected", *NO_INCIDENT]),
        reason=reasons,
        seq=positions,
    ),
}

asked = some.lists(
    some.tuples(
        some.one_of(*COMMANDS.values()),
        people,
        some.integers(min_value=-60, max_value=60 * 24 * 20),
        some.sampled_from([UNOPENED, evolve(UNOPENED, declared)]),
        some.booleans(),
    ),
    max_size=40,
)


def test_every_command_takes_part():
    assert set(COMMANDS) == set(get_args(IncidentCommand))


@settings(max_examples=300, deadline=None)
@given(some.sampled_from([(), (opened,), (declared,), (declared_security,)]), asked)
def test_anything_may_be_asked_at_any_time(
    history: tuple[Event, ...],
    orders: list[tuple[IncidentCommand, str, int, Incident, bool]],
):
    told = [_recorded(seq, event) for seq, event in enumerate(history, 1)]
    incident, now = fold(history), TWO_O_CLOCK
    for number, (command, actor, minutes, other, known) in enumerate(orders):
        now += timedelta(minutes=max(minutes, 0))
        about = Circumstances(
            incident_id=INC,
            actor=actor,
            happened_at=now + timedelta(minutes=min(minutes, 0)),
            now=now,
            other=other,
            alert=KnownAlert(1, "disk full") if known else None,
            change_title="checkout 1.4" if known else "",
            review_published=known,
            history=tuple(told),
            retracted=next((past for past in told if isinstance(command, Retract) and past.seq == command.seq), None),
        )
        try:
            facts = decide(incident, command, about)
        except CommandRefused:
            continue
        for place, fact in enumerate(facts):
            before = incident
            event = Event(
                id=f"{number}-{place}",
                fact=fact,
                happened_at=about.happened_at,
                source="test",
                actor=actor,
                causation_id="o",
            )
            told.append(_recorded(len(told) + 1, event))
            incident = fold(past.event for past in told)
            if isinstance(fact, EventRetracted):
                assert fact.phase in ("", incident.phase)
            if incident.phase != before.phase:
                assert isinstance(fact, IncidentStep)
                assert isinstance(fact, EventRetracted) or (before.phase, incident.phase) in EDGES
            assert len(incident.roles.get("commander", ())) <= 1
        # What was just done holds, so asking again says nothing more.
        if not isinstance(command, AddNote):
            assert decide(incident, command, replace(about, history=tuple(told))) == ()
        if isinstance(command, CorrectionCommand) and facts:
            then = [past.event for past in about.history]
            assert set(contradictions((past.event for past in told), about)) <= set(contradictions(then, about))
    assert incident.resolved_at is not None or incident.phase not in ("resolved", "closed")


def _recorded(seq: int, event: Event) -> Recorded:
    return Recorded(seq=seq, stream=f"incident.{INC}", recorded_at=event.happened_at, event=event)
