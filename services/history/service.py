"""History: takes over the incidents of other systems.

Hears  orders on cmd.history.record.
Says   incident facts, with the time when the other system knew them; import.assigned, import.taken.
Keeps  nothing: what was taken over before is read from the streams concerned.

Nobody is paged for what it says: a fact that another system knew before begins no call (`services.attention`).
"""

import asyncio
import logging

from events import EventLog, RecountError
from events.errors import LogError
from services.command import Answer, CommandRefused, Order, Refused
from services.history.commands import Outcome, Recorded, parse
from services.history.importing import Importer

logger = logging.getLogger("recount")

ASKED = "Cannot take a history over"


class History:
    """The history service, free of NATS.

    Args:
        log: the facts.
    """

    name = "history"

    def __init__(self, log: EventLog) -> None:
        self._importer = Importer(log)
        # Two orders at once would only lose their appends to each other.
        self._turn = asyncio.Lock()

    async def handle(self, order: Order, verb: str) -> Answer:
        """Carry out an order. Never raises what a caller could be told: the answer says what went wrong."""
        try:
            command = parse(verb, bytes(order.command))
            async with self._turn:
                seq, outcomes = await self._importer.record(order, command)
        except CommandRefused as refusal:
            return refusal.answer
        except LogError as error:
            logger.warning("history: %s", error)
            return Refused(
                asked=ASKED,
                because=str(error),
                instead="send it again: what is there already is not written twice",
                code="unavailable",
            )
        except RecountError as error:
            return Refused(asked=ASKED, because=str(error), instead=error.hint, code="invalid")
        return Recorded(target="", seq=seq, message=_sentence(outcomes), outcomes=tuple(outcomes))


def _sentence(outcomes: list[Outcome]) -> str:
    refused = sum(bool(outcome.problem) for outcome in outcomes)
    facts = sum(outcome.facts for outcome in outcomes)
    return f"{len(outcomes) - refused:,} states taken over, {facts:,} facts" + (
        f"; {refused:,} refused" if refused else ""
    )
