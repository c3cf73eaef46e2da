"""People: added, changed and erased. What could name them is sealed here, before it enters the log."""

from collections.abc import Callable
from zoneinfo import ZoneInfo

import msgspec

from events import Event, EventLog, Fact, Write
from events.errors import RecountError
from events.ids import is_id, new_id
from events.person import Contact, DirectoryChanged, PersonAdded, PersonChanged, PersonDetails, PersonErased
from events.sealing import seal
from events.subjects import split, stream_of
from services.command import CommandRefused, Done, Order
from services.decision import decide_and_append, event_of
from services.directory import GUARD, Directory, Person
from services.keyring import Keyring
from services.notifier.commands import ContactRules
from services.oncall.commands import AddPerson, ChangePerson, ErasePerson, PersonCommand

SOURCE = "recount/oncall"
# As on a phone's contact card; sealed and written in base64 they stay far below the size of one fact.
CONTACTS_MAX = 20
NAME_CHARS_MAX = 200

_Written = tuple[tuple[Write, ...], Done]


class People:
    """Carries out the commands about people.

    Args:
        log: holds the sealed facts.
        keyring: makes and destroys their keys.
        directory: this object's own; it is refreshed for each decision.
        contacts: says which contacts can be reached at all.
    """

    def __init__(self, log: EventLog, keyring: Keyring, directory: Directory, contacts: ContactRules) -> None:
        self._log = log
        self._keyring = keyring
        self._directory = directory
        self._contacts = contacts

    async def handle(self, order: Order, command: PersonCommand) -> Done:
        """Do what is asked. Asking for what already holds writes nothing.

        Raises:
            CommandRefused: says why not, and what to do instead.
        """
        match command:
            case AddPerson(details=details):
                self._require_usable(details, "add", details.handle)
                # The same order keeps its id through conflicts, and so its key.
                person_id = new_id("per")
                return await self._carry_out(order, lambda: self._add(order, details, person_id))
            case ChangePerson(details=details):
                self._require_usable(details, "change", order.target)
                return await self._carry_out(order, lambda: self._change(order, details))
            case ErasePerson(reason=reason):
                done = await self._carry_out(order, lambda: self._erase(order, reason))
                self._keyring.destroy(done.target)
                return done

    async def finish_erasing(self, person_id: str) -> None:
        """Destroy the key of somebody whom the log calls erased: a crash may have come between the two."""
        person = await self._directory.look_up(person_id)
        if person and person.erased:
            self._keyring.destroy(person_id)

    async def _carry_out(self, order: Order, decide: Callable[[], _Written]) -> Done:
        async def attempt() -> _Written:
            if done := await self._done_before(order):
                return (), done
            await self._directory.refresh()
            return decide()

        seq, done = await decide_and_append(self._log, attempt)
        return msgspec.structs.replace(done, seq=seq or done.seq)

    async def _done_before(self, order: Order) -> Done | None:
        """What the same order did when it was asked before: its target may have no handle any more."""
        for recorded in await self._log.read_category("person"):
            if recorded.event.causation_id == order.id:
                return Done(target=split(recorded.stream)[1], seq=recorded.seq, message="this was done already")
        return None

    def _add(self, order: Order, details: PersonDetails, person_id: str) -> _Written:
        existing = self._directory.by_handle(details.handle)
        if existing and existing.details == details:
            return (), Done(target=existing.person_id, seq=0, message=f"{details.handle} is known already")
        if existing:
            raise CommandRefused(
                f"Cannot add {details.handle}",
                because=f"somebody else is called {details.handle} already",
                instead=f"choose another handle, or change {details.handle}",
            )
        sealed = seal(details, self._keyring.create(person_id), person_id)
        return (
            self._writes(order, person_id, 0, PersonAdded(sealed=sealed)),
            Done(target=person_id, seq=0, message=f"{details.name} added as {details.handle}"),
        )

    def _change(self, order: Order, details: PersonDetails) -> _Written:
        person = self._require_person(order, "change")
        if person.details == details:
            return (), Done(target=person.person_id, seq=0, message=f"nothing about {details.handle} changes")
        key = self._keyring.key(person.person_id)
        if person.erased or key is None:
            raise CommandRefused(
                f"Cannot change {order.target}",
                because="this person was erased" if person.erased else "the key of this person is not on this machine",
                instead="add the person anew",
            )
        namesake = self._directory.by_handle(details.handle)
        if namesake and namesake.person_id != person.person_id:
            raise CommandRefused(
                f"Cannot call {order.target} {details.handle}",
                because=f"somebody else is called {details.handle} already",
                instead="choose another handle",
            )
        sealed = seal(details, key, person.person_id)
        return (
            self._writes(order, person.person_id, person.version, PersonChanged(sealed=sealed)),
            Done(target=person.person_id, seq=0, message=f"{details.handle} changed"),
        )

    def _erase(self, order: Order, reason: str) -> _Written:
        person = self._require_person(order, "erase")
        if person.erased:
            return (), Done(target=person.person_id, seq=0, message=f"{person.person_id} was erased already")
        return (
            self._writes(order, person.person_id, person.version, PersonErased(reason=reason)),
            Done(
                target=person.person_id,
                seq=0,
                message=f"{person.person_id} erased; take them out of recount.toml too, or they are added anew",
            ),
        )

    def _require_person(self, order: Order, verb: str) -> Person:
        person = self._directory.find(order.target)
        if person is None:
            raise CommandRefused(
                f"Cannot {verb} {order.target or 'nobody'}",
                because=f"there is no person {order.target!r}",
                instead="see who there is: recount people list",
                code="not_found",
            )
        return person

    def _require_usable(self, details: PersonDetails, verb: str, whom: str) -> None:
        if problem := self._problem(details):
            raise CommandRefused(
                f"Cannot {verb} {whom or 'a person'}", because=problem[0], instead=problem[1], code="invalid"
            )

    def _problem(self, details: PersonDetails) -> tuple[str, str] | None:
        if not is_id(details.handle) or details.handle.startswith("per-"):
            return f"{details.handle!r} is no handle", "use 1 to 64 of A-Z a-z 0-9 _ - that do not begin with per-"
        if not 1 <= len(details.name) <= NAME_CHARS_MAX or not details.name.isprintable():
            return f"{details.name!r} is no name", f"use 1 to {NAME_CHARS_MAX} characters on one line"
        if len(details.contacts) > CONTACTS_MAX:
            return f"{len(details.contacts)} contacts are too many", f"give at most {CONTACTS_MAX}"
        try:
            ZoneInfo(details.zone)
        except (ValueError, OSError, KeyError):
            return f"{details.zone!r} is no time zone", "use an IANA name such as Europe/London"
        return next(filter(None, map(self._contact_problem, details.contacts)), None)

    def _contact_problem(self, contact: Contact) -> tuple[str, str] | None:
        try:
            self._contacts.require_usable(contact)
        except RecountError as error:
            return str(error), error.hint
        return None

    def _writes(self, order: Order, person_id: str, after: int, fact: Fact) -> tuple[Write, ...]:
        """The fact and the guard that keeps handles unique, in one append."""

        def event(its: Fact) -> Event:
            return event_of(order, its, source=SOURCE)

        return (
            Write(stream_of("person", person_id), after, (event(fact),)),
            Write(GUARD, self._directory.guard_version, (event(DirectoryChanged(person_id=person_id)),)),
        )
