"""The monitoring of the simulated world: alerts of a few services, sent as Alertmanager sends them, with its habits."""

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
SEVERITIES = ("critical", "error", "warning", "info")
INTEGRATION = "key-alertmanager"


class Monitoring:
    """Fires and clears alerts; its notifications wait as receipts until a copy of intake's translator takes them."""

    def __init__(self, translators: list[Translator], random: Random, clock: FakeClock) -> None:
        self._translators = translators
        self._random = random
        self._clock = clock
        self._firing: dict[str, tuple[datetime, str]] = {}
        self._waiting: list[Receipt] = []
        self._sent = 0

    def notices(self) -> None:
        """One alert begins, changes, stops, or is only repeated."""
        name = self._random.choice(list(ALERTS))
        if name not in self._firing:
            self._firing[name] = (self._clock.now(), self._random.choice(SEVERITIES))
        elif self._random.random() < 0.5:
            began_at, _severity = self._firing.pop(name)
            self._send(name, "resolved", began_at, "critical")
            return
        elif self._random.random() < 0.5:
            self._firing[name] = (self._firing[name][0], self._random.choice(SEVERITIES))
        self._send(name, "firing", *self._firing[name])

    def ready(self) -> bool:
        """Whether a receipt waits."""
        return bool(self._waiting)

    async def translate(self, *, calm: bool = False) -> None:
        """Have some receipts understood; those that fail, and some others, come again."""
        if not self._waiting:
            return
        count = self._random.randint(1, min(4, len(self._waiting)))
        batch = self._waiting[:count] if calm else self._random.sample(self._waiting, count)
        settled = calm or batch == self._waiting[:count]
        self._waiting = [receipt for receipt in self._waiting if receipt not in batch]
        try:
            unusable = await self._random.choice(self._translators).handle(batch, settled=settled)
        except (Crash, LogError):
            self._waiting += batch
            return
        assert not unusable, unusable
        if not calm and self._random.random() < 0.1:
            self._waiting += batch

    def _send(self, name: str, status: str, began_at: datetime, severity: str) -> None:
        labels = {"alertname": name, "severity": severity}
        if ALERTS[name]:
            labels["service"] = ALERTS[name]
        alert: dict[str, Any] = {
            "status": status,
            "labels": labels,
            "fingerprint": f"fp-{name}",
            "startsAt": began_at,
            "endsAt": self._clock.now() if status == "resolved" else datetime(1, 1, 1, tzinfo=began_at.tzinfo),
        }
        self._sent += 1
        self._waiting.append(
            Receipt(
                seq=self._sent,
                source="alertmanager",
                integration=INTEGRATION,
                received_at=self._clock.now() + timedelta(milliseconds=1),
                content_type="application/json",
                body=msgspec.json.encode({"version": "4", "alerts": [alert]}),
            )
        )
