"""What the service says in answer to an alert, as an event."""

from datetime import datetime

from events import Event, Fact
from events.ids import derived_event_id
from services.incidents.grouping import Firing

SOURCE = "recount/incidents"
ACTOR = "service:incidents"


def said(firing: Firing, what: str, fact: Fact, now: datetime, *, about: str, once: str = "") -> Event:
    """A fact about a firing.

    Args:
        firing: the occurrence.
        what: which of its answers this is; there is one of each.
        fact: the answer.
        now: when it is given.
        about: the incident, when there is one.
        once: tells apart what may be said more than once about one firing, such as the version it was decided on.
    """
    return Event(
        id=derived_event_id(firing.fired_id, what, *([once] if once else [])),
        fact=fact,
        happened_at=now,
        source=SOURCE,
        actor=ACTOR,
        causation_id=firing.cause_id,
        correlation_id=about,
    )
