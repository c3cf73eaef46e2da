"""Deployments that the tests of DORA's metrics share, and what is said of them."""

from typing import Any

from events.cause import ChangeLinked, ChangeUnlinked
from events.change import ChangeRecorded
from events.incident import IncidentResolved
from tests.projections.metric_story import DECLARED
from tests.spec import incident, stream


def deployment(change_key: str, *, at: str, outcome: str = "finished", **fields: Any):
    """A deployment of checkout, told by a pipeline."""
    told = {"kind": "deployment", "service": "checkout", "sender": "cdevents"} | fields
    fact = ChangeRecorded(
        integration="key-ci", external_id=change_key, title=f"checkout {change_key}", outcome=outcome, **told
    )
    return stream(f"change.{change_key}", fact, at=at)


def caused(incident_id: str, change_key: str, part: Any = "cause", *, at: str = ""):
    """Somebody says what a change did."""
    return incident(incident_id, ChangeLinked(change_key=change_key, part=part, title=f"checkout {change_key}"), at=at)


def not_so(incident_id: str, change_key: str, part: Any = "cause", *, at: str = ""):
    """Somebody says that it did not."""
    return incident(incident_id, ChangeUnlinked(change_key=change_key, part=part, reason="another one"), at=at)


def failed(incident_id: str, since: str, until: str = ""):
    """An incident, and its resolution if there is one."""
    return (
        incident(incident_id, DECLARED, at=since),
        *([incident(incident_id, IncidentResolved(), at=until)] if until else []),
    )
