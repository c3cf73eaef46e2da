"""Saying what was not so: milestones, severities, determinations, whole events."""

from datetime import datetime
from typing import Any

import pytest
from msgspec.structs import replace

from events import Event, Fact, Recorded
from events.incident import (
    DeterminationCorrected,
    DeterminationSet,
    EventRetracted,
    ImpactEnded,
    ImpactLevelChanged,
    IncidentDeclared,
    IncidentDismissed,
    IncidentMerged,
    IncidentSeverityChanged,
    MilestoneCorrected,
    Noted,
    RoleAssigned,
    RoleHandoffAccepted,
    RoleRelieved,
    SeverityCorrected,
)
from events.page import PageSent
from services.incidents.commands import (
    AcceptRole,
    Contain,
    CorrectDetermination,
    CorrectMilestone,
    CorrectSeverity,
    Retract,
)
from services.incidents.state import Incident, fold
from tests.decider_spec import Outcome
from tests.services.incidents.story import (
    ADA,
    BOB,
    GRACE,
    INC,
    IncidentGiven,
    acknowledged_by_bob,
    ada_commands,
    after,
    closed,
    contained,
    declared,
    impact_on_checkout,
    merged_by_grace,
    offered_to_bob,
    opened,
    reopened,
    resolved_by_bob,
    said,
)

ended_impact = said(ImpactEnded(scope="checkout"), minutes=4)
confirmed = said(DeterminationSet(determination="confirmed"), minutes=6)


class HistoryGiven:
    """What had happened to INC-42, from position 1."""

    def __init__(self, *events: Event) -> None:
        self.history = tuple(
            Recorded(seq=seq, stream=f"incident.{INC}", recorded_at=event.happened_at, event=event)
            for seq, event in enumerate(events, 1)
        )

    @property
    def incident(self) -> Incident:
        return fold(past.event for past in self.history)

    def when(self, command: Any, *, linked: tuple[Recorded, ...] = (), **more: Any) -> Outcome:
        retracted = next(
            (past for past in (*self.history, *linked) if isinstance(command, Retract) and past.seq == command.seq),
            None,
        )
        return IncidentGiven(*(past.event for past in self.history)).when(
            command, history=self.history, retracted=retracted, linked=linked, now=after(days=1), **more
        )

    def then(self, fact: Fact) -> "HistoryGiven":
        """And then this was said, too."""
        return HistoryGiven(*(past.event for past in self.history), said(fact, minutes=60))


given = HistoryGiven


def corrected(milestone: Any, at: datetime, event: Event | None, seq: int, **more: Any) -> MilestoneCorrected:
    return MilestoneCorrected(
        milestone=milestone,
        occurred_at=at,
        reason="the graph",
        replaces_event_id=event.id if event else "",
        replaces_seq=seq,
        **more,
    )


def correct(milestone: Any, minutes: float, **more: Any) -> CorrectMilestone:
    return CorrectMilestone(milestone=milestone, occurred_at=after(minutes=minutes), reason="the graph", **more)


def taken_back(event: Event, seq: int, phase: str = "") -> EventRetracted:
    return EventRetracted(
        event_id=event.id,
        event_seq=seq,
        event_stream=f"incident.{INC}",
        event_type=str(event.fact.__struct_config__.tag),
        phase=phase,
        reason="a typo",
    )


def test_a_correction_names_the_event_whose_time_was_wrong():
    given(declared, contained).when(correct("contained", 3, evidence="https://graphs")).then(
        corrected("contained", after(minutes=3), contained, 2, evidence="https://graphs")
    )


def test_what_follows_from_a_time_follows_its_correction():
    fact = corrected("contained", after(minutes=3), contained, 2)
    assert given(declared, contained).then(fact).incident.contained_at == after(minutes=3)
    signal = corrected("detected", after(minutes=-30), declared, 1)
    told = given(declared).then(signal)
    assert told.incident.detected_at == after(minutes=-30)
    assert told.incident.declared_at == after()
    told.when(Contain(), at=after(minutes=-31)).then_refused("it began at 13:30 UTC", code="invalid")


def test_the_last_correction_stands_until_it_is_taken_back():
    first, second = (corrected("contained", after(minutes=minutes), contained, 2) for minutes in (3, 4))
    told = given(declared, contained).then(first).then(second)
    assert told.incident.contained_at == after(minutes=4)
    last = told.history[-1].event
    told.when(Retract(seq=4, reason="a typo")).then(taken_back(last, 4))


def test_correcting_to_what_is_believed_already_changes_nothing():
    fact = corrected("contained", after(minutes=3), contained, 2)
    given(declared, contained).when(correct("contained", 5)).then_nothing()
    given(declared, contained).then(fact).when(correct("contained", 3)).then_nothing()


def test_bounds_alone_are_a_correction():
    bounds = {"earliest": after(minutes=4), "latest": after(minutes=7)}
    given(declared, contained).when(correct("contained", 5, **bounds)).then(
        corrected(
            "contained",
            after(minutes=5),
            contained,
            2,
            occurred_earliest_at=after(minutes=4),
            occurred_latest_at=after(minutes=7),
        )
    )


@pytest.mark.parametrize("bounds", [{"earliest": after(minutes=6)}, {"latest": after(minutes=4)}])
def test_a_time_outside_its_bounds_is_refused(bounds: dict[str, datetime]):
    given(declared, contained).when(correct("contained", 5, **bounds)).then_refused("within", code="invalid")


def test_detection_moves_back_with_one_event_and_forward_with_each_that_says_an_earlier_one():
    told = given(opened, said(IncidentDeclared(title="down", severity="sev1", detected_at=after()), minutes=2))
    declaration = told.history[1].event
    told.when(correct("detected", -5)).then(corrected("detected", after(minutes=-5), opened, 1))
    told.when(correct("detected", 1)).then(
        corrected("detected", after(minutes=1), opened, 1), corrected("detected", after(minutes=1), declaration, 2)
    )


def test_the_event_may_be_named_by_its_position():
    again = said(ImpactLevelChanged(scope="checkout", level=4), minutes=3)
    told = given(declared, impact_on_checkout, again, ended_impact)
    told.when(correct("impact_started", 0.5, seq=2)).then(
        corrected("impact_started", after(minutes=0.5), impact_on_checkout, 2)
    )
    told.when(correct("impact_started", 0.5, seq=4)).then_refused(
        "position 4 does not say", instead="these positions do: 2", code="not_found"
    )


def test_what_nothing_had_said_may_be_told_by_the_correction_alone():
    given(declared).when(correct("impact_started", -9)).then(corrected("impact_started", after(minutes=-9), None, 0))
    given(declared, resolved_by_bob).when(correct("contained", 5)).then(
        corrected("contained", after(minutes=5), None, 0)
    )
    fact = corrected("contained", after(minutes=5), None, 0)
    assert given(declared, resolved_by_bob).then(fact).incident.contained_at == after(minutes=5)


def test_what_has_not_come_about_is_said_and_not_corrected():
    given(declared).when(correct("contained", 5)).then_refused("nothing says", instead="say it first")
    given(declared).when(correct("resolved", 5)).then_refused("nothing says", instead="say it first")
    given(declared, impact_on_checkout).when(correct("mitigated", 5)).then_refused("has no end", instead="level 0")


def test_a_notification_is_that_of_a_page():
    sent = Recorded(
        seq=9, stream="page.pg-1", recorded_at=after(), event=said(PageSent(channel="smtp", contact=0, attempt=1))
    )
    given(declared).when(correct("notified", 1), linked=(sent,)).then(
        corrected("notified", after(minutes=1), sent.event, 9)
    )
    given(declared).when(correct("notified", 1)).then(corrected("notified", after(minutes=1), None, 0))


@pytest.mark.parametrize(
    ("milestone", "minutes", "because"),
    [
        ("contained", -1, "contained at 13:59 UTC on 2026-03-01 lies before it began at 14:00"),
        ("resolved", -1, "resolved at 13:59 UTC on 2026-03-01 lies before it was detected at 14:00"),
        ("closed", 6, "closed at 14:06 UTC on 2026-03-01 lies before it was resolved at 14:07"),
        ("detected", 7.5, "resolved at 14:07 UTC on 2026-03-01 lies before it was detected at 14:07"),
        ("mitigated", 0, "the change of the impact on checkout at 14:00"),
    ],
)
def test_times_that_run_backwards_are_refused(milestone: str, minutes: float, because: str):
    told = given(declared, impact_on_checkout, ended_impact, contained, resolved_by_bob, closed)
    told.when(correct(milestone, minutes)).then_refused(because, instead="correct the other one first", code="invalid")


def test_a_reopening_lies_after_the_resolution():
    told = given(declared, resolved_by_bob, reopened)
    told.when(correct("reopened", 6)).then_refused("reopened at 14:06", code="invalid")
    told.when(correct("resolved", 10)).then_refused("reopened at 14:09", code="invalid")


def test_what_has_not_happened_yet_is_refused():
    given(declared, contained).when(correct("contained", 60 * 24 + 6)).then_refused("has not come", code="invalid")


def test_acknowledged_before_it_was_declared_is_unusual_and_accepted():
    given(declared, acknowledged_by_bob).when(correct("acknowledged", -3)).then(
        corrected("acknowledged", after(minutes=-3), acknowledged_by_bob, 2)
    )


def test_nothing_is_corrected_in_an_incident_that_is_not_there():
    given().when(correct("detected", 1)).then_refused("there is no INC-42", code="not_found")


def test_taking_back_a_step_carries_the_phase_that_is_left():
    told = given(declared, contained, resolved_by_bob)
    told.when(Retract(seq=3, reason="a typo")).then(taken_back(resolved_by_bob, 3, "contained"))
    told.when(Retract(seq=2, reason="a typo")).then(taken_back(contained, 2, "resolved"))
    assert told.then(taken_back(resolved_by_bob, 3, "contained")).incident.phase == "contained"


def test_two_steps_taken_back_leave_what_was_before_both():
    told = given(declared, contained, resolved_by_bob).then(taken_back(contained, 2, "resolved"))
    told.when(Retract(seq=3, reason="a typo")).then(taken_back(resolved_by_bob, 3, "active"))


def test_taking_back_what_changes_no_phase_carries_none():
    told = given(declared, acknowledged_by_bob)
    told.when(Retract(seq=2, reason="a typo")).then(taken_back(acknowledged_by_bob, 2))
    after_that = told.then(taken_back(acknowledged_by_bob, 2))
    assert after_that.incident.acknowledged == {}
    after_that.when(Retract(seq=2, reason="again")).then_nothing()


def test_a_step_that_others_follow_is_not_taken_back():
    told = given(declared, resolved_by_bob, closed)
    told.when(Retract(seq=2, reason="a typo")).then_refused(
        "without it, per-grace closed it later, when it would be active", instead="take that back"
    )
    told.then(taken_back(closed, 3, "resolved")).when(Retract(seq=2, reason="a typo")).then(
        taken_back(resolved_by_bob, 2, "active")
    )


def test_an_end_of_impact_that_a_resolution_rests_on_is_not_taken_back():
    told = given(declared, impact_on_checkout, ended_impact, resolved_by_bob)
    told.when(Retract(seq=3, reason="a typo")).then_refused("while the impact on checkout has no end")
    told.when(Retract(seq=2, reason="a typo")).then_refused("would change or end without having begun")


def test_command_is_not_shared_by_taking_back_the_end_of_one():
    relieved = said(RoleRelieved(role="commander", person_id=ADA), minutes=4)
    bob_commands = said(RoleAssigned(role="commander", person_id=BOB), minutes=5)
    told = given(declared, ada_commands, relieved, bob_commands)
    told.when(Retract(seq=3, reason="a typo")).then_refused(
        "without it, per-bob would command beside per-ada", instead="take that back"
    )
    over = told.then(RoleRelieved(role="commander", person_id=BOB))
    over.when(Retract(seq=3, reason="a typo")).then_refused("per-bob would command beside per-ada")
    over.then(taken_back(bob_commands, 4)).when(Retract(seq=3, reason="a typo")).then(taken_back(relieved, 3))


def test_command_is_not_shared_by_taking_back_a_hand_over_that_was_passed_on():
    accepted = said(RoleHandoffAccepted(role="commander", person_id=BOB, previous_person_id=ADA), BOB, minutes=4)
    passed_on = said(RoleHandoffAccepted(role="commander", person_id=GRACE, previous_person_id=BOB), GRACE, minutes=6)
    told = given(declared, ada_commands, offered_to_bob, accepted)
    told.when(Retract(seq=4, reason="a typo")).then(taken_back(accepted, 4))
    told.then(passed_on.fact).when(Retract(seq=4, reason="a typo")).then_refused(
        "without it, per-grace would command beside per-ada"
    )


def test_an_offer_is_void_once_its_maker_never_held_the_role():
    told = given(declared, ada_commands, offered_to_bob).then(taken_back(ada_commands, 2))
    grace_commands = told.then(RoleAssigned(role="commander", person_id=GRACE))
    grace_commands.when(AcceptRole(role="commander"), actor=BOB).then_refused(
        "nobody offered it to per-bob", instead="ask per-grace to offer it"
    )


def test_some_things_are_undone_in_another_way():
    retraction = taken_back(acknowledged_by_bob, 2)
    told = given(declared, acknowledged_by_bob)
    told.when(Retract(seq=1, reason="x")).then_refused("what began the incident", instead="dismiss")
    told.then(retraction).when(Retract(seq=3, reason="x")).then_refused("takes something back itself", instead="again")
    given(declared, merged_by_grace).when(Retract(seq=2, reason="x")).then_refused("both incidents", instead="unmerge")
    given(declared, contained, merged_by_grace).when(Retract(seq=2, reason="x")).then_refused(
        "merged into INC-7", instead="unmerge it first"
    )
    told.when(Retract(seq=77, reason="x")).then_refused("no event of INC-42", instead="recount show", code="not_found")


def test_a_merged_incident_keeps_its_corrections_because_its_milestones_count_for_the_root():
    given(declared, merged_by_grace).when(correct("detected", -4)).then(
        corrected("detected", after(minutes=-4), declared, 1)
    )


def test_a_severity_that_was_wrong_from_the_start():
    change = said(IncidentSeverityChanged(severity="sev2", previous="sev1"), minutes=4)
    told = given(declared, change)
    told.when(CorrectSeverity(severity="sev3", reason="few")).then(
        SeverityCorrected(severity="sev3", previous="sev2", replaces_event_id=change.id, replaces_seq=2, reason="few")
    )
    first = SeverityCorrected(
        severity="sev3", previous="sev1", replaces_event_id=declared.id, replaces_seq=1, reason="few"
    )
    told.when(CorrectSeverity(severity="sev3", reason="few", seq=1)).then(first)
    assert told.then(first).incident.severity == "sev2"
    told.when(CorrectSeverity(severity="sev2", reason="few")).then_nothing()
    told.when(CorrectSeverity(severity="sev3", reason="few", seq=9)).then_refused(
        "position 9 gives no severity", instead="1, 2", code="not_found"
    )


def test_a_determination_that_was_wrong_from_the_start():
    told = given(declared, confirmed)
    fact = DeterminationCorrected(
        determination="blocked", replaces_event_id=confirmed.id, replaces_seq=2, reason="the filter held"
    )
    told.when(CorrectDetermination(determination="blocked", reason="the filter held")).then(fact)
    assert told.then(fact).incident.determination == "blocked"
    given(declared).when(CorrectDetermination(determination="blocked", reason="x")).then_refused(
        "no determination was given", instead="give the determination"
    )


def test_after_the_resolution_a_determination_that_denies_the_incident_dismisses_it():
    given(declared, confirmed, resolved_by_bob).when(
        CorrectDetermination(determination="false_positive", reason="a test of the probe")
    ).then(
        DeterminationCorrected(
            determination="false_positive",
            replaces_event_id=confirmed.id,
            replaces_seq=2,
            reason="a test of the probe",
        ),
        IncidentDismissed(reason="false_positive", explanation="a test of the probe"),
    )


def test_a_dismissed_incident_is_reinstated_before_it_is_determined_to_be_one():
    benign = said(DeterminationSet(determination="benign"), minutes=7)
    dismissed = said(IncidentDismissed(reason="benign"), minutes=8)
    given(declared, benign, dismissed).when(CorrectDetermination(determination="confirmed", reason="x")).then_refused(
        "it is dismissed", instead="reinstate"
    )


def test_what_was_taken_back_is_still_answered():
    """A redelivered order must not be carried out again because its fact was taken back."""
    answered = replace(acknowledged_by_bob, causation_id="order-7")
    told = given(declared, answered).then(taken_back(answered, 2))
    assert "order-7" in told.incident.answered
    assert told.incident.acknowledged == {}


def test_a_note_is_taken_back_like_anything_else():
    note = said(Noted(text="it is the database"), BOB, minutes=3)
    given(declared, note).when(Retract(seq=2, reason="a typo"), actor=ADA).then(taken_back(note, 2))


def test_a_merge_is_no_contradiction():
    elsewhere = said(IncidentMerged(into_incident_id="INC-7"), minutes=8)
    given(declared, elsewhere).when(CorrectSeverity(severity="sev3", reason="few")).then(
        SeverityCorrected(severity="sev3", previous="sev1", replaces_event_id=declared.id, replaces_seq=1, reason="few")
    )
