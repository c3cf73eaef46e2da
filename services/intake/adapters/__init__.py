"""One file a sender. Each defines ``ADAPTER`` and a pure ``translate``, and is found by being here.

To add a sender: copy the nearest file, change the payload, and put real payloads with what they should become into
``tests/adapters/<name>/``.
"""

import importlib
import pkgutil
from collections.abc import Callable
from functools import cache
from typing import Any

import msgspec

from events.receipt import Receipt
from services.intake.signal import Said
from services.intake.signature import Signature

HOOKS = "/hooks/"
"""Where every sender may post: ``/hooks/<name>/<key>``."""


class InvalidPayload(Exception):
    """The payload is not what its sender's documentation says.

    Attributes:
        errors: one sentence a fault, in the words of the sender's own API where it has some.
        status: the HTTP status with which the sender's own API answers that.
    """

    def __init__(self, *errors: str, status: int = 400) -> None:
        super().__init__("; ".join(errors))
        self.errors = errors
        self.status = status


class Reply(msgspec.Struct, frozen=True):
    """An HTTP answer in the words of the sender's own API."""

    status: int
    body: bytes = b""
    content_type: str = "application/json"


def plain_reply(status: int, because: str, hint: str = "") -> Reply:
    """An error in Recount's own words, for senders that do not read the body."""
    return Reply(
        status, msgspec.json.encode({"error": _ERRORS.get(status, "refused"), "because": because, "hint": hint})
    )


def plain_invalid(problem: InvalidPayload) -> Reply:
    """The answer to a payload that is not what it should be, for a sender that does not read the body."""
    return plain_reply(problem.status, str(problem), "It is kept as a dead letter.")


_ERRORS = {
    400: "the payload is invalid",
    401: "not let in",
    403: "the integration key is not accepted here",
    404: "no such door",
    405: "wrong method",
    414: "the address is too long",
    413: "the payload is too large",
    415: "the payload is of an unknown kind",
    431: "the headers are too large",
    503: "not now",
}


class Request(msgspec.Struct, frozen=True, kw_only=True):
    """An HTTP request as it came, credentials included: it is never stored."""

    method: str
    path: str
    """Percent-encoded, without the query."""
    query: str = ""
    headers: dict[str, str] = {}
    """In lower case."""
    body: bytes = b""


class Route(msgspec.Struct, frozen=True):
    """Where a sender's own client posts. ``{name}`` in the template is one percent-encoded segment."""

    method: str
    template: str
    """Such as ``/v2/alerts/{identifier}/close``."""


TARGET_HEADER = "recount-target"
"""Header of a receipt whose body does not say everything, because its address has a query or parameters, or its
adapter several addresses: method, space, path and query as they came, without the credential. Read it with
`routing.target_of`."""


class Adapter(msgspec.Struct, frozen=True, kw_only=True):
    """A sender: how its payloads are read and how it expects to be answered."""

    name: str
    parse: Callable[[Receipt], Any]
    """Read and check a payload. What it accepts, `signals` can translate.

    Raises:
        InvalidPayload: with the sender's own words.
    """
    signals: Callable[[Any, Receipt], tuple[Said, ...]]
    """What a parsed payload says. Pure."""
    accepted: Callable[[Any, Receipt], Reply]
    """The answer to a payload that is stored."""
    invalid: Callable[[InvalidPayload], Reply] = plain_invalid
    """The answer to a payload that is not what it should be (and is kept as a dead letter)."""
    refused: Callable[[int, str], Reply] = plain_reply
    """The answer to a request that is not taken: status and reason."""
    invalid_statuses: tuple[int, ...] = (400,)
    """The statuses of its `InvalidPayload`s."""
    prepare: Callable[[Any, Receipt, str], Receipt] = lambda _payload, receipt, _made_up: receipt
    """Complete a receipt before it is stored, with a key that was made up in case the sender left it to us."""
    routes: tuple[Route, ...] = ()
    """Paths of its own beside ``/hooks/<name>``, where its clients cannot be told another. A route at ``/hooks/<name>``
    itself allows another method than POST there."""
    secret_in_body: Callable[[bytes], str] = lambda _body: ""
    """The integration key inside a payload, for clients that put it there; empty when there is none."""
    secret_in_request: Callable[[Request], str] = lambda _request: ""
    """The integration key elsewhere in a request, where that is neither the path of ``/hooks``, nor a bearer token, nor
    the password of basic authentication."""
    signature: Signature | None = None
    """How it signs its requests, if it does."""
    headers_kept: tuple[str, ...] = ()
    """Prefixes of the request headers that belong to the payload."""
    body_bytes_max: int | None = None
    """The sender's own documented limit, where it is below ours."""
    keys_of: tuple[str, ...] = ()
    """Other senders whose integration keys are accepted too, where one key serves several of the sender's APIs."""
    configured: "Callable[[str], Adapter] | None" = None
    """The adapter that reads by the mapping which an integration key carries; None where payloads need none. Given
    text that is no mapping, it makes an adapter that refuses every payload with what is wrong."""

    def for_mapping(self, mapping: str) -> "Adapter":
        """The adapter for payloads of an integration key that carries a mapping, or none (empty)."""
        return self.configured(mapping) if self.configured else self

    def translate(self, receipt: Receipt) -> tuple[Said, ...]:
        """What a receipt says.

        Raises:
            InvalidPayload: nothing that can be understood.
        """
        return self.signals(self.parse(receipt), receipt)


def sender_names() -> list[str]:
    """The names of all adapters, without loading one."""
    return [module.name for module in pkgutil.iter_modules(__path__)]


@cache
def adapters() -> dict[str, Adapter]:
    """Every adapter by name."""
    found: dict[str, Adapter] = {}
    for module in pkgutil.iter_modules(__path__):
        adapter: Adapter = importlib.import_module(f"{__name__}.{module.name}").ADAPTER
        found[adapter.name] = adapter
    return found
