"""The monitoring of the simulated world: alerts of a few services, sent as Alertmanager sends them, with its habits, or
by a script."""

from datetime import datetime, timedelta
from random import Random
from typing import Any

import msgspec

from events.errors import LogError
from events.receipt import Receipt
from services.clock import FakeClock
from services.intake.translator import Translator
from tests.simulation.faults import Crash

ALERTS = {
    "CheckoutErrors": "checkout",
    "CheckoutSlow": "checkout",
    "CheckoutQueue": "checkout",
    "SearchErrors": "search",
    "SearchSlow": "search",
    "DiskFull": "",
    "NoHeartbeat": "",
}
# These are told by a script, which sends no times: the order of arrival decides.
BY_SCRIPT = ("DiskFull", "SearchSlow")
SEVERITIES = ("critical", "error", "warning", "info")
AFTER_A_STOP = timedelta(microseconds=1)
# So long after it was sent a notification arrives.
ON_ITS_WAY = timedelta(milliseconds=1)


class Monitoring:
    """Fires and clears alerts; its notifications wait as receipts until a copy of intake's translator takes them."""

    def __init__(self, translators: list[Translator], random: Random, clock: FakeClock) -> None:
        self._translators = translators
        self._random = random
        self._clock = clock
        self._firing: dict[str, tuple[datetime, str]] = {}
        self._waiting: list[Receipt] = []
        self._in_hand: list[Receipt] = []
        self._sent = 0
        self.began: set[tuple[str, datetime]] = set()
        """Fingerprint and beginning of all that it ever said was firing, script or not."""

    def notices(self) -> None:
        """One alert begins, changes, stops, or is only repeated."""
        name = self._random.choice(list(ALERTS))
        if name not in self._firing:
            self._firing[name] = (self._moment() + AFTER_A_STOP, self._random.choice(SEVERITIES))
        elif self._random.random() < 0.5:
            began_at, _severity = self._firing.pop(name)
            self._send(name, "resolved", began_at, "critical")
            return
        elif self._random.random() < 0.5:
            self._firing[name] = (self._firing[name][0], self._random.choice(SEVERITIES))
        self._send(name, "firing", *self._firing[name])

    def firing(self) -> dict[str, datetime | None]:
        """What fires now, by fingerprint, and since when, if that is said."""
        return {
            _fingerprint(name): None if name in BY_SCRIPT else began_at
            for name, (began_at, _severity) in self._firing.items()
        }

    def ready(self) -> bool:
        """Whether a receipt waits."""
        return bool(self._waiting)

    async def translate(self, *, calm: bool = False) -> None:
        """Have some receipts understood; those that fail, and some others, come again."""
        if not self._waiting:
            return
        count = self._random.randint(1, min(4, len(self._waiting)))
        batch = self._waiting[:count] if calm else self._random.sample(self._waiting, count)
        self._waiting = [receipt for receipt in self._waiting if receipt not in batch]
        # As the consumer of INTAKE knows it: a stretch without gaps, and everything older is acknowledged.
        batch.sort(key=lambda receipt: receipt.seq)
        first, last = batch[0].seq, batch[-1].seq
        under_way = [*self._waiting, *self._in_hand]
        settled = last - first + 1 == len(batch) and all(receipt.seq > first for receipt in under_way)
        self._in_hand += batch
        try:
            unusable = await self._random.choice(self._translators).handle(batch, settled=settled)
        except (Crash, LogError):
            self._waiting += batch
            return
        finally:
            self._in_hand = [receipt for receipt in self._in_hand if receipt not in batch]
        assert not unusable, unusable
        if not calm and self._random.random() < 0.1:
            self._waiting += batch

    def _moment(self) -> datetime:
        """Now, and later than for whatever was sent before: nothing begins in the instant in which it stopped."""
        return self._clock.now() + timedelta(microseconds=self._sent)

    def _send(self, name: str, status: str, began_at: datetime, severity: str) -> None:
        self._sent += 1
        if status == "firing":
            self.began.add((_fingerprint(name), began_at))
        by_script = name in BY_SCRIPT
        body = self._by_script(name, status, severity) if by_script else self._webhook(name, status, began_at, severity)
        self._waiting.append(
            Receipt(
                seq=self._sent,
                source="json" if by_script else "alertmanager",
                integration=f"key-{'json' if by_script else 'alertmanager'}",
                received_at=self._moment() + ON_ITS_WAY,
                content_type="application/json",
                body=msgspec.json.encode(body),
            )
        )

    def _by_script(self, name: str, status: str, severity: str) -> dict[str, Any]:
        alert = {"title": name, "key": _fingerprint(name), "state": status, "severity": severity}
        return alert | ({"service": ALERTS[name]} if ALERTS[name] else {})

    def _webhook(self, name: str, status: str, began_at: datetime, severity: str) -> dict[str, Any]:
        labels = {"alertname": name, "severity": severity}
        if ALERTS[name]:
            labels["service"] = ALERTS[name]
        alert: dict[str, Any] = {
            "status": status,
            "labels": labels,
            "fingerprint": _fingerprint(name),
            "startsAt": began_at,
            "endsAt": self._moment() if status == "resolved" else datetime(1, 1, 1, tzinfo=began_at.tzinfo),
        }
        return {"version": "4", "alerts": [alert]}


def _fingerprint(name: str) -> str:
    return f"fp-{name}"
