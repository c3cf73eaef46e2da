"""Intake's own figures, for Prometheus. What they count is in the log too; these are for alerting on intake itself."""

from collections.abc import Callable

from prometheus_client import CollectorRegistry, Counter, Gauge, generate_latest


class Metrics:
    """Counters of one process."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        self.stored = Counter(
            "recount_intake_receipts_stored", "Requests stored in INTAKE", ["sender"], registry=self._registry
        )
        self.invalid = Counter(
            "recount_intake_invalid", "Payloads kept as dead letters", ["sender"], registry=self._registry
        )
        self.refused = Counter(
            "recount_intake_refused", "Requests not taken, by HTTP status", ["status"], registry=self._registry
        )
        self.translated = Counter(
            "recount_intake_receipts_translated", "Receipts turned into facts", registry=self._registry
        )
        self.repeated = Counter(
            "recount_intake_receipts_repeated", "Receipts that changed nothing", registry=self._registry
        )
        self.dead = Counter("recount_intake_dead_letters", "Receipts set aside", registry=self._registry)
        self._queue = Gauge("recount_intake_queue", "Receipts that wait for the disk", registry=self._registry)

    def watch_queue(self, depth: Callable[[], int]) -> None:
        """Say where the depth of the queue is read."""
        self._queue.set_function(depth)

    def exposition(self) -> bytes:
        """All figures in Prometheus text format."""
        return generate_latest(self._registry)


METRICS = Metrics()
"""Those of this process: the door and the translator count into the same."""
