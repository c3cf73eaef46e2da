"""Puts signals to work in a process."""

import logging

import msgspec

from events.ids import new_event_id
from services.command import Order, Refused, verb_of
from services.context import Context
from services.orders import hear_orders
from services.rules.rules_document import written_settings
from services.rules.ruleset import BUILT_IN, from_settings
from services.signals.commands import PublishRules
from services.signals.publishing import STREAM
from services.signals.service import Signals

logger = logging.getLogger("recount")

ACTOR = "service:configuration"


async def attach_signals(context: Context) -> Signals:
    """Have a process hear commands about rules and silences. Call it before the broker starts.

    Until somebody publishes rules by hand, the settings ``[grouping]`` stand for them: they are published here, before
    the services that decide by them.
    """
    signals = Signals(context.log)
    await publish_settings(context, signals)
    hear_orders(context.broker, "signals", signals.handle)
    return signals


async def publish_settings(context: Context, signals: Signals) -> None:
    """Publish the settings ``[grouping]`` as rules, unless they hold or rules were published by hand.

    Settings that were never changed are the built-in rules, which need no publishing.
    """
    grouping = context.settings.grouping
    is_built_in = from_settings(grouping.opens_at, grouping.severity) == BUILT_IN
    if is_built_in and await context.log.last(STREAM) is None:
        return
    command = PublishRules(
        text=written_settings(grouping.opens_at, grouping.severity),
        note="settings [grouping] of the configuration file",
        origin="settings",
    )
    order = Order(
        id=new_event_id(),
        actor=ACTOR,
        issued_at=context.clock.now(),
        command=msgspec.Raw(msgspec.json.encode(command)),
    )
    answer = await signals.handle(order, verb_of(command))
    if isinstance(answer, Refused):
        logger.error("%s: grouping: %s; %s", context.settings.file, answer.because, answer.instead)
