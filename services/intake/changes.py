"""Changes: what a payload says about deployments and configuration, kept as facts. They wake nobody.

Stream ``change.<change_key>``, the key a hash of the integration and the sender's own id. A change that gets further
(started, then finished) is another fact on its stream; told again as it is known, it is none.
"""

import msgspec

from events import Event, EventLog, Write
from events.change import ChangeRecorded
from events.fact import tag_of
from events.ids import derived_event_id, key_of
from events.receipt import Receipt
from services.decision import decide_and_append
from services.intake.keys import Keys
from services.intake.signal import FINGERPRINT_LENGTH_MAX, NAME_LENGTH_MAX, Change, Said, Signal, fit

SOURCE = "recount/intake"


class Changes:
    """Takes changes beside alerts (`translator.Aside`).

    Args:
        log: where they are kept.
        keys: what the integration keys say about services.
    """

    def __init__(self, log: EventLog, keys: Keys) -> None:
        self._log = log
        self._keys = keys

    async def handle(self, receipt: Receipt, number: int, said: Said) -> bool:
        """See `translator.Aside.handle`."""
        assert isinstance(said, Change), "only changes come here"
        key = self._keys.get(receipt.integration)
        fact = recorded_change(said, receipt, service=key.service if key else "")
        cause = f"intake-{receipt.seq}"
        event = Event(
            id=derived_event_id(cause, str(number), tag_of(ChangeRecorded)),
            fact=fact,
            # A sender's clock that runs ahead must not put a change into the future.
            happened_at=min(said.happened_at or receipt.received_at, receipt.received_at),
            source=SOURCE,
            actor=f"key:{receipt.integration}",
            causation_id=cause,
        )
        stream = f"change.{change_key(receipt, said)}"

        async def attempt() -> tuple[tuple[Write, ...], bool]:
            history = await self._log.read(stream)
            if any(recorded.event.id == event.id for recorded in history):
                return (), True
            if any(_says_the_same(recorded.fact, fact) for recorded in history):
                return (), False
            return (Write(stream, history[-1].seq if history else 0, (event,)),), True

        _seq, stands = await decide_and_append(self._log, attempt)
        return stands


def change_key(receipt: Receipt, change: Change) -> str:
    """The key of a change: the same integration's same id."""
    return key_of(receipt.integration, change.external_id)


def recorded_change(change: Change, receipt: Receipt, *, service: str = "") -> ChangeRecorded:
    """The fact that a change makes, cut to what a fact can hold.

    Args:
        change: what was said.
        receipt: what it was said in.
        service: of changes that name none themselves.
    """
    # The limits of an alert's texts, and the code that keeps them.
    cut = fit(
        Signal(
            state="noted",
            fingerprint=change.external_id,
            title=change.title,
            service=change.service or service,
            labels=change.labels,
            url=change.url,
        )
    )
    return ChangeRecorded(
        integration=receipt.integration,
        sender=receipt.source,
        external_id=change.external_id[:FINGERPRINT_LENGTH_MAX],
        title=cut.title,
        kind=_short(change.kind),
        outcome=_short(change.outcome),
        service=cut.service,
        environment=_short(change.environment),
        version=_short(change.version),
        labels=cut.labels,
        url=cut.url,
        receipt_seq=receipt.seq,
    )


def _short(text: str) -> str:
    return text.replace("\x00", "\ufffd")[:NAME_LENGTH_MAX]


def _says_the_same(known: object, fact: ChangeRecorded) -> bool:
    """Whether a fact of the stream says all of it already; only the receipt differs."""
    return isinstance(known, ChangeRecorded) and msgspec.structs.replace(known, receipt_seq=fact.receipt_seq) == fact
