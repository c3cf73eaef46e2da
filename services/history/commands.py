"""What the history service may be asked, and the format of a foreign incident's history.

A `Snapshot` is one incident as another system knew it at one moment. Of its fields, an absent one says nothing; null,
or an empty list, says that there is none. docs/import.md explains the format with examples.
"""

from datetime import datetime
from typing import Annotated, Any, Literal

import msgspec
from msgspec import UNSET, UnsetType

from events.incident import Determination, DismissalReason, Profile, ReopenKind, Role, Severity
from services.command import Command, CommandRefused, Done, Refused

SYSTEM_PATTERN = r"^[a-z0-9][a-z0-9_-]{0,39}$(?!\n)"
EXTERNAL_ID_CHARS_MAX = 300
TITLE_CHARS_MAX = 500
NAME_CHARS_MAX = 200
# A published postmortem. A fact holds 60 KiB, so one whose characters take several bytes each may still be refused.
TEXT_CHARS_MAX = 40_000
# More than any public status history shows of one incident; one line is one atomic batch of at most 1,000 facts.
ITEMS_MAX = 900
URL_CHARS_MAX = 2_000
SNAPSHOTS_PER_ORDER_MAX = 200

Moment = Annotated[datetime, msgspec.Meta(tz=True, description="ISO 8601 with a zone.")]
Name = Annotated[str, msgspec.Meta(min_length=1, max_length=NAME_CHARS_MAX)]
NameOrNone = Annotated[str, msgspec.Meta(max_length=NAME_CHARS_MAX)]
ExternalId = Annotated[str, msgspec.Meta(min_length=1, max_length=EXTERNAL_ID_CHARS_MAX)]
Text = Annotated[str, msgspec.Meta(max_length=TEXT_CHARS_MAX)]
System = Annotated[str, msgspec.Meta(pattern=SYSTEM_PATTERN)]
Level = Annotated[int, msgspec.Meta(ge=1, le=4, description="1 minor, 2 degraded, 3 major, 4 total.")]

Step = Literal[
    "detected", "declared", "contained", "eradicated", "resolved", "regressed", "reopened", "closed", "dismissed"
]
"""What moves an incident from phase to phase."""
Phase = Literal["triage", "active", "contained", "eradicated", "resolved", "closed", "dismissed"]


class _Part(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """A part of a snapshot. A field that this format does not know is refused by name: it may be a slip of the pen."""


class Reached(_Part, frozen=True):
    """A milestone, and when it was reached. A history may reach one several times."""

    milestone: Step | Literal["notified"]
    at: Moment
    earliest: Moment | None = None
    latest: Moment | None = None
    """Bounds, when the time is not known precisely."""
    by: NameOrNone = ""
    """Who did it."""
    summary: Text = ""
    kind: ReopenKind = "relapse"
    """Of a reopening."""
    reason: DismissalReason = "out_of_scope"
    """Of a dismissal."""


class LevelFrom(_Part, frozen=True):
    """A change of level inside an impact."""

    level: Level
    at: Moment


class Impact(_Part, frozen=True):
    """A stretch of impact on one scope."""

    scope: Name
    """A service, a component, or a class of data."""
    level: Level
    start: Moment
    end: Moment | None = None
    """None: it lasts."""
    changes: Annotated[tuple[LevelFrom, ...], msgspec.Meta(max_length=ITEMS_MAX)] = ()
    """Later levels, oldest first."""


class Update(_Part, frozen=True):
    """Something that was written down or published."""

    at: Moment
    text: Annotated[str, msgspec.Meta(min_length=1, max_length=TEXT_CHARS_MAX)]
    author: NameOrNone = ""
    id: NameOrNone = ""
    """What the other system calls it; for people, and not compared."""
    edited_at: Moment | None = None
    """When it was last edited; for people, and not compared."""


class Acknowledgement(_Part, frozen=True):
    """A responder took it in hand."""

    at: Moment
    by: NameOrNone = ""
    automatic: bool = False


class Held(_Part, frozen=True):
    """A role that somebody held."""

    role: Role
    person: Name
    start: Moment
    end: Moment | None = None


class SeverityFrom(_Part, frozen=True):
    """A severity, and since when."""

    severity: Severity
    at: Moment


class Snapshot(_Part, frozen=True):
    """One incident, as another system knew it at one moment."""

    system: System
    """The other system, such as ``statuspage``: part of the incident's identity, and the source of its facts."""
    id: ExternalId
    """What the other system calls the incident."""
    known_at: Moment
    """When the other system knew it like this."""
    title: Annotated[str, msgspec.Meta(min_length=1, max_length=TITLE_CHARS_MAX)] | UnsetType = UNSET
    severity: Severity | UnsetType = UNSET
    """How severe it is now."""
    severities: Annotated[tuple[SeverityFrom, ...], msgspec.Meta(min_length=1, max_length=ITEMS_MAX)] | UnsetType = (
        UNSET
    )
    """Every severity that it has had, oldest first; the last is ``severity``."""
    profile: Profile | UnsetType = UNSET
    service: NameOrNone | UnsetType = UNSET
    phase: Phase | UnsetType = UNSET
    """Checked against the milestones, when both are given."""
    milestones: Annotated[tuple[Reached, ...], msgspec.Meta(min_length=1, max_length=ITEMS_MAX)] | UnsetType = UNSET
    """All that were reached, in order."""
    impact: Annotated[tuple[Impact, ...], msgspec.Meta(max_length=ITEMS_MAX)] | UnsetType = UNSET
    updates: Annotated[tuple[Update, ...], msgspec.Meta(max_length=ITEMS_MAX)] | UnsetType = UNSET
    acknowledgements: Annotated[tuple[Acknowledgement, ...], msgspec.Meta(max_length=ITEMS_MAX)] | UnsetType = UNSET
    roles: Annotated[tuple[Held, ...], msgspec.Meta(max_length=ITEMS_MAX)] | UnsetType = UNSET
    determination: Determination | UnsetType = UNSET
    determined_at: Moment | UnsetType = UNSET
    merged_into: ExternalId | UnsetType | None = UNSET
    """The id of the incident that it was merged into, of the same system; null: it stands for itself."""
    merged_at: Moment | UnsetType = UNSET
    url: Annotated[str, msgspec.Meta(max_length=URL_CHARS_MAX)] = ""
    tags: Annotated[tuple[Name, ...], msgspec.Meta(max_length=100)] = ()
    extra: dict[str, Any] = {}
    """Whatever else should be kept; Recount does not read it."""


class Record(Command, frozen=True, forbid_unknown_fields=True, tag="record"):
    """Take over what other systems knew of their incidents, in order of knowledge. What is known already is not taken
    over twice."""

    snapshots: Annotated[tuple[Snapshot, ...], msgspec.Meta(min_length=1, max_length=SNAPSHOTS_PER_ORDER_MAX)]
    people: dict[str, str] = {}
    """Person ids by the names that stand in the snapshots; who is not in it gets a pseudonym."""
    skip_refused: bool = False
    """Go on after a snapshot that is refused; otherwise what comes after it is left."""
    dry_run: bool = False
    """Say what would be written, and write nothing."""


class Outcome(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What became of one snapshot."""

    incident_id: str = ""
    facts: int = 0
    """How many facts were written about the incident; 0 when it was known already."""
    headlines: tuple[str, ...] = ()
    """What would be written, when it was only asked."""
    path: str = ""
    problem: str = ""
    """Why it was refused; empty when it was not."""
    hint: str = ""


class Recorded(Done, frozen=True, tag="done"):
    """What became of each snapshot, in order: of all, or of those up to the first that was refused."""

    outcomes: tuple[Outcome, ...] = ()


decode_answer: msgspec.json.Decoder[Recorded | Refused] = msgspec.json.Decoder(Recorded | Refused)
"""Reads what the service answers."""
_RECORD = msgspec.json.Decoder(Record)


def names_in(snapshot: Snapshot) -> set[str]:
    """Everybody whom a snapshot names."""
    names = {update.author for update in snapshot.updates or ()}
    names |= {acknowledgement.by for acknowledgement in snapshot.acknowledgements or ()}
    names |= {held.person for held in snapshot.roles or ()}
    names |= {reached.by for reached in snapshot.milestones or ()}
    return names - {""}


def parse(verb: str, body: bytes) -> Record:
    """Read a command from its JSON.

    Raises:
        CommandRefused: with code ``invalid``; it names the JSON path of what is wrong.
    """
    if verb != "record":
        raise CommandRefused(
            f"Cannot carry out {verb!r}",
            because=f"history has no verb {verb!r}",
            instead="use record",
            code="invalid",
        )
    try:
        return _RECORD.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise CommandRefused(
            "Cannot take a history over",
            because=str(error),
            instead="see docs/import.md, or `recount import --schema`",
            code="invalid",
        ) from error
