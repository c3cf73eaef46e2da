"""Does an incident need somebody? Folded from its facts; on-call asks before it pages, the notifier before it sends.

An incident *calls* while it is open and nobody has acknowledged it in this episode. Each stretch of calling is a
*call*: it begins when the incident is opened, declared, reopened, reinstated or separated, and ends when somebody
acknowledges or it is over. The log position at which a call began tells one from the next.

What another system knew before it was imported (`events.Event.known_at`) begins no call: whoever it concerned has heard
of it there.

Corrections change the record, not what people did on its word. An acknowledgement that is taken back resumes nothing:
whoever is needed again is called by saying so, with a reopening or a regression. Taking back what had ended the
incident opens it, and then it calls as any open incident does that nobody has in hand.
"""

from collections.abc import Iterable
from datetime import datetime
from typing import Literal, assert_never, get_args

import msgspec

from events import Recorded
from events.cause import CauseIdentified, ChangeLinked, ChangeUnlinked
from events.incident import (
    SEVERITIES,
    AlertLinked,
    AlertUnlinked,
    DeterminationCorrected,
    DeterminationSet,
    EventRetracted,
    ImpactEnded,
    ImpactLevelChanged,
    ImpactStarted,
    IncidentAbsorbed,
    IncidentAcknowledged,
    IncidentClosed,
    IncidentContained,
    IncidentDeclared,
    IncidentDismissed,
    IncidentDisowned,
    IncidentEradicated,
    IncidentMerged,
    IncidentOpened,
    IncidentRegressed,
    IncidentReinstated,
    IncidentReopened,
    IncidentResolved,
    IncidentSeverityChanged,
    IncidentStep,
    IncidentUnmerged,
    MilestoneCorrected,
    RoleAssigned,
    RoleHandoffAccepted,
    RoleHandoffOffered,
    RoleRelieved,
    Severity,
    SeverityCorrected,
    TitleChanged,
)
from services.corrections import corrections_of

Ending = Literal["acknowledged", "resolved", "dismissed", "merged"]
"""Why an incident needs nobody (any more)."""


class Attention(msgspec.Struct, frozen=True, kw_only=True):
    """What paging must know of an incident; the defaults are an incident that does not exist."""

    version: int = 0
    """Log position of its last fact."""
    title: str = ""
    severity: Severity = "sev5"
    service: str = ""
    policy: str = ""
    """The escalation policy that its declaration names; empty when none is named."""
    began_at: datetime | None = None
    """When it was first noticed: the earliest signal, or its declaration."""
    acted_on: bool = False
    """Somebody has contained or eradicated it: a call that goes on is not cut, but none begins."""
    ended: Ending | None = None
    """Why it is over; None while it is open."""
    ended_before_merge: Ending | None = None
    acknowledged: bool = False
    """In this episode."""
    last_ending: Ending | None = None
    """What ended the call before."""
    call_seq: int = 0
    """Log position at which the present call began; 0 before the first."""
    elsewhere: bool = False
    """Everything that is known of it was known to another system before, and was imported."""

    @property
    def calling(self) -> bool:
        """Whether it needs somebody now."""
        return self.version > 0 and not self.elsewhere and self.silent_because is None

    @property
    def silent_because(self) -> Ending | None:
        """Why it needs nobody; None while it calls."""
        return self.ended or ("acknowledged" if self.acknowledged else None)


def attention_of(history: Iterable[Recorded]) -> Attention:
    """Fold the facts of one incident."""
    told = list(history)
    corrections = corrections_of(recorded.event for recorded in told)
    attention = Attention()
    for recorded in told:
        was_calling = attention.calling
        attention = msgspec.structs.replace(attention, elsewhere=_stays_elsewhere(attention, recorded))
        believed = corrections.believed(recorded.event)
        # What was taken back was acted on all the same; only a name or a severity can be unsaid.
        fact = believed.fact if believed else recorded.fact
        if believed is None and isinstance(fact, TitleChanged | IncidentSeverityChanged):
            pass
        elif isinstance(fact, TitleChanged):
            attention = msgspec.structs.replace(attention, title=fact.title)
        elif isinstance(fact, _STEPS):
            attention = evolve(attention, fact)
        attention = msgspec.structs.replace(
            attention,
            version=recorded.seq,
            began_at=attention.began_at or _noticed_at(recorded),
        )
        if was_calling and not attention.calling:
            attention = msgspec.structs.replace(attention, last_ending=attention.silent_because)
        # A reopening begins a call of its own even when the one before was never answered.
        begins_anew = isinstance(fact, IncidentReopened | IncidentReinstated)
        if attention.calling and (begins_anew or not was_calling):
            attention = msgspec.structs.replace(attention, call_seq=recorded.seq)
    return attention


def evolve(attention: Attention, fact: IncidentStep) -> Attention:
    """What one fact changes; history is not up for debate, so it never refuses."""
    match fact:
        case IncidentOpened() | IncidentDeclared():
            policy = fact.policy if isinstance(fact, IncidentDeclared) else ""
            return msgspec.structs.replace(
                attention,
                title=fact.title,
                severity=fact.severity,
                service=fact.service or attention.service,
                policy=policy or attention.policy,
            )
        case IncidentAcknowledged():
            return msgspec.structs.replace(attention, acknowledged=True)
        case IncidentSeverityChanged():
            return msgspec.structs.replace(attention, severity=fact.severity)
        case IncidentContained() | IncidentEradicated():
            return msgspec.structs.replace(attention, acted_on=True)
        case IncidentRegressed():
            return msgspec.structs.replace(attention, acted_on=False)
        case IncidentResolved() | IncidentClosed():
            return msgspec.structs.replace(attention, ended="resolved")
        case IncidentDismissed():
            return msgspec.structs.replace(attention, ended="dismissed")
        case IncidentReopened():
            return msgspec.structs.replace(attention, ended=None, acknowledged=False, acted_on=False)
        case IncidentReinstated():
            return msgspec.structs.replace(attention, ended=None, acknowledged=False, acted_on=False)
        case IncidentMerged():
            return msgspec.structs.replace(attention, ended="merged", ended_before_merge=attention.ended)
        case IncidentUnmerged():
            return msgspec.structs.replace(attention, ended=attention.ended_before_merge, ended_before_merge=None)
        case EventRetracted(phase=phase):
            return _in_phase(attention, phase)
        case (
            IncidentAbsorbed()
            | IncidentDisowned()
            | ImpactStarted()
            | ImpactLevelChanged()
            | ImpactEnded()
            | DeterminationSet()
            | RoleAssigned()
            | RoleHandoffOffered()
            | RoleHandoffAccepted()
            | RoleRelieved()
            | AlertLinked()
            | AlertUnlinked()
            | CauseIdentified()
            | ChangeLinked()
            | ChangeUnlinked()
            | MilestoneCorrected()
            | SeverityCorrected()
            | DeterminationCorrected()
        ):
            return attention
        case _:
            assert_never(fact)


def is_decisive(event: Recorded) -> bool:
    """Whether an incident may call, or no longer, after an event. An imported one begins no call, and one that ends a
    call is noticed when the next page is due."""
    return isinstance(event.fact, DECISIVE) and event.event.known_at is None


def at_least_as_severe(severity: Severity, threshold: Severity) -> bool:
    """Whether ``sev1`` reaches ``sev3``: it does."""
    return SEVERITIES.index(severity) <= SEVERITIES.index(threshold)


def _stays_elsewhere(attention: Attention, recorded: Recorded) -> bool:
    """Whether an incident is still another system's. It is ours once something begins it here."""
    if recorded.event.known_at is not None:
        return attention.version == 0 or attention.elsewhere
    return attention.elsewhere and not isinstance(recorded.fact, _BEGINNINGS)


# Facts after which an incident may call, or no longer; the rest cannot change that, and are many.
DECISIVE = (
    IncidentOpened,
    IncidentDeclared,
    IncidentAcknowledged,
    IncidentSeverityChanged,
    IncidentRegressed,
    IncidentResolved,
    IncidentClosed,
    IncidentDismissed,
    IncidentReopened,
    IncidentReinstated,
    IncidentMerged,
    IncidentUnmerged,
    EventRetracted,
    SeverityCorrected,
)
_STEPS = get_args(IncidentStep)
_BEGINNINGS = (IncidentOpened, IncidentDeclared, IncidentReopened, IncidentReinstated, IncidentUnmerged)


def _in_phase(attention: Attention, phase: str) -> Attention:
    """Where an incident stands once the event that brought it elsewhere was taken back."""
    match phase:
        case "":
            return attention
        case "resolved" | "closed":
            return msgspec.structs.replace(attention, ended="resolved")
        case "dismissed":
            return msgspec.structs.replace(attention, ended="dismissed")
        case _:
            return msgspec.structs.replace(attention, ended=None, acted_on=phase in ("contained", "eradicated"))


def _noticed_at(recorded: Recorded) -> datetime | None:
    match recorded.fact:
        case IncidentOpened():
            return recorded.happened_at
        case IncidentDeclared(detected_at=detected_at):
            return detected_at or recorded.happened_at
    return None
