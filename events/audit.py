"""Facts about the platform itself: credentials, dead letters, starts and stops.

Streams ``key.<key_id>``, ``token.<token_id>``, ``deadletter.<id>`` and ``system.<instance>``. A secret never enters
the log: only its SHA-256 does.
"""

from datetime import datetime
from typing import ClassVar, Literal

from events.fact import Fact


class KeyCreated(Fact, frozen=True, tag="key.created"):
    """An integration key: what a sender presents to intake."""

    headline: ClassVar[str] = "integration key for {sender} created"
    sender: str
    """The adapter it may speak to, such as ``alertmanager``."""
    secret_sha256: str
    name: str = ""
    service: str = ""
    """Service of alerts that do not name one themselves."""
    mapping: str = ""
    """How its payloads are read, as TOML or JSON; empty for senders whose payloads need no mapping."""


class KeyRevoked(Fact, frozen=True, tag="key.revoked"):
    """The key is no longer accepted."""

    headline: ClassVar[str] = "integration key revoked: {reason}"
    reason: str = ""


class KeyRotated(Fact, frozen=True, tag="key.rotated"):
    """The key has a new secret. The former one is accepted until a moment, so that senders can be changed in peace."""

    headline: ClassVar[str] = "integration key has a new secret"
    secret_sha256: str
    former_until_at: datetime | None = None
    """When the former secret stops being accepted; None: at once."""


class KeyUsed(Fact, frozen=True, tag="key.used"):
    """The key was used, for the first time or for the first time in a day."""

    headline: ClassVar[str] = "integration key used"
    receipt_seq: int = 0


class KeySigningChanged(Fact, frozen=True, tag="key.signing_changed"):
    """What comes with the key must be signed with another secret from now on, or need not be signed any more.

    The secret itself lies beside the log: a signature cannot be checked with a hash.
    """

    headline: ClassVar[str] = "integration key expects signatures of {signing_id}"
    signing_id: str
    """Id of the secret, made up with it; empty: no signature is expected."""


class KeyMappingChanged(Fact, frozen=True, tag="key.mapping_changed"):
    """Payloads that come with the key are read by another mapping from now on."""

    headline: ClassVar[str] = "integration key reads payloads by another mapping"
    mapping: str
    """TOML or JSON."""


class KeySubscriptionAsked(Fact, frozen=True, tag="key.subscription_asked"):
    """A sender asked us to confirm that we want what it sends through the key."""

    headline: ClassVar[str] = "{topic} asks to be confirmed"
    topic: str
    """What the sender calls what it would send, such as the ARN of a topic of Amazon SNS."""
    receipt_seq: int
    """Position in INTAKE of the question. The address to call is a credential, so it is only there."""


class KeySubscriptionConfirmed(Fact, frozen=True, tag="key.subscription_confirmed"):
    """We called the sender's address, and it confirmed: what it sends comes through the key from now on."""

    headline: ClassVar[str] = "{topic} was confirmed"
    topic: str
    """What the sender calls what it would send, such as the ARN of a topic of Amazon SNS."""
    receipt_seq: int
    subscription: str = ""
    """What the sender calls the subscription, such as its ARN."""


class KeySubscriptionFailed(Fact, frozen=True, tag="key.subscription_failed"):
    """A subscription was not confirmed, so its sender sends nothing through the key."""

    headline: ClassVar[str] = "{topic} was not confirmed: {because}"
    topic: str
    """What the sender calls what it would send, such as the ARN of a topic of Amazon SNS."""
    receipt_seq: int
    because: str


class TokenCreated(Fact, frozen=True, tag="token.created"):
    """A token that opens the web, the HTTP API and the command line."""

    headline: ClassVar[str] = "access token ({scope}) created"
    scope: Literal["admin", "responder"]
    secret_sha256: str
    person_id: str = ""
    """Whose token it is. An admin token without a person may act in the name of any."""


class TokenRevoked(Fact, frozen=True, tag="token.revoked"):
    """The token is no longer accepted."""

    headline: ClassVar[str] = "access token revoked: {reason}"
    reason: str = ""


class DeadLetterRecorded(Fact, frozen=True, tag="deadletter.recorded"):
    """A message that a service could not use was set aside, so that others go on."""

    headline: ClassVar[str] = "{service} set aside {source_stream} {source_seq}: {error}"
    service: str
    source_stream: Literal["INTAKE", "EVENTS"]
    source_seq: int
    """Position of the message, which stays where it is."""
    source_subject: str
    error: str
    attempts: int


class DeadLetterReplayed(Fact, frozen=True, tag="deadletter.replayed"):
    """A dead letter was tried again."""

    headline: ClassVar[str] = "dead letter replayed: {outcome}"
    outcome: Literal["handled", "failed_again"]
    error: str = ""


class SystemStarted(Fact, frozen=True, tag="system.started"):
    """A process of the platform began to work."""

    headline: ClassVar[str] = "{process} {version} started"
    process: str
    version: str


class SystemStopped(Fact, frozen=True, tag="system.stopped"):
    """A process of the platform stopped in order."""

    headline: ClassVar[str] = "{process} stopped"
    process: str


KeyFact = (
    KeyCreated
    | KeyRevoked
    | KeyRotated
    | KeyUsed
    | KeyMappingChanged
    | KeySigningChanged
    | KeySubscriptionAsked
    | KeySubscriptionConfirmed
    | KeySubscriptionFailed
)
TokenFact = TokenCreated | TokenRevoked
DeadLetterFact = DeadLetterRecorded | DeadLetterReplayed
SystemFact = SystemStarted | SystemStopped
