"""On-call and the notifier of the simulated world, and the pagers of its people, which sometimes fail."""

from datetime import timedelta
from pathlib import Path
from random import Random

from events import Event, EventLog, Fact, Write
from events.escalation import Level
from events.oncall import PolicyConfigured, RotationConfigured
from events.person import Contact, PersonAdded, PersonDetails
from events.sealing import seal
from events.timers import MemoryTimers
from services.clock import FakeClock
from services.directory import Directory
from services.keyring import Keyring
from services.notifier.channel import ChannelFailed, ChannelSettings, Message, Receipt
from services.notifier.message import Links
from services.notifier.service import Notifier
from services.oncall.service import OnCall
from tests.simulation.responders import ADA, BOB, GRACE

CONTACTS = {
    ADA: (Contact(channel="pager", address="ada"),),
    BOB: (Contact(channel="carrier-pigeon"), Contact(channel="pager", address="bob")),  # nobody serves pigeons
    GRACE: (Contact(channel="pager", address="grace"), Contact(channel="pager", address="grace-at-home")),
}
PAGER_FAILS = 0.2
PAGER_HANGS = 0.05


class Pagers:
    """The one channel there is."""

    def __init__(self, random: Random) -> None:
        self._random = random
        self.sent: list[Message] = []

    async def send(self, message: Message, contact: Contact, settings: ChannelSettings) -> Receipt:
        """See `services.notifier.channel.Channel.send`."""
        chance = self._random.random()
        if chance < PAGER_HANGS:
            if chance < PAGER_HANGS / 2:
                self.sent.append(message)  # only the answer was lost
            raise TimeoutError
        if chance < PAGER_FAILS:
            raise ChannelFailed("the pager is out of reach", permanent=chance < PAGER_FAILS / 2)
        self.sent.append(message)
        return Receipt(f"sent-{len(self.sent)}")

    def problem_with(self, address: str) -> str | None:
        """See `services.notifier.channel.Channel.problem_with`."""
        return None


class Paging:
    """Makes copies of both services, each with its own view of the log."""

    def __init__(self, random: Random, clock: FakeClock, timers: MemoryTimers, folder: Path) -> None:
        self._random = random
        self._clock = clock
        self._timers = timers
        self._keyring = Keyring(folder / "people")
        self.pagers = Pagers(random)

    def oncall(self, log: EventLog) -> OnCall:
        """A copy of on-call."""
        return OnCall(log, self._timers, self._clock, self._keyring)

    def notifier(self, log: EventLog) -> Notifier:
        """A copy of the notifier."""
        return Notifier(
            log,
            self._timers,
            self._clock,
            Directory(log, self._keyring),
            channels={"pager": self.pagers},
            settings=ChannelSettings(),
            links=lambda page_id, _requested, _now: Links(f"/ack/{page_id}", "/incidents"),
            new_id=lambda: f"{self._random.getrandbits(128):032x}",
        )

    async def introduce(self, log: EventLog) -> None:
        """Write down who is there, who is on call, and who is asked when nobody answers."""
        for person_id, contacts in CONTACTS.items():
            details = PersonDetails(handle=person_id[4:], name=person_id[4:].title(), contacts=contacts)
            sealed = seal(details, self._keyring.create(person_id), person_id)
            await self._write(log, f"person.{person_id}", PersonAdded(sealed=sealed))
        rotation = RotationConfigured(
            name="primary",
            zone="Europe/London",
            starts_at=self._clock.now() - timedelta(days=3),
            shift_days=1,
            members=(ADA, BOB),
        )
        await self._write(log, "rotation.primary", rotation)
        levels = (
            Level(targets=("rotation.primary",), answer_within_s=300),
            Level(targets=("rotation.primary", f"person.{GRACE}"), answer_within_s=600),
        )
        await self._write(log, "policy.default", PolicyConfigured(name="default", levels=levels, repeat=1))

    async def _write(self, log: EventLog, stream: str, fact: Fact) -> None:
        event = Event(id=f"at-first-{stream}", fact=fact, happened_at=self._clock.now(), source="recount/simulation")
        await log.append(Write(stream, 0, (event,)))
