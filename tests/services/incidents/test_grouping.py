"""Which incident an alert belongs to, as a pure decision."""

from datetime import UTC, datetime, timedelta

from events import Event, Fact, Recorded
from events.alert import AlertCleared, AlertPassedOver
from events.incident import AlertLinked
from services.incidents.grouping import (
    RULE,
    Firing,
    Holder,
    Joined,
    Opened,
    PassedOver,
    Placement,
    Rules,
    firing_at,
    group_key,
    group_of_incident,
    known_alert,
)
from services.incidents.grouping import place as incident_for
from services.incidents.state import fold
from tests.services.incidents.alerts import alert_key, fired, ruled, updated
from tests.services.incidents.story import declared, resolved_by_bob, said

MORNING = datetime(2026, 3, 1, 9, tzinfo=UTC)
KEY = alert_key("CheckoutErrors")
RULES = Rules()


def history(*facts: Fact) -> list[Recorded]:
    return [
        Recorded(
            seq=number,
            stream=f"alert.{KEY}",
            recorded_at=MORNING,
            event=Event(
                id=f"event-{number}",
                fact=fact,
                happened_at=MORNING + timedelta(minutes=number),
                source="recount/intake",
            ),
        )
        for number, fact in enumerate(facts, start=1)
    ]


def firing(*facts: Fact, seq: int = 1) -> Firing:
    found = firing_at(KEY, history(*facts), seq)
    assert found is not None
    return found


def place(firing: Firing, rules: Rules, holders: list[Holder], target: Holder | None) -> Placement | None:
    return incident_for(firing, ruled(firing, rules), holders, [target] if target else [])


OPEN = Holder("INC-42", fold([declared]))
OVER = Holder("INC-42", fold([declared, resolved_by_bob]))


def test_the_first_severe_alert_of_a_service_opens_an_incident_and_says_why():
    placement = place(firing(fired("CheckoutErrors")), RULES, [], None)
    assert isinstance(placement, Opened)
    assert placement.declared.title == "CheckoutErrors"
    assert placement.declared.severity == "sev1"
    assert placement.declared.service == "checkout"
    assert placement.declared.rule == RULE
    assert placement.declared.reason == "severity critical is at least error, and no incident about checkout was open"
    assert placement.declared.detected_at == MORNING + timedelta(minutes=1)
    assert placement.linked.alert_key == KEY


def test_another_severe_alert_of_the_service_joins_and_says_why():
    placement = place(firing(fired("CheckoutErrors", severity="error")), RULES, [OPEN], OPEN)
    assert isinstance(placement, Joined)
    assert placement.incident_id == "INC-42"
    assert placement.linked.reason == "severity error is at least error, and this incident about checkout is open"


def test_an_incident_that_is_over_frees_its_group():
    assert isinstance(place(firing(fired("CheckoutErrors")), RULES, [OVER], OVER), Opened)


def test_a_mild_alert_is_passed_over_and_says_why():
    placement = place(firing(fired("CheckoutErrors", severity="warning")), RULES, [OPEN], OPEN)
    assert isinstance(placement, PassedOver)
    assert placement.fact.reason == "its severity is warning; an incident needs at least error"


def test_a_mild_alert_is_passed_over_once_an_occurrence():
    said_so = AlertPassedOver(occurrence=1, rule=RULE, reason="its severity is warning")
    mild = fired("CheckoutErrors", severity="warning")
    assert place(firing(mild, said_so), RULES, [], None) is None
    again = fired("CheckoutErrors", severity="warning", occurrence=2)
    assert isinstance(place(firing(mild, said_so, AlertCleared(), again, seq=4), RULES, [], None), PassedOver)


def test_an_occurrence_passed_over_after_it_had_fired_again_is_not_passed_over_twice():
    mild = fired("CheckoutErrors", severity="warning")
    again = fired("CheckoutErrors", severity="warning", occurrence=2)
    late = AlertPassedOver(occurrence=1, rule=RULE, reason="its severity is warning")
    assert place(firing(mild, AlertCleared(), again, late), RULES, [], None) is None


def test_an_alert_that_does_not_say_how_severe_it_is_counts_as_a_warning():
    unknown = firing(fired("CheckoutErrors", severity="unknown"))
    assert isinstance(place(unknown, RULES, [], None), PassedOver)
    assert isinstance(place(unknown, Rules(opens_at="warning"), [], None), PassedOver)
    assert isinstance(place(unknown, Rules(opens_at="unknown"), [], None), Opened)


def test_an_alert_that_becomes_severe_opens_an_incident_later():
    facts = fired("CheckoutErrors", severity="warning"), updated("CheckoutErrors", "critical")
    later = firing(*facts, seq=2)
    assert later.cause_id == "event-2"
    assert isinstance(place(later, RULES, [], None), Opened)


def test_an_alert_that_calmed_down_since_counts_as_severe_as_it_was():
    assert firing(fired("CheckoutErrors"), updated("CheckoutErrors", "info")).severity == "critical"


def test_an_alert_that_cleared_meanwhile_still_has_its_incident():
    assert isinstance(place(firing(fired("CheckoutErrors"), AlertCleared()), RULES, [], None), Opened)


def test_an_occurrence_that_an_incident_has_seen_is_not_placed_again():
    linked = said(AlertLinked(alert_key=KEY, occurrence=1, title="CheckoutErrors"), minutes=1)
    seen = Holder("INC-42", fold([declared, linked, resolved_by_bob]))
    assert place(firing(fired("CheckoutErrors")), RULES, [seen], seen) is None
    second = fired("CheckoutErrors", occurrence=2)
    assert isinstance(
        place(firing(fired("CheckoutErrors"), AlertCleared(), second, seq=3), RULES, [seen], seen), Opened
    )


def test_a_later_occurrence_is_told_from_an_earlier_one_by_the_position_asked_about():
    facts = (
        fired("CheckoutErrors", severity="warning"),
        AlertCleared(),
        fired("CheckoutErrors", severity="critical", occurrence=2),
    )
    assert (firing(*facts, seq=1).occurrence, firing(*facts, seq=1).severity) == (1, "warning")
    assert (firing(*facts, seq=3).occurrence, firing(*facts, seq=3).severity) == (2, "critical")
    assert known_alert(KEY, history(*facts)) is not None
    assert known_alert(KEY, []) is None
    assert firing_at(KEY, history(AlertCleared()), 1) is None


def test_an_alert_without_a_service_is_a_group_of_its_own():
    assert group_key("", "a") != group_key("", "b")
    assert group_key("checkout", "a") == group_key("checkout", "b")
    assert group_key("checkout", "a") != group_key("", "checkout")


def test_the_group_of_an_incident_is_that_of_its_service_or_of_its_first_alert():
    without_service = [said(AlertLinked(alert_key=key, occurrence=1, title=key), minutes=1) for key in ("a", "b")]
    assert group_of_incident(fold([declared])) == group_key("checkout", "")
    assert group_of_incident(fold(without_service)) == group_key("", "a")
    assert group_of_incident(fold([])) is None
