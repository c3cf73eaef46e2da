"""Statements about the session and not about the views: what they ask for."""

from collections.abc import Callable
from typing import Literal

import msgspec

from projections.postgres.lexer import Token, words
from services.pgwire.copying import CopyOut, read_copy
from services.pgwire.cursors import CloseCursor, Declare, Fetch, read_close, read_declare, read_fetch
from services.pgwire.phrase import Phrase
from services.pgwire.preparing import Deallocate, Execute, Prepare, read_deallocate, read_execute, read_prepare
from services.pgwire.refusals import Refused


class Set(msgspec.Struct, frozen=True):
    """``set name = value``; the value None for a reset."""

    name: str
    value: str | None
    is_local: bool = False
    tag: str = "SET"


class Show(msgspec.Struct, frozen=True):
    """``show name``; empty for all."""

    name: str


class ResetAll(msgspec.Struct, frozen=True):
    """``reset all``, or ``discard all``, which also forgets prepared statements."""

    tag: str = "RESET"


class Begin(msgspec.Struct, frozen=True):
    """``begin``."""

    tag: str = "BEGIN"


class End(msgspec.Struct, frozen=True):
    """``commit`` or ``rollback``."""

    is_kept: bool
    is_chained: bool = False
    """Whether the next transaction begins at once."""


class Savepoint(msgspec.Struct, frozen=True):
    """``savepoint name``, ``release name`` or ``rollback to name``."""

    verb: Literal["SAVEPOINT", "RELEASE", "ROLLBACK"]
    name: str


class Nothing(msgspec.Struct, frozen=True):
    """A statement without a meaning here, which is answered as if it had one."""

    tag: str


AboutQuestion = Prepare | Declare | CopyOut
"""Commands with a question in them."""

Command = (
    Set
    | Show
    | ResetAll
    | Begin
    | End
    | Savepoint
    | Nothing
    | Execute
    | Deallocate
    | Fetch
    | CloseCursor
    | AboutQuestion
)

_TO = ("=", "to")
_ENDINGS = {"commit": True, "end": True, "rollback": False, "abort": False}
# Statements that need what is not there.
_NOT_SUPPORTED = {
    "listen": "LISTEN is not supported; NATS tells what happens",
    "lock": "there is nothing to lock",
}


def read_command(sql: str) -> Command | None:
    """What a statement asks for; None when it is a question, or something that only the parser can refuse.

    Raises:
        Refused: it is not supported, or cannot be read.
    """
    found = words(sql)
    if not found or found[0].kind != "word":
        return None
    verb = found[0].value
    if verb in _NOT_SUPPORTED:
        raise Refused("0A000", _NOT_SUPPORTED[verb])
    if reads := _PHRASES.get(verb):
        return reads(Phrase(sql, found[1:]))
    reader = _READERS.get(verb)
    return reader(found[1:]) if reader else None


def _set(rest: list[Token]) -> Command:
    is_local = bool(rest) and rest[0].says("local")
    if rest and rest[0].says("local", "session"):
        rest = rest[1:]
    if not rest:
        raise Refused("42601", "SET what?", hint="Write SET name = value.")
    if rest[0].says("transaction", "characteristics"):
        return Nothing("SET")  # also "read write": what would write is refused by itself
    if rest[0].says("time") and len(rest) > 2 and rest[1].says("zone"):
        return Set("TimeZone", _value(rest[2:]), is_local)
    if rest[0].says("names"):
        return Set("client_encoding", _value(rest[1:]), is_local)
    if rest[0].says("role", "authorization"):
        return Nothing("SET")
    name, after = _name(rest)
    if not after or after[0].value not in _TO or len(after) < 2:
        raise Refused("42601", f"SET {name} to what?", hint=f"Write SET {name} = value.")
    return Set(name, _value(after[1:]), is_local)


def _name(rest: list[Token]) -> tuple[str, list[Token]]:
    parts = [rest[0].text if rest[0].kind == "word" else rest[0].value]
    after = rest[1:]
    while len(after) > 1 and after[0].text == ".":
        parts.append(after[1].value)
        after = after[2:]
    return ".".join(parts), after


def _value(rest: list[Token]) -> str | None:
    if len(rest) == 1 and rest[0].says("default"):
        return None
    if len(rest) == 1:
        return rest[0].text if rest[0].kind == "word" else rest[0].value
    # A list, such as that of a search path, is kept as it is written.
    return "".join(f"{token.text} " if token.text == "," else token.text for token in rest).strip()


def _show(rest: list[Token]) -> Command | None:
    texts = [token.value for token in rest]
    if texts == ["all"]:
        return Show("")
    if texts == ["time", "zone"]:
        return Show("TimeZone")
    if texts == ["transaction", "isolation", "level"]:
        return Show("transaction_isolation")
    if not rest or texts in (["tables"], ["all", "tables"], ["databases"], ["schemas"]):
        return None  # DuckDB's, which the console has too
    name, after = _name(rest)
    return None if after else Show(name)


def _reset(rest: list[Token]) -> Command:
    if not rest or rest[0].says("all"):
        return ResetAll()
    if rest[0].says("time"):
        return Set("TimeZone", None, tag="RESET")
    if rest[0].says("role", "session"):
        return Nothing("RESET")
    return Set(_name(rest)[0], None, tag="RESET")


def _ending(verb: str) -> Callable[[Phrase], Command]:
    def ending(phrase: Phrase) -> Command:
        phrase.takes("work", "transaction")
        if verb == "rollback" and phrase.takes("to"):
            return _savepoint(phrase, "ROLLBACK")
        is_chained = False
        if phrase.takes("and"):
            is_chained = not phrase.takes("no")
            phrase.needs("chain")
        phrase.ends()
        return End(_ENDINGS[verb], is_chained)

    return ending


def _savepoint(phrase: Phrase, verb: Literal["SAVEPOINT", "RELEASE", "ROLLBACK"]) -> Savepoint:
    # The name may be `savepoint`, too.
    if verb != "SAVEPOINT" and phrase.left > 1:
        phrase.needs("savepoint")
    name = phrase.name("savepoint")
    phrase.ends()
    return Savepoint(verb, name)


def _discard(rest: list[Token]) -> Command:
    is_all = not rest or rest[0].says("all")
    return ResetAll("DISCARD ALL") if is_all else Nothing(f"DISCARD {rest[0].text.upper()}")


_READERS: dict[str, Callable[[list[Token]], Command | None]] = {
    "set": _set,
    "show": _show,
    "reset": _reset,
    "begin": lambda _: Begin(),
    "start": lambda _: Begin("START TRANSACTION"),
    "discard": _discard,
    "unlisten": lambda _: Nothing("UNLISTEN"),
}
_PHRASES: dict[str, Callable[[Phrase], Command]] = {
    "prepare": read_prepare,
    "execute": read_execute,
    "deallocate": read_deallocate,
    "declare": read_declare,
    "fetch": lambda phrase: read_fetch(phrase, is_move=False),
    "move": lambda phrase: read_fetch(phrase, is_move=True),
    "close": read_close,
    "copy": read_copy,
    "savepoint": lambda phrase: _savepoint(phrase, "SAVEPOINT"),
    "release": lambda phrase: _savepoint(phrase, "RELEASE"),
    **{verb: _ending(verb) for verb in _ENDINGS},
}
