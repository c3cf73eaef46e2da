"""Hand-overs are recorded once, when they took effect, under the configuration of then."""

from datetime import UTC, datetime, timedelta

from events import Event, Recorded
from events.oncall import RotationConfigured, RotationFact, ShiftEnded, ShiftStarted
from services.oncall.shifts import CHANGES_AT_ONCE_MAX, Rotation, owed, rotation_of, wakes_at

MONDAY = datetime(2026, 1, 5, 9, 0, tzinfo=UTC)
WEEK = timedelta(days=7)


def configured(*members: str, days: int = 7, starts_at: datetime = MONDAY) -> RotationConfigured:
    return RotationConfigured(name="primary", zone="UTC", starts_at=starts_at, shift_days=days, members=members)


def history(*facts: tuple[datetime, RotationFact]) -> list[Recorded]:
    return [
        Recorded(
            seq=seq,
            stream="rotation.primary",
            recorded_at=at,
            event=Event(id=str(seq), fact=fact, happened_at=at, source="t"),
        )
        for seq, (at, fact) in enumerate(facts, start=1)
    ]


def starts(person_id: str, ends_at: datetime) -> ShiftStarted:
    return ShiftStarted(person_id=person_id, ends_at=ends_at)


def test_the_first_shift_begins_when_the_rotation_is_configured():
    told = MONDAY + timedelta(days=1)
    rotation = rotation_of(history((told, configured("ada", "bob"))))
    assert owed(rotation, told) == ((told, starts("ada", MONDAY + WEEK)),)
    assert wakes_at(rotation, told) == MONDAY + WEEK


def test_nothing_is_owed_before_the_first_shift():
    told = MONDAY - timedelta(days=1)
    rotation = rotation_of(history((told, configured("ada"))))
    assert owed(rotation, told) == ()
    assert wakes_at(rotation, told) == MONDAY
    assert owed(rotation, MONDAY) == ((MONDAY, starts("ada", MONDAY + WEEK)),)


def test_what_is_recorded_is_not_owed_again():
    facts = [(MONDAY, configured("ada", "bob")), (MONDAY, starts("ada", MONDAY + WEEK))]
    assert owed(rotation_of(history(*facts)), MONDAY + timedelta(days=3)) == ()


def test_a_hand_over_ends_one_shift_and_begins_the_next():
    rotation = rotation_of(history((MONDAY, configured("ada", "bob")), (MONDAY, starts("ada", MONDAY + WEEK))))
    assert owed(rotation, MONDAY + WEEK) == (
        (MONDAY + WEEK, ShiftEnded(person_id="ada")),
        (MONDAY + WEEK, starts("bob", MONDAY + 2 * WEEK)),
    )


def test_after_an_absence_every_hand_over_is_recorded_with_its_own_time():
    rotation = rotation_of(history((MONDAY, configured("ada", "bob")), (MONDAY, starts("ada", MONDAY + WEEK))))
    changes = owed(rotation, MONDAY + 3 * WEEK + timedelta(days=2))
    assert [at for at, _fact in changes] == [MONDAY + n * WEEK for n in (1, 1, 2, 2, 3, 3)]
    assert changes[-1][1] == starts("bob", MONDAY + 4 * WEEK)


def test_a_long_absence_is_caught_up_in_several_goes():
    rotation = rotation_of(history((MONDAY, configured("ada", "bob", days=1))))
    now, goes = MONDAY + timedelta(days=500), 0
    facts: list[tuple[datetime, RotationFact]] = [(MONDAY, configured("ada", "bob", days=1))]
    while missing := owed(rotation, now):
        assert len(missing) <= CHANGES_AT_ONCE_MAX + 1
        facts += missing
        rotation, goes = rotation_of(history(*facts)), goes + 1
    assert goes == 3
    assert len(facts) == 1 + 1 + 2 * 500


def test_a_new_configuration_takes_over_at_once():
    change = MONDAY + timedelta(days=2)
    rotation = rotation_of(
        history(
            (MONDAY, configured("ada", "bob")),
            (MONDAY, starts("ada", MONDAY + WEEK)),
            (change, configured("grace", "bob")),
        )
    )
    assert owed(rotation, change) == (
        (change, ShiftEnded(person_id="ada")),
        (change, starts("grace", MONDAY + WEEK)),
    )


def test_a_hand_over_that_was_missed_before_a_new_configuration_is_still_recorded_under_the_old_one():
    change = MONDAY + WEEK + timedelta(days=2)
    rotation = rotation_of(
        history(
            (MONDAY, configured("ada", "bob")),
            (MONDAY, starts("ada", MONDAY + WEEK)),
            (change, configured("grace")),
        )
    )
    assert owed(rotation, change) == (
        (MONDAY + WEEK, ShiftEnded(person_id="ada")),
        (MONDAY + WEEK, starts("bob", MONDAY + 2 * WEEK)),
        (change, ShiftEnded(person_id="bob")),
        (change, starts("grace", MONDAY + 2 * WEEK)),
    )


def test_a_rotation_that_loses_all_its_members_ends_the_shift():
    change = MONDAY + timedelta(days=2)
    facts = [(MONDAY, configured("ada")), (MONDAY, starts("ada", MONDAY + WEEK)), (change, configured())]
    rotation = rotation_of(history(*facts))
    assert owed(rotation, change) == ((change, ShiftEnded(person_id="ada")),)
    assert wakes_at(rotation, change) is None


def test_folding_on_gives_the_same_as_folding_anew():
    facts: list[tuple[datetime, RotationFact]] = [
        (MONDAY, configured("ada", "bob")),
        (MONDAY, starts("ada", MONDAY + WEEK)),
        (MONDAY + timedelta(days=1), configured("grace")),
        (MONDAY + timedelta(days=1), ShiftEnded(person_id="ada")),
        (MONDAY + timedelta(days=1), starts("grace", MONDAY + WEEK)),
    ]
    whole = history(*facts)
    for cut in range(len(whole)):
        assert rotation_of(whole[cut:], rotation_of(whole[:cut], Rotation())) == rotation_of(whole)
