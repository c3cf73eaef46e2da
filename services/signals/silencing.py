"""Creating, changing and ending silences."""

from collections.abc import Callable
from datetime import datetime, timedelta

from events import NOTHING, Event, EventLog, Write
from events.errors import BadConfiguration
from events.fact import Fact
from events.ids import is_id, key_of
from events.silence import SilenceChanged, SilenceCreated, SilenceEnded
from events.subjects import stream_of
from services.command import CommandRefused, Done, Order
from services.decision import decide_and_append, event_of
from services.rules.matchers import Matchers, match_nothing_given, parse_all
from services.rules.silences import Silence, silence_after
from services.signals.commands import ChangeSilence, CreateSilence, EndSilence
from services.signals.publishing import SOURCE

# Longer is a rule, and belongs among the rules, where it has a name and no end.
SILENCE_DAYS_MAX = 366
# A maintenance window that begins later than this was meant to begin another year.
STARTS_WITHIN_DAYS_MAX = 366
# All of a silence's matchers, in characters: the fact has 60 KiB.
MATCHERS_CHARS_MAX = 20_000

Act = Callable[[Silence], tuple[Fact | None, str]]
"""What becomes of a silence: a fact, or None when it holds already; and a sentence."""


class Silencing:
    """Carries out the commands about silences."""

    def __init__(self, log: EventLog) -> None:
        self._log = log

    async def create(self, order: Order, command: CreateSilence) -> Done:
        """Hold back the alerts that fit for a while.

        Raises:
            CommandRefused: it asks for nothing, or its times cannot be.
        """
        asked = "Cannot create the silence"
        matchers = _matchers(asked, command.matchers)
        starts_at = max(command.starts_at or order.issued_at, order.issued_at)
        ends_at = _end(asked, command.ends_at, command.lasts_s, starts_at)
        if ends_at is None:
            raise _invalid(asked, "it has no end", "give --for 2h, or --until and a time")
        reason = _reason(asked, command.reason)
        _check_times(asked, starts_at, ends_at, order.issued_at)
        silence_id = order.target or f"sil-{key_of(order.id)[:10]}"
        if not is_id(silence_id):
            raise _invalid(asked, f"{silence_id!r} cannot be an id", "use 1 to 64 of A-Z a-z 0-9 _ -")
        stream = stream_of("silence", silence_id)
        fact = SilenceCreated(
            matchers=tuple(str(matcher) for matcher in matchers), starts_at=starts_at, ends_at=ends_at, reason=reason
        )

        async def attempt() -> tuple[tuple[Write, ...], None]:
            history = await self._log.read(stream)
            if any(past.event.causation_id == order.id for past in history):
                return (), None
            if history:
                raise CommandRefused(asked, because=f"there is a silence {silence_id}", instead="use another id")
            return (Write(stream, NOTHING, (_event(order, fact),)),), None

        seq, _ = await decide_and_append(self._log, attempt)
        begins = "" if starts_at <= order.issued_at else f" from {_told(starts_at)}"
        return Done(target=silence_id, seq=seq, message=f"{silence_id} silences{begins} until {_told(ends_at)}.")

    async def change(self, order: Order, command: ChangeSilence) -> Done:
        """Let a silence last for another time.

        Raises:
            CommandRefused: there is none, it is over, or its times cannot be.
        """
        asked = f"Cannot change {order.target}"

        def changed(silence: Silence) -> tuple[Fact | None, str]:
            state = silence.state_at(order.issued_at)
            if state == "ended":
                raise CommandRefused(
                    asked,
                    because=f"it ended {_told(silence.ends_at)}",
                    instead="create another: recount silences create",
                )
            starts_at = command.starts_at or silence.starts_at
            if state == "active" and starts_at != silence.starts_at:
                raise _invalid(asked, "it has begun, so its start stays", "leave --from out")
            ends_at = _end(asked, command.ends_at, command.lasts_s, order.issued_at) or silence.ends_at
            _check_times(asked, starts_at, ends_at, order.issued_at)
            reason = command.reason.strip() or silence.reason
            fact = SilenceChanged(starts_at=starts_at, ends_at=ends_at, reason=reason)
            if (starts_at, ends_at, reason) == (silence.starts_at, silence.ends_at, silence.reason):
                return None, f"{silence.silence_id} is so already."
            return fact, f"{silence.silence_id} silences until {_told(ends_at)}."

        return await self._act(order, asked, changed)

    async def end(self, order: Order, command: EndSilence) -> Done:
        """End a silence now. One that is over already stays as it is.

        Raises:
            CommandRefused: there is none.
        """

        def ended(silence: Silence) -> tuple[Fact | None, str]:
            if silence.state_at(order.issued_at) == "ended":
                return None, f"{silence.silence_id} ended {_told(silence.ends_at)}."
            return SilenceEnded(reason=command.reason), f"{silence.silence_id} has ended."

        return await self._act(order, f"Cannot end {order.target}", ended)

    async def _act(self, order: Order, asked: str, act: Act) -> Done:
        async def attempt() -> tuple[tuple[Write, ...], str]:
            history = await self._log.read(stream_of("silence", order.target)) if is_id(order.target) else []
            silence: Silence | None = None
            for past in history:
                if past.event.causation_id == order.id:
                    return (), "This order was carried out already."
                silence = silence_after(silence, order.target, past.fact, past.happened_at)  # type: ignore[arg-type]
            if silence is None:
                raise CommandRefused(
                    asked,
                    because="there is no such silence",
                    instead="list them: recount silences list",
                    code="not_found",
                )
            fact, message = act(silence)
            if fact is None:
                return (), message
            return (Write(stream_of("silence", order.target), history[-1].seq, (_event(order, fact),)),), message

        seq, message = await decide_and_append(self._log, attempt)
        return Done(target=order.target, seq=seq, message=message)


def _matchers(asked: str, texts: tuple[str, ...]) -> Matchers:
    if sum(map(len, texts)) > MATCHERS_CHARS_MAX:
        raise _invalid(asked, f"its matchers have more than {MATCHERS_CHARS_MAX} characters", "make several silences")
    try:
        matchers = parse_all(texts)
    except BadConfiguration as error:
        raise _invalid(asked, str(error), error.hint) from error
    if match_nothing_given(matchers):
        raise _invalid(
            asked,
            "it would hold back every alert: each of its matchers also fits a label that is missing",
            'add a matcher that asks for something, such as service="checkout"',
        )
    return matchers


def _end(asked: str, ends_at: datetime | None, lasts_s: int, since: datetime) -> datetime | None:
    if ends_at is not None and lasts_s:
        raise _invalid(asked, "its end is said twice", "give --for or --until, not both")
    if not lasts_s:
        return ends_at
    if not 0 < lasts_s <= SILENCE_DAYS_MAX * 86_400:
        raise _invalid(asked, f"{lasts_s} s is no time for a silence", f"give 1 s to {SILENCE_DAYS_MAX} days")
    return since + timedelta(seconds=lasts_s)


def _check_times(asked: str, starts_at: datetime, ends_at: datetime, now: datetime) -> None:
    for name, moment in (("start", starts_at), ("end", ends_at)):
        if moment.utcoffset() is None:
            raise _invalid(asked, f"its {name} has no zone", "write a time such as 2026-03-01T14:05:00Z")
    if ends_at <= starts_at:
        raise _invalid(asked, f"it would end {_told(ends_at)}, before it begins {_told(starts_at)}", "end it later")
    if ends_at <= now:
        raise _invalid(asked, f"it would have ended {_told(ends_at)} already", "give an end in the future")
    if ends_at - starts_at > timedelta(days=SILENCE_DAYS_MAX):
        raise _invalid(
            asked,
            f"it would last longer than {SILENCE_DAYS_MAX} days",
            "put it among the rules as a route that records",
        )
    if starts_at - now > timedelta(days=STARTS_WITHIN_DAYS_MAX):
        raise _invalid(asked, f"it would begin {_told(starts_at)}", f"begin within {STARTS_WITHIN_DAYS_MAX} days")


def _reason(asked: str, reason: str) -> str:
    if not reason.strip():
        raise _invalid(asked, "it has no reason", "say why: --reason 'node-7 is being replaced'")
    return reason.strip()


def _told(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M:%S %Z}"


def _invalid(asked: str, because: str, instead: str) -> CommandRefused:
    return CommandRefused(asked, because=because, instead=instead, code="invalid")


def _event(order: Order, fact: Fact) -> Event:
    return event_of(order, fact, source=SOURCE, happened_at=order.issued_at)
