"""What to call people: the log and the warehouse's answers hold opaque ids, pages show names."""

import re
from collections.abc import Mapping
from time import monotonic

import msgspec

from services.web.identity import ADMIN_ACTOR
from services.web.problems import Problem
from services.web.reader import Reader

# A name that was erased or changed is shown for at most this long after the projector knows.
FRESH_S = 2.0
ERASED = "erased person"
_PERSON_ID = re.compile(r"\bper-[A-Za-z0-9_]+")


class Person(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody, as the present people table says."""

    person_id: str
    handle: str
    name: str
    zone: str
    erased: bool

    @property
    def called(self) -> str:
        """What pages show."""
        return ERASED if self.erased else self.name or self.handle or self.person_id


class Names:
    """People by id and by handle, read from the warehouse and kept for a moment."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader
        self._people: dict[str, Person] = {}
        self._read_at = float("-inf")

    async def people(self, *, fresh: bool = False) -> Mapping[str, Person]:
        """Everybody by person id; ``fresh`` reads again in any case."""
        if fresh or monotonic() - self._read_at > FRESH_S:
            rows = await self._reader.rows(
                "select person_id, handle, name, zone, erased from people order by person_id"
            )
            self._people = {
                row["person_id"]: Person(
                    person_id=row["person_id"],
                    handle=row["handle"] or "",
                    name=row["name"] or "",
                    zone=row["zone"] or "UTC",
                    erased=bool(row["erased"]),
                )
                for row in rows
            }
            self._read_at = monotonic()
        return self._people

    async def called(self) -> dict[str, str]:
        """What to call each person id."""
        return {person_id: person.called for person_id, person in (await self.people()).items()}

    async def present(self, *, fresh: bool = False) -> list[Person]:
        """Everybody who is not erased, by name: for a choice in a form; ``fresh`` reads again in any case."""
        people = (await self.people(fresh=fresh)).values()
        return sorted((person for person in people if not person.erased), key=lambda person: person.called.casefold())

    async def find(self, handle_or_id: str) -> Person:
        """A person by handle or id.

        Raises:
            Problem: 404, there is nobody of that name.
        """
        for fresh in (False, True):
            people = await self.people(fresh=fresh)
            for person in people.values():
                if handle_or_id in (person.person_id, person.handle) and not person.erased:
                    return person
        handles = ", ".join(sorted(person.handle for person in self._people.values() if not person.erased))
        raise Problem(
            404,
            f"There is no person {handle_or_id[:100]!r}",
            because=f"known handles are: {handles}" if handles else "nobody has been added yet",
            instead="Add them with `recount people add`, or in recount.toml.",
        )


def speak(actor: str, called: Mapping[str, str]) -> str:
    """What to call an actor: a person's name, or which part of the machinery it was."""
    if actor == ADMIN_ACTOR:
        return "an administrator"
    kind, _, rest = actor.replace("recount/", "service:").partition(":")
    match kind, rest:
        case "service", service:
            return f"Recount ({service})"
        case "key", key_id:
            return f"integration key {key_id}"
    return called.get(actor, actor)


def in_words(text: str, called: Mapping[str, str]) -> str:
    """A text with the names of people in place of their ids."""
    return _PERSON_ID.sub(lambda found: called.get(found[0], found[0]), text)
