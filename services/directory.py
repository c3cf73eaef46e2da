"""Who is who: the person facts of the log, opened with the keys of this machine."""

from collections.abc import Iterable

import msgspec

from events import EventLog, Recorded
from events.ids import is_id
from events.person import PersonAdded, PersonChanged, PersonDetails, PersonErased
from events.sealing import unseal
from events.subjects import split, stream_of
from services.keyring import Keyring

ERASED_NAME = "erased person"

GUARD = "directory.people"
"""The stream that serializes what is decided about handles; see `events.person.DirectoryChanged`."""


class Person(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody, as far as this machine can know."""

    person_id: str
    details: PersonDetails | None = None
    """None when the person was erased, or the key is not on this machine."""
    erased: bool = False
    version: int = 0
    """Log position of the person's last fact."""

    @property
    def handle(self) -> str:
        """What the person is called on the command line; empty when unknown."""
        return self.details.handle if self.details else ""

    @property
    def name(self) -> str:
        """What people see: the name, ``erased person``, or the id when the key is not here."""
        if self.erased:
            return ERASED_NAME
        return self.details.name if self.details else self.person_id


class Directory:
    """Everybody by id and by handle, as of the last `refresh`; `look_up` asks the log itself.

    Args:
        log: holds the sealed person facts.
        keyring: opens them.
    """

    def __init__(self, log: EventLog, keyring: Keyring) -> None:
        self._log = log
        self._keyring = keyring
        self._people: dict[str, Person] = {}
        self.guard_version = 0
        """Version of `GUARD` at the last refresh: what is decided about handles rests on it."""

    async def refresh(self) -> None:
        """Read every person fact again. Costs what the category holds: a few facts for each person."""
        # The guard is read first and kept with what was read after it: a decision on people that are older than the
        # guard would pass its check.
        guard = await self._log.read(GUARD)
        by_stream: dict[str, list[Recorded]] = {}
        for recorded in await self._log.read_category("person"):
            by_stream.setdefault(recorded.stream, []).append(recorded)
        people = [self._fold(split(stream)[1], history) for stream, history in by_stream.items()]
        self._people = {person.person_id: person for person in people}
        self.guard_version = guard[-1].seq if guard else 0

    async def look_up(self, person_id: str) -> Person | None:
        """One person as the log has them now, whatever the last refresh saw; None when there is nobody of that id."""
        if not is_id(person_id):
            return None
        history = await self._log.read(stream_of("person", person_id))
        return self._fold(person_id, history) if history else None

    def get(self, person_id: str) -> Person | None:
        """The person of an id."""
        return self._people.get(person_id)

    def by_handle(self, handle: str) -> Person | None:
        """The person who is called so. Erased people have no handle any more."""
        return next((person for person in self._people.values() if handle and person.handle == handle), None)

    def find(self, handle_or_id: str) -> Person | None:
        """The person of a handle or an id; a handle wins."""
        return self.by_handle(handle_or_id) or self.get(handle_or_id)

    def people(self) -> tuple[Person, ...]:
        """Everybody, in the order in which they were added."""
        return tuple(self._people.values())

    def names(self) -> dict[str, str]:
        """What to call each person id, for headlines."""
        return {person.person_id: person.name for person in self._people.values()}

    def _fold(self, person_id: str, history: Iterable[Recorded]) -> Person:
        sealed, erased, version = "", False, 0
        for recorded in history:
            version = recorded.seq
            match recorded.fact:
                case PersonAdded() | PersonChanged() as fact:
                    sealed = fact.sealed
                case PersonErased():
                    erased = True
        # An erased person stays erased although a crash may have left the key for a moment.
        key = None if erased else self._keyring.key(person_id)
        details = unseal(sealed, key, person_id) if key and sealed else None
        return Person(person_id=person_id, details=details, erased=erased, version=version)
