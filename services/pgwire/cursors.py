"""DECLARE, FETCH, MOVE and CLOSE: an answer by its name, taken in portions (PostgreSQL's manual, chapter VI)."""

from typing import Literal

import msgspec

from projections.postgres.lexer import Passage
from services.pgwire.phrase import Phrase
from services.pgwire.refusals import Refused

_COUNT_MAX = 2**63 - 1


class Declare(msgspec.Struct, frozen=True):
    """``declare name cursor for question``."""

    name: str
    question: Passage
    is_scroll: bool = False
    """Whether it goes backward, too."""
    is_held: bool = False
    """Whether it outlives its transaction."""
    is_binary: bool = False


class Fetch(msgspec.Struct, frozen=True):
    """``fetch`` or ``move``."""

    name: str
    how: Literal["forward", "backward", "absolute", "relative"]
    count: int | None
    """None for all; of an absolute place, negative from the end."""
    is_move: bool

    @property
    def verb(self) -> str:
        """How it is called."""
        return "MOVE" if self.is_move else "FETCH"


class CloseCursor(msgspec.Struct, frozen=True):
    """``close name``; empty for all."""

    name: str


def read_declare(phrase: Phrase) -> Declare:
    """What follows the word ``declare``."""
    name = phrase.name("cursor")
    is_scroll = is_binary = is_held = False
    while option := phrase.takes("binary", "insensitive", "asensitive", "scroll", "no"):
        is_binary = is_binary or option == "binary"
        is_scroll = is_scroll or option == "scroll"
        if option == "no":
            phrase.needs("scroll")
    phrase.needs("cursor")
    if kept := phrase.takes("with", "without"):
        phrase.needs("hold")
        is_held = kept == "with"
    phrase.needs("for")
    return Declare(name, phrase.rest(), is_scroll, is_held, is_binary)


def read_fetch(phrase: Phrase, *, is_move: bool) -> Fetch:
    """What follows the word ``fetch`` or ``move``."""
    how, count = ("forward", 1) if phrase.left == 1 else _direction(phrase)
    phrase.takes("from", "in")
    name = phrase.name("cursor")
    phrase.ends()
    if count is not None and abs(count) > _COUNT_MAX:
        raise Refused("22003", f"{count} is more than a cursor counts")
    if how == "backward" and count is not None and count < 0:
        how, count = "forward", -count
    elif how == "forward" and count is not None and count < 0:
        how, count = "backward", -count
    if how in ("forward", "backward") and count == 0:
        how = "relative"  # the row where it stands
    return Fetch(name, how, count, is_move)


def read_close(phrase: Phrase) -> CloseCursor:
    """What follows the word ``close``."""
    name = "" if phrase.takes("all") else phrase.name("cursor")
    phrase.ends()
    return CloseCursor(name)


_How = Literal["forward", "backward", "absolute", "relative"]
_WORDS: dict[str, tuple[_How, int | None]] = {
    "next": ("forward", 1),
    "prior": ("backward", 1),
    "first": ("absolute", 1),
    "last": ("absolute", -1),
    "all": ("forward", None),
}


def _direction(phrase: Phrase) -> tuple[_How, int | None]:
    if (count := phrase.number()) is not None:
        return "forward", count
    if word := phrase.takes(*_WORDS):
        return _WORDS[word]
    if place := phrase.takes("absolute", "relative"):
        count = phrase.number()
        if count is None:
            raise Refused("42601", f"{place.upper()} which row?", hint=f"Write FETCH {place.upper()} 10 FROM name.")
        return ("absolute" if place == "absolute" else "relative"), count
    if place := phrase.takes("forward", "backward"):
        how: _How = "forward" if place == "forward" else "backward"
        return how, None if phrase.takes("all") else 1 if (count := phrase.number()) is None else count
    return "forward", 1
