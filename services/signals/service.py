"""Signals: keeps the rules and silences by which alerts are decided.

Hears  ``cmd.signals.publish_rules``, ``create_silence``, ``change_silence``, ``end_silence``.
Says   RulesPublished, SilenceCreated, SilenceChanged, SilenceEnded.
Keeps  nothing: who decides about alerts reads these facts itself.
"""

from typing import assert_never

from events import EventLog
from events.errors import LogError, RecountError
from services.command import Answer, CommandRefused, Done, Order, Refused
from services.signals.commands import ChangeSilence, CreateSilence, EndSilence, PublishRules, SignalsCommand, parse
from services.signals.publishing import Publishing
from services.signals.silencing import Silencing


class Signals:
    """Answers commands. Asking the same order again changes nothing."""

    def __init__(self, log: EventLog) -> None:
        self._publishing = Publishing(log)
        self._silencing = Silencing(log)

    async def handle(self, order: Order, verb: str) -> Answer:
        """Do what an order asks, or say why not. Never raises what the asker could be told."""
        asked = f"Cannot carry out {verb!r}"
        try:
            return await self._do(order, parse(verb, bytes(order.command)))
        except CommandRefused as refusal:
            return refusal.answer
        except LogError as error:
            return Refused(asked=asked, because=str(error), instead=error.hint, code="unavailable")
        except RecountError as error:
            return Refused(asked=asked, because=str(error), instead=error.hint, code="invalid")

    async def _do(self, order: Order, command: SignalsCommand) -> Done:
        match command:
            case PublishRules():
                return await self._publishing.publish(order, command)
            case CreateSilence():
                return await self._silencing.create(order, command)
            case ChangeSilence():
                return await self._silencing.change(order, command)
            case EndSilence():
                return await self._silencing.end(order, command)
            case _:
                assert_never(command)
