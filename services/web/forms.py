"""Forms about an incident: which are shown, and what came back in one."""

from collections.abc import Mapping, Sequence
from typing import Any

from msgspec.structs import replace

from services.web.correcting import CORRECTIONS
from services.web.move import Move
from services.web.moves import AGREE_ACTION, FINISH_ACTION, MOVES, NOTE

Choices = Mapping[str, Sequence[tuple[str, str]]]
"""What there is to choose from in one incident, by verb and field: ``{"unlink.alert_key": [(key, title), …]}``."""

_ORDER = ("next", "usual", "rare", "past")
_NUMBERS = ("level", "seq")


def moves_for(phase: str, profile: str, choices: Choices | None = None) -> list[Move]:
    """What makes sense in a phase, what moves the incident on first.

    Args:
        phase: of the incident.
        profile: of the incident.
        choices: what its own choices are between; a move that asks for one of nothing is left out.
    """
    fitting = [move for move in (*MOVES, *CORRECTIONS) if phase in move.phases and move.profile in (None, profile)]
    filled = [_with_choices(move, choices or {}) for move in fitting]
    possible = [move for move in filled if all(field.choices for field in move.fields if field.kind == "choice")]
    return sorted(possible, key=lambda move: _ORDER.index(move.weight))


def _with_choices(move: Move, choices: Choices) -> Move:
    fields = (
        replace(field, choices=tuple(choices.get(f"{move.verb}.{field.name}", field.choices))) for field in move.fields
    )
    return replace(move, fields=tuple(fields))


def command_fields(verb: str, form: Mapping[str, Any]) -> dict[str, Any]:
    """The fields of a command out of a form; what was left empty is left out, so that it stays as it is."""
    moves = [move for move in (*MOVES, *CORRECTIONS, NOTE, AGREE_ACTION, FINISH_ACTION) if move.verb == verb]
    known = {field.name: field for move in moves for field in move.fields}
    fields: dict[str, Any] = {}
    for name, field in known.items():
        value = form.get(name)
        if field.kind == "yes":
            # An unticked box is not sent at all, so its form says by a marker that it had the box.
            if f"{name}_asked" in form:
                fields[name] = value is not None
        elif isinstance(value, str) and value.strip():
            fields[name] = int(value) if name in _NUMBERS and value.isdecimal() else value.strip()
    return fields
