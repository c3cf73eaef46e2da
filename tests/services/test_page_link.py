"""Acknowledgement links: genuine, unaltered, in time; or nothing."""

from datetime import UTC, datetime, timedelta

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.page_link import TOKEN_CHARS_MAX, LinkAltered, LinkExpired, PageLink, sign, verify

KEY = bytes(range(32))
NOW = datetime(2026, 3, 1, 14, 2, tzinfo=UTC)
LINK = PageLink(
    person_id="per-7f3k2m9qx4", page_id="pg-9k4m2n7pq3", incident_id="INC-42", expires_at=NOW + timedelta(hours=24)
)
TOKEN = sign(LINK, KEY)


def test_a_link_says_who_answers_what():
    assert verify(TOKEN, KEY, NOW) == LINK


def test_the_same_link_always_has_the_same_token():
    assert sign(LINK, KEY) == TOKEN


def test_a_token_stands_in_an_address_as_it_is():
    assert set(TOKEN) <= set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.")


def test_an_expired_link_says_when_and_what_to_do():
    with pytest.raises(LinkExpired, match="expired at 2026-03-02 14:02 UTC") as caught:
        verify(TOKEN, KEY, LINK.expires_at)
    assert "recount ack" in caught.value.hint


def test_a_link_of_another_installation_is_refused():
    with pytest.raises(LinkAltered) as caught:
        verify(TOKEN, bytes(32), NOW)
    assert "whole link" in caught.value.hint


def test_no_character_of_a_token_may_change():
    for position, character in enumerate(TOKEN):
        altered = TOKEN[:position] + ("A" if character != "A" else "B") + TOKEN[position + 1 :]
        with pytest.raises(LinkAltered):
            verify(altered, KEY, NOW)


def test_a_later_expiry_cannot_be_written_into_a_token():
    forever = sign(msgspec.structs.replace(LINK, expires_at=NOW + timedelta(days=3650)), bytes(32))
    with pytest.raises(LinkAltered):
        verify(forever.partition(".")[0] + "." + TOKEN.partition(".")[2], KEY, NOW)


def test_a_token_of_absurd_length_is_refused_unread():
    with pytest.raises(LinkAltered):
        verify("A" * (TOKEN_CHARS_MAX + 1), KEY, NOW)


@given(st.text(max_size=200))
def test_whatever_a_stranger_types_is_refused(text: str):
    with pytest.raises(LinkAltered):
        verify(text, KEY, NOW)
