"""The notifier: sends pages, and says how each ended.

Hears  page requested; its own timers.
Says   page attempted, sent, failed, withheld.
Keeps  nothing: a page's state is in its stream, and when to look at it again in a durable timer.

A page is handled in the background, so a channel that hangs delays no other. That is safe because a timer is set before
anything else: whatever happens to this process, the page is looked at again. *Attempted* is in the log before a message
leaves, and right before that the incident is read once more: a page is not sent when an acknowledgement was in the log
by then.
"""

import asyncio
import logging
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta

from events import Conflict, Event, EventLog, Fact, Recorded, Write
from events.ids import derived_event_id, new_event_id
from events.page import PageAttempted, PageFailed, PageRequested, PageSent, PageWithheld
from events.person import Contact
from events.subjects import split, stream_of
from events.timer import TimerFired
from events.timers import Timer, Timers
from services.attention import Attention, attention_of
from services.clock import Clock
from services.directory import Directory, Person
from services.notifier.channel import SENDS_AT_ONCE, Channel, ChannelFailed, ChannelSettings, Receipt
from services.notifier.delivery import (
    ATTEMPT_LOST_AFTER_S,
    Decision,
    Nothing,
    Page,
    Send,
    Wait,
    Withhold,
    decide,
    evolve,
    failure,
    page_of,
    retry_at,
)
from services.notifier.message import Links, message_for

logger = logging.getLogger("recount")

SOURCE = "recount/notifier"
PURPOSE = "page_retry"
# How long one attempt may take in all. A mail takes a second or two; a server that needs longer is as good as gone.
SEND_TIMEOUT_S = 20
# When a page is looked at again if nothing is heard of it: after its attempt has certainly ended.
LOOK_AGAIN_AFTER_S = ATTEMPT_LOST_AFTER_S + 5
ERROR_CHARS_MAX = 500
# A person's details and contacts do not outgrow this many steps; more would be a loop that never ends.
STEPS_MAX = 1_000

LinksFor = Callable[[str, PageRequested, datetime], Links]
"""The links of a page, by its id, the request, and the present moment."""


class Notifier:
    """See the module's docstring.

    Args:
        log: the facts.
        timers: wake it up for retries.
        clock: tells the time.
        directory: opens what is sealed about people.
        channels: by the scheme of the contacts that they serve.
        settings: what the channels need.
        links: makes the links of a message.
        send_timeout_s: how long one attempt may take.
        new_id: makes the ids of attempts.
    """

    name = "notifier"
    hears: tuple[str, ...] = ("evt.page.*.requested", "evt.timer.>")

    def __init__(
        self,
        log: EventLog,
        timers: Timers,
        clock: Clock,
        directory: Directory,
        *,
        channels: Mapping[str, Channel],
        settings: ChannelSettings,
        links: LinksFor,
        send_timeout_s: float = SEND_TIMEOUT_S,
        new_id: Callable[[], str] = new_event_id,
    ) -> None:
        self._log = log
        self._timers = timers
        self._clock = clock
        self._directory = directory
        self._channels = channels
        self._settings = settings
        self._links = links
        self._send_timeout_s = send_timeout_s
        self._new_id = new_id
        self._limits: dict[str, asyncio.Semaphore] = {}
        self._in_hand: dict[str, asyncio.Task[None]] = {}

    async def on_event(self, event: Recorded) -> None:
        """See `services.listener.Listener.on_event`."""
        match event.fact:
            case PageRequested():
                await self._look_at(split(event.stream)[1], self._clock.now())
            case TimerFired(purpose=purpose, about=about, due_at=due_at) if purpose == PURPOSE:
                # The timer is the evidence that its time has come, also to a clock that lags behind the server's.
                await self._look_at(split(about)[1], max(self._clock.now(), due_at))

    async def idle(self) -> None:
        """Return when no page is in hand."""
        while self._in_hand:
            await asyncio.gather(*self._in_hand.values(), return_exceptions=True)

    async def stop(self) -> None:
        """Let go of every page at once. What was not finished is taken up again by whoever runs next."""
        tasks = list(self._in_hand.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _look_at(self, page_id: str, now: datetime) -> None:
        page = await self._load(page_id)
        if page.requested is None or page.ending:
            return
        await self._wake(page, now + timedelta(seconds=LOOK_AGAIN_AFTER_S))
        if page_id not in self._in_hand:
            task = asyncio.create_task(self._deliver(page_id, now), name=f"page {page_id}")
            self._in_hand[page_id] = task
            task.add_done_callback(lambda _done: self._in_hand.pop(page_id, None))

    async def _deliver(self, page_id: str, now: datetime) -> None:
        """Carry a page on until it has ended, or must wait."""
        scheme = ""
        try:
            for _step in range(STEPS_MAX):
                async with self._limits.setdefault(scheme, asyncio.Semaphore(SENDS_AT_ONCE)):
                    following = await self._step(page_id, scheme, max(now, self._clock.now()))
                if following is None:
                    return
                scheme = following
            raise AssertionError(f"page {page_id} did not end in {STEPS_MAX} steps")
        except Exception:
            # The timer that was set before brings the page back.
            logger.exception("notifier: page %s is left until its timer", page_id)

    async def _step(self, page_id: str, scheme: str, now: datetime) -> str | None:
        """Do what is to be done now. Returns the channel to go on with, None when there is nothing left to do."""
        page = await self._load(page_id)
        decision, person, attention = await self._decide(page, now)
        match decision:
            case Wait(until=until):
                await self._wake(page, until)
                return None
            case Withhold(reason=reason):
                await self._say(page, self._withheld(page, reason), derived_event_id(page_id, "withheld"))
            case Send(contact=contact) if contact.channel != scheme:
                return contact.channel
            case Send(contact=contact, attempt=attempt):
                # A fresh id: were it derived, a second copy's append would count as a repetition of the first's, and
                # both would send.
                seq = await self._say(page, attempt, self._new_id())
                if seq is None:
                    return scheme  # somebody else was faster: look again
                page = evolve(page, attempt, at=self._clock.now(), seq=seq)
                if not await self._attempt(page, person, attention, contact, attempt):
                    return scheme
            case Nothing():
                pass
        await self._timers.cancel(_timer_id(page_id))
        return None

    async def _attempt(
        self, page: Page, person: Person, attention: Attention, contact: Contact, attempt: PageAttempted
    ) -> bool:
        """Send, and record what came of it. Returns whether the message was taken."""
        result = await self._send(page, person, attention, contact, attempt)
        fact: PageSent | PageFailed
        if isinstance(result, Receipt):
            fact = PageSent(
                channel=attempt.channel,
                contact=attempt.contact,
                attempt=attempt.attempt,
                provider_reference=result.reference,
            )
        else:
            contacts = len(person.details.contacts) if person.details else 0
            error = str(result)[:ERROR_CHARS_MAX]
            fact = failure(page, attempt, contacts, error, permanent=result.permanent, unknown=result.unknown)
            if not fact.final:
                # Before the fact: a timer too many is harmless, one too few loses the page.
                await self._wake(page, retry_at(page, attempt, contacts, self._clock.now()))
        event_id = derived_event_id(page.page_id, "result", str(attempt.attempt))
        # An answer may be recorded while the message is on its way; the result belongs in the log all the same.
        while await self._say(page, fact, event_id) is None:
            page = await self._load(page.page_id)
        return isinstance(fact, PageSent)

    async def _send(
        self, page: Page, person: Person, attention: Attention, contact: Contact, attempt: PageAttempted
    ) -> Receipt | ChannelFailed:
        assert page.requested is not None
        channel = self._channels.get(contact.channel)
        if channel is None:
            return ChannelFailed(f"no channel serves contacts {contact.channel}:", permanent=True)
        message = message_for(
            page.page_id,
            page.requested,
            attempt,
            attention,
            self._links(page.page_id, page.requested, self._clock.now()),
            zone=person.details.zone if person.details else "UTC",
            now=self._clock.now(),
        )
        try:
            return await asyncio.wait_for(channel.send(message, contact, self._settings), self._send_timeout_s)
        except ChannelFailed as error:
            return error
        except TimeoutError:
            return ChannelFailed(f"no answer within {self._send_timeout_s:g} s", unknown=True)
        except Exception as error:  # a channel's own mistake must not keep the next contact from its turn
            logger.exception("notifier: channel %s failed on page %s", contact.channel, page.page_id)
            return ChannelFailed(f"{type(error).__name__}: {error}", unknown=True)

    async def _decide(self, page: Page, now: datetime) -> tuple[Decision, Person, Attention]:
        if page.requested is None:
            return Nothing(), Person(person_id=""), Attention()
        person = await self._directory.look_up(page.requested.person_id)
        person = person or Person(person_id=page.requested.person_id)
        # Last, so that nothing lies between it and the decision.
        attention = attention_of(await self._log.read(stream_of("incident", page.requested.incident_id)))
        contacts = person.details.contacts if person.details else ()
        return decide(page, attention, contacts, erased=person.erased, now=now), person, attention

    def _withheld(self, page: Page, reason: str) -> PageWithheld:
        assert page.requested is not None
        return PageWithheld(
            incident_id=page.requested.incident_id,
            reason=reason,
            person_id=page.requested.person_id,
            target=page.requested.target,
            run=page.requested.run,
            level=page.requested.level,
        )

    async def _load(self, page_id: str) -> Page:
        return page_of(page_id, await self._log.read(stream_of("page", page_id)))

    async def _say(self, page: Page, fact: Fact, event_id: str) -> int | None:
        """Append one fact to the page as it was loaded. Returns its position, None when somebody else was faster."""
        assert page.requested is not None
        event = Event(
            id=event_id,
            fact=fact,
            happened_at=self._clock.now(),
            source=SOURCE,
            causation_id=page.page_id,
            correlation_id=page.requested.incident_id,
        )
        try:
            return await self._log.append(Write(stream_of("page", page.page_id), page.version, (event,)))
        except Conflict:
            return None

    async def _wake(self, page: Page, due_at: datetime) -> None:
        assert page.requested is not None
        await self._timers.set(
            Timer(
                id=_timer_id(page.page_id),
                due_at=due_at,
                purpose=PURPOSE,
                about=stream_of("page", page.page_id),
                correlation_id=page.requested.incident_id,
            )
        )


def _timer_id(page_id: str) -> str:
    # One for each page: setting it again replaces the earlier time, so a page never wakes twice.
    return f"page-{page_id}"
