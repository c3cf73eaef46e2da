"""What a responder may do with an incident, as forms: which are shown in which phase, and what they ask.

The page shows what usually makes sense; whether it may be done is decided by the incidents service alone, and its
refusal is shown where the person acted.
"""

from collections.abc import Mapping
from typing import Any, Literal, get_args

import msgspec

from events.incident import ROLES, SEVERITIES, Determination, DismissalReason, Profile, ReopenKind
from services.incidents.commands import TITLE_CHARS_MAX

OPEN_PHASES = ("triage", "active", "contained", "eradicated")
EVERY_PHASE = (*OPEN_PHASES, "resolved", "closed", "dismissed", "merged")

Kind = Literal["text", "area", "choice", "person", "date", "yes"]


class Field(msgspec.Struct, frozen=True, kw_only=True):
    """One input of a form."""

    name: str
    label: str
    kind: Kind = "text"
    required: bool = False
    choices: tuple[tuple[str, str], ...] = ()
    """Values and what they are called."""
    hint: str = ""
    chars_max: int = 2_000
    checked: bool = False


class Move(msgspec.Struct, frozen=True, kw_only=True):
    """One thing to do with an incident."""

    verb: str
    label: str
    says: str
    """One sentence: what it means."""
    phases: tuple[str, ...]
    fields: tuple[Field, ...] = ()
    profile: Profile | None = None
    """Only for incidents of this profile."""
    weight: Literal["next", "usual", "rare"] = "usual"
    """``next``: what moves the incident on from here."""


def _called(*values: str) -> tuple[tuple[str, str], ...]:
    return tuple((value, value.replace("_", " ")) for value in values)


SEVERITY_CHOICES = tuple(
    zip(
        SEVERITIES,
        (
            "sev1 · everybody is hit",
            "sev2 · many are hit",
            "sev3 · some are hit",
            "sev4 · few notice",
            "sev5 · nobody yet",
        ),
        strict=True,
    )
)
_LEVELS = (("0", "none: it has ended"), ("1", "minor"), ("2", "degraded"), ("3", "major"), ("4", "total"))
_PURPOSES = _called("prevent", "mitigate", "detect", "process", "other")
_REASON = Field(name="reason", label="Why", required=True)
_WHY = Field(name="reason", label="Why (optional)")
_SUMMARY = Field(name="summary", label="What was done", kind="area")
_WAIVER = Field(name="waiver", label="Waiver", hint="Why the step before it is not needed; only if you skip it.")

MOVES: tuple[Move, ...] = (
    Move(
        verb="acknowledge",
        label="Acknowledge",
        says="You take it in hand; paging stops.",
        phases=OPEN_PHASES,
        weight="next",
    ),
    Move(
        verb="declare",
        label="Declare",
        says="It is an incident, and people should act on it.",
        phases=("triage",),
        fields=(
            Field(name="severity", label="Severity", kind="choice", choices=(("", "as it is"), *SEVERITY_CHOICES)),
            Field(name="commander", label="Commander (optional)", kind="person"),
            _WHY,
        ),
        weight="next",
    ),
    Move(
        verb="contain",
        label="Mitigated",
        says="Users are no longer hurt; the cause may still be there.",
        phases=("active",),
        profile="ops",
        fields=(
            _SUMMARY,
            Field(name="ends_impact", label="Impact on users has ended", kind="yes", checked=True),
        ),
        weight="next",
    ),
    Move(
        verb="contain",
        label="Contained",
        says="The harm no longer spreads. Users may still be affected.",
        phases=("active",),
        profile="security",
        fields=(_SUMMARY,),
        weight="next",
    ),
    Move(
        verb="eradicate",
        label="Cause removed",
        says="Attacker out, or the permanent fix is in.",
        phases=("active", "contained"),
        profile="security",
        fields=(_SUMMARY, _WAIVER),
        weight="next",
    ),
    Move(
        verb="resolve",
        label="Resolve",
        says="Recovered, and somebody has checked.",
        phases=OPEN_PHASES,
        profile="ops",
        fields=(_SUMMARY,),
        weight="next",
    ),
    Move(
        verb="resolve",
        label="Resolve",
        says="Recovered, and somebody has checked.",
        phases=OPEN_PHASES,
        profile="security",
        fields=(_SUMMARY, _WAIVER),
        weight="next",
    ),
    Move(
        verb="close",
        label="Close",
        says="The work after it is done: the review is published, or waived with a reason.",
        phases=("resolved",),
        fields=(Field(name="waiver", label="Waiver", hint="Why no review is published; only if there is none."),),
        weight="next",
    ),
    Move(
        verb="reopen",
        label="Reopen",
        says="It came back, or was never over.",
        phases=("resolved", "closed"),
        fields=(
            Field(
                name="kind",
                label="Which of the two",
                kind="choice",
                required=True,
                choices=tuple(
                    zip(
                        get_args(ReopenKind),
                        ("it was over and came back", "it was never over: the clock runs on"),
                        strict=True,
                    )
                ),
            ),
            _REASON,
        ),
    ),
    Move(
        verb="regress",
        label="It did not hold",
        says="The mitigation or fix failed; back to active.",
        phases=("contained", "eradicated"),
        fields=(_REASON,),
    ),
    Move(
        verb="reinstate",
        label="Reinstate",
        says="The dismissal was wrong; back to triage.",
        phases=("dismissed",),
        fields=(_REASON,),
        weight="next",
    ),
    Move(
        verb="unmerge",
        label="Separate",
        says="The merge was wrong; back to the phase before it.",
        phases=("merged",),
        fields=(_WHY,),
        weight="next",
    ),
    Move(
        verb="assign",
        label="Assign a role",
        says="From now on this person holds the role.",
        phases=EVERY_PHASE[:6],
        fields=(
            Field(name="role", label="Role", kind="choice", required=True, choices=_called(*ROLES)),
            Field(name="person_id", label="Who", kind="person", required=True),
        ),
    ),
    Move(
        verb="relieve",
        label="Relieve of a role",
        says="This person no longer holds the role.",
        phases=EVERY_PHASE[:6],
        fields=(
            Field(name="role", label="Role", kind="choice", required=True, choices=_called(*ROLES)),
            Field(name="person_id", label="Who", kind="person", required=True),
        ),
        weight="rare",
    ),
    Move(
        verb="severity",
        label="Change severity",
        says="It is worse or better than thought.",
        phases=EVERY_PHASE[:6],
        fields=(
            Field(name="severity", label="Severity", kind="choice", required=True, choices=SEVERITY_CHOICES),
            _WHY,
        ),
    ),
    Move(
        verb="impact",
        label="Say who is affected",
        says="How much users feel it, in one part of the product, from now on.",
        phases=EVERY_PHASE[:6],
        fields=(
            Field(name="scope", label="Service or kind of data", required=True, chars_max=200),
            Field(name="level", label="Impact", kind="choice", required=True, choices=_LEVELS),
        ),
    ),
    Move(
        verb="agree_action",
        label="Agree on an action",
        says="Something to be done so that next time it is less likely, or less bad.",
        phases=EVERY_PHASE[:6],
        fields=(
            Field(name="text", label="What", required=True),
            Field(name="purpose", label="What for", kind="choice", choices=_PURPOSES),
            Field(name="owner_id", label="Owner", kind="person"),
            Field(name="due_on", label="By", kind="date"),
        ),
        weight="rare",
    ),
    Move(
        verb="rename",
        label="Rename",
        says="A clearer name.",
        phases=EVERY_PHASE,
        fields=(Field(name="title", label="Title", required=True, chars_max=TITLE_CHARS_MAX),),
        weight="rare",
    ),
    Move(
        verb="determine",
        label="Say what it turned out to be",
        says="As far as is known.",
        phases=EVERY_PHASE[:6],
        fields=(
            Field(
                name="determination",
                label="Determination",
                kind="choice",
                required=True,
                choices=_called(*get_args(Determination)),
            ),
            _WHY,
        ),
        weight="rare",
    ),
    Move(
        verb="merge",
        label="Merge into another",
        says="It is the same incident as another, which carries on alone.",
        phases=(*OPEN_PHASES, "resolved"),
        fields=(
            Field(name="into_incident_id", label="Which one", required=True, hint="Such as INC-41.", chars_max=20),
            _WHY,
        ),
        weight="rare",
    ),
    Move(
        verb="dismiss",
        label="Dismiss",
        says="It is not an incident.",
        phases=("triage", "active", "contained"),
        fields=(
            Field(
                name="reason",
                label="What it is instead",
                kind="choice",
                required=True,
                choices=_called(*get_args(DismissalReason)),
            ),
            Field(name="explanation", label="Explanation (optional)"),
        ),
        weight="rare",
    ),
)

NOTE = Move(
    verb="note",
    label="Add note",
    says="Written into the timeline, in your name.",
    phases=EVERY_PHASE,
    fields=(Field(name="text", label="Add to the timeline", kind="area", required=True, chars_max=12_000),),
)


def moves_for(phase: str, profile: str) -> list[Move]:
    """What makes sense in a phase, what moves the incident on first."""
    fitting = [move for move in MOVES if phase in move.phases and move.profile in (None, profile)]
    return sorted(fitting, key=lambda move: ("next", "usual", "rare").index(move.weight))


def command_fields(verb: str, form: Mapping[str, Any]) -> dict[str, Any]:
    """The fields of a command out of a form; what was left empty is left out, so that it stays as it is."""
    moves = [move for move in (*MOVES, NOTE) if move.verb == verb]
    known = {field.name: field for move in moves for field in move.fields}
    fields: dict[str, Any] = {}
    for name, field in known.items():
        value = form.get(name)
        if field.kind == "yes":
            # An unticked box is not sent at all, so its form says by a marker that it had the box.
            if f"{name}_asked" in form:
                fields[name] = value is not None
        elif isinstance(value, str) and value.strip():
            fields[name] = int(value) if name == "level" and value.isdecimal() else value.strip()
    return fields
