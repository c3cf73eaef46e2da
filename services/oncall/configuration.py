"""Rotations and policies: configured by command, and from recount.toml at each start."""

from datetime import UTC
from zoneinfo import ZoneInfo

import msgspec

from events import EventLog, Fact, Write
from events.escalation import Level
from events.ids import is_id
from events.oncall import PolicyConfigured, RotationConfigured
from events.subjects import split, stream_of
from services.command import CommandRefused, Done, Order
from services.decision import decide_and_append, event_of
from services.directory import Directory
from services.oncall.commands import ConfigurePolicy, ConfigureRotation

SOURCE = "recount/oncall"
# The id goes into timer ids, which add a prefix and are at most 64 characters themselves.
ID_CHARS_MAX = 50
# A level that has less could not even be asked; one that has more than a week is no escalation.
ANSWER_WITHIN_S_MIN, ANSWER_WITHIN_S_MAX = 1, 7 * 24 * 3600
TARGETS_MAX = 50


class Configuration:
    """Carries out the commands about rotations and policies.

    Args:
        log: holds the configured facts.
        directory: this object's own; it is refreshed for each command.
    """

    def __init__(self, log: EventLog, directory: Directory) -> None:
        self._log = log
        self._directory = directory

    async def handle(self, order: Order, command: ConfigureRotation | ConfigurePolicy) -> Done:
        """Do what is asked. Asking for what already holds writes nothing.

        Raises:
            CommandRefused: says why not, and what to do instead.
        """
        kind = "rotation" if isinstance(command, ConfigureRotation) else "policy"
        if not is_id(order.target) or len(order.target) > ID_CHARS_MAX:
            raise CommandRefused(
                f"Cannot configure {kind} {order.target!r}",
                because="that is no id",
                instead=f"use 1 to {ID_CHARS_MAX} of A-Z a-z 0-9 _ -",
                code="invalid",
            )
        await self._directory.refresh()
        fact: Fact
        if isinstance(command, ConfigureRotation):
            fact = self._rotation(order.target, command)
        else:
            fact = await self._policy(order.target, command)
        return await self._configure(order, stream_of(kind, order.target), fact)

    async def _configure(self, order: Order, stream: str, fact: Fact) -> Done:
        kind, identifier = split(stream)

        async def attempt() -> tuple[tuple[Write, ...], tuple[int, str]]:
            history = await self._log.read(stream)
            if before := next((r for r in history if r.event.causation_id == order.id), None):
                return (), (before.seq, f"{kind} {identifier} was configured by this order already")
            present = next((r.fact for r in reversed(history) if isinstance(r.fact, type(fact))), None)
            if present == fact:
                return (), (0, f"{kind} {identifier} is configured so already")
            version = history[-1].seq if history else 0
            event = event_of(order, fact, source=SOURCE)
            return (Write(stream, version, (event,)),), (0, f"{kind} {identifier} configured")

        seq, (seq_before, message) = await decide_and_append(self._log, attempt)
        return Done(target=identifier, seq=seq or seq_before, message=message)

    def _rotation(self, rotation_id: str, command: ConfigureRotation) -> RotationConfigured:
        about = f"Cannot configure rotation {rotation_id}"
        try:
            zone = ZoneInfo(command.zone)
        except (ValueError, OSError, KeyError) as error:
            raise CommandRefused(
                about,
                because=f"{command.zone!r} is no time zone",
                instead="use an IANA name such as Europe/London",
                code="invalid",
            ) from error
        starts_at = command.starts_at if command.starts_at.tzinfo else command.starts_at.replace(tzinfo=zone)
        return RotationConfigured(
            name=command.name or rotation_id,
            zone=command.zone,
            starts_at=starts_at.astimezone(UTC),
            shift_days=command.shift_days,
            members=tuple(self._person(about, member) for member in command.members),
        )

    async def _policy(self, policy_id: str, command: ConfigurePolicy) -> PolicyConfigured:
        about = f"Cannot configure policy {policy_id}"
        levels = [await self._level(about, level) for level in command.levels]
        return PolicyConfigured(name=command.name or policy_id, levels=tuple(levels), repeat=command.repeat)

    async def _level(self, about: str, level: Level) -> Level:
        if not ANSWER_WITHIN_S_MIN <= level.answer_within_s <= ANSWER_WITHIN_S_MAX:
            raise CommandRefused(
                about,
                because=f"{level.answer_within_s} s is no time to answer in",
                instead=f"give {ANSWER_WITHIN_S_MIN} to {ANSWER_WITHIN_S_MAX} seconds",
                code="invalid",
            )
        if not 1 <= len(level.targets) <= TARGETS_MAX:
            raise CommandRefused(
                about,
                because=f"a level has {len(level.targets)} targets",
                instead=f"give 1 to {TARGETS_MAX}",
                code="invalid",
            )
        targets = [await self._target(about, target) for target in level.targets]
        return msgspec.structs.replace(level, targets=tuple(targets))

    async def _target(self, about: str, target: str) -> str:
        kind, _, name = target.partition(".")
        if kind == "person":
            return f"person.{self._person(about, name)}"
        if kind == "rotation" and is_id(name) and await self._log.read(stream_of("rotation", name)):
            return target
        raise CommandRefused(
            about,
            because=f"there is no {target!r} to ask",
            instead="name rotation.<id> of a configured rotation, or person.<handle>",
            code="invalid",
        )

    def _person(self, about: str, handle_or_id: str) -> str:
        person = self._directory.find(handle_or_id)
        if person is None or person.erased:
            raise CommandRefused(
                about,
                because=f"there is no person {handle_or_id!r}" if person is None else f"{handle_or_id} was erased",
                instead="see who there is: recount people list",
                code="invalid",
            )
        return person.person_id
