"""Changes of phase, one behaviour a test, for both profiles."""

from datetime import timedelta

from events.incident import (
    DeterminationSet,
    ImpactEnded,
    ImpactStarted,
    IncidentAcknowledged,
    IncidentClosed,
    IncidentContained,
    IncidentDeclared,
    IncidentDismissed,
    IncidentEradicated,
    IncidentMerged,
    IncidentOpened,
    IncidentRegressed,
    IncidentReinstated,
    IncidentReopened,
    IncidentResolved,
    IncidentUnmerged,
    RoleAssigned,
)
from services.incidents.circumstances import REOPEN_WINDOW
from services.incidents.commands import (
    Acknowledge,
    Close,
    Contain,
    Declare,
    Determine,
    Dismiss,
    Eradicate,
    Merge,
    Open,
    Regress,
    Reinstate,
    Reopen,
    Resolve,
    Unmerge,
)
from services.incidents.state import UNOPENED, Incident, fold
from tests.services.incidents.story import (
    ADA,
    BOB,
    after,
    closed,
    contained,
    declared,
    declared_security,
    dismissed_by_grace,
    eradicated,
    given,
    impact_on_checkout,
    merged_by_grace,
    opened,
    reopened,
    resolved_by_bob,
    said,
)


def test_what_is_only_suspected_is_opened_for_triage():
    suspected = Open(title="odd logins", severity="sev2", profile="security", reason="three countries in an hour")
    given().when(suspected).then(
        IncidentOpened(title="odd logins", severity="sev2", profile="security", reason="three countries in an hour")
    )


def test_opening_what_is_in_triage_already_changes_nothing_and_otherwise_it_is_refused():
    given(opened).when(Open(title="checkout is slow", severity="sev3", service="checkout")).then_nothing()
    given(opened).when(Open(title="checkout is slow", severity="sev1", service="checkout")).then_refused(
        "per-ada opened it at 14:00 UTC", instead="declare it first"
    )
    given(declared).when(Open(title="checkout is down", severity="sev1")).then_refused("per-ada declared it")


def test_declaring_needs_a_title_and_a_severity():
    given().when(Declare(severity="sev1")).then_refused("`$.title` is missing", code="invalid")
    given().when(Declare(title="checkout is down")).then_refused("`$.severity` is missing", code="invalid")


def test_declaring_may_name_the_commander_at_once():
    given().when(Declare(title="checkout is down", severity="sev1", commander=ADA)).then(
        IncidentDeclared(title="checkout is down", severity="sev1"),
        RoleAssigned(role="commander", person_id=ADA),
    )


def test_declaring_an_incident_in_triage_keeps_what_is_not_said_anew():
    given(opened).when(Declare(severity="sev1", reason="users cannot pay")).then(
        IncidentDeclared(
            title="checkout is slow",
            severity="sev1",
            service="checkout",
            reason="users cannot pay",
            detected_at=after(),
        )
    )


def test_declaring_what_is_declared_already_changes_nothing():
    given(declared).when(Declare(title="checkout is down", severity="sev1")).then_nothing()
    given(declared, contained).when(Declare()).then_nothing()


def test_declaring_a_declared_incident_under_another_severity_is_refused():
    given(declared).when(Declare(severity="sev3")).then_refused("per-ada declared it at 14:00 UTC")


def test_a_detection_after_the_declaration_is_refused():
    given().when(
        Declare(title="checkout is down", severity="sev1", detected_at=after(minutes=11)), at=after(minutes=10)
    ).then_refused("`$.detected_at`, 14:11 UTC, lies after", code="invalid")


def test_an_incident_that_recovered_before_it_was_declared_is_marked_undeclared():
    given(opened).when(Resolve()).then(IncidentResolved(undeclared=True))


def test_mitigating_in_operations_ends_the_impact():
    given(declared, impact_on_checkout).when(Contain(summary="rolled back")).then(
        ImpactEnded(scope="checkout"), IncidentContained(summary="rolled back")
    )


def test_mitigating_may_leave_the_impact_open():
    given(declared, impact_on_checkout).when(Contain(ends_impact=False)).then(IncidentContained())


def test_containing_an_attack_says_nothing_about_the_impact():
    given(declared_security, impact_on_checkout).when(Contain()).then(IncidentContained())


def test_containment_cannot_come_before_impact_and_detection():
    given(declared).when(Contain(), at=after(minutes=-1)).then_refused("it began at 14:00 UTC", code="invalid")
    early_impact = said(ImpactStarted(scope="checkout", level=2), minutes=-9)
    given(declared, early_impact).when(Contain(ends_impact=False), at=after(minutes=-1)).then(IncidentContained())


def test_operations_may_eradicate_without_containing():
    given(declared).when(Eradicate(summary="fix is in")).then(IncidentEradicated(summary="fix is in"))


def test_security_contains_before_it_eradicates_or_says_why_not():
    given(declared_security).when(Eradicate()).then_refused("not contained", instead="give a waiver")
    given(declared_security).when(Eradicate(waiver="single host, wiped")).then(
        IncidentEradicated(waiver="single host, wiped")
    )
    given(declared_security, contained).when(Eradicate()).then(IncidentEradicated())


def test_an_incident_with_open_impact_cannot_be_resolved():
    given(declared, impact_on_checkout).when(Resolve()).then_refused(
        "impact on checkout has not ended", instead="end the impact first"
    )


def test_security_eradicates_before_it_resolves_or_says_why_not():
    given(declared_security, contained).when(Resolve()).then_refused("not eradicated")
    given(declared_security, contained).when(Resolve(waiver="red team")).then(IncidentResolved(waiver="red team"))
    given(declared_security, contained, eradicated).when(Resolve()).then(IncidentResolved())


def test_resolving_twice_changes_nothing():
    given(declared, resolved_by_bob).when(Resolve()).then_nothing()


def test_an_incident_cannot_be_resolved_before_it_was_detected():
    given(declared).when(Resolve(), at=after(minutes=-1)).then_refused("it began at 14:00 UTC", code="invalid")


def test_a_relapse_cannot_be_resolved_before_it_was_reopened():
    given(declared, resolved_by_bob, reopened).when(Resolve(), at=after(minutes=8)).then_refused(
        "it began at 14:09 UTC", code="invalid"
    )


def test_a_regression_makes_an_incident_active_again_and_voids_its_milestones():
    given(declared, contained).when(Regress(reason="came back")).then(IncidentRegressed(reason="came back"))
    incident = fold([declared_security, contained, eradicated, said(IncidentRegressed(reason="came back"), minutes=7)])
    assert (incident.phase, incident.contained_at, incident.eradicated_at) == ("active", None, None)


def test_regressing_twice_changes_nothing():
    given(declared, contained, said(IncidentRegressed(reason="came back"), minutes=6)).when(
        Regress(reason="again")
    ).then_nothing()


def test_closing_needs_a_published_review_or_a_waiver():
    given(declared, resolved_by_bob).when(Close()).then_refused("no review of it is published", instead="a waiver")
    given(declared, resolved_by_bob).when(Close(waiver="small")).then(IncidentClosed(waiver="small"))
    given(declared, resolved_by_bob).when(Close(), review_published=True).then(IncidentClosed())


def test_closing_needs_an_owner_for_every_action():
    given(declared, resolved_by_bob).when(Close(waiver="small"), unowned_actions=("A1",)).then_refused("nobody owns A1")


def test_an_incident_cannot_be_closed_before_it_was_resolved():
    given(declared, resolved_by_bob).when(Close(waiver="small"), at=after(minutes=6)).then_refused(
        "it was resolved at 14:07 UTC", code="invalid"
    )


def test_reopening_begins_the_next_episode():
    given(declared, resolved_by_bob).when(Reopen(kind="relapse", reason="down again")).then(
        IncidentReopened(kind="relapse", reason="down again", episode=2)
    )


def test_reopening_needs_everybody_to_acknowledge_anew():
    given(declared, said(IncidentAcknowledged(), BOB, minutes=2), resolved_by_bob, reopened).when(
        Acknowledge(), BOB
    ).then(IncidentAcknowledged())


def test_a_mistaken_resolution_lets_time_run_on_and_a_relapse_does_not():
    history = [declared, resolved_by_bob]
    mistaken = fold([*history, said(IncidentReopened(kind="mistaken", reason="never over", episode=2), minutes=9)])
    assert mistaken.began_at == after()
    assert fold([*history, reopened]).began_at == after(minutes=9)


def test_an_incident_resolved_more_than_two_weeks_ago_is_not_reopened():
    late = after(minutes=7) + REOPEN_WINDOW + timedelta(minutes=1)
    given(declared, resolved_by_bob, closed).when(Reopen(kind="relapse", reason="again"), at=late).then_refused(
        "more than 14 days before", instead="declare a new incident and name INC-42"
    )
    given(declared, resolved_by_bob, closed).when(
        Reopen(kind="relapse", reason="again"), at=late - timedelta(minutes=1)
    ).then(IncidentReopened(kind="relapse", reason="again", episode=2))


def test_an_incident_cannot_be_reopened_before_it_was_resolved():
    given(declared, resolved_by_bob).when(Reopen(kind="mistaken", reason="x"), at=after(minutes=6)).then_refused(
        "it was resolved at 14:07 UTC", code="invalid"
    )


def test_a_dismissal_as_false_positive_is_a_determination_too():
    given(declared).when(Dismiss(reason="false_positive", explanation="a test")).then(
        DeterminationSet(determination="false_positive", reason="a test"),
        IncidentDismissed(reason="false_positive", explanation="a test"),
    )
    given(declared).when(Dismiss(reason="out_of_scope")).then(IncidentDismissed(reason="out_of_scope"))


def test_after_the_resolution_only_what_denies_the_incident_dismisses_it():
    given(declared, resolved_by_bob).when(Dismiss(reason="out_of_scope")).then_refused("can only turn out to be")
    given(declared, resolved_by_bob).when(Dismiss(reason="benign")).then(
        DeterminationSet(determination="benign"), IncidentDismissed(reason="benign")
    )


def test_a_false_positive_found_after_the_resolution_dismisses_the_incident():
    given(declared, resolved_by_bob, closed).when(Determine(determination="false_positive", reason="a test")).then(
        DeterminationSet(determination="false_positive", reason="a test"),
        IncidentDismissed(reason="false_positive", explanation="a test"),
    )


def test_a_determination_while_people_work_leaves_the_phase_alone():
    given(declared).when(Determine(determination="false_positive")).then(
        DeterminationSet(determination="false_positive")
    )
    given(declared, resolved_by_bob).when(Determine(determination="confirmed")).then(
        DeterminationSet(determination="confirmed")
    )


def test_reinstating_takes_back_the_dismissal_and_its_determination():
    false_positive = said(DeterminationSet(determination="false_positive"), minutes=8)
    given(declared, false_positive, dismissed_by_grace).when(Reinstate(reason="it is real")).then(
        IncidentReinstated(reason="it is real"), DeterminationSet(determination="suspected", reason="it is real")
    )


ANOTHER_OPEN: Incident = fold([declared])


def test_merging_names_the_incident_that_carries_on():
    given(declared).when(Merge(into_incident_id="INC-7", reason="same"), other=ANOTHER_OPEN).then(
        IncidentMerged(into_incident_id="INC-7", reason="same")
    )


def test_an_incident_cannot_be_merged_into_itself_nor_into_nothing():
    given(declared).when(Merge(into_incident_id="INC-42"), other=ANOTHER_OPEN).then_refused("itself", code="invalid")
    given(declared).when(Merge(into_incident_id="INC-99"), other=UNOPENED).then_refused(
        "there is no INC-99", code="not_found"
    )


def test_merging_into_a_merged_incident_names_its_root():
    given(declared).when(Merge(into_incident_id="INC-9"), other=fold([declared, merged_by_grace])).then_refused(
        "per-grace merged it into INC-7 at 14:08 UTC", instead="merge into INC-7"
    )


def test_two_incidents_cannot_be_merged_into_each_other():
    into_this = said(IncidentMerged(into_incident_id="INC-42"), minutes=8)
    given(declared).when(Merge(into_incident_id="INC-9"), other=fold([declared, into_this])).then_refused(
        "merged it into INC-42", instead="INC-9 belongs to this one already"
    )


def test_merging_into_a_dismissed_incident_is_refused():
    given(declared).when(Merge(into_incident_id="INC-9"), other=fold([declared, dismissed_by_grace])).then_refused(
        "dismissed it as false_positive", instead="reinstate INC-9 first"
    )


def test_merging_twice_into_the_same_incident_changes_nothing():
    given(declared, merged_by_grace).when(Merge(into_incident_id="INC-7"), other=ANOTHER_OPEN).then_nothing()
    given(declared, merged_by_grace).when(Merge(into_incident_id="INC-8"), other=ANOTHER_OPEN).then_refused(
        "per-grace merged it into INC-7", instead="unmerge this one first"
    )


def test_separating_returns_to_the_phase_before_the_merge():
    given(declared, resolved_by_bob, merged_by_grace).when(Unmerge(reason="another cause")).then(
        IncidentUnmerged(from_incident_id="INC-7", reason="another cause")
    )
    separated = said(IncidentUnmerged(from_incident_id="INC-7"), minutes=9)
    assert fold([declared, resolved_by_bob, merged_by_grace, separated]).phase == "resolved"
    given(declared, merged_by_grace, separated).when(Unmerge()).then_nothing()


def test_what_happened_on_another_day_is_told_with_its_date():
    given(declared, resolved_by_bob).when(Contain(), at=after(days=1)).then_refused(
        "per-bob resolved it at 14:07 UTC on 2026-03-01", instead="reopen it first"
    )


def test_nothing_is_asked_of_an_incident_that_is_not_there():
    given().when(Resolve()).then_refused("there is no INC-42", code="not_found")


def test_what_lies_in_the_future_is_refused_beyond_five_minutes_of_skew():
    given(declared).when(Contain(), at=after(minutes=16), now=after(minutes=10)).then_refused(
        "it would happen at 14:16 UTC, and now is 14:10 UTC", code="invalid"
    )
    given(declared).when(Contain(), at=after(minutes=15), now=after(minutes=10)).then(IncidentContained())
