"""What Alertmanager's own API v2 tells: its status, the alerts of the asking key that fire, and silences.

For amtool, Grafana's Alertmanager data source and dashboards such as karma. Read only: a silence is made with
``recount silences``, on its page or over the HTTP API.
"""

from datetime import datetime
from typing import Any

import msgspec

from events.errors import BadConfiguration
from services.intake.adapters import Reply, Route
from services.intake.adapters.alertmanager_api import ADAPTER, refused
from services.intake.answers import Answered, Asked
from services.intake.standing import StandingAlert, StandingSilence
from services.rules.matchers import Matchers, all_fit, parse_all
from services.version import recount_version

RECEIVER = "recount"
"""The only receiver: what happens to an alert is decided by rules, not by receivers."""


async def status(asked: Asked) -> Reply:
    """``GET /api/v2/status``."""
    said = {
        "cluster": {"status": "disabled", "peers": []},
        "config": {"original": f"route:\n  receiver: {RECEIVER}\nreceivers:\n- name: {RECEIVER}\n"},
        "uptime": _written(asked.started_at),
        "versionInfo": {
            "branch": "",
            "buildDate": "",
            "buildUser": "",
            "goVersion": "",
            "revision": "",
            # Clients read the version to learn what the API can do: it is that of 0.25, and says whose it is.
            "version": f"0.25.0+recount.{recount_version()}",
        },
    }
    return _json(said)


async def receivers(_asked: Asked) -> Reply:
    """``GET /api/v2/receivers``."""
    return _json([{"name": RECEIVER}])


async def silences(asked: Asked) -> Reply:
    """``GET /api/v2/silences``: all of them, in the order of their ends. ``filter`` compares matchers by their text."""
    try:
        wanted = {str(matcher) for matcher in _filter(asked)}
    except BadConfiguration as error:
        return _bad(str(error))
    await asked.standing.catch_up()
    shown = [
        _silence(silence, asked.at)
        for silence in asked.standing.silences_at(asked.at)
        if wanted <= {str(matcher) for matcher in parse_all(silence.matchers)}
    ]
    return _json(shown)


async def alerts(asked: Asked) -> Reply:
    """``GET /api/v2/alerts``: what the asking key sent and still fires, with Alertmanager's filters."""
    fields = dict(asked.queries)
    try:
        wanted = _filter(asked)
        shows = {name: _flag(fields, name) for name in ("active", "silenced", "inhibited", "unprocessed")}
    except (BadConfiguration, ValueError) as error:
        return _bad(str(error))
    await asked.standing.catch_up()
    found = [
        alert
        for alert in asked.standing.alerts.values()
        if alert.fired.integration == asked.key.key_id
        and all_fit(wanted, alert.fired.labels)
        and _is_shown(alert, shows)
    ]
    return _json([_alert(alert) for alert in sorted(found, key=lambda alert: alert.fired.fingerprint)])


def _filter(asked: Asked) -> Matchers:
    return parse_all(value for name, value in asked.queries if name == "filter")


def _flag(fields: dict[str, str], name: str) -> bool:
    text = fields.get(name, "true")
    if text.lower() not in ("true", "false", "1", "0"):
        raise ValueError(f'{name} in query must be of type boolean: "{text[:40]}"')
    return text.lower() in ("true", "1")


def _is_shown(alert: StandingAlert, shows: dict[str, bool]) -> bool:
    if alert.held is None:
        return shows["active"]
    return shows["inhibited"] if alert.held.because == "inhibited" else shows["silenced"]


def _alert(alert: StandingAlert) -> dict[str, Any]:
    fired, held = alert.fired, alert.held
    is_inhibited = held is not None and held.because == "inhibited"
    return {
        "annotations": fired.annotations,
        # As long as nobody says otherwise: Alertmanager shows when it would give the alert up, and here it stays.
        "endsAt": "0001-01-01T00:00:00.000Z",
        "fingerprint": fired.fingerprint,
        "receivers": [{"name": RECEIVER}],
        "startsAt": _written(fired.started_at or alert.updated_at),
        "status": {
            "inhibitedBy": [held.holder_alert_key or held.held_by] if held and is_inhibited else [],
            "silencedBy": [held.held_by] if held and not is_inhibited else [],
            "state": "suppressed" if held else "active",
        },
        "updatedAt": _written(alert.updated_at),
        "generatorURL": fired.url,
        "labels": fired.labels,
    }


def _silence(silence: StandingSilence, now: datetime) -> dict[str, Any]:
    state = "expired" if silence.ends_at <= now else "active" if silence.starts_at <= now else "pending"
    return {
        "id": silence.silence_id,
        "status": {"state": state},
        "updatedAt": _written(silence.updated_at),
        "comment": silence.reason,
        "createdBy": silence.author,
        "endsAt": _written(silence.ends_at),
        "matchers": [
            {
                "isEqual": matcher.operator in ("=", "=~"),
                "isRegex": matcher.operator.endswith("~"),
                "name": matcher.name,
                "value": matcher.value,
            }
            for matcher in parse_all(silence.matchers)
        ],
        "startsAt": _written(silence.starts_at),
    }


def _written(moment: datetime) -> str:
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _json(content: object) -> Reply:
    return Reply(200, msgspec.json.encode(content))


def _bad(because: str) -> Reply:
    # Alertmanager answers a bad filter with a JSON string.
    return Reply(400, msgspec.json.encode(because)) if because.isprintable() else refused(400, repr(because))


ANSWERS = tuple(
    Answered(route=Route("GET", f"/api/v2/{name}"), sender=ADAPTER.name, answer=answer)
    for name, answer in (("status", status), ("receivers", receivers), ("silences", silences), ("alerts", alerts))
)
