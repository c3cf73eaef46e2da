"""How users are affected: one interval at a time for each scope, apart from the phase.

An impact may begin before the detection or after it, and containing an attack may itself affect users; hence it is not
derived from the phase.
"""

from events.incident import ImpactEnded, ImpactLevelChanged, ImpactStarted, IncidentFact
from services.incidents.circumstances import Circumstances, require_open
from services.incidents.commands import SetImpact
from services.incidents.state import Incident

_ASKED = "change the impact of"


def set_impact(incident: Incident, command: SetImpact, about: Circumstances) -> tuple[IncidentFact, ...]:
    """Begin, change or end the impact on one scope; nothing when it is so already.

    Raises:
        CommandRefused: the incident is dismissed or merged, or the time does not fit.
    """
    require_open(incident, _ASKED, about, also=frozenset({"resolved", "closed"}))
    current = incident.impact.get(command.scope)
    if command.level == (current.level if current else 0):
        return ()
    if not incident.is_open and incident.resolved_at is not None and about.happened_at > incident.resolved_at:
        raise about.refused(
            _ASKED,
            because=f"it was resolved at {about.clock_time(incident.resolved_at)}, and no impact lies after that",
            instead="give the time when it was so, or reopen the incident",
        )
    if current is None:
        return (ImpactStarted(scope=command.scope, level=command.level),)
    _not_before_change(incident, command.scope, about)
    if command.level == 0:
        return (ImpactEnded(scope=command.scope),)
    return (ImpactLevelChanged(scope=command.scope, level=command.level),)


def end_all(incident: Incident, about: Circumstances) -> tuple[ImpactEnded, ...]:
    """End the impact on every scope, in the order of their names.

    Raises:
        CommandRefused: one of them changed after the given time.
    """
    for scope in incident.impact:
        _not_before_change(incident, scope, about)
    return tuple(ImpactEnded(scope=scope) for scope in sorted(incident.impact))


def _not_before_change(incident: Incident, scope: str, about: Circumstances) -> None:
    changed_at = incident.impact[scope].changed_at
    if about.happened_at < changed_at:
        raise about.refused(
            _ASKED,
            because=f"the impact on {scope} last changed at {about.clock_time(changed_at)}, after the given "
            f"{about.clock_time(about.happened_at)}",
            instead="give a later time",
            code="invalid",
        )
