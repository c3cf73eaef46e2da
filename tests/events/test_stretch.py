"""A stretch of the log is the events that went in, however it is cut."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from events import Stored
from events.stretch import Stretch

BEGAN = datetime(2026, 1, 5, 9, 0, tzinfo=UTC)
bodies = st.lists(st.binary(max_size=20), max_size=12)


def told(contents: list[bytes], first: int = 7) -> list[Stored]:
    return [
        Stored(seq, f"evt.incident.INC-{seq}.noted", BEGAN + timedelta(microseconds=seq), body)
        for seq, body in enumerate(contents, first)
    ]


@given(bodies)
def test_it_holds_what_went_in(contents: list[bytes]):
    events = told(contents)
    stretch = Stretch.of(events)
    assert list(stretch) == events
    assert Stretch.of(stretch) is stretch
    assert bool(stretch) == bool(events)


@given(bodies, st.slices(12).filter(lambda cut: cut.step in (None, 1)))
def test_a_slice_of_it_is_a_stretch(contents: list[bytes], cut: slice):
    events = told(contents)
    part = Stretch.of(events)[cut]
    assert isinstance(part, Stretch)
    assert list(part) == events[cut]


@given(bodies, st.integers(0, 30))
def test_it_is_cut_at_a_position(contents: list[bytes], position: int):
    events = told(contents)
    stretch = Stretch.of(events)
    assert list(stretch.through(position)) == [each for each in events if each.seq <= position]
    assert list(stretch.after(position)) == [each for each in events if each.seq > position]


def test_it_is_asked_by_number_like_a_list():
    events = told([b"a", b"", b"c"])
    stretch = Stretch.of(events)
    assert (stretch[0], stretch[-1]) == (events[0], events[2])
    with pytest.raises(IndexError):
        stretch[3]
    with pytest.raises(ValueError, match="without a step"):
        stretch[::2]
