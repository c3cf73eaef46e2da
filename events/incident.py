"""Facts about incidents. Stream ``incident.INC-<n>``.

An incident has four regions, not one status: its *phase* (triage to closed), its *impact* on users (a set of
intervals), the *response* (acknowledgements and roles) and the *determination* (what it turned out to be).
`IncidentStep` are the facts that change what may be decided next; `IncidentNote` are those that do not.
Phases follow NIST SP 800-61 r2 section 3 and CSF 2.0 (DE.AE-08 declared, RS.MI-01 contained, RS.MI-02 eradicated,
RC.RP-05 recovered and verified, RC.RP-06 closed).
"""

from datetime import datetime
from typing import ClassVar, Literal

from events.cause import CauseFact
from events.fact import Fact

Severity = Literal["sev1", "sev2", "sev3", "sev4", "sev5"]
SEVERITIES: tuple[Severity, ...] = ("sev1", "sev2", "sev3", "sev4", "sev5")  # most severe first

Profile = Literal["ops", "security"]
"""``ops`` calls containment *mitigated*; ``security`` demands containment and eradication before resolution."""

Role = Literal["commander", "deputy", "scribe", "operations", "communications", "expert"]
ROLES: tuple[Role, ...] = ("commander", "deputy", "scribe", "operations", "communications", "expert")

Determination = Literal["suspected", "confirmed", "false_positive", "benign", "blocked", "failed_attempt", "exercise"]
"""STIX 2.1 Incident Core determinations, with ``benign`` and ``exercise`` added."""

DismissalReason = Literal[
    "false_positive",
    "benign",
    "exercise",
    "out_of_scope",
    "insufficient_data",
    "transient_no_impact",
]
ReopenKind = Literal["relapse", "mistaken"]
"""``relapse``: it was really resolved and came back (two episodes). ``mistaken``: it never was (time runs on)."""


Milestone = Literal[
    "impact_started",
    "detected",
    "notified",
    "acknowledged",
    "declared",
    "identified",
    "contained",
    "mitigated",
    "eradicated",
    "resolved",
    "closed",
    "reopened",
]
"""What an incident can reach; each is a time, and metrics lie between two of them."""


class IncidentOpened(Fact, frozen=True, tag="incident.opened"):
    """A suspected incident, opened for triage. The event's time is the earliest signal, not its receipt."""

    headline: ClassVar[str] = "opened for triage: {title}"
    title: str
    severity: Severity
    profile: Profile = "ops"
    service: str = ""
    rule: str = ""
    """Name of the rule that opened it; empty when a person did."""
    reason: str = ""


class IncidentDeclared(Fact, frozen=True, tag="incident.declared"):
    """Declared to be an incident, by a person or a rule (CSF DE.AE-08)."""

    headline: ClassVar[str] = "declared {severity}: {title}"
    title: str
    severity: Severity
    profile: Profile = "ops"
    service: str = ""
    rule: str = ""
    reason: str = ""
    """Which criteria were met."""
    detected_at: datetime | None = None
    """The earliest signal, when it came before the declaration; absent, detection is the event's own time."""
    policy: str = ""
    """Which escalation policy serves it; empty: the one of its service, or the default."""
    group_key: str = ""
    """Key of the group of alerts that it was opened for, where that is not its service's."""


class IncidentAcknowledged(Fact, frozen=True, tag="incident.acknowledged"):
    """A responder took it in hand. Paging stops; the clock to recovery keeps running."""

    headline: ClassVar[str] = "acknowledged by {actor}"
    page_id: str = ""
    """The page that was answered, when it was answered from a page."""
    automatic: bool = False
    """Acknowledged by a rule or a sender rather than a person: left out of time to acknowledge."""


class IncidentSeverityChanged(Fact, frozen=True, tag="incident.severity_changed"):
    """Severity changed because the incident did, or is now better understood."""

    headline: ClassVar[str] = "severity {previous} → {severity}: {reason}"
    severity: Severity
    previous: Severity
    reason: str = ""


class IncidentContained(Fact, frozen=True, tag="incident.contained"):
    """The harm stopped spreading (security), or is mitigated (ops). CSF RS.MI-01."""

    headline: ClassVar[str] = "contained: {summary}"
    summary: str = ""


class IncidentEradicated(Fact, frozen=True, tag="incident.eradicated"):
    """The cause is gone: attacker removed, permanent fix in. CSF RS.MI-02."""

    headline: ClassVar[str] = "eradicated: {summary}"
    summary: str = ""
    waiver: str = ""
    """Why containment was not needed first, where the profile asks for it."""


class IncidentResolved(Fact, frozen=True, tag="incident.resolved"):
    """Recovered and verified. CSF RC.RP-05."""

    headline: ClassVar[str] = "resolved: {summary}"
    summary: str = ""
    waiver: str = ""
    """Why eradication was not needed, where the profile asks for it."""
    undeclared: bool = False
    """It recovered by itself before anybody declared it: counts in impact metrics, not in declaration metrics."""


class IncidentRegressed(Fact, frozen=True, tag="incident.regressed"):
    """Containment or eradication did not hold."""

    headline: ClassVar[str] = "regressed: {reason}"
    reason: str


class IncidentClosed(Fact, frozen=True, tag="incident.closed"):
    """Post-incident work is done: review published or waived. CSF RC.RP-06."""

    headline: ClassVar[str] = "closed"
    waiver: str = ""
    """Why no review was published."""


class IncidentReopened(Fact, frozen=True, tag="incident.reopened"):
    """It came back, or was never over. The kind decides whether the earlier resolution still counts."""

    headline: ClassVar[str] = "reopened ({kind}): {reason}"
    kind: ReopenKind
    reason: str
    episode: int


class IncidentDismissed(Fact, frozen=True, tag="incident.dismissed"):
    """It is not an incident."""

    headline: ClassVar[str] = "dismissed as {reason}"
    reason: DismissalReason
    explanation: str = ""


class IncidentReinstated(Fact, frozen=True, tag="incident.reinstated"):
    """The dismissal was wrong; back to triage."""

    headline: ClassVar[str] = "reinstated: {reason}"
    reason: str


class IncidentMerged(Fact, frozen=True, tag="incident.merged"):
    """The same incident as another, which carries on alone. Metrics count only the root."""

    headline: ClassVar[str] = "merged into {into_incident_id}"
    into_incident_id: str
    reason: str = ""


class IncidentUnmerged(Fact, frozen=True, tag="incident.unmerged"):
    """The merge was wrong; back to the phase before it."""

    headline: ClassVar[str] = "separated from {from_incident_id}"
    from_incident_id: str
    reason: str = ""


class IncidentAbsorbed(Fact, frozen=True, tag="incident.absorbed"):
    """Another incident was merged into this one."""

    headline: ClassVar[str] = "absorbed {from_incident_id}"
    from_incident_id: str


class IncidentDisowned(Fact, frozen=True, tag="incident.disowned"):
    """An absorbed incident was separated again."""

    headline: ClassVar[str] = "separated {from_incident_id}"
    from_incident_id: str


class ImpactStarted(Fact, frozen=True, tag="incident.impact_started"):
    """Users began to be affected. The event's time may lie before detection, or after it."""

    headline: ClassVar[str] = "impact level {level} on {scope} began"
    scope: str
    """A service or a class of data; intervals of different scopes are independent."""
    level: int
    """0 none, 1 minor, 2 degraded, 3 major, 4 total."""


class ImpactLevelChanged(Fact, frozen=True, tag="incident.impact_level_changed"):
    """Users are affected more, or less."""

    headline: ClassVar[str] = "impact on {scope} is now level {level}"
    scope: str
    level: int


class ImpactEnded(Fact, frozen=True, tag="incident.impact_ended"):
    """Users are no longer affected."""

    headline: ClassVar[str] = "impact on {scope} ended"
    scope: str


class DeterminationSet(Fact, frozen=True, tag="incident.determination_set"):
    """What it turned out to be, as far as is known."""

    headline: ClassVar[str] = "determined to be {determination}"
    determination: Determination
    reason: str = ""


class RoleAssigned(Fact, frozen=True, tag="incident.role_assigned"):
    """A person holds a role from now on. At most one commander at any instant."""

    headline: ClassVar[str] = "{person_id} is {role}"
    role: Role
    person_id: str


class RoleHandoffOffered(Fact, frozen=True, tag="incident.role_handoff_offered"):
    """The holder offers the role; the holder keeps it until the other accepts."""

    headline: ClassVar[str] = "{role} offered to {person_id}"
    role: Role
    person_id: str


class RoleHandoffAccepted(Fact, frozen=True, tag="incident.role_handoff_accepted"):
    """The other person took the role over."""

    headline: ClassVar[str] = "{person_id} took over as {role} from {previous_person_id}"
    role: Role
    person_id: str
    previous_person_id: str


class RoleRelieved(Fact, frozen=True, tag="incident.role_relieved"):
    """A person no longer holds a role."""

    headline: ClassVar[str] = "{person_id} is no longer {role}"
    role: Role
    person_id: str


class AlertLinked(Fact, frozen=True, tag="incident.alert_linked"):
    """An alert belongs to this incident, and which rule or person says so."""

    headline: ClassVar[str] = "alert joined: {title}"
    alert_key: str
    occurrence: int
    title: str
    rule: str = ""
    reason: str = ""
    route: str = ""
    """The route that decided it, from the root: ``default/payments``."""
    rules_seq: int = 0
    """Position of the rule set that decided; 0 for the built-in one."""


class AlertUnlinked(Fact, frozen=True, tag="incident.alert_unlinked"):
    """An alert does not belong to this incident after all."""

    headline: ClassVar[str] = "alert {alert_key} taken out: {reason}"
    alert_key: str
    reason: str = ""


class Noted(Fact, frozen=True, tag="incident.noted"):
    """Somebody wrote something down."""

    headline: ClassVar[str] = "{actor}: {text}"
    text: str


class TitleChanged(Fact, frozen=True, tag="incident.title_changed"):
    """A clearer name for the incident."""

    headline: ClassVar[str] = "renamed: {title}"
    title: str


class MilestoneCorrected(Fact, frozen=True, tag="incident.milestone_corrected"):
    """A milestone was reached at another time than was said. The event's own time is when it was corrected."""

    headline: ClassVar[str] = "{milestone} corrected to {occurred_at}: {reason}"
    milestone: Milestone
    occurred_at: datetime
    """When it was reached, as is believed now."""
    reason: str
    replaces_event_id: str = ""
    """The event whose time was wrong; empty when nothing had said that the milestone was reached."""
    replaces_seq: int = 0
    """Its log position, 0 without one."""
    occurred_earliest_at: datetime | None = None
    occurred_latest_at: datetime | None = None
    """Bounds, when the time is not known precisely."""
    evidence: str = ""
    """What shows it: a link or a reference."""


class EventRetracted(Fact, frozen=True, tag="incident.event_retracted"):
    """Something that was recorded is not so. The event stays in the log; whatever is computed from now on leaves it
    out. It may lie in this stream, or in that of an alert, page, escalation or review of this incident."""

    headline: ClassVar[str] = "{event_type} at position {event_seq} taken back: {reason}"
    event_id: str
    event_seq: int
    """Its log position."""
    event_stream: str
    event_type: str
    reason: str
    phase: str = ""
    """The phase that the incident is in without it; empty when the event had not changed the phase."""


class SeverityCorrected(Fact, frozen=True, tag="incident.severity_corrected"):
    """A severity that was given was wrong from the start; `IncidentSeverityChanged` is for one that rose or fell."""

    headline: ClassVar[str] = "severity corrected from {previous} to {severity}: {reason}"
    severity: Severity
    previous: Severity
    replaces_event_id: str
    """The event that gave the wrong one."""
    replaces_seq: int
    reason: str


class DeterminationCorrected(Fact, frozen=True, tag="incident.determination_corrected"):
    """What it was determined to be was wrong from the start."""

    headline: ClassVar[str] = "determination corrected to {determination}: {reason}"
    determination: Determination
    replaces_event_id: str
    """The event that gave the wrong one."""
    replaces_seq: int
    reason: str


Correction = MilestoneCorrected | EventRetracted | SeverityCorrected | DeterminationCorrected
"""Facts about facts: they change what is believed of events before them."""
IncidentStep = (
    IncidentOpened
    | IncidentDeclared
    | IncidentAcknowledged
    | IncidentSeverityChanged
    | IncidentContained
    | IncidentEradicated
    | IncidentResolved
    | IncidentRegressed
    | IncidentClosed
    | IncidentReopened
    | IncidentDismissed
    | IncidentReinstated
    | IncidentMerged
    | IncidentUnmerged
    | IncidentAbsorbed
    | IncidentDisowned
    | ImpactStarted
    | ImpactLevelChanged
    | ImpactEnded
    | DeterminationSet
    | RoleAssigned
    | RoleHandoffOffered
    | RoleHandoffAccepted
    | RoleRelieved
    | AlertLinked
    | AlertUnlinked
    | CauseFact
    | Correction
)
IncidentNote = Noted | TitleChanged
IncidentFact = IncidentStep | IncidentNote
