"""``set recount.as_of``: through which lens a session asks."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime

from projections.lens import Lens
from services.pgwire.refusals import Refused
from services.pgwire.variables import AS_OF, HAPPENED_BY, KNOWN_BY

LENS_VARIABLES = (AS_OF, KNOWN_BY, HAPPENED_BY)
_HINT = "Give a log position such as 4711, or a time such as 2026-03-01T14:05:00Z (UTC without an offset)."


def lens_of(
    variables: Mapping[str, str], *, last_position: int, now: datetime, position_at: Callable[[datetime], int]
) -> Lens | None:
    """The lens that a session's settings ask for; None for the present.

    Args:
        variables: the settings.
        last_position: where the warehouse stands.
        now: the present moment.
        position_at: the last position recorded at or before a moment.

    Raises:
        Refused: a setting cannot be read, or lies in the future.
    """
    as_of, known_by, happened_by = (variables.get(name, "").strip() for name in LENS_VARIABLES)
    if not (as_of or known_by or happened_by):
        return None
    position = None
    if as_of.isascii() and as_of.isdecimal() and len(as_of) < 19:
        position = int(as_of)
        if position > last_position:
            raise _future(AS_OF, as_of, f"the log ends at position {last_position}")
    elif as_of:
        moment = _moment(AS_OF, as_of)
        if moment > now:
            raise _future(AS_OF, as_of, f"it is {now:%Y-%m-%dT%H:%M:%SZ} now")
        position = position_at(moment)
    return Lens(
        position=position,
        known_by=_moment(KNOWN_BY, known_by) if known_by else None,
        happened_by=_moment(HAPPENED_BY, happened_by) if happened_by else None,
    )


def _moment(name: str, text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise Refused("22023", f"{name} {text[:100]!r} cannot be read", hint=_HINT) from error


def _future(name: str, text: str, because: str) -> Refused:
    return Refused("22023", f"{name} {text} lies in the future: {because}", hint=f"RESET {name} shows the present.")
