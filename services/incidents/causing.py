"""What caused an incident and what ended it, as somebody says it. Pure."""

from typing import assert_never

from events.cause import CauseFact, CauseIdentified, ChangeLinked, ChangePart, ChangeUnlinked
from services.incidents.circumstances import Circumstances, require_open, wrong_phase
from services.incidents.commands import CauseCommand, IdentifyCause, LinkChange, UnlinkChange
from services.incidents.state import Incident, Phase

# Causes are often found in the review.
_UNTIL_CLOSED: frozenset[Phase] = frozenset({"resolved", "closed"})
_PARTS: dict[ChangePart, str] = {"cause": "the cause of", "remedy": "the remedy of"}


def say_cause(incident: Incident, command: CauseCommand, about: Circumstances) -> tuple[CauseFact, ...]:
    """The facts that an order leads to; none when what it says holds already.

    Raises:
        CommandRefused: the incident is in another phase, or there is no such change.
    """
    match command:
        case IdentifyCause(summary=summary):
            require_open(incident, "identify the cause of", about, also=_UNTIL_CLOSED)
            return () if incident.is_cause_identified else (CauseIdentified(summary=summary),)
        case LinkChange():
            return _link(incident, command, about)
        case UnlinkChange(change_key=key, part=part, reason=reason):
            if incident.phase == "unopened":
                raise wrong_phase(incident, f"say that a change is not {_PARTS[part]}", about)
            unlinked = ChangeUnlinked(change_key=key, part=part, reason=reason)
            return (unlinked,) if (key, part) in incident.changes else ()
        case _:
            assert_never(command)


def _link(incident: Incident, command: LinkChange, about: Circumstances) -> tuple[CauseFact, ...]:
    key, part = command.change_key, command.part
    asked = f"say that a change is {_PARTS[part]}"
    require_open(incident, asked, about, also=_UNTIL_CLOSED)
    if not about.change_title:
        raise about.refused(
            asked,
            because=f"nobody told of a change {key}",
            instead="find its key: `recount changes list`",
            code="not_found",
        )
    if (key, part) in incident.changes:
        return ()
    return (ChangeLinked(change_key=key, part=part, title=about.change_title, reason=command.reason),)
