"""What may be asked about incidents: the public door of this service.

An `Order` goes to ``cmd.incident.<verb>``; its target is the incident's id, empty for a new one. Each class is one
verb; its JSON is the order's ``command``, where the ``type`` field may be left out because the subject already says
the verb. A field that the verb does not have is refused, so that a misspelt one cannot be ignored.
"""

import re
from datetime import date, datetime
from typing import Annotated, Any, Literal, get_args, get_origin, get_type_hints

import msgspec

from events.cause import ChangePart
from events.incident import Determination, DismissalReason, Milestone, Profile, ReopenKind, Role, Severity
from services.command import Command, CommandRefused

# Longer titles do not fit a phone's lock screen nor the subject of a mail; the rest belongs in a note.
TITLE_CHARS_MAX = 300
# A reason is a sentence or a few; it stands in one line of the timeline.
REASON_CHARS_MAX = 2_000
# A character of UTF-8 takes up to four bytes, and a fact at most 60 KiB with its envelope.
TEXT_CHARS_MAX = 12_000
SERVICE_CHARS_MAX = 200
IMPACT_LEVEL_MAX = 4

Title = Annotated[str, msgspec.Meta(max_length=TITLE_CHARS_MAX)]
Reason = Annotated[str, msgspec.Meta(max_length=REASON_CHARS_MAX)]
GivenReason = Annotated[str, msgspec.Meta(min_length=1, max_length=REASON_CHARS_MAX)]
Service = Annotated[str, msgspec.Meta(max_length=SERVICE_CHARS_MAX)]
# `$` alone would let a trailing newline through, into a subject.
Token = Annotated[str, msgspec.Meta(pattern=r"^[A-Za-z0-9_-]{1,64}$(?!\n)")]
IncidentId = Annotated[str, msgspec.Meta(pattern=r"^INC-[1-9][0-9]{0,15}$(?!\n)")]
TokenOrNone = Annotated[str, msgspec.Meta(pattern=r"^[A-Za-z0-9_-]{0,64}$(?!\n)")]
ZonedTime = Annotated[datetime, msgspec.Meta(tz=True)]
Position = Annotated[int, msgspec.Meta(ge=0)]


class Open(Command, frozen=True, forbid_unknown_fields=True, tag="open"):
    """Open a suspected incident for triage: somebody looks, and then declares, dismisses or resolves it.

    Whoever is on call is asked as for a declared one. The order's ``happened_at`` is the earliest signal.
    """

    title: Annotated[str, msgspec.Meta(min_length=1, max_length=TITLE_CHARS_MAX)]
    severity: Severity
    """As bad as it would be if it is one; the declaration may say otherwise."""
    profile: Profile = "ops"
    service: Service = ""
    reason: Reason = ""
    """What makes one suspect it."""


class Declare(Command, frozen=True, forbid_unknown_fields=True, tag="declare"):
    """Declare an incident: a new one, or one that is in triage (the order's target).

    For a new one, title and severity are required; for one in triage, what is left out stays as it is.
    """

    title: Title = ""
    severity: Severity | None = None
    profile: Profile | None = None
    """``ops`` for a new incident when left out."""
    service: Service = ""
    reason: Reason = ""
    """Which criteria were met."""
    declared_at: ZonedTime | None = None
    """When it was declared, if that was earlier; before the order's ``happened_at``."""
    detected_at: ZonedTime | None = None
    """The earliest signal, if that was earlier than the declaration."""
    commander: TokenOrNone = ""
    """Person id of the commander to assign at once."""
    resolved_at: ZonedTime | None = None
    """For a new incident that is over already: when it was. It is declared and resolved at once, and wakes nobody."""


class Acknowledge(Command, frozen=True, forbid_unknown_fields=True, tag="acknowledge"):
    """Take the incident in hand: paging stops. Each person may; each counts once an episode."""

    page_id: str = ""
    """The page that is answered, when it is answered from a page."""


class ChangeSeverity(Command, frozen=True, forbid_unknown_fields=True, tag="severity"):
    """Change the severity."""

    severity: Severity
    reason: Reason = ""


class AssignRole(Command, frozen=True, forbid_unknown_fields=True, tag="assign"):
    """Give a person a role. A commander who is there already must hand over or be relieved first."""

    role: Role
    person_id: Token


class OfferRole(Command, frozen=True, forbid_unknown_fields=True, tag="offer"):
    """Offer one's role to another person, and keep it until that person accepts. Only its holder may."""

    role: Role
    person_id: Token


class AcceptRole(Command, frozen=True, forbid_unknown_fields=True, tag="accept"):
    """Take over a role that was offered to the one who asks."""

    role: Role


class RelieveRole(Command, frozen=True, forbid_unknown_fields=True, tag="relieve"):
    """End a person's role."""

    role: Role
    person_id: Token


class AddNote(Command, frozen=True, forbid_unknown_fields=True, tag="note"):
    """Write something down."""

    text: Annotated[str, msgspec.Meta(min_length=1, max_length=TEXT_CHARS_MAX)]


class Rename(Command, frozen=True, forbid_unknown_fields=True, tag="rename"):
    """Give the incident a clearer name."""

    title: Annotated[str, msgspec.Meta(min_length=1, max_length=TITLE_CHARS_MAX)]


class Contain(Command, frozen=True, forbid_unknown_fields=True, tag="contain"):
    """The harm stopped spreading; in the ``ops`` profile: mitigated."""

    summary: Reason = ""
    ends_impact: bool = True
    """Users are no longer affected: every open impact interval ends now. Only in ``ops``; a security containment may
    itself affect users, so there the impact is said separately."""


class Eradicate(Command, frozen=True, forbid_unknown_fields=True, tag="eradicate"):
    """The cause is gone. In ``security``, before containment only with a waiver."""

    summary: Reason = ""
    waiver: Reason = ""


class Resolve(Command, frozen=True, forbid_unknown_fields=True, tag="resolve"):
    """Recovered and verified. No impact may be open; in ``security``, before eradication only with a waiver."""

    summary: Reason = ""
    waiver: Reason = ""


class Regress(Command, frozen=True, forbid_unknown_fields=True, tag="regress"):
    """Containment or eradication did not hold; back to active."""

    reason: GivenReason


class Close(Command, frozen=True, forbid_unknown_fields=True, tag="close"):
    """The work after the incident is done: review published or waived, every action owned."""

    waiver: Reason = ""
    """Why no review was published."""


class Reopen(Command, frozen=True, forbid_unknown_fields=True, tag="reopen"):
    """It came back (``relapse``), or was never over (``mistaken``). Within 14 days of the resolution."""

    kind: ReopenKind
    reason: GivenReason


class Dismiss(Command, frozen=True, forbid_unknown_fields=True, tag="dismiss"):
    """It is not an incident. After resolution, only as a false positive, benign or exercise."""

    reason: DismissalReason
    explanation: Reason = ""


class Reinstate(Command, frozen=True, forbid_unknown_fields=True, tag="reinstate"):
    """The dismissal was wrong; back to triage."""

    reason: GivenReason


class Merge(Command, frozen=True, forbid_unknown_fields=True, tag="merge"):
    """It is the same incident as another, which carries on alone."""

    into_incident_id: IncidentId
    reason: Reason = ""


class Unmerge(Command, frozen=True, forbid_unknown_fields=True, tag="unmerge"):
    """The merge was wrong; back to the phase before it."""

    reason: Reason = ""


class SetImpact(Command, frozen=True, forbid_unknown_fields=True, tag="impact"):
    """How much users are affected in one scope, from now on (or since the order's ``happened_at``)."""

    scope: Annotated[str, msgspec.Meta(min_length=1, max_length=SERVICE_CHARS_MAX)]
    """A service or a class of data."""
    level: Annotated[int, msgspec.Meta(ge=0, le=IMPACT_LEVEL_MAX)]
    """0 ends it; 1 minor, 2 degraded, 3 major, 4 total."""


class Determine(Command, frozen=True, forbid_unknown_fields=True, tag="determine"):
    """What it turned out to be, as far as is known."""

    determination: Determination
    reason: Reason = ""


class LinkAlert(Command, frozen=True, forbid_unknown_fields=True, tag="link"):
    """An alert belongs to this incident."""

    alert_key: Token
    reason: Reason = ""


class UnlinkAlert(Command, frozen=True, forbid_unknown_fields=True, tag="unlink"):
    """An alert does not belong to this incident after all."""

    alert_key: Token
    reason: Reason = ""


class IdentifyCause(Command, frozen=True, forbid_unknown_fields=True, tag="identify"):
    """The cause is known well enough to repair it: hands-on repair begins. Said once; a wrong one is taken back."""

    summary: GivenReason


class LinkChange(Command, frozen=True, forbid_unknown_fields=True, tag="link_change"):
    """A change caused this incident, or was made to end it."""

    change_key: Token
    part: ChangePart
    reason: Reason = ""


class UnlinkChange(Command, frozen=True, forbid_unknown_fields=True, tag="unlink_change"):
    """A change did not cause this incident, or did not end it, after all."""

    change_key: Token
    part: ChangePart
    reason: Reason = ""


class CorrectMilestone(Command, frozen=True, forbid_unknown_fields=True, tag="correct"):
    """A milestone was reached at another time than was said, or was reached and nothing said so."""

    milestone: Milestone
    occurred_at: ZonedTime
    """When it was reached."""
    reason: GivenReason
    evidence: Reason = ""
    """What shows it: a link or a reference."""
    earliest: ZonedTime | None = None
    latest: ZonedTime | None = None
    """Bounds, when the time is not known precisely."""
    seq: Position = 0
    """Log position of the event whose time was wrong; left out, the one that the milestone rests on."""


class Retract(Command, frozen=True, forbid_unknown_fields=True, tag="retract"):
    """An event of the incident, or of one of its pages, alerts, its escalation or its review, is not so."""

    seq: Annotated[int, msgspec.Meta(ge=1)]
    """Its log position."""
    reason: GivenReason


class CorrectSeverity(Command, frozen=True, forbid_unknown_fields=True, tag="correct_severity"):
    """A severity that was given was wrong from the start."""

    severity: Severity
    reason: GivenReason
    seq: Position = 0
    """Log position of the event that gave the wrong one; left out, the last that gave any."""


class CorrectDetermination(Command, frozen=True, forbid_unknown_fields=True, tag="correct_determination"):
    """What it was determined to be was wrong from the start. After the resolution, one that denies the incident
    dismisses it."""

    determination: Determination
    reason: GivenReason
    seq: Position = 0
    """Log position of the event that gave the wrong one; left out, the last that gave any."""


class AgreeAction(Command, frozen=True, forbid_unknown_fields=True, tag="agree_action"):
    """Agree on something to be done so that it is less likely, or less bad, next time."""

    text: Annotated[str, msgspec.Meta(min_length=1, max_length=REASON_CHARS_MAX)]
    purpose: Literal["prevent", "mitigate", "detect", "process", "other"] = "other"
    owner_id: TokenOrNone = ""
    due_on: date | None = None


class FinishAction(Command, frozen=True, forbid_unknown_fields=True, tag="finish_action"):
    """An agreed action was carried out, or is dropped with a reason."""

    action_id: Token
    dropped: bool = False
    reason: Reason = ""


class PublishReview(Command, frozen=True, forbid_unknown_fields=True, tag="publish_review"):
    """The postmortem was read by people and is published, as it was rendered from a log position."""

    made_from_seq: Annotated[int, msgspec.Meta(ge=1)]
    document_sha256: Annotated[str, msgspec.Meta(pattern=r"^[0-9a-f]{64}$(?!\n)")]
    """SHA-256 of the Markdown without names, so that anybody can render it again and compare."""


TransitionCommand = (
    Open | Declare | Contain | Eradicate | Resolve | Regress | Close | Reopen | Dismiss | Reinstate | Merge | Unmerge
)
"""Those that change the phase."""
RoleCommand = AssignRole | OfferRole | AcceptRole | RelieveRole
RecordCommand = Acknowledge | ChangeSeverity | AddNote | Rename | SetImpact | Determine | LinkAlert | UnlinkAlert
"""Those that change or record something else."""
CauseCommand = IdentifyCause | LinkChange | UnlinkChange
"""Those that say what caused it and what ended it."""
CorrectionCommand = CorrectMilestone | Retract | CorrectSeverity | CorrectDetermination
"""Those that say what was not so."""
IncidentCommand = TransitionCommand | RoleCommand | RecordCommand | CauseCommand | CorrectionCommand
ReviewCommand = AgreeAction | FinishAction | PublishReview
"""Those about learning; their facts go to ``review.<incident_id>``."""


def _verbs() -> dict[str, type[IncidentCommand | ReviewCommand]]:
    return {str(kind.__struct_config__.tag): kind for kind in get_args(IncidentCommand | ReviewCommand)}


VERBS: dict[str, type[IncidentCommand | ReviewCommand]] = _verbs()
"""Every verb with its command: ``{"declare": Declare, …}``."""

_DECODERS: dict[str, msgspec.json.Decoder[Any]] = {verb: msgspec.json.Decoder(kind) for verb, kind in VERBS.items()}


def parse(verb: str, body: bytes) -> IncidentCommand | ReviewCommand:
    """Read a command from its JSON.

    Raises:
        CommandRefused: with code ``invalid``; it names the JSON path of what is wrong and what the verb takes.
    """
    if verb not in VERBS:
        raise CommandRefused(
            f"Cannot carry out {verb!r}",
            because=f"incidents have no verb {verb!r}",
            instead=f"use one of: {', '.join(VERBS)}",
            code="invalid",
        )
    try:
        command: IncidentCommand | ReviewCommand = _DECODERS[verb].decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        because, instead = _what_is_wrong(verb, str(error))
        raise CommandRefused(f"Cannot carry out {verb!r}", because=because, instead=instead, code="invalid") from error
    return command


_WRONG_CHOICE = re.compile(r"Invalid enum value '?(?P<said>.*?)'? - at `\$\.(?P<field>[a-z_]+)`", re.DOTALL)
_MISSING = re.compile(r"Object missing required field `(?P<field>[a-z_]+)`")


def _what_is_wrong(verb: str, problem: str) -> tuple[str, str]:
    """What the decoder found, in words, and what to do."""
    if wrong := _WRONG_CHOICE.fullmatch(problem):
        choices = ", ".join(_choices(VERBS[verb], wrong["field"]))
        return f"`$.{wrong['field']}` cannot be {wrong['said'][:60]!r}", f"give one of {choices}"
    if missing := _MISSING.fullmatch(problem):
        return f"`$.{missing['field']}` is missing", _what_it_takes(verb)
    return problem, _what_it_takes(verb)


def _choices(kind: type[Command], field: str) -> list[str]:
    """The values of a field that takes one of a few words."""
    annotated = get_type_hints(kind)[field]
    parts = [annotated, *get_args(annotated)]
    return [str(word) for part in parts if get_origin(part) is Literal for word in get_args(part)]


def _what_it_takes(verb: str) -> str:
    fields = [
        f"{field.encode_name} (required)" if field.required else field.encode_name
        for field in msgspec.structs.fields(VERBS[verb])
    ]
    return f"{verb} takes a JSON object with: {', '.join(fields)}"
