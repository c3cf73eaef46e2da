"""A process stops within its time, whatever has become of the server that it speaks with."""

import asyncio

from services.supervisor.process import Stopping

SOON_S = 10.0


async def test_a_part_that_never_stops_does_not_keep_the_others_from_it():
    stopped = []

    async def stop(name: str) -> None:
        stopped.append(name)

    async def fail() -> None:
        raise OSError("the connection is gone")

    stopping = Stopping(0.05)
    async with asyncio.timeout(SOON_S):
        for name, work in (
            ("first", stop("first")),
            ("endless", asyncio.Event().wait()),
            ("failing", fail()),
            ("last", stop("last")),
        ):
            await stopping.settled(work, name)
    assert stopped == ["first", "last"]
