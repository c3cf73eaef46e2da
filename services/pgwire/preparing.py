"""PREPARE and EXECUTE: a statement by its name, with values for its parameters."""

import msgspec

from projections.postgres.lexer import Passage
from projections.postgres.types import oid_of_name
from services.pgwire.phrase import Phrase
from services.pgwire.refusals import Refused


class Prepare(msgspec.Struct, frozen=True):
    """``prepare name (types) as question``."""

    name: str
    types: tuple[int, ...]
    """OIDs of the first parameters' types, 0 for one that is to be found out."""
    question: Passage


class Execute(msgspec.Struct, frozen=True):
    """``execute name (values)``."""

    name: str
    values: tuple[Passage, ...]
    """Expressions."""


class Deallocate(msgspec.Struct, frozen=True):
    """``deallocate name``; empty for all."""

    name: str


def read_prepare(phrase: Phrase) -> Prepare:
    """What follows the word ``prepare``."""
    if phrase.takes("transaction"):
        raise Refused("0A000", "there are no transactions in two phases")
    name = phrase.name("prepared statement")
    types = phrase.in_brackets().parts() if phrase.sees("(") else []
    phrase.needs("as")
    return Prepare(name, tuple(_oid(each.rest()) for each in types), phrase.rest())


def read_execute(phrase: Phrase) -> Execute:
    """What follows the word ``execute``."""
    name = phrase.name("prepared statement")
    values = phrase.in_brackets().parts() if phrase.sees("(") else []
    phrase.ends()
    return Execute(name, tuple(each.rest() for each in values))


def read_deallocate(phrase: Phrase) -> Deallocate:
    """What follows the word ``deallocate``."""
    phrase.takes("prepare")
    name = "" if phrase.takes("all") else phrase.name("prepared statement")
    phrase.ends()
    return Deallocate(name)


def _oid(written: Passage) -> int:
    if written.text.strip().lower() == "unknown":
        return 0
    found = oid_of_name(written.text)
    if found is None:
        raise Refused("42704", f"type {written.text} does not exist", position=written.start + 1)
    return found
