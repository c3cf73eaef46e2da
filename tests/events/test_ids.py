"""How ids look, and that repeated work gets the same one."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from events.ids import (
    EVENT_ID_HEX_DIGITS,
    derived_event_id,
    incident_id,
    incident_number,
    is_id,
    key_of,
    new_event_id,
    new_id,
)


@pytest.mark.parametrize("text", ["INC-42", "per-7f3k2m9qx4", "a", "x" * 64, "3f9c1d2e4b5a6978c0d1", "under_score"])
def test_what_may_stand_in_a_subject(text: str):
    assert is_id(text)


@pytest.mark.parametrize("text", ["", "x" * 65, "INC 42", "a.b", "*", ">", "INC-42\n", "é", "a/b"])
def test_what_may_not_stand_in_a_subject(text: str):
    assert not is_id(text)


def test_fresh_event_ids_are_unique_and_sort_by_creation_to_the_millisecond():
    ids = [new_event_id() for _ in range(1_000)]
    assert len(set(ids)) == 1_000
    assert all(re.fullmatch(rf"[0-9a-f]{{{EVENT_ID_HEX_DIGITS}}}", identifier) for identifier in ids)
    assert [identifier[:12] for identifier in ids] == sorted(identifier[:12] for identifier in ids)


def test_fresh_ids_are_opaque_and_have_no_letters_that_look_alike():
    ids = {new_id("per") for _ in range(1_000)}
    assert len(ids) == 1_000
    assert all(re.fullmatch(r"per-[a-km-np-z2-9]{10}", identifier) and is_id(identifier) for identifier in ids)


@given(st.text(), st.lists(st.text(), max_size=4))
def test_the_same_answer_to_the_same_cause_has_the_same_id(cause: str, parts: list[str]):
    assert derived_event_id(cause, *parts) == derived_event_id(cause, *parts)
    assert is_id(derived_event_id(cause, *parts))
    assert is_id(key_of(cause, *parts))


@given(st.lists(st.text(max_size=5), min_size=1, max_size=4), st.lists(st.text(max_size=5), min_size=1, max_size=4))
def test_other_parts_give_another_key_even_when_they_join_to_the_same_text(first: list[str], second: list[str]):
    assert (key_of(*first) == key_of(*second)) == (first == second)


def test_keys_never_change_because_streams_are_named_after_them():
    assert key_of("key-alertmanager", "HighErrorRate{service=checkout}") == "5eca1d0e3b1a03fc2e38"
    assert derived_event_id("declared", "page", "1") == "7f4f716c7667f25bca198dd3f1bfad62"


def test_incident_numbers_and_ids_are_each_others_inverse():
    assert incident_id(42) == "INC-42"
    assert incident_number("INC-42") == 42


@pytest.mark.parametrize("text", ["42", "INC-", "INC-x", "inc-42", "INC--1", "INC-42-1", ""])
def test_what_is_not_an_incident_id_is_refused_by_name(text: str):
    with pytest.raises(ValueError, match="is not an incident id such as INC-42"):
        incident_number(text)
