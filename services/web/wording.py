"""How pages say things: times, durations, phases, names of people."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined, pass_context
from jinja2.runtime import Context

from services.web.answers import zulu
from services.web.asked_lens import AskedLens
from services.web.names import in_words, speak

# Two clocks that differ by less say nothing to a person: it is the way from an act to the log.
CLOCKS_DIFFER = timedelta(seconds=5)

_PHASE_WORDS = {("contained", "ops"): "mitigated", ("eradicated", "ops"): "fixed"}


def make_environment(templates: Path, versions: Mapping[str, str]) -> Environment:
    """The template environment.

    Args:
        templates: the folder of the templates.
        versions: a version of each static file by name, so that browsers may keep it for ever.
    """
    # Everything is escaped, whatever a template's file is called.
    environment = Environment(
        loader=FileSystemLoader(templates),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "iso": zulu,
        "clock": lambda moment: f"{moment:%H:%M:%S}",
        "bounded": bounded,
        "minute": lambda moment: f"{moment:%Y-%m-%d %H:%M} UTC",
        "day": lambda moment: f"{moment:%a %d %b}",
        "duration": duration,
        "person": _person,
        "people": _people,
        "phase": phase_word,
        "through": _through,
        "plain": lambda text: str(text).replace("_", " "),
    }
    environment.globals |= {"static": lambda name: f"/static/{name}?v={versions[name]}", "lag": lag}
    return environment


def duration(span: timedelta) -> str:
    """A length of time in the two largest units that matter."""
    seconds = int(abs(span).total_seconds())
    minutes, hours, days = seconds // 60, seconds // 3600, seconds // 86_400
    if seconds < 60:
        return f"{seconds} s"
    if minutes < 60:
        return f"{minutes} min" if minutes >= 10 or not seconds % 60 else f"{minutes} min {seconds % 60} s"
    if hours < 48:
        return f"{hours} h {minutes % 60:02} min"
    return f"{days} d {hours % 24} h"


def bounded(milestone: Mapping[str, Any]) -> str:
    """When a milestone was reached, with its bounds when it is not known precisely: ``2026-01-05 13:50
    (13:40–14:05) UTC``."""
    at, bounds = milestone["happened_at"], (milestone["earliest"], milestone["latest"])
    if not any(bounds):
        return f"{at:%Y-%m-%d %H:%M} UTC"
    words = [_beside(bound or at, at) for bound in bounds]
    return f"{at:%Y-%m-%d %H:%M} ({'–'.join(words)}) UTC"


def _beside(moment: datetime, other: datetime) -> str:
    return f"{moment:%H:%M}" if moment.date() == other.date() else f"{moment:%Y-%m-%d %H:%M}"


def lag(happened_at: datetime, recorded_at: datetime) -> str:
    """How much later something was recorded than it happened, in words; empty when it does not matter."""
    late = recorded_at - happened_at
    if abs(late) < CLOCKS_DIFFER:
        return ""
    return f"{duration(late)} {'later' if late > timedelta() else 'before it happened'}"


def phase_word(phase: str, profile: str = "ops") -> str:
    """What a phase is called: operations say *mitigated* where security says *contained*."""
    return _PHASE_WORDS.get((phase, profile), phase)


def naive_utc(moment: datetime) -> datetime:
    """A moment as SQL holds it: UTC without a zone."""
    return moment.astimezone(UTC).replace(tzinfo=None)


@pass_context
def _person(context: Context, actor: str | None) -> str:
    return speak(actor, context["called"]) if actor else ""


@pass_context
def _through(context: Context, address: str) -> str:
    """A link that keeps the lens of the page that it is on."""
    asked_lens: AskedLens = context["asked_lens"]
    return asked_lens.through(address)


@pass_context
def _people(context: Context, text: Any, actor: str | None = None) -> str:
    called: Mapping[str, str] = context["called"]
    words = in_words(str(text), called)
    # A headline names who acted; a machine has an id there that says little.
    return words.replace(actor, speak(actor, called)) if actor and actor not in called else words
