"""Alerts and impact that the tests of the EU's DORA share."""

from datetime import UTC

from events.alert import AlertFired
from events.incident import AlertLinked, ImpactEnded, ImpactStarted
from tests.spec import alert, incident, moment


def fired(key: str, at: str, occurrence: int = 1):
    """A record of a monitoring system."""
    return alert(
        key,
        AlertFired(
            integration="key-a",
            sender="alertmanager",
            fingerprint=key,
            occurrence=occurrence,
            title="5xx",
            severity="critical",
            started_at=moment(at).replace(tzinfo=UTC),
        ),
        at=at,
    )


def linked(key: str, occurrence: int = 1) -> AlertLinked:
    """It belongs to the incident."""
    return AlertLinked(alert_key=key, occurrence=occurrence, title="5xx")


def affected(since: str, until: str = "", scope: str = "checkout", of: str = "INC-42", level: int = 2):
    """A stretch of impact."""
    return (
        incident(of, ImpactStarted(scope=scope, level=level), at=since),
        *([incident(of, ImpactEnded(scope=scope), at=until)] if until else []),
    )
