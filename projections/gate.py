"""A gate: many may be inside at once, or one alone.

Readers of a warehouse pass it together; swapping the file waits until the last of them has left.
"""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

# How often those inside are told again to leave: one that began in the same moment may not have heard.
HURRY_EVERY_S = 0.05


class Gate:
    """See the module."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._inside = 0
        self._is_taken = False

    @contextmanager
    def together(self) -> Iterator[None]:
        """Be inside with others; waits while one is inside alone."""
        with self._changed:
            self._changed.wait_for(lambda: not self._is_taken)
            self._inside += 1
        try:
            yield
        finally:
            with self._changed:
                self._inside -= 1
                self._changed.notify_all()

    @contextmanager
    def alone(self, *, patience_s: float, hurry: Callable[[], None]) -> Iterator[None]:
        """Be inside alone: nobody new comes in, and those inside finish.

        Args:
            patience_s: how long they may take.
            hurry: called after that, until they have left.
        """
        with self._changed:
            self._changed.wait_for(lambda: not self._is_taken)
            self._is_taken = True
        try:
            self._empty(patience_s, hurry)
            yield
        finally:
            with self._changed:
                self._is_taken = False
                self._changed.notify_all()

    def _empty(self, patience_s: float, hurry: Callable[[], None]) -> None:
        deadline = time.monotonic() + patience_s
        with self._changed:
            while not self._changed.wait_for(lambda: not self._inside, max(deadline - time.monotonic(), HURRY_EVERY_S)):
                if time.monotonic() >= deadline:
                    hurry()
