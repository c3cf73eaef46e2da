"""The incident that the tests of the vendors' definitions share."""

from collections.abc import Sequence

import msgspec

from events import Stored
from events.alert import AlertAcknowledged, AlertFired
from events.incident import (
    AlertLinked,
    ImpactEnded,
    ImpactStarted,
    IncidentAcknowledged,
    IncidentContained,
    IncidentDeclared,
    IncidentResolved,
    RoleAssigned,
)
from tests.spec import ADA, MORNING, RECORDING_DELAY, Given, Told, alert, incident, log_of

MINUTE_US = 60 * 1_000_000

FIRED = AlertFired(
    integration="key-1", sender="alertmanager", fingerprint="f1", occurrence=1, title="5xx", severity="critical"
)
DECLARED = IncidentDeclared(title="checkout is down", severity="sev2", service="checkout")


def worked_example() -> Given:
    """Impact 13:50, first alert 14:00, incident created 14:02, quieted 14:05, acknowledged 14:07, in progress 14:10,
    mitigated 14:40, resolved 15:00; each recorded when it happened, except the impact, of which one hears later."""
    detected_at = msgspec.structs.replace(DECLARED, detected_at=MORNING.replace(hour=14))
    return recorded_at_once(
        alert("a1", FIRED, at="14:00"),
        incident("INC-42", detected_at, at="14:02"),
        incident("INC-42", AlertLinked(alert_key="a1", occurrence=1, title="5xx"), at="14:02"),
        alert("a1", AlertAcknowledged(), at="14:05"),
        incident("INC-42", IncidentAcknowledged(), at="14:07"),
        incident("INC-42", ImpactStarted(scope="checkout", level=3), at="13:50"),
        incident("INC-42", RoleAssigned(role="commander", person_id=ADA), at="14:10"),
        incident("INC-42", IncidentContained(), at="14:40"),
        incident("INC-42", ImpactEnded(scope="checkout"), at="14:40"),
        incident("INC-42", IncidentResolved(), at="15:00"),
    )


def recorded_at_once(*told: Sequence[Told]) -> Given:
    """What happened, recorded without the delay that the log otherwise has."""
    return Given([_sooner(stored) for stored in log_of(*told)])


def minutes(vendor: str, story: Given) -> dict[str, float | str]:
    """Each metric of a vendor in minutes, or why there is none."""
    return {
        row["metric"]: row["excluded_because"] or row["duration_us"] / MINUTE_US
        for row in story.view(f"vendor_{vendor}").rows
    }


def _sooner(stored: Stored) -> Stored:
    return msgspec.structs.replace(stored, recorded_at=stored.recorded_at - RECORDING_DELAY)
