"""Intake's commands: integration keys and dead letters.

Hears  ``cmd.intake.create_key``, ``cmd.intake.rotate_key``, ``cmd.intake.revoke_key``, ``cmd.intake.sign_key``,
       ``cmd.intake.map_key``, ``cmd.intake.replay``.
Says   KeyCreated, KeyRotated, KeyRevoked, KeySigningChanged, KeyMappingChanged, DeadLetterReplayed, and alert facts of
       a replayed receipt.
Keeps  nothing.
"""

import re
from datetime import timedelta
from typing import assert_never

from events import NOTHING, Event, EventLog, Write
from events.audit import DeadLetterRecorded, DeadLetterReplayed, KeyCreated, KeyRevoked
from events.errors import LogError
from events.fact import Fact
from events.ids import is_id, key_of
from events.receipt import Receipts
from services.command import Answer, CommandRefused, Done, Order, Refused
from services.decision import decide_and_append, event_of
from services.intake.adapters import adapters
from services.intake.commands import (
    CreateKey,
    IntakeCommand,
    MapKey,
    Replay,
    RevokeKey,
    RotateKey,
    ShowReceipt,
    SignKey,
    parse,
)
from services.intake.key_mapping import change_mapping, check_mapping
from services.intake.keys import Keys
from services.intake.receipt_told import show_receipt
from services.intake.rotation import rotate
from services.intake.signing import change_signing
from services.intake.translator import SOURCE, Translator

_HOUR = timedelta(hours=1)
_SHA256 = re.compile(r"[0-9a-f]{64}")


class IntakeService:
    """Answers commands. Asking the same order again changes nothing."""

    def __init__(self, log: EventLog, receipts: Receipts, keys: Keys, translator: Translator) -> None:
        self._log = log
        self._receipts = receipts
        self._keys = keys
        self._translator = translator

    async def handle(self, order: Order, verb: str) -> Answer:
        """Do what an order asks, or say why not."""
        try:
            return await self._do(order, parse(verb, bytes(order.command)))
        except CommandRefused as refusal:
            return refusal.answer
        except LogError as error:
            asked = f"Cannot carry out {verb!r}"
            return Refused(asked=asked, because=str(error), instead=error.hint, code="unavailable")

    async def _do(self, order: Order, command: IntakeCommand) -> Answer:
        match command:
            case CreateKey():
                return await self._create_key(order, command)
            case RotateKey():
                return await self._rotate_key(order, command)
            case RevokeKey():
                return await self._revoke_key(order, command)
            case SignKey():
                return await self._sign_key(order, command)
            case MapKey():
                return await self._map_key(order, command)
            case Replay():
                return await self._replay(order, command)
            case ShowReceipt():
                return await show_receipt(self._receipts, command)
            case _:
                assert_never(command)

    async def _create_key(self, order: Order, command: CreateKey) -> Done:
        asked = f"Cannot create a key for {command.sender}"
        if command.sender not in adapters():
            raise CommandRefused(
                asked,
                because="there is no such sender",
                instead=f"choose one of {', '.join(sorted(adapters()))}",
                code="invalid",
            )
        check_mapping(asked, command.sender, command.mapping)
        _require_digest(asked, command.secret_sha256)
        key_id = command.key_id or order.target or f"key-{key_of(order.id)[:10]}"
        if not is_id(key_id):
            raise CommandRefused(
                asked, because=f"{key_id!r} cannot be an id", instead="use 1 to 64 of A-Z a-z 0-9 _ -", code="invalid"
            )
        await self._require_new(asked, key_id, command.secret_sha256)
        stream = f"key.{key_id}"

        async def attempt() -> tuple[tuple[Write, ...], bool]:
            history = await self._log.read(stream)
            if not history:
                fact = KeyCreated(
                    sender=command.sender,
                    secret_sha256=command.secret_sha256,
                    name=command.name,
                    service=command.service,
                    mapping=command.mapping,
                )
                return (Write(stream, NOTHING, (_event(order, fact),)),), True
            created = history[0].fact
            if not isinstance(created, KeyCreated) or created.secret_sha256 != command.secret_sha256:
                raise CommandRefused(asked, because=f"{key_id} exists with another secret", instead="use another id")
            return (), True

        seq, _ = await decide_and_append(self._log, attempt)
        await self._keys.refresh()
        return Done(target=key_id, seq=seq, message=f"{key_id} lets {command.sender} in.")

    async def _require_new(self, asked: str, key_id: str, digest: str) -> None:
        await self._keys.refresh()
        other = self._keys.with_sha256(digest)
        if other is not None and other.key_id != key_id:
            raise CommandRefused(
                asked, because=f"{other.key_id} has the same secret", instead="make a new secret", code="invalid"
            )

    async def _rotate_key(self, order: Order, command: RotateKey) -> Done:
        key_id = command.key_id or order.target
        asked = f"Cannot rotate {key_id}"
        _require_digest(asked, command.secret_sha256)
        await self._require_new(asked, key_id, command.secret_sha256)
        stream = f"key.{key_id}"
        former_for = timedelta(seconds=command.former_for_s)

        async def attempt() -> tuple[tuple[Write, ...], bool]:
            history = await self._log.read(stream) if is_id(key_id) else []
            rotated = rotate(key_id, command.secret_sha256, former_for, history, order.happened_at or order.issued_at)
            return ((Write(stream, history[-1].seq, (_event(order, rotated),)),) if rotated else ()), True

        seq, _ = await decide_and_append(self._log, attempt)
        await self._keys.refresh()
        former = f"is accepted for another {former_for / _HOUR:g} h" if former_for else "is not accepted any more"
        return Done(target=key_id, seq=seq, message=f"{key_id} has a new secret; the former one {former}.")

    async def _revoke_key(self, order: Order, command: RevokeKey) -> Done:
        key_id = command.key_id or order.target
        stream = f"key.{key_id}"

        async def attempt() -> tuple[tuple[Write, ...], bool]:
            history = await self._log.read(stream) if is_id(key_id) else []
            if not history:
                raise CommandRefused(
                    f"Cannot revoke {key_id}",
                    because="there is no such key",
                    instead="list them: recount keys list",
                    code="not_found",
                )
            if any(isinstance(recorded.fact, KeyRevoked) for recorded in history):
                return (), True
            revoked = _event(order, KeyRevoked(reason=command.reason))
            return (Write(stream, history[-1].seq, (revoked,)),), True

        seq, _ = await decide_and_append(self._log, attempt)
        await self._keys.refresh()
        return Done(target=key_id, seq=seq, message=f"{key_id} is no longer accepted.")

    async def _sign_key(self, order: Order, command: SignKey) -> Done:
        key_id = command.key_id or order.target
        stream = f"key.{key_id}"

        async def attempt() -> tuple[tuple[Write, ...], bool]:
            history = await self._log.read(stream) if is_id(key_id) else []
            changed = change_signing(key_id, command.signing_id, history)
            return ((Write(stream, history[-1].seq, (_event(order, changed),)),) if changed else ()), True

        seq, _ = await decide_and_append(self._log, attempt)
        await self._keys.refresh()
        expects = "is accepted with a signature only" if command.signing_id else "is accepted without a signature"
        return Done(target=key_id, seq=seq, message=f"What comes with {key_id} {expects}.")

    async def _map_key(self, order: Order, command: MapKey) -> Done:
        key_id = command.key_id or order.target
        stream = f"key.{key_id}"

        async def attempt() -> tuple[tuple[Write, ...], bool]:
            history = await self._log.read(stream) if is_id(key_id) else []
            changed = change_mapping(key_id, command.mapping, history)
            return ((Write(stream, history[-1].seq, (_event(order, changed),)),) if changed else ()), True

        seq, _ = await decide_and_append(self._log, attempt)
        await self._keys.refresh()
        return Done(target=key_id, seq=seq, message=f"Payloads of {key_id} are read by that mapping.")

    async def _replay(self, order: Order, command: Replay) -> Done:
        identifier = command.dead_letter_id or order.target
        asked = f"Cannot replay dead letter {identifier}"
        stream = f"deadletter.{identifier}"
        history = await self._log.read(stream) if is_id(identifier) else []
        letter = history[0].fact if history else None
        if not isinstance(letter, DeadLetterRecorded):
            raise CommandRefused(
                asked, because="there is none", instead="list them: recount dead-letters list", code="not_found"
            )
        if letter.source_stream != "INTAKE":
            raise CommandRefused(
                asked,
                because=f"it lies in {letter.source_stream}, where {letter.service} heard it",
                instead=f"look at it: recount show --raw {letter.source_seq}",
            )
        if any(_is_handled(recorded.fact) for recorded in history):
            return Done(target=identifier, seq=0, message="It was replayed already.")
        receipt = await self._receipts.get(letter.source_seq)
        if receipt is None:
            raise CommandRefused(
                asked,
                because=f"receipt {letter.source_seq} is no longer kept",
                instead="ask the sender to send it again",
                code="not_found",
            )
        # Newer receipts have been dealt with long ago, so this one must not rely on coming in order.
        error = (await self._translator.handle([receipt], settled=False)).get(receipt.seq)
        return await self._replayed(order, stream, identifier, error)

    async def _replayed(self, order: Order, stream: str, dead_letter_id: str, error: Exception | None) -> Done:
        fact = (
            DeadLetterReplayed(outcome="failed_again", error=f"{type(error).__name__}: {error}"[:2_000])
            if error
            else DeadLetterReplayed(outcome="handled")
        )
        event = _event(order, fact)

        async def attempt() -> tuple[tuple[Write, ...], bool]:
            history = await self._log.read(stream)
            if any(recorded.event.id == event.id or _is_handled(recorded.fact) for recorded in history):
                return (), True
            return (Write(stream, history[-1].seq, (event,)),), True

        seq, _ = await decide_and_append(self._log, attempt)
        message = f"It failed again: {error}" if error else "It was handled."
        return Done(target=dead_letter_id, seq=seq, message=message)


def _require_digest(asked: str, digest: str) -> None:
    if not _SHA256.fullmatch(digest):
        raise CommandRefused(
            asked,
            because="secret_sha256 is not 64 hex digits in lower case",
            instead="send the SHA-256 of the secret, never the secret",
            code="invalid",
        )


def _is_handled(fact: Fact) -> bool:
    return isinstance(fact, DeadLetterReplayed) and fact.outcome == "handled"


def _event(order: Order, fact: Fact) -> Event:
    return event_of(order, fact, source=SOURCE, part=type(fact).__name__)
