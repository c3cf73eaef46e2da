"""Signals: what a sender says about one alert, in words that no sender owns.

An adapter turns each payload into signals; everything after it is the same for every sender.
"""

from datetime import UTC, datetime
from typing import Literal

import msgspec

from events.alert import AlertSeverity

State = Literal["firing", "acknowledged", "resolved", "noted", "snoozed"]

# A whole fact may take 60 KiB; the rest is for the envelope and for what surrounds labels and annotations.
TEXT_BYTES_MAX = 48 * 1024
# Alertmanager and Prometheus set no limit; Grafana and Datadog stay below 64 labels.
LABELS_MAX = 64
# Characters. Prometheus label names are identifiers; PagerDuty and JSON keys can be anything.
NAME_LENGTH_MAX = 200
# Characters. Room for a stack trace in an annotation; a label is a few words.
VALUE_LENGTH_MAX = 8_000
# Characters. PagerDuty's own limit of a summary.
TITLE_LENGTH_MAX = 1_024
# Characters. A fingerprint beyond this is no identifier but content.
FINGERPRINT_LENGTH_MAX = 1_024
# Characters. The longest address that every browser opens.
URL_LENGTH_MAX = 2_000

SHORTENED = "recount_shortened"
"""Annotation that says what was left out of an alert because it was too long. The receipt in INTAKE is whole."""

SEVERITIES: dict[str, AlertSeverity] = {
    "critical": "critical",
    "crit": "critical",
    "fatal": "critical",
    "emergency": "critical",
    "page": "critical",
    "error": "error",
    "err": "error",
    "high": "error",
    "major": "error",
    "warning": "warning",
    "warn": "warning",
    "minor": "warning",
    "medium": "warning",
    "info": "info",
    "informational": "info",
    "information": "info",
    "notice": "info",
    "low": "info",
    "debug": "info",
    "none": "info",
}
"""Words for severity that senders use, in lower case. A word that is not here means ``unknown`` and stays a label."""


class Signal(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What a sender says about one alert at one moment."""

    state: State
    fingerprint: str
    """The sender's own key for this alert: the same alert has the same one however often it fires."""
    title: str = ""
    severity: AlertSeverity = "unknown"
    service: str = ""
    labels: dict[str, str] = {}
    annotations: dict[str, str] = {}
    url: str = ""
    started_at: datetime | None = None
    """When this occurrence began. Only a time that stays the same while it fires, because it identifies the
    occurrence; anything else is `observed_at`."""
    ended_at: datetime | None = None
    """When this occurrence stopped; with ``firing``: when it stops unless it is told again."""
    observed_at: datetime | None = None
    """When the sender noticed what it says, if it says so."""
    only_if_known: bool = False
    """A clearing of an alert that never fired is not worth a fact: the sender says it with every payload."""
    note: str = ""
    """What somebody wrote, for ``noted``; with another state, a note that comes with it."""
    author: str = ""
    """Whom the sender names as the author of the note, or of the act."""
    until_at: datetime | None = None
    """How long it is ``snoozed``."""
    only_once: bool = False
    """A note that the sender repeats for as long as it holds: once in an occurrence is enough."""


class Change(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What a sender says about a change: a deployment, a configuration. It is no alert."""

    external_id: str
    """The sender's own id: the same change has the same one however often it is told."""
    title: str
    kind: str = ""
    outcome: str = ""
    service: str = ""
    environment: str = ""
    version: str = ""
    labels: dict[str, str] = {}
    url: str = ""
    happened_at: datetime | None = None


class Ping(msgspec.Struct, frozen=True, kw_only=True):
    """A sender says that it is alive."""

    heartbeat_id: str


class Subscription(msgspec.Struct, frozen=True, kw_only=True):
    """A sender asks us to confirm that we want its messages, by calling a URL of its own."""

    topic: str
    confirm_url: str


Said = Signal | Change | Ping | Subscription
"""Anything that a payload can say."""


def severity_of(word: str) -> AlertSeverity:
    """Our severity for a sender's word; ``unknown`` for one that we do not know."""
    return SEVERITIES.get(word.strip().lower(), "unknown")


def moment(value: datetime | None) -> datetime | None:
    """A time in UTC, None for the zero time with which Go programs say "never"."""
    if value is None or value.year <= 1:
        return None
    try:
        return value.astimezone(UTC)
    except OverflowError:  # within hours of the year 10000: a way to say "never" too
        return None


def lenient_moment(text: str) -> datetime | None:
    """A time in UTC from ISO 8601 text; a missing zone means UTC. None when it is not a time."""
    try:
        value = datetime.fromisoformat(text.strip())
    except ValueError:
        return None
    return moment(value if value.utcoffset() is not None else value.replace(tzinfo=UTC))


def words(value: object) -> str:
    """A label's text from any JSON value."""
    if isinstance(value, str):
        return value
    return "" if value is None else msgspec.json.encode(value).decode()


def fit(signal: Signal) -> Signal:
    """The signal, cut to what a fact can hold; an annotation says what was left out."""
    left_out: list[str] = []
    labels = _fit_texts("label", signal.labels, left_out)
    annotations = _fit_texts("annotation", signal.annotations, left_out)
    title = _plain(signal.title)
    if len(title) > TITLE_LENGTH_MAX:
        left_out.append(f"the title after {TITLE_LENGTH_MAX} characters")
    while len(msgspec.json.encode((labels, annotations))) > TEXT_BYTES_MAX:
        # Labels route and group, so annotations go first; the longest makes room soonest.
        kind, texts = ("annotation", annotations) if annotations else ("label", labels)
        name = max(texts, key=lambda name: (len(texts[name]), name))
        del texts[name]
        left_out.append(f"{kind} {name[:40]}")
    if left_out:
        annotations[SHORTENED] = f"left out: {', '.join(left_out)}"[:TITLE_LENGTH_MAX]
    return msgspec.structs.replace(
        signal,
        title=title[:TITLE_LENGTH_MAX] or _plain(signal.fingerprint),
        service=_plain(signal.service)[:NAME_LENGTH_MAX],
        labels=labels,
        annotations=annotations,
        url=_plain(signal.url) if len(signal.url) <= URL_LENGTH_MAX else "",
    )


def _fit_texts(kind: str, texts: dict[str, str], left_out: list[str]) -> dict[str, str]:
    kept: dict[str, str] = {}
    for name, value in texts.items():
        if len(kept) == LABELS_MAX:
            left_out.append(f"{len(texts) - len(kept)} {kind}s of {len(texts)}")
            break
        if len(name) > NAME_LENGTH_MAX or len(value) > VALUE_LENGTH_MAX:
            left_out.append(f"the end of {kind} {name[:40]}")
        kept[_plain(name)[:NAME_LENGTH_MAX]] = _plain(value)[:VALUE_LENGTH_MAX]
    return kept


def _plain(text: str) -> str:
    # SQL text and terminals do not take NUL.
    return text.replace("\x00", "\ufffd") if "\x00" in text else text
