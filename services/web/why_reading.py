"""Reading what an answer to *why* is made of: bounded walks over the log, from the thing asked about.

Every question is one scan of the columns that it filters by, however long the log is, and each gives at most
`EVENTS_MAX` events; what lies beyond is said and not shown. All of it works through a lens.
"""

import re
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Any

import msgspec

from events import FACT_TYPES, Event, Recorded
from events.ids import ID_PATTERN
from events.upcast import upcast
from projections.lens import AsOf
from projections.slice import listed
from services.web.problems import Problem
from services.web.reader import Reader
from services.web.why_told import Kind, Material, Read, Subject

# More than anybody reads; a storm links thousands of alerts to one incident.
EVENTS_MAX = 400
# Incidents that one alert, or alerts that one silence or incident has to do with, of which the newest are told.
AROUND_MAX = 20
# From a channel's answer to the payload there are five causes, and as many again after an escalation's timers.
STEPS_UP_MAX = 12
CHOICES_MAX = 6
TITLE_CHARS_MAX = 200

_COLUMNS = """
    seq, stream, type, event_id, source, happened_at, recorded_at, actor, causation_id, correlation_id,
    known_at, cast(data as varchar) as data, coalesce(retracted_by_seq, 0) as retracted_by_seq
"""
# What an incident's own facts must say for the way to be understood; notes, roles and its other alerts are elsewhere.
_OF_INCIDENT = (
    "incident.opened",
    "incident.declared",
    "incident.acknowledged",
    "incident.severity_changed",
    "incident.severity_corrected",
    "incident.resolved",
    "incident.reopened",
    "incident.dismissed",
    "incident.reinstated",
    "incident.merged",
    "incident.closed",
)
_KINDS: tuple[Kind, ...] = ("alert", "page", "silence", "incident")


class Walk:
    """One answer's reading.

    Args:
        reader: asks the warehouse.
        lens: through which; None for the present.
    """

    def __init__(self, reader: Reader, lens: AsOf) -> None:
        self._reader = reader
        self._lens = lens
        self._events: dict[int, Read] = {}
        self._sought: set[str] = set()
        self.left_out: list[str] = []

    async def material(self, subject: Subject) -> Material:
        """Everything about a subject that its answer may tell."""
        match subject.kind:
            case "alert":
                await self._alert(subject.id)
            case "page":
                await self._streams("page", [subject.id])
                incidents = {read.fact.incident_id for read in self._having("incident_id", "page")}
                await self._incidents(incidents, pages=(subject.id,))
            case "silence":
                await self._silence(subject.id)
            case "incident":
                await self._incidents([subject.id])
                await self._first_alerts(subject.id)
            case "event":
                await self._around_event(subject.id)
            case "receipt":
                await self._receipt(int(subject.id))
        await self._up()
        return Material(subject=subject, events=self._events, left_out=tuple(self.left_out))

    async def _alert(self, alert_key: str) -> None:
        """The last occurrence of an alert, and where it was put."""
        key = listed([alert_key])
        (last,) = await self._reader.rows(
            f"""
            select
                coalesce(max(occurrence), 0) as occurrence,
                coalesce(max(seq) filter (where type = 'alert.fired'), 0) as seq
            from alert_facts where stream_id = {key}
            """,
            as_of=self._lens,
        )
        number, since = int(last["occurrence"]), int(last["seq"])
        if number > 1:
            self.left_out.append(
                f"{number - 1} earlier {'occurrence is' if number == 2 else 'occurrences are'} not told here: look as "
                "of then, or ask about an event of it by its position"
            )
        await self._where(f"category = 'alert' and stream_id = {key} and seq >= {since:d}")
        places = await self._reader.rows(
            f"""
            select seq, stream_id from incident_alert_linked where alert_key = {key} and occurrence = {number:d}
            union all select seq, stream_id from incident_alert_unlinked where alert_key = {key} and seq > {since:d}
            union all select seq, stream_id from silence_alert_held
                where alert_key = {key} and occurrence = {number:d}
            union all select seq, stream_id from inhibition_facts
                where (alert_key = {key} or source_alert_key = {key}) and seq > {since:d}
            order by seq desc limit {EVENTS_MAX}
            """,
            as_of=self._lens,
        )
        await self._at([row["seq"] for row in places])
        ids = list(dict.fromkeys(row["stream_id"] for row in places))
        incidents = [identifier for identifier in ids if identifier.startswith("INC-")]
        await self._incidents(incidents)
        silences = [identifier for identifier in ids if identifier not in incidents]
        if silences:
            await self._where(
                f"category = 'silence' and stream_id in ({listed(silences)}) and type <> 'silence.alert_held'"
            )

    async def _occurrences(self, wanted: Iterable[tuple[str, int]]) -> None:
        """What some alerts did in some of their occurrences, however often they fired besides."""
        pairs = list(dict.fromkeys(wanted))
        if not pairs:
            return
        rows = await self._reader.rows(
            f"""
            select seq from (
                select stream_id, seq, max(occurrence) over (partition by stream_id order by seq) as occurrence
                from alert_facts where stream_id in ({listed({key for key, _number in pairs})})
            )
            where (stream_id, occurrence) in ({", ".join(f"({listed([key])}, {number:d})" for key, number in pairs)})
            order by seq desc limit {EVENTS_MAX}
            """,
            as_of=self._lens,
        )
        await self._at([row["seq"] for row in rows], category="alert")

    async def _incidents(self, ids: Iterable[str], *, pages: Sequence[str] = ()) -> None:
        incidents = list(dict.fromkeys(ids))
        if len(incidents) > AROUND_MAX:
            self.left_out.append(f"{len(incidents) - AROUND_MAX} older incidents are not told")
        shown = listed(incidents[:AROUND_MAX])
        if not incidents:
            return
        await self._where(
            f"category in ('incident', 'escalation') and stream_id in ({shown}) "
            f"and (type in ({listed(_OF_INCIDENT)}) or category = 'escalation')"
        )
        if not pages:
            found = await self._reader.rows(
                f"select distinct stream_id from page_facts where incident_id in ({shown}) "
                f"order by stream_id limit {EVENTS_MAX}",
                as_of=self._lens,
            )
            await self._streams("page", [row["stream_id"] for row in found])

    async def _first_alerts(self, incident_id: str) -> None:
        """The alerts that an incident began with: the first ones, because those explain it."""
        rows = await self._reader.rows(
            f"select seq, alert_key, occurrence, count(*) over () as alerts from incident_alert_linked "
            f"where stream_id = {listed([incident_id])} order by seq limit {AROUND_MAX}",
            as_of=self._lens,
        )
        await self._at([row["seq"] for row in rows], category="incident")
        if rows and rows[0]["alerts"] > AROUND_MAX:
            self.left_out.append(f"{rows[0]['alerts'] - AROUND_MAX} later alerts of {incident_id} are not told")
        await self._occurrences((row["alert_key"], row["occurrence"]) for row in rows)

    async def _silence(self, silence_id: str) -> None:
        await self._streams("silence", [silence_id])
        held = [(read.fact.alert_key, read.fact.occurrence) for read in self._having("alert_key", "silence")]
        newest = list(dict.fromkeys(held))[-AROUND_MAX:]
        if len(set(held)) > AROUND_MAX:
            self.left_out.append(f"{len(set(held)) - AROUND_MAX} of {len(set(held))} alerts that it held are not told")
        await self._occurrences(newest)
        rows = await self._reader.rows(
            f"select seq, alert_key, occurrence from incident_alert_linked "
            f"where alert_key in ({listed(key for key, _number in newest)}) order by seq desc limit {EVENTS_MAX}",
            as_of=self._lens,
        )
        await self._at(
            [row["seq"] for row in rows if (row["alert_key"], row["occurrence"]) in newest], category="incident"
        )

    async def _around_event(self, event_id: str) -> None:
        await self._where(f"event_id = {listed([event_id])}")
        beneath = {event_id}
        for _ in range(STEPS_UP_MAX):
            before = set(self._events)
            await self._where(f"causation_id in ({listed(beneath)})")
            beneath = {self._events[seq].recorded.event.id for seq in self._events.keys() - before}
            if not beneath or len(self._events) >= EVENTS_MAX:
                return

    async def _receipt(self, receipt_seq: int) -> None:
        await self._where(f"causation_id = 'intake-{receipt_seq:d}'")
        told = await self._reader.rows(
            f"""
            select seq from alert_facts where receipt_seq = {receipt_seq:d}
            union select seq from deadletter_recorded where source_stream = 'INTAKE' and source_seq = {receipt_seq:d}
            order by seq desc limit {EVENTS_MAX}
            """,
            as_of=self._lens,
        )
        await self._at([row["seq"] for row in told])
        if not self._events:
            lists = await self._reader.rows(
                f"select seq, first_seq, run_gaps, run_lengths from ledger_repeated "
                f"where {receipt_seq:d} between first_seq and last_seq order by seq desc limit {EVENTS_MAX}",
                as_of=self._lens,
            )
            await self._at([row["seq"] for row in lists if _lists(row, receipt_seq)][:1])
        for read in list(self._events.values()):
            await self._where(f"causation_id = {listed([read.recorded.event.id])}")

    async def _up(self) -> None:
        """Read the causes of what was read, and theirs, to the payload or the person that began it."""
        for _ in range(STEPS_UP_MAX):
            events = [read.recorded.event for read in self._events.values()]
            known = {event.id for event in events}
            # What a person did answers an order, and what a sender said a payload: neither lies in the log.
            causes = {event.causation_id for event in events if not event.actor or event.actor.startswith("service:")}
            wanted = {cause for cause in causes if cause and not cause.startswith("intake-")} - known - self._sought
            if not wanted:
                return
            self._sought |= wanted
            await self._where(f"event_id in ({listed(wanted)})")

    async def _streams(self, category: str, ids: Sequence[str]) -> None:
        if ids:
            await self._where(f"category = '{category}' and stream_id in ({listed(ids)})")

    async def _at(self, seqs: Iterable[int], *, category: str = "") -> None:
        """Read events by position; in one category, which is a fifth of the work, when it is known."""
        if missing := sorted(set(seqs) - self._events.keys()):
            within = f"category = '{category}' and " if category else ""
            await self._where(f"{within}seq in ({', '.join(map(str, missing))})")

    async def read(self, condition: str, *, events_max: int = EVENTS_MAX) -> list[Read]:
        """The newest events of a condition on the log, in log order; those that cannot be read are left out."""
        rows = await self._reader.rows(
            f"select {_COLUMNS} from log_rows where {condition} order by seq desc limit {events_max}",
            as_of=self._lens,
        )
        return [read for row in reversed(rows) if (read := _read(row)) is not None]

    async def _where(self, condition: str) -> None:
        found = await self.read(condition, events_max=EVENTS_MAX + 1)
        if len(found) > EVENTS_MAX:
            self.left_out.append(f"only the newest {EVENTS_MAX} events of one kind are read")
        self._events |= {read.seq: read for read in found[-EVENTS_MAX:]}

    def _having(self, field: str, category: str) -> list[Read]:
        return [
            read
            for _seq, read in sorted(self._events.items())
            if read.recorded.stream.startswith(f"{category}.") and hasattr(read.fact, field)
        ]


def _lists(row: dict[str, Any], receipt_seq: int) -> bool:
    """Whether a list of repeats, which is told in runs, has a receipt in it."""
    at = row["first_seq"]
    for gap, length in zip(row["run_gaps"], row["run_lengths"], strict=True):
        at += gap
        if at <= receipt_seq < at + length:
            return True
        at += length
    return False


def _read(row: dict[str, Any]) -> Read | None:
    """An event out of its row; None when this version does not know its type or cannot read it."""
    if not row["data"]:
        return None
    try:
        tag, data = upcast(row["type"], row["data"].encode())
        fact = msgspec.json.decode(data, type=FACT_TYPES[tag])
    except (KeyError, msgspec.MsgspecError):
        return None
    event = Event(
        id=row["event_id"] or "",
        fact=fact,
        happened_at=_zoned(row["happened_at"]),
        source=row["source"] or "",
        actor=row["actor"] or "",
        causation_id=row["causation_id"] or "",
        correlation_id=row["correlation_id"] or "",
        known_at=_zoned(row["known_at"]) if row["known_at"] else None,
    )
    recorded = Recorded(seq=row["seq"], stream=row["stream"], recorded_at=_zoned(row["recorded_at"]), event=event)
    return Read(recorded, row["retracted_by_seq"])


def _zoned(moment: datetime) -> datetime:
    return moment.replace(tzinfo=UTC)


async def find(reader: Reader, text: str, lens: AsOf) -> Subject:
    """What a text means: an id of something, a log position ``#4711``, ``receipt:4711``, or an alert's title.

    Raises:
        Problem: 404, there is nothing like it; 409, several alerts fit.
    """
    text = text.strip()
    if found := re.fullmatch(r"receipt[:/ ]([0-9]{1,18})", text, re.IGNORECASE):
        return Subject("receipt", str(int(found[1])), f"receipt {int(found[1])}")
    if found := re.fullmatch(r"(?:#|event[:/ ])([0-9]{1,18})", text, re.IGNORECASE):
        rows = await reader.rows(f"select event_id, type, stream from log_rows where seq = {int(found[1])}", as_of=lens)
        if rows and rows[0]["event_id"]:
            return Subject("event", rows[0]["event_id"], f"{rows[0]['type']} of {rows[0]['stream']}")
        raise _nothing(text)
    if found := re.fullmatch(r"(?:inc-)?([1-9][0-9]{0,11})", text, re.IGNORECASE):
        text = f"INC-{found[1]}"
    if ID_PATTERN.fullmatch(text):
        subject = await _by_id(reader, text, lens)
        if subject is not None:
            return subject
    return await _by_title(reader, text, lens)


async def _by_id(reader: Reader, text: str, lens: AsOf) -> Subject | None:
    rows = await reader.rows(
        f"select distinct category from log_rows where stream_id = {listed([text])} and category in ({listed(_KINDS)})",
        as_of=lens,
    )
    categories = {row["category"] for row in rows}
    for kind in _KINDS:
        if kind in categories:
            return Subject(kind, text, await _title(reader, kind, text, lens))
    rows = await reader.rows(f"select type, stream from log_rows where event_id = {listed([text])}", as_of=lens)
    return Subject("event", text, f"{rows[0]['type']} of {rows[0]['stream']}") if rows else None


async def _title(reader: Reader, kind: Kind, identifier: str, lens: AsOf) -> str:
    asked = {
        "alert": "select max_by(title, seq) from alert_facts where title <> '' and stream_id = {}",
        "incident": "select max_by(title, seq) from incident_facts where title <> '' "
        "and type <> 'incident.alert_linked' and stream_id = {}",
        "silence": "select max_by(reason, seq) from silence_facts where reason <> '' and stream_id = {}",
        "page": "select 'page for ' || max(incident_id) from page_facts where stream_id = {}",
    }
    rows = (await reader.ask(asked[kind].format(listed([identifier])), as_of=lens)).rows
    return str(rows[0][0] or "") if rows else ""


async def _by_title(reader: Reader, text: str, lens: AsOf) -> Subject:
    wanted = text[:TITLE_CHARS_MAX]
    rows = await reader.rows(
        f"""
        select alert_key, title, fingerprint = $1 as is_fingerprint, lower(title) = lower($1) as is_title
        from alerts
        where fingerprint = $1 or contains(lower(title), lower($1))
        order by is_fingerprint desc, is_title desc, last_seq desc
        limit {CHOICES_MAX}
        """,
        (wanted,),
        as_of=lens,
    )
    for mark in ("is_fingerprint", "is_title"):
        certain = [row for row in rows if row[mark]]
        if len(certain) == 1:
            rows = certain
    if not rows or not wanted:
        raise _nothing(text)
    if len(rows) > 1:
        choices = "; ".join(f"{row['alert_key']} ({row['title'][:60]})" for row in rows[: CHOICES_MAX - 1])
        more = " and more" if len(rows) == CHOICES_MAX else ""
        raise Problem(
            409,
            f"Several alerts fit {text[:60]!r}",
            because=f"{choices}{more}",
            instead="Name one by its key, which comes first.",
        )
    return Subject("alert", rows[0]["alert_key"], rows[0]["title"])


def _nothing(text: str) -> Problem:
    return Problem(
        404,
        f"Nothing is known of {text[:80]!r}",
        because="it is no incident, alert, page, silence or event of the log, and no alert has such a title",
        instead="Give INC-42, an alert's key or title, a page or silence id, an event's id or position (#4711), or "
        "receipt:4711.",
    )
