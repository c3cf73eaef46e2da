"""The progress bar of long work: how much is done, how fast, and how long it will take."""

import time
from types import TracebackType
from typing import Self

from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

from services.cli.console import err


class Bar:
    """A bar on stderr while its block runs; nothing when stderr is no terminal.

    Args:
        doing: what is being done, such as ``exporting``.
        total: how many events that takes; None while it is not known.
        quiet: show nothing.
        already: how many were done before, so that they do not count as speed.
    """

    def __init__(self, doing: str, total: int | None = None, *, quiet: bool = False, already: int = 0) -> None:
        self._bar = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            TextColumn("{task.fields[told]}"),
            TimeRemainingColumn(),
            console=err,
            disable=quiet or not err.is_terminal,
        )
        self._task = self._bar.add_task(doing, total=total, completed=already, told="")
        self._total = total
        self._already = already
        self._began = time.monotonic()

    def show(self, done: int, total: int | None = None, *, rate: float | None = None, unit: str = "events") -> None:
        """Show how many are done, of how many, and how many a second; the rate is measured when it is not told."""
        self._total = total or self._total
        rate = (done - self._already) / max(time.monotonic() - self._began, 1e-6) if rate is None else rate
        told = f"{done:,} of {self._total or done:,} {unit}, {rate:,.0f} {unit}/s"
        self._bar.update(self._task, completed=done, total=self._total, told=told)

    def now(self, doing: str) -> None:
        """Say what is being done now."""
        self._bar.update(self._task, description=doing)

    def __enter__(self) -> Self:
        self._bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._bar.stop()
