"""Acknowledgement, roles, impact, alerts and the rest of what is recorded, one behaviour a test."""

from events.incident import (
    AlertLinked,
    AlertUnlinked,
    DeterminationSet,
    ImpactEnded,
    ImpactLevelChanged,
    ImpactStarted,
    IncidentAcknowledged,
    IncidentSeverityChanged,
    Noted,
    RoleAssigned,
    RoleHandoffAccepted,
    RoleHandoffOffered,
    RoleRelieved,
    TitleChanged,
)
from services.incidents.circumstances import KnownAlert
from services.incidents.commands import (
    AcceptRole,
    Acknowledge,
    AddNote,
    AssignRole,
    ChangeSeverity,
    Determine,
    LinkAlert,
    OfferRole,
    RelieveRole,
    Rename,
    SetImpact,
    UnlinkAlert,
)
from tests.services.incidents.story import (
    ADA,
    BOB,
    GRACE,
    acknowledged_by_bob,
    ada_commands,
    after,
    closed,
    declared,
    dismissed_by_grace,
    given,
    impact_on_checkout,
    merged_by_grace,
    offered_to_bob,
    opened,
    reopened,
    resolved_by_bob,
    said,
)

ALERT = "3f9c1d2e4b5a6978c0d1"


def test_acknowledging_from_a_page_names_the_page():
    given(declared).when(Acknowledge(page_id="pg-1"), BOB).then(IncidentAcknowledged(page_id="pg-1"))


def test_acknowledging_twice_changes_nothing():
    given(declared, acknowledged_by_bob).when(Acknowledge(), BOB).then_nothing()


def test_a_second_responder_may_acknowledge_too():
    given(declared, acknowledged_by_bob).when(Acknowledge(), ADA).then(IncidentAcknowledged())


def test_an_acknowledgement_by_a_program_is_marked_automatic():
    given(declared).when(Acknowledge(), "service:intake").then(IncidentAcknowledged(automatic=True))


def test_a_resolved_incident_cannot_be_acknowledged():
    given(declared, resolved_by_bob).when(Acknowledge(), GRACE).then_refused(
        "per-bob resolved it at 14:07 UTC", instead="reopen it first"
    )
    given(declared, acknowledged_by_bob, resolved_by_bob).when(Acknowledge(), BOB).then_refused("per-bob resolved it")


def test_a_merged_incident_sends_its_responder_to_the_root():
    given(declared, merged_by_grace).when(Acknowledge(), BOB).then_refused("INC-7", instead="ask it of INC-7")


def test_a_relapse_is_acknowledged_anew():
    given(declared, acknowledged_by_bob, resolved_by_bob, reopened).when(Acknowledge(), BOB).then(
        IncidentAcknowledged()
    )


def test_severity_changes_name_what_it_was():
    given(declared).when(ChangeSeverity(severity="sev2", reason="half of users")).then(
        IncidentSeverityChanged(severity="sev2", previous="sev1", reason="half of users")
    )
    given(declared).when(ChangeSeverity(severity="sev1")).then_nothing()


def test_the_severity_of_a_dismissed_incident_stands():
    given(declared, dismissed_by_grace).when(ChangeSeverity(severity="sev2")).then_refused("per-grace dismissed it")


def test_a_commander_is_assigned_once():
    given(declared).when(AssignRole(role="commander", person_id=ADA)).then(
        RoleAssigned(role="commander", person_id=ADA)
    )
    given(declared, ada_commands).when(AssignRole(role="commander", person_id=ADA)).then_nothing()


def test_there_is_one_commander_at_a_time():
    given(declared, ada_commands).when(AssignRole(role="commander", person_id=BOB), BOB).then_refused(
        "per-ada is commander", instead="per-ada offers the role and per-bob accepts it"
    )


def test_other_roles_may_have_several_holders():
    scribe = said(RoleAssigned(role="scribe", person_id=ADA), minutes=2)
    given(declared, scribe).when(AssignRole(role="scribe", person_id=BOB)).then(
        RoleAssigned(role="scribe", person_id=BOB)
    )


def test_command_passes_when_both_sides_said_so():
    given(declared, ada_commands).when(OfferRole(role="commander", person_id=BOB), ADA).then(
        RoleHandoffOffered(role="commander", person_id=BOB)
    )
    given(declared, ada_commands, offered_to_bob).when(AcceptRole(role="commander"), BOB).then(
        RoleHandoffAccepted(role="commander", person_id=BOB, previous_person_id=ADA)
    )


def test_whoever_offers_a_role_keeps_it_until_it_is_accepted():
    assert given(declared, ada_commands, offered_to_bob).incident.commander == ADA
    accepted = said(RoleHandoffAccepted(role="commander", person_id=BOB, previous_person_id=ADA), BOB, minutes=4)
    after_hand_off = given(declared, ada_commands, offered_to_bob, accepted)
    assert after_hand_off.incident.roles["commander"] == (BOB,)
    after_hand_off.when(AcceptRole(role="commander"), BOB).then_nothing()


def test_only_the_holder_offers_a_role():
    given(declared, ada_commands).when(OfferRole(role="commander", person_id=GRACE), BOB).then_refused(
        "per-bob does not hold it; per-ada does"
    )
    given(declared).when(OfferRole(role="commander", person_id=GRACE), BOB).then_refused("nobody", instead="assign it")
    given(declared, ada_commands).when(OfferRole(role="commander", person_id=ADA), ADA).then_refused("holds it already")


def test_offering_twice_changes_nothing():
    given(declared, ada_commands, offered_to_bob).when(OfferRole(role="commander", person_id=BOB), ADA).then_nothing()


def test_nobody_takes_a_role_that_was_not_offered():
    given(declared, ada_commands, offered_to_bob).when(AcceptRole(role="commander"), GRACE).then_refused(
        "nobody offered it to per-grace", instead="ask per-ada to offer it"
    )


def test_a_later_offer_to_somebody_else_takes_back_the_first():
    to_grace = said(RoleHandoffOffered(role="commander", person_id=GRACE), ADA, minutes=4)
    given(declared, ada_commands, offered_to_bob, to_grace).when(AcceptRole(role="commander"), BOB).then_refused(
        "nobody offered it to per-bob"
    )


def test_a_relieved_commander_has_nothing_left_to_hand_over():
    relieved = said(RoleRelieved(role="commander", person_id=ADA), minutes=4)
    given(declared, ada_commands, offered_to_bob).when(RelieveRole(role="commander", person_id=ADA)).then(
        RoleRelieved(role="commander", person_id=ADA)
    )
    given(declared, ada_commands, offered_to_bob, relieved).when(AcceptRole(role="commander"), BOB).then_refused(
        "nobody offered it", instead="assign it"
    )
    given(declared, ada_commands, relieved).when(RelieveRole(role="commander", person_id=ADA)).then_nothing()


def test_roles_end_with_the_incident():
    given(declared, resolved_by_bob).when(AssignRole(role="scribe", person_id=ADA)).then(
        RoleAssigned(role="scribe", person_id=ADA)
    )
    given(declared, resolved_by_bob, closed).when(AssignRole(role="scribe", person_id=ADA)).then_refused(
        "per-grace closed it"
    )


def test_impact_begins_changes_and_ends():
    given(declared).when(SetImpact(scope="checkout", level=3)).then(ImpactStarted(scope="checkout", level=3))
    given(declared, impact_on_checkout).when(SetImpact(scope="checkout", level=1)).then(
        ImpactLevelChanged(scope="checkout", level=1)
    )
    given(declared, impact_on_checkout).when(SetImpact(scope="checkout", level=0)).then(ImpactEnded(scope="checkout"))


def test_impact_that_is_so_already_changes_nothing():
    given(declared, impact_on_checkout).when(SetImpact(scope="checkout", level=3)).then_nothing()
    given(declared).when(SetImpact(scope="checkout", level=0)).then_nothing()


def test_impact_on_two_scopes_is_independent():
    given(declared, impact_on_checkout).when(SetImpact(scope="search", level=2)).then(
        ImpactStarted(scope="search", level=2)
    )


def test_impact_cannot_end_before_it_began():
    given(declared, impact_on_checkout).when(SetImpact(scope="checkout", level=0), at=after()).then_refused(
        "last changed at 14:01 UTC", code="invalid"
    )


def test_impact_may_begin_before_the_detection():
    given(declared).when(SetImpact(scope="checkout", level=3), at=after(minutes=-30)).then(
        ImpactStarted(scope="checkout", level=3)
    )


def test_impact_learned_of_after_the_resolution_lies_before_it():
    given(declared, resolved_by_bob).when(SetImpact(scope="checkout", level=2), at=after(minutes=3)).then(
        ImpactStarted(scope="checkout", level=2)
    )
    given(declared, resolved_by_bob).when(SetImpact(scope="checkout", level=2)).then_refused(
        "it was resolved at 14:07 UTC", instead="reopen the incident"
    )


def test_notes_are_taken_in_every_phase():
    for history in ((opened,), (declared, resolved_by_bob, closed), (declared, merged_by_grace)):
        given(*history).when(AddNote(text="tried a restart")).then(Noted(text="tried a restart"))
    given().when(AddNote(text="tried a restart")).then_refused("there is no INC-42", code="not_found")


def test_renaming_to_the_same_title_changes_nothing():
    given(declared).when(Rename(title="checkout pays twice")).then(TitleChanged(title="checkout pays twice"))
    renamed = said(TitleChanged(title="checkout pays twice"), minutes=3)
    given(declared, renamed).when(Rename(title="checkout pays twice")).then_nothing()


def test_determining_what_is_known_already_changes_nothing():
    given(declared).when(Determine(determination="confirmed")).then(DeterminationSet(determination="confirmed"))
    given(declared).when(Determine(determination="suspected")).then_nothing()


def test_a_person_may_add_an_alert_that_exists():
    given(declared).when(LinkAlert(alert_key=ALERT, reason="same host"), alert=KnownAlert(2, "disk full")).then(
        AlertLinked(alert_key=ALERT, occurrence=2, title="disk full", reason="same host")
    )
    given(declared).when(LinkAlert(alert_key=ALERT)).then_refused("ever fired", code="not_found")


def test_an_alert_is_added_and_taken_out_once():
    linked = said(AlertLinked(alert_key=ALERT, occurrence=2, title="disk full"), minutes=2)
    given(declared, linked).when(LinkAlert(alert_key=ALERT), alert=KnownAlert(2, "disk full")).then_nothing()
    given(declared, linked).when(UnlinkAlert(alert_key=ALERT, reason="another host")).then(
        AlertUnlinked(alert_key=ALERT, reason="another host")
    )
    given(declared).when(UnlinkAlert(alert_key=ALERT)).then_nothing()
