"""An order is answered, whatever becomes of it."""

import logging
from datetime import UTC, datetime

import msgspec
import pytest

from events.errors import InvalidEvent
from services.command import Answer, Done, Order, Refused
from services.orders import answer

ORDER = msgspec.json.encode(
    Order(id="o-1", actor="per-ada", issued_at=datetime(2026, 3, 1, tzinfo=UTC), command=msgspec.Raw(b"{}"))
)


def raising(error: Exception):
    async def handle(_order: Order, _verb: str) -> Answer:
        raise error

    return handle


async def test_what_a_service_answers_is_the_answer():
    done = Done(target="INC-1", seq=7, message="INC-1: resolved")

    async def handle(order: Order, verb: str) -> Answer:
        assert (order.id, verb) == ("o-1", "resolve")
        return done

    assert await answer(handle, "resolve", ORDER) is done


async def test_what_can_never_be_stored_is_refused_with_what_to_do_instead():
    told = await answer(raising(InvalidEvent("its id is in the log already", hint="use another one")), "resolve", ORDER)
    assert told == Refused(
        asked="Cannot carry out 'resolve'",
        because="its id is in the log already",
        instead="use another one",
        code="invalid",
    )


async def test_a_service_that_fails_says_so_at_once_and_why_in_its_log(caplog: pytest.LogCaptureFixture):
    with caplog.at_level(logging.ERROR, logger="recount"):
        told = await answer(raising(KeyError("no such thing")), "resolve", ORDER)
    assert isinstance(told, Refused)
    assert told.code == "unavailable"
    assert "no such thing" in caplog.text


async def test_what_is_no_order_is_refused():
    told = await answer(raising(AssertionError()), "resolve", b"nothing")
    assert isinstance(told, Refused)
    assert told.code == "invalid"
