"""Receipts with random fates, told as the services tell them, and what the ledger must say of them at each position."""

import random
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import msgspec

from events import Event, Fact, Stored, encode
from events.alert import AlertFired, AlertUpdated
from events.audit import DeadLetterRecorded, DeadLetterReplayed
from events.change import ChangeRecorded
from events.ledger import ReceiptsCounted
from services.intake.counting import Counting
from services.intake.repeats import repeated

MIDNIGHT = datetime(2026, 1, 5, tzinfo=UTC)
SOURCES = (("alertmanager", "key-a"), ("alertmanager", "key-b"), ("json", "key-j"), ("backup", "nats"))
FATES = ("facts", "facts and more", "duplicate", "told twice", "refused", "dead", "handled", "nothing new", "change")

OUTCOMES = ("facts", "duplicates", "refused", "dead")

Balance = dict[tuple[str, str, datetime], Counter[str]]


class Receipt(msgspec.Struct, frozen=True):
    """A message in INTAKE."""

    stored: Stored
    source: tuple[str, str]
    fate: str


class History:
    """A log, and the balance that it must show at each of its positions."""

    def __init__(self, seed: int, receipts: int, *, lost: bool = False) -> None:
        self._dice = random.Random(seed)
        self._lost = lost
        self.log: list[Stored] = []
        self.balances: list[Balance] = []
        self.lost: list[Receipt] = []
        self._outcomes: dict[int, str] = {}
        self._counted: list[Receipt] = []
        self._waiting: list[Receipt] = []
        self.receipts = tuple(self._received(receipts))
        self._tell(list(self.receipts))

    def _tell(self, receipts: list[Receipt]) -> None:
        through = 0
        while receipts:
            part = receipts[: self._dice.randint(1, 40)]
            del receipts[: len(part)]
            told: list[int] = []
            for receipt in part:
                told += self._fate(receipt)
            for _copy in range(self._dice.randint(1, 2) if told else 0):
                self._say("ledger.repeated", repeated(told))
            if self._dice.random() < 0.5 or not receipts:
                through = self._count([*self._waiting, *part], through)
                self._waiting = []
            else:
                self._waiting += part

    def _received(self, count: int) -> Iterator[Receipt]:
        seq, at = 0, MIDNIGHT
        for _ in range(count):
            seq += 1 + (self._dice.random() < 0.05) * self._dice.randint(1, 5)
            at += timedelta(seconds=self._dice.randint(0, 200))
            source, integration = self._dice.choice(SOURCES)
            subject = f"intake.{source}" if integration == "nats" else f"intake.{source}.{integration}"
            stored = Stored(seq, subject, at, b"x" * self._dice.randint(0, 50))
            yield Receipt(stored, (source, integration), self._dice.choice(FATES))

    def _fate(self, receipt: Receipt) -> list[int]:
        """Say what becomes of a receipt; gives its position when it is told as a repeat."""
        seq, stream = receipt.stored.seq, f"alert.a{receipt.stored.seq % 7}"
        if self._lost and not self.lost and seq > 20:
            self.lost.append(receipt)
            return []
        fired = AlertFired(
            integration=receipt.source[1],
            sender="json",
            fingerprint="f",
            occurrence=1,
            title="t",
            severity="error",
            receipt_seq=seq,
        )
        match receipt.fate:
            case "facts":
                self._outcome(seq, "facts", stream, fired)
            case "facts and more":
                self._outcome(seq, "facts", stream, fired)
                self._say("alert.another", AlertUpdated(title="u", severity="info", receipt_seq=seq))
                return [seq]  # delivered again after a crash
            case "change":
                change = ChangeRecorded(integration="key-a", sender="json", external_id="1", title="c", receipt_seq=seq)
                self._outcome(seq, "facts", "change.c", change)
            case "duplicate" | "told twice":
                self._outcomes[seq] = "duplicates"
                return [seq]
            case fate:
                error = "InvalidPayload: no title" if fate == "refused" else "InvalidEvent: too large"
                letter = DeadLetterRecorded(
                    service="intake",
                    source_stream="INTAKE",
                    source_seq=seq,
                    source_subject="intake.json",
                    error=error,
                    attempts=1,
                )
                self._outcome(seq, "refused" if fate == "refused" else "dead", f"deadletter.d{seq}", letter)
                if fate in ("handled", "nothing new"):
                    if fate == "handled":
                        self._say(stream, fired)
                    is_facts = fate == "handled"
                    handled = DeadLetterReplayed(outcome="handled")
                    self._outcome(seq, "facts" if is_facts else "duplicates", f"deadletter.d{seq}", handled)
        return []

    def _count(self, receipts: list[Receipt], through: int) -> int:
        counting = Counting(through + 1)
        for receipt in receipts:
            counting.add(receipt.stored)
        last = receipts[-1].stored.seq
        for stretch in counting.finish(last):
            assert isinstance(stretch, ReceiptsCounted)
            self._counted += [
                receipt for receipt in receipts if stretch.first_seq <= receipt.stored.seq <= stretch.last_seq
            ]
            self._say("ledger.received", stretch)
        return last

    def _outcome(self, seq: int, outcome: str, stream: str, fact: Fact) -> None:
        self._outcomes[seq] = outcome
        self._say(stream, fact)

    def _say(self, stream: str, fact: Fact) -> None:
        seq = len(self.log) + 1
        at = MIDNIGHT + timedelta(seconds=seq)
        subject, body = encode(stream, Event(id=f"event-{seq}", fact=fact, happened_at=at, source="recount/test"))
        self.log.append(Stored(seq, subject, at, body))
        self.balances.append(self._balance())

    def _balance(self) -> Balance:
        balance: Balance = {}
        for receipt in self._counted:
            hour = receipt.stored.recorded_at.replace(minute=0, second=0, tzinfo=None)
            counts = balance.setdefault((*receipt.source, hour), Counter())
            counts["received"] += 1
            counts["received_bytes"] += len(receipt.stored.body)
            counts[self._outcomes.get(receipt.stored.seq, "unaccounted")] += 1
        return balance
