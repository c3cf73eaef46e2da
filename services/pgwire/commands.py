"""Statements about the session and not about the views: what they ask for."""

from collections.abc import Callable

import msgspec

from projections.postgres.lexer import Token, words
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


class Deallocate(msgspec.Struct, frozen=True):
    """``deallocate name``; empty for all."""

    name: str


class Nothing(msgspec.Struct, frozen=True):
    """A statement without a meaning here, which is answered as if it had one."""

    tag: str


Command = Set | Show | ResetAll | Begin | End | Deallocate | Nothing

_TO = ("=", "to")
_ENDINGS = {"commit": True, "end": True, "rollback": False, "abort": False}
# Statements that need what is not there.
_NOT_SUPPORTED = {
    "copy": "COPY is not supported; SELECT gives the same rows",
    "declare": "cursors are not supported by name; fetch a portion of the rows in the extended protocol",
    "fetch": "cursors are not supported by name",
    "prepare": "PREPARE is not supported as a statement; use the extended protocol",
    "execute": "EXECUTE is not supported as a statement; use the extended protocol",
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


def _ending(verb: str) -> Callable[[list[Token]], Command]:
    def ending(rest: list[Token]) -> Command:
        if any(token.says("to") for token in rest):  # rollback to savepoint
            return Nothing("ROLLBACK")
        return End(_ENDINGS[verb])

    return ending


def _deallocate(rest: list[Token]) -> Command:
    names = [token for token in rest if not token.says("prepare")]
    return Deallocate("" if not names or names[0].says("all") else names[0].value)


def _discard(rest: list[Token]) -> Command:
    is_all = not rest or rest[0].says("all")
    return ResetAll("DISCARD ALL") if is_all else Nothing(f"DISCARD {rest[0].text.upper()}")


_READERS: dict[str, Callable[[list[Token]], Command | None]] = {
    "set": _set,
    "show": _show,
    "reset": _reset,
    "begin": lambda _: Begin(),
    "start": lambda _: Begin("START TRANSACTION"),
    "deallocate": _deallocate,
    "discard": _discard,
    "savepoint": lambda _: Nothing("SAVEPOINT"),
    "release": lambda _: Nothing("RELEASE"),
    "close": lambda _: Nothing("CLOSE CURSOR"),
    "unlisten": lambda _: Nothing("UNLISTEN"),
    **{verb: _ending(verb) for verb in _ENDINGS},
}
