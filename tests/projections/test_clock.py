"""The view ``clock``: the present moment of the log."""

from events.incident import Noted
from tests.spec import given, incident, moment

NOTES = incident("INC-42", Noted(text="one"), Noted(text="two"), Noted(text="three"))


def test_now_is_when_the_log_last_recorded_anything():
    given(NOTES).view("clock").shows({"position": 3, "moment": moment("09:03").replace(second=2)})


def test_it_stands_still_for_who_asks_as_of_a_position():
    given(NOTES).view("clock", as_of=2).shows({"position": 2, "moment": moment("09:02").replace(second=2)})
