"""The drawing of a curve stays inside its frame and says what the curve says."""

from itertools import pairwise

import pytest

from projections.figures.survival import Curve, Lasted, curve
from services.web.survival_drawing import HEIGHT, POINTS_MAX, WIDTH, draw

MINUTE = 60_000_000


def lasting(*minutes: float, still: int = 0) -> Curve:
    return curve([*(Lasted(round(each * MINUTE), 1, 0) for each in minutes), Lasted(90 * MINUTE, 0, still)])


def points(text: str) -> list[tuple[float, float]]:
    return [(float(x), float(y)) for x, y in (pair.split(",") for pair in text.split())]


@pytest.mark.parametrize(
    "shape",
    [lasting(1, 2, 3), lasting(5), lasting(5, 5, 5), lasting(0, 0, 0), lasting(-4, 2, 9), lasting(1, 50_000, still=3)],
    ids=["some", "one", "alike", "no time", "lead times", "a thousand times as long"],
)
def test_whatever_lasted_how_long_it_stays_in_the_frame_and_never_rises(shape: Curve):
    drawing = draw(shape, shape.quantile(0.5))
    assert drawing is not None
    line = points(drawing.line)
    assert all(0 <= x <= WIDTH and 0 <= y <= HEIGHT for x, y in line + points(drawing.band))
    assert all(before[0] <= after[0] and before[1] <= after[1] for before, after in pairwise(line))
    assert all(drawing.left <= tick.place <= drawing.right for tick in drawing.across)


def test_what_is_not_over_keeps_the_line_above_the_ground():
    drawing = draw(lasting(1, 2, still=2), None)
    assert drawing is not None
    assert points(drawing.line)[-1][1] == pytest.approx((drawing.top + drawing.bottom) / 2)
    assert drawing.median is None


def test_words_below_do_not_overlap():
    drawing = draw(lasting(0.1, 1, 10, 100, 1_000, 10_000, 100_000), None)
    assert drawing is not None
    places = [tick.place for tick in drawing.across]
    assert len(places) >= 3
    assert all(after - before >= 50 for before, after in pairwise(places))


def test_many_steps_are_thinned_to_what_a_screen_can_show():
    drawing = draw(lasting(*range(1, 5_000)), None)
    assert drawing is not None
    assert len(points(drawing.line)) <= 2 * POINTS_MAX + 4


def test_of_nothing_that_is_over_there_is_no_drawing():
    assert draw(lasting(still=4), None) is None
