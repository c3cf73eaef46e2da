"""Given, when, then for deciders: what had happened, what is asked, what follows.

A service's tests bind it once to their own fold and decide; the tests then read as sentences.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from events import Event, Fact
from services.command import CommandRefused

State = TypeVar("State")


@dataclass(frozen=True)
class Spec(Generic[State]):
    """A decider: how its state is folded, and how it decides."""

    fold: Callable[[Iterable[Event]], State]
    decide: Callable[..., tuple[Fact, ...]]

    def given(self, *events: Event) -> "Given[State]":
        """What had happened, in order."""
        return Given(self, self.fold(events))


@dataclass(frozen=True)
class Given(Generic[State]):
    """A state with a history."""

    spec: Spec[State]
    state: State

    def when(self, command: Any, about: Any) -> "Outcome":
        """What is asked, and under which circumstances."""
        try:
            return Outcome(command, self.spec.decide(self.state, command, about), None)
        except CommandRefused as refusal:
            return Outcome(command, (), refusal)


@dataclass(frozen=True)
class Outcome:
    """What came of it."""

    command: Any
    facts: tuple[Fact, ...]
    refusal: CommandRefused | None

    def then(self, *facts: Fact) -> None:
        """Exactly these facts follow."""
        assert self.refusal is None, f"{self.command} was refused: {self.refusal}"
        assert self.facts == facts

    def then_nothing(self) -> None:
        """It holds already: nothing is said, and it is no error."""
        self.then()

    def then_refused(self, because: str, *, instead: str = "", code: str = "not_allowed") -> None:
        """It is refused, with these words in the reason and in what to do instead."""
        assert self.refusal is not None, f"{self.command} led to {self.facts}, not to a refusal"
        answer = self.refusal.answer
        assert because in answer.because, answer
        assert instead in answer.instead, answer
        assert answer.code == code, answer
        assert answer.asked.startswith("Cannot "), answer
        assert answer.instead, answer
