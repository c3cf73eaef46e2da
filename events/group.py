"""Facts about alert groups: the guard that lets one group have one open incident.

Stream ``group.<group_key>``. Opening an incident for a group appends here and to the incident in one atomic batch,
with a version check on both, so two instances or a late redelivery cannot open two.
"""

from typing import ClassVar

from events.fact import Fact


class GroupAssigned(Fact, frozen=True, tag="group.assigned"):
    """Alerts of this group go to this incident, until it is over."""

    headline: ClassVar[str] = "alerts about {service} go to {incident_id}"
    incident_id: str
    service: str
    rule: str


GroupFact = GroupAssigned
