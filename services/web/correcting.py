"""What a responder may correct on the page of an incident: milestones, severity, determination, whole events."""

from typing import get_args

from events.incident import Determination, Milestone
from services.web.move import Field, Move
from services.web.moves import EVERY_PHASE, SEVERITY_CHOICES, called

_REASON = Field(name="reason", label="How you know", required=True)
_POSITION = Field(
    name="seq",
    label="Position in the log (optional)",
    kind="number",
    hint="Of the line that was wrong, as in #42; left empty, the last that says it.",
)

CORRECTIONS: tuple[Move, ...] = (
    Move(
        verb="correct",
        label="Correct a time",
        says="A milestone was reached at another time than was said, or was reached and nobody said so.",
        phases=EVERY_PHASE,
        fields=(
            Field(
                name="milestone", label="Milestone", kind="choice", required=True, choices=called(*get_args(Milestone))
            ),
            Field(name="occurred_at", label="It was at (UTC)", kind="datetime-local", required=True),
            Field(name="earliest", label="Not before (UTC, optional)", kind="datetime-local"),
            Field(name="latest", label="Not after (UTC, optional)", kind="datetime-local"),
            _REASON,
            Field(name="evidence", label="Evidence (optional)", hint="A link or a reference."),
            _POSITION,
        ),
        weight="past",
    ),
    Move(
        verb="retract",
        label="Take a line back",
        says="It is not so. It stays in the log, struck through; nothing counts it any more.",
        phases=EVERY_PHASE,
        fields=(
            Field(
                name="seq", label="Position in the log", kind="number", required=True, hint="Of the line, as in #42."
            ),
            Field(name="reason", label="Why", required=True),
        ),
        weight="past",
    ),
    Move(
        verb="correct_severity",
        label="The severity was wrong",
        says="From the start, not because the incident changed.",
        phases=EVERY_PHASE,
        fields=(
            Field(name="severity", label="It was", kind="choice", required=True, choices=SEVERITY_CHOICES),
            _REASON,
            _POSITION,
        ),
        weight="past",
    ),
    Move(
        verb="correct_determination",
        label="The determination was wrong",
        says="From the start. After the resolution, what denies the incident dismisses it.",
        phases=EVERY_PHASE,
        fields=(
            Field(
                name="determination",
                label="It was",
                kind="choice",
                required=True,
                choices=called(*get_args(Determination)),
            ),
            _REASON,
            _POSITION,
        ),
        weight="past",
    ),
)
"""Under a heading of their own."""
