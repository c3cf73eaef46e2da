"""What is known about silences, and which alerts one that is being written would hold back."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import msgspec

from events import RecountError
from projections.lens import AsOf, Lens
from projections.slice import listed
from services.rules.matchers import Matcher, Matchers, all_fit, match_nothing_given, parse_all
from services.web.alert_view import AlertView, firing_alerts, matching_labels
from services.web.problems import Problem
from services.web.reader import Reader
from services.web.wording import naive_utc

LISTED_MAX = 500
# Alerts that one silence's page names; a broad one holds thousands.
ALERTS_MAX = 200
LASTS = (
    ("1800", "30 minutes"),
    ("3600", "1 hour"),
    ("7200", "2 hours"),
    ("14400", "4 hours"),
    ("28800", "8 hours"),
    ("86400", "1 day"),
    ("259200", "3 days"),
    ("604800", "1 week"),
)
"""How long a silence may last, in seconds, and what that is called."""
LASTS_DEFAULT = "7200"

_SILENCES = """
    select silences.*, coalesce(holding.holds, 0) as holds
    from silences
    left join (
        select held_by, count(*) as holds from alerts where held_because = 'silenced' group by held_by
    ) as holding on holding.held_by = silences.silence_id
"""


class Preview(msgspec.Struct, frozen=True):
    """Which firing alerts fit matchers."""

    fitting: list[dict[str, Any]]
    """Those that a silence would hold back."""
    placed: list[dict[str, Any]]
    """Those that are in an incident already, where a silence leaves them."""
    tried: int


async def moment_of(reader: Reader, lens: Lens | None) -> datetime:
    """The moment at which a silence lasts or not, UTC without a zone: now, or the one that is looked back to."""
    if lens is None:
        return naive_utc(reader.now)
    recorded_at = await reader.recorded_at(reader.position_of(lens)) or datetime.min
    return min(naive_utc(lens.happened_by), recorded_at) if lens.happened_by else recorded_at


async def read_silences(reader: Reader, lens: Lens | None) -> list[dict[str, Any]]:
    """All silences, each with its state: what lasts first, then what is to come, then the newest."""
    now = await moment_of(reader, lens)
    rows = await reader.rows(f"{_SILENCES} order by created_at desc, silence_id limit {LISTED_MAX}", as_of=lens)
    told = [row | {"state": _state(row, now)} for row in rows]
    return sorted(told, key=lambda row: ("active", "pending", "ended").index(row["state"]))


async def read_silence(reader: Reader, silence_id: str, lens: Lens | None) -> dict[str, Any]:
    """One silence.

    Raises:
        Problem: 404, there is none.
    """
    rows = await reader.rows(f"{_SILENCES} where silences.silence_id = {listed([silence_id])}", as_of=lens)
    if not rows:
        raise Problem(
            404,
            f"There is no silence {silence_id[:64]}",
            because=f"none was known at log position {reader.position_of(lens)}",
            instead="Start from the list of silences.",
        )
    return rows[0] | {"state": _state(rows[0], await moment_of(reader, lens))}


async def held_alerts(reader: Reader, silence_id: str, lens: AsOf) -> list[dict[str, Any]]:
    """The alerts that a silence ever held back, as they stand, those that it holds now first."""
    identifier = listed([silence_id])
    return await reader.rows(
        f"""
        select alert_key, title, severity, service, state, incident_id, held_until_at,
            held_because = 'silenced' and held_by = {identifier} as is_held
        from alerts
        where alert_key in (select alert_key from silence_alert_held where stream_id = {identifier})
        order by is_held desc nulls last, title, alert_key limit {ALERTS_MAX}
        """,
        as_of=lens,
    )


async def preview(reader: Reader, texts: Sequence[str]) -> Preview:
    """Which of the alerts that fire now fit matchers.

    Raises:
        Problem: 400, a matcher cannot be read, or all of them fit everything.
    """
    matchers = read_matchers(texts)
    alerts = await firing_alerts(reader)
    fitting = [alert for alert in alerts if all_fit(matchers, matching_labels(alert))]
    return Preview(
        fitting=[alert for alert in fitting if alert["incident_id"] is None],
        placed=[alert for alert in fitting if alert["incident_id"] is not None],
        tried=len(alerts),
    )


def read_matchers(texts: Sequence[str]) -> Matchers:
    """Matchers as somebody wrote them.

    Raises:
        Problem: 400, as in `preview`.
    """
    asked = "That silence cannot be made"
    try:
        matchers = parse_all(texts)
    except RecountError as error:
        raise Problem(400, asked, because=str(error), instead=error.hint) from error
    if not matchers or match_nothing_given(matchers):
        raise Problem(
            400,
            asked,
            because="it would fit every alert",
            instead='Write at least one matcher that asks for something, such as service="checkout".',
        )
    return matchers


def lines_of(text: str) -> list[str]:
    """Matchers out of a text field: one a line."""
    return [line.strip() for line in text.splitlines() if line.strip()]


def matchers_of(view: AlertView) -> str:
    """The matchers that fit an alert and those like it, one a line: all its labels, as Alertmanager offers them."""
    own = dict(view.alert["labels"] or {}) or {"alertname": view.alert["title"] or ""}
    if view.alert["service"]:
        own.setdefault("service", view.alert["service"])
    return "\n".join(str(Matcher(name, "=", value)) for name, value in sorted(own.items()) if value)


def _state(row: dict[str, Any], now: datetime) -> str:
    if now >= row["ends_at"]:
        return "ended"
    return "active" if now >= row["starts_at"] else "pending"
