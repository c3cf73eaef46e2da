"""What a responder may do with an incident, in which phases, and what each asks.

The page shows what usually makes sense; whether it may be done is decided by the incidents service alone, and its
refusal is shown where the person acted.
"""

from typing import get_args

from events.incident import ROLES, SEVERITIES, Determination, DismissalReason, ReopenKind
from services.incidents.commands import TITLE_CHARS_MAX
from services.web.move import Field, Move

OPEN_PHASES = ("triage", "active", "contained", "eradicated")
EVERY_PHASE = (*OPEN_PHASES, "resolved", "closed", "dismissed", "merged")
_WORKED_ON = (*OPEN_PHASES, "resolved")
_UNTIL_CLOSED = (*_WORKED_ON, "closed")


def called(*values: str) -> tuple[tuple[str, str], ...]:
    """Values to choose from, in words."""
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
_PARTS = (("cause", "the cause"), ("remedy", "the remedy: a rollback or a hotfix"))
_PURPOSES = called("prevent", "mitigate", "detect", "process", "other")
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
        verb="accept",
        label="Take over a role",
        says="It was offered to you; from now on you hold it.",
        phases=_WORKED_ON,
        fields=(Field(name="role", label="Role", kind="choice", required=True),),
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
        verb="identify",
        label="Cause found",
        says="It is known well enough to repair it; time to repair starts.",
        phases=OPEN_PHASES,
        fields=(Field(name="summary", label="What it is", kind="area", required=True),),
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
        label="Fixed for good",
        says="The permanent fix is in; it may still have to recover.",
        phases=("active", "contained"),
        profile="ops",
        fields=(_SUMMARY,),
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
        phases=_WORKED_ON,
        fields=(
            Field(name="role", label="Role", kind="choice", required=True, choices=called(*ROLES)),
            Field(name="person_id", label="Who", kind="person", required=True),
        ),
    ),
    Move(
        verb="offer",
        label="Hand over a role",
        says="You keep it until the other takes over.",
        phases=_WORKED_ON,
        fields=(
            Field(name="role", label="Role of yours", kind="choice", required=True),
            Field(name="person_id", label="To whom", kind="person", required=True),
        ),
    ),
    Move(
        verb="relieve",
        label="Relieve of a role",
        says="This person no longer holds the role.",
        phases=_WORKED_ON,
        fields=(
            Field(name="role", label="Role", kind="choice", required=True, choices=called(*ROLES)),
            Field(name="person_id", label="Who", kind="person", required=True),
        ),
        weight="rare",
    ),
    Move(
        verb="severity",
        label="Change severity",
        says="It is worse or better than thought.",
        phases=_UNTIL_CLOSED,
        fields=(
            Field(name="severity", label="Severity", kind="choice", required=True, choices=SEVERITY_CHOICES),
            _WHY,
        ),
    ),
    Move(
        verb="impact",
        label="Say who is affected",
        says="How much users feel it, in one part of the product, from now on.",
        phases=_UNTIL_CLOSED,
        fields=(
            Field(name="scope", label="Service or kind of data", required=True, chars_max=200),
            Field(name="level", label="Impact", kind="choice", required=True, choices=_LEVELS),
        ),
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
        phases=_UNTIL_CLOSED,
        fields=(
            Field(
                name="determination",
                label="Determination",
                kind="choice",
                required=True,
                choices=called(*get_args(Determination)),
            ),
            _WHY,
        ),
        weight="rare",
    ),
    Move(
        verb="link",
        label="Add an alert",
        says="It belongs to this incident.",
        phases=_UNTIL_CLOSED,
        fields=(Field(name="alert_key", label="Alert", kind="choice", required=True), _WHY),
        weight="rare",
    ),
    Move(
        verb="unlink",
        label="Take an alert out",
        says="It does not belong to this incident after all.",
        phases=EVERY_PHASE,
        fields=(Field(name="alert_key", label="Alert", kind="choice", required=True), _WHY),
        weight="rare",
    ),
    Move(
        verb="link_change",
        label="Say what change did it",
        says="A deployment or another change caused it, or was made to end it. It counts in change fail rate.",
        phases=_UNTIL_CLOSED,
        fields=(
            Field(name="change_key", label="Change", kind="choice", required=True),
            Field(name="part", label="It was", kind="choice", required=True, choices=_PARTS),
            _WHY,
        ),
    ),
    Move(
        verb="unlink_change",
        label="Take a change out",
        says="It did not cause it, or did not end it, after all.",
        phases=EVERY_PHASE,
        fields=(
            Field(name="change_key", label="Change", kind="choice", required=True),
            Field(name="part", label="It was not", kind="choice", required=True, choices=_PARTS),
            _WHY,
        ),
        weight="rare",
    ),
    Move(
        verb="merge",
        label="Merge into another",
        says="It is the same incident as another, which carries on alone.",
        phases=(*_UNTIL_CLOSED, "dismissed"),
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
                choices=called(*get_args(DismissalReason)),
            ),
            Field(name="explanation", label="Explanation (optional)"),
        ),
        weight="rare",
    ),
    Move(
        verb="dismiss",
        label="It was no incident",
        says="Learned after the resolution: it counts in no duration.",
        phases=("resolved", "closed"),
        fields=(
            Field(
                name="reason",
                label="What it was instead",
                kind="choice",
                required=True,
                choices=called("false_positive", "benign", "exercise"),
            ),
            Field(name="explanation", label="Explanation (optional)"),
        ),
        weight="rare",
    ),
)
"""Beside the timeline, in this order within each weight."""


NOTE = Move(
    verb="note",
    label="Add note",
    says="Written into the timeline, in your name.",
    phases=EVERY_PHASE,
    fields=(Field(name="text", label="Add to the timeline", kind="area", required=True, chars_max=12_000),),
)

AGREE_ACTION = Move(
    verb="agree_action",
    label="Agree on an action",
    says="Something to be done so that next time it is less likely, or less bad.",
    phases=EVERY_PHASE,
    fields=(
        Field(name="text", label="What", required=True),
        Field(name="purpose", label="What for", kind="choice", choices=_PURPOSES),
        Field(name="owner_id", label="Owner", kind="person"),
        Field(name="due_on", label="By", kind="date"),
    ),
)

FINISH_ACTION = Move(
    verb="finish_action",
    label="Finish",
    says="It is done; or it is dropped, and why.",
    phases=EVERY_PHASE,
    fields=(
        Field(name="action_id", label="Action", kind="hidden", required=True),
        Field(name="dropped", label="Dropped: it will not be done", kind="yes"),
        Field(name="reason", label="Why, if it is dropped"),
    ),
)
