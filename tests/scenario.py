"""A running system on a fake clock: every service that acts, wired as in production, on the log in memory.

Nothing waits: `fast_forward` moves the clock from one due timer to the next and lets everybody finish in between.
"""

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec

from events import Fact, Recorded, decode
from events.fact import tag_of
from events.ids import new_event_id
from events.memory_log import MemoryLog
from events.person import Contact
from events.timers import MemoryTimers
from services.clock import FakeClock
from services.command import Answer, Done, Order
from services.directory import Directory
from services.incidents.service import Incidents
from services.keyring import Keyring
from services.listener import Listener
from services.notifier.channel import ChannelFailed, ChannelSettings, Message, Receipt
from services.notifier.channels import ContactRules
from services.notifier.service import SEND_TIMEOUT_S, Notifier
from services.notifier.wiring import signed_links
from services.oncall.service import OnCall
from services.page_link import verify
from services.settings import parse_settings
from services.supervisor.configuration import apply_settings

MONDAY = datetime(2026, 3, 2, 10, 0, tzinfo=UTC)
LINK_KEY = bytes(range(32))
# With no real waiting anywhere, work that is not done after this many turns of the event loop waits for the clock.
TURNS = 200

SETTINGS = """
[people.ada]
name = "Ada Lovelace"
zone = "Europe/London"
contacts = ["smtp:ada@example.org", "pager:ada"]
[people.bob]
name = "Bob Kahn"
contacts = ["smtp:bob@example.org"]
[people.grace]
name = "Grace Hopper"
contacts = ["smtp:grace@example.org"]
[rotations.primary]
zone = "Europe/London"
starts_at = 2026-01-05T09:00:00
shift_days = 7
members = ["ada", "bob"]
[policies.default]
levels = [
    { targets = ["rotation.primary"], answer_within_s = 300 },
    { targets = ["person.grace"], answer_within_s = 600 },
]
"""
"""On Monday the second of March, ada is on call in the rotation; on the ninth, bob."""


class Inbox:
    """A channel that keeps what it is given, and fails or hangs when it is told to."""

    def __init__(self) -> None:
        self.messages: list[tuple[str, Message]] = []
        self.failures: dict[str, list[ChannelFailed]] = {}
        self.hanging: set[str] = set()

    async def send(self, message: Message, contact: Contact, settings: ChannelSettings) -> Receipt:
        if contact.address in self.hanging:
            await asyncio.Event().wait()
        if failures := self.failures.get(contact.address):
            raise failures.pop(0)
        self.messages.append((contact.address, message))
        return Receipt(message.id)

    def problem_with(self, contact: Contact) -> str | None:
        return None

    def take(self, address: str) -> list[Message]:
        """The messages to an address that nobody has taken yet."""
        taken = [message for to, message in self.messages if to == address]
        self.messages = [(to, message) for to, message in self.messages if to != address]
        return taken


class Scenario:
    """The system, and what people do to it. Make one by `Scenario.begin`."""

    def __init__(self, folder: Path, start: datetime, send_timeout_s: float) -> None:
        self.clock = FakeClock(start)
        self.log = MemoryLog(now=self.clock.now)
        self.timers = MemoryTimers(self.log)
        self.keyring = Keyring(folder / "people")
        self.directory = Directory(self.log, self.keyring)
        self.mail, self.pager = Inbox(), Inbox()
        self._channels = {"smtp": self.mail, "pager": self.pager}
        self._send_timeout_s = send_timeout_s
        self.incidents = Incidents(self.log, self.clock, timers=self.timers)
        self.oncall = OnCall(self.log, self.timers, self.clock, self.keyring, contacts=ContactRules(self._channels))
        self.notifier = self._new_notifier()
        self.listening = True
        """Whether events reach anybody; those that do not now, do once it is true again."""
        self._delivered = 0

    @classmethod
    async def begin(
        cls,
        folder: Path,
        settings: str = SETTINGS,
        *,
        start: datetime = MONDAY,
        send_timeout_s: float = SEND_TIMEOUT_S,
    ) -> "Scenario":
        """A system that was configured and is at rest."""
        world = cls(folder, start, send_timeout_s)
        await world.configure(settings)
        return world

    async def configure(self, settings: str) -> None:
        """Start on-call with another recount.toml."""

        async def ask(_service: str, verb: str, order: Order) -> Answer:
            return await self.oncall.handle(order, verb)

        await self.oncall.start()
        parsed = parse_settings(settings, "recount.toml")
        refused = await apply_settings(parsed, ask, self.directory, self.clock)
        assert not refused, "on-call refused a part of these settings"
        await self.settle()
        await self.directory.refresh()

    async def end(self) -> None:
        """Stop what runs in the background."""
        await self.notifier.stop()

    # What people do

    async def declare(self, title: str = "checkout is down", severity: str = "sev1") -> str:
        """Declare an incident. Returns its id."""
        return (await self._ask("incident", "declare", title=title, severity=severity, service="checkout")).target

    async def acknowledge(self, incident_id: str, by: str, **command: Any) -> None:
        await self._ask("incident", "acknowledge", incident_id, by, **command)

    async def follow_link(self, message: Message) -> None:
        """Press the button on the page that a message's link opens."""
        token = message.body.partition("/ack/")[2].split()[0]
        link = verify(token, LINK_KEY, self.clock.now())
        await self._ask("incident", "acknowledge", link.incident_id, link.person_id, page_id=link.page_id)

    async def command(self, verb: str, incident_id: str, by: str = "grace", **command: Any) -> None:
        """Any other order about an incident."""
        await self._ask("incident", verb, incident_id, by, **command)

    async def erase(self, handle: str) -> None:
        await self._ask("oncall", "erase_person", handle, reason="asked to be forgotten")

    async def order(self, whom: str, verb: str, target: str = "", by: str = "", /, **command: Any) -> Answer:
        """Ask a service, whatever it answers."""
        person = self.directory.find(by)
        order = Order(
            id=new_event_id(),
            actor=person.person_id if person else "service:scenario",
            issued_at=self.clock.now(),
            command=msgspec.Raw(msgspec.json.encode(command)),
            target=target,
        )
        answer = await {"incident": self.incidents, "oncall": self.oncall}[whom].handle(order, verb)
        await self.settle()
        await self.directory.refresh()
        return answer

    # What time does

    async def fast_forward(self, *, days: int = 0, hours: int = 0, minutes: int = 0, seconds: int = 0) -> None:
        """Let time pass: each timer fires at its time, and everybody finishes what it begins."""
        until = self.clock.now() + timedelta(days=days, hours=hours, minutes=minutes, seconds=seconds)
        while (due := self.timers.next_due()) is not None and due <= until:
            self.clock.moment = max(due, self.clock.moment)
            self.timers.fire_due(self.clock.now())
            await self.settle()
        self.clock.moment = until
        await self.settle()

    async def settle(self) -> None:
        """Deliver every new event to whoever hears it, until there is none and nobody works."""
        while self.listening:
            while self._delivered < (position := await self.log.last_position()):
                await self._deliver(self._delivered + 1, position)
                self._delivered = position
            await self._let_work()
            if self._delivered == await self.log.last_position() and not self._timer_is_due():
                return
            self.timers.fire_due(self.clock.now())

    # What goes wrong

    async def redeliver_everything(self) -> None:
        """Deliver every event again, as a broker may that lost its acknowledgements."""
        await self._deliver(1, await self.log.last_position())
        await self.settle()

    async def crash_notifier(self) -> None:
        """End the notifier in the middle of what it does, and start another."""
        await self.notifier.stop()
        self.notifier = self._new_notifier()

    # What is expected

    async def expect_page(self, handle: str, *, by: str = "mail") -> Message:
        """Exactly one message has reached a person since the last look."""
        messages = self._inbox(by).take(self._address(handle, by))
        assert len(messages) == 1, f"{handle} got {len(messages)} messages by {by}, not 1"
        return messages[0]

    async def expect_silence(self, *handles: str) -> None:
        """No message has reached these people, or anybody, since the last look."""
        for handle in handles or ("ada", "bob", "grace"):
            for by in ("mail", "pager"):
                messages = self._inbox(by).take(self._address(handle, by))
                assert not messages, f"{handle} got {[message.subject for message in messages]} by {by}"

    async def facts(self, *tags: str) -> list[Recorded]:
        """The events with these tags, in log order."""
        return [recorded for recorded in await self.history() if tag_of(type(recorded.fact)) in tags]

    async def only_fact(self, tag: str) -> Any:
        """The single fact of a tag."""
        found: Sequence[Fact] = [recorded.fact for recorded in await self.facts(tag)]
        assert len(found) == 1, f"there are {len(found)} {tag}, not 1"
        return found[0]

    async def history(self) -> list[Recorded]:
        """Every event."""
        last = await self.log.last_position()
        return [decode(stored) async for batch in self.log.bulk(after=0, through=last) for stored in batch]

    async def _ask(self, whom: str, verb: str, target: str = "", by: str = "", /, **command: Any) -> Done:
        answer = await self.order(whom, verb, target, by, **command)
        assert isinstance(answer, Done), answer
        return answer

    async def _deliver(self, first: int, last: int) -> None:
        listeners: tuple[Listener, ...] = (self.incidents, self.oncall, self.notifier)
        async for batch in self.log.bulk(after=first - 1, through=last):
            for stored in batch:
                for listener in listeners:
                    if any(_matches(pattern, stored.subject) for pattern in listener.hears):
                        await listener.on_event(decode(stored))

    async def _let_work(self) -> None:
        for _turn in range(TURNS):
            await asyncio.sleep(0)

    def _timer_is_due(self) -> bool:
        due = self.timers.next_due()
        return due is not None and due <= self.clock.now()

    def _new_notifier(self) -> Notifier:
        return Notifier(
            self.log,
            self.timers,
            self.clock,
            Directory(self.log, self.keyring),
            channels=self._channels,
            settings=ChannelSettings(),
            links=signed_links("https://recount.example.org", LINK_KEY),
            send_timeout_s=self._send_timeout_s,
        )

    def _inbox(self, by: str) -> Inbox:
        return self.mail if by == "mail" else self.pager

    @staticmethod
    def _address(handle: str, by: str) -> str:
        return f"{handle}@example.org" if by == "mail" else f"pager:{handle}"


def _matches(pattern: str, subject: str) -> bool:
    """Whether a NATS subject filter covers a subject."""
    wanted, tokens = pattern.split("."), subject.split(".")
    if wanted[-1] == ">":
        wanted, tokens = wanted[:-1], tokens[: len(wanted) - 1]
        if len(tokens) < len(wanted):
            return False
    return len(wanted) == len(tokens) and all(w in ("*", t) for w, t in zip(wanted, tokens, strict=True))
