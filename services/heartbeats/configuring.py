"""Carrying out what is asked about heartbeats."""

import msgspec

from events import EventLog, Write
from events.fact import Fact
from events.heartbeat import HeartbeatConfigured, HeartbeatRemoved
from services.command import CommandRefused, Done, Order
from services.decision import decide_and_append, event_of
from services.heartbeat import Heartbeat, heartbeat_id, heartbeat_of
from services.heartbeats.alarm import SOURCE
from services.heartbeats.commands import NAME_CHARS_MAX, Configure, HeartbeatCommand, Pause, Remove


async def carry_out(log: EventLog, order: Order, command: HeartbeatCommand) -> Done:
    """Do what an order asks. Asking for what holds already writes nothing.

    Raises:
        CommandRefused: it cannot be done.
        LogError: the log does not answer.
    """
    name = order.target.strip()
    if not name or len(name) > NAME_CHARS_MAX:
        raise CommandRefused(
            "Cannot find the heartbeat",
            because="it has no name" if not name else f"its name has more than {NAME_CHARS_MAX} characters",
            instead="name one, such as nightly-backup",
            code="invalid",
        )
    identifier = heartbeat_id(name)
    stream = f"heartbeat.{identifier}"

    async def attempt() -> tuple[tuple[Write, ...], str]:
        history = await log.read(stream)
        heartbeat = heartbeat_of(history)
        if any(recorded.event.causation_id == order.id for recorded in history):
            return (), "It was done already."
        fact, message = _decide(heartbeat, name, command)
        if fact is None:
            return (), message
        event = event_of(order, fact, source=SOURCE)
        return (Write(stream, heartbeat.version, (event,)),), message

    seq, message = await decide_and_append(log, attempt)
    return Done(target=identifier, seq=seq, message=message)


def _decide(heartbeat: Heartbeat, name: str, command: HeartbeatCommand) -> tuple[Fact | None, str]:
    match command:
        case Configure():
            wanted = HeartbeatConfigured(
                name=command.name or (heartbeat.configured.name if heartbeat.configured else name),
                every_s=command.every_s,
                grace_s=command.grace_s,
                severity=command.severity,
                service=command.service,
            )
            is_there = heartbeat.configured == wanted
            return None if is_there else wanted, f"A ping of {wanted.name} is expected every {wanted.every_s} s."
        case Pause():
            configured = _known(heartbeat, name, "pause")
            paused = msgspec.structs.replace(configured, paused=True)
            return None if configured.paused else paused, f"Nothing is expected of {configured.name} for now."
        case Remove():
            configured = _known(heartbeat, name, "remove")
            return HeartbeatRemoved(reason=command.reason), f"Nothing is expected of {configured.name} any more."


def _known(heartbeat: Heartbeat, name: str, verb: str) -> HeartbeatConfigured:
    if heartbeat.configured is None:
        raise CommandRefused(
            f"Cannot {verb} {name}",
            because="there is no such heartbeat",
            instead="list them: recount heartbeats list",
            code="not_found",
        )
    return heartbeat.configured
