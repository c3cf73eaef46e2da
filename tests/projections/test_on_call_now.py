"""The view ``on_call_now``: who is on call, by the shifts that were recorded."""

from datetime import UTC

from events.oncall import RotationConfigured, ShiftEnded, ShiftStarted
from tests.spec import ADA, BOB, MORNING, given, moment, stream

CONFIGURED = RotationConfigured(
    name="Primary", zone="Europe/London", starts_at=MORNING, shift_days=7, members=(ADA, BOB)
)
ENDS_AT = moment("17:00").replace(tzinfo=UTC)


def test_a_started_shift_is_on_call_with_the_rotations_latest_name():
    given(
        stream("rotation.primary", CONFIGURED),
        stream("rotation.primary", ShiftStarted(person_id=ADA, ends_at=ENDS_AT), at="09:00"),
    ).view("on_call_now").shows(
        {
            "rotation_id": "primary",
            "rotation": "Primary",
            "person_id": ADA,
            "since": moment("09:00"),
            "ends_at": moment("17:00"),
        }
    )


def test_a_hand_over_leaves_one_on_call():
    given(
        stream("rotation.primary", CONFIGURED, ShiftStarted(person_id=ADA, ends_at=ENDS_AT)),
        stream("rotation.primary", ShiftEnded(person_id=ADA), ShiftStarted(person_id=BOB, ends_at=ENDS_AT)),
    ).view("on_call_now").shows({"person_id": BOB})
