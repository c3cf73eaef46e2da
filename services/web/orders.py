"""Commands on their way to the service that decides: JSON or form in, `Done` out, or a refusal in plain words."""

import string
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

import msgspec

from events.ids import new_event_id
from services.broker import Client, ask
from services.clock import Clock
from services.command import Command, CommandRefused, Done, Order, Refused
from services.heartbeats import commands as heartbeat_commands
from services.incidents import commands as incident_commands
from services.intake import commands as intake_commands
from services.oncall import commands as oncall_commands
from services.signals import commands as signals_commands
from services.web.identity import ACTOR_HEADER, ADMIN_ACTOR, AskerRequest
from services.web.names import Names, in_words
from services.web.problems import Problem
from services.web.reader import parse_moment

IDEMPOTENCY_HEADER = "Idempotency-Key"
# Keys of senders are UUIDs or names of jobs; event ids derive from them, so their length costs nothing later.
IDEMPOTENCY_KEY_CHARS_MAX = 200
_KEY_CHARACTERS = frozenset(string.ascii_letters + string.digits + "-_.:/")
# Fields that name a person: a handle may be given instead of an id.
PERSON_FIELDS = ("person_id", "owner_id", "commander")
# Fields of commands that are times, which may come without a zone: then they are UTC.
MOMENT_FIELDS = ("declared_at", "detected_at", "resolved_at", "occurred_at", "earliest", "latest")

Parse = Callable[[str, bytes], Command]
PARSERS: dict[str, Parse] = {
    "incident": incident_commands.parse,
    "oncall": oncall_commands.parse,
    "intake": intake_commands.parse,
    "signals": signals_commands.parse,
    "heartbeats": heartbeat_commands.parse,
}


class Happened(msgspec.Struct, frozen=True, kw_only=True):
    """When something happened that is asked for; nothing means now."""

    at: datetime | None = None
    earliest: datetime | None = None
    latest: datetime | None = None
    """Bounds, when the time is not known precisely."""


NOW = Happened()


class Orders:
    """Gives orders to services in the name of whoever asks."""

    def __init__(self, client: Client, clock: Clock, names: Names) -> None:
        self._client = client
        self._clock = clock
        self._names = names

    async def actor_of(self, request: AskerRequest) -> str:
        """In whose name a request acts.

        Raises:
            Problem: 403 or 404, the actor named in the header is somebody else, or nobody.
        """
        named = request.headers.get(ACTOR_HEADER)
        identity = request.user
        if not named:
            return identity.person_id or ADMIN_ACTOR
        person = await self._names.find(named)
        if not identity.is_admin and person.person_id != identity.person_id:
            raise Problem(
                403,
                f"You may not act as {named}",
                because=f"the token {identity.token.token_id} belongs to somebody else",
                instead=f"Leave {ACTOR_HEADER} out, or use an admin token.",
            )
        return person.person_id

    async def give(
        self,
        request: AskerRequest,
        service: str,
        verb: str,
        fields: Mapping[str, Any],
        *,
        target: str = "",
        order_id: str = "",
    ) -> Done:
        """Ask a service for something, in the name of whoever sent the request.

        Args:
            request: who asks; its ``Idempotency-Key`` makes it safe to send again.
            service: ``incident``, ``oncall`` or ``intake``.
            verb: such as ``acknowledge``.
            fields: the command's fields. ``happened_at`` says that it happened earlier, ``happened_earliest`` and
                ``happened_latest`` between when; handles may stand for person ids.
            target: which incident or person it is about.
            order_id: makes a form safe to send again; the header is for programs.

        Raises:
            CommandRefused: it was not done, and why.
            LogUnavailable: the service did not answer.
            Problem: a name or header is wrong.
        """
        fields = dict(fields)
        happened = Happened(
            at=_moment("happened_at", fields.pop("happened_at", None)),
            earliest=_moment("happened_earliest", fields.pop("happened_earliest", None)),
            latest=_moment("happened_latest", fields.pop("happened_latest", None)),
        )
        for name in MOMENT_FIELDS:
            if isinstance(value := fields.get(name), str):
                fields[name] = _moment(name, value)
        for name in PERSON_FIELDS:
            if isinstance(value := fields.get(name), str) and value:
                fields[name] = (await self._names.find(value)).person_id
        body = msgspec.json.encode(fields)
        command = PARSERS[service](verb, body)
        return await self.send(
            service,
            verb,
            command,
            order_id=_order_id(order_id or request.headers.get(IDEMPOTENCY_HEADER)),
            actor=await self.actor_of(request),
            auth_id=request.user.auth_id,
            target=target,
            happened=happened,
        )

    async def send(
        self,
        service: str,
        verb: str,
        command: Command,
        *,
        order_id: str,
        actor: str,
        auth_id: str,
        target: str = "",
        happened: Happened = NOW,
    ) -> Done:
        """Ask a service for something in somebody's name.

        Raises:
            CommandRefused: it was not done, and why.
            LogUnavailable: the service did not answer.
        """
        answer = await ask(
            self._client,
            service,
            verb,
            Order(
                id=order_id,
                actor=actor,
                auth_id=auth_id,
                issued_at=self._clock.now(),
                happened_at=happened.at,
                happened_earliest=happened.earliest,
                happened_latest=happened.latest,
                target=target,
                command=msgspec.Raw(msgspec.json.encode(command)),
            ),
        )
        called = await self._names.called()
        if isinstance(answer, Refused):
            raise CommandRefused(
                in_words(answer.asked, called),
                because=in_words(answer.because, called),
                instead=in_words(answer.instead, called),
                code=answer.code,
            )
        return msgspec.structs.replace(answer, message=in_words(answer.message, called))


def _order_id(key: str | None) -> str:
    if key is None:
        return new_event_id()
    if not 1 <= len(key) <= IDEMPOTENCY_KEY_CHARS_MAX or not _KEY_CHARACTERS.issuperset(key):
        raise Problem(
            400,
            f"The {IDEMPOTENCY_HEADER} cannot be used",
            because=f"it must have 1 to {IDEMPOTENCY_KEY_CHARS_MAX} of A-Z a-z 0-9 - _ . : /",
            instead="Use a UUID.",
        )
    return key


def _moment(name: str, value: object) -> datetime | None:
    if value is None or value == "":
        return None
    moment = parse_moment(value) if isinstance(value, str) else None
    if moment is None:
        raise Problem(
            400,
            f"{name} {str(value)[:100]!r} cannot be read",
            because="it is not an ISO 8601 time",
            instead="Give a time such as 2026-03-01T14:05:00Z (UTC unless it has an offset).",
        )
    return moment
