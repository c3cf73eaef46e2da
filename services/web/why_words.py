"""An answer to *why* in a few sentences.

Pure: the same events give the same answer.
"""

from collections.abc import Sequence

from events.alert import AlertClearedUnseen
from events.incident import (
    AlertLinked,
    IncidentAcknowledged,
    IncidentDeclared,
    IncidentOpened,
)
from events.page import PageAnswered, PageFailed, PageRequested, PageSent, PageWithheld
from events.silence import SilenceChanged, SilenceCreated, SilenceEnded, SilenceHeldAlert
from events.subjects import split
from services.web.why_chain import alert_keys, cleared_after, clock, count, incident_ids, is_of, last_firing
from services.web.why_told import Absent, Material


def answer_of(material: Material, absent: Sequence[Absent]) -> tuple[str, ...]:
    """The whole in a few sentences."""
    match material.subject.kind:
        case "page":
            return _page_in_words(material)
        case "silence":
            return _silence_in_words(material)
        case "incident":
            return _incident_in_words(material, material.subject.id)
        case "alert":
            return (*_alert_in_words(material, material.subject.id), *_first(absent, "No "))
        case _:
            return _counted(material, absent)


def _alert_in_words(material: Material, key: str) -> tuple[str, ...]:
    firing = last_firing(material, key)
    if firing is None:
        unseen = material.of(AlertClearedUnseen)
        return ("It cleared, and its firing was never received.",) if unseen else ("It is not known.",)
    fact = firing.fact
    sentences = [
        f"{fact.sender} said at {clock(firing.recorded.happened_at)} that {fact.title} fires ({fact.severity}), "
        f"occurrence {fact.occurrence}."
    ]
    links = [read for read in material.of(AlertLinked) if is_of(read, key, fact.occurrence)]
    for read in links[-1:]:
        incident_id = split(read.recorded.stream)[1]
        sentences.append(f"It went to {incident_id}: {read.fact.reason or read.fact.rule or 'a person said so'}.")
        sentences += _incident_in_words(material, incident_id)[1:]
    if cleared := cleared_after(material, f"alert.{key}", firing.seq):
        sentences.append(f"It cleared at {clock(cleared.recorded.happened_at)}.")
    return tuple(sentences)


def _incident_in_words(material: Material, incident_id: str) -> tuple[str, ...]:
    stream = f"incident.{incident_id}"
    sentences = []
    for read in [read for read in material.of(IncidentOpened, IncidentDeclared) if read.recorded.stream == stream][:1]:
        fact = read.fact
        who = read.recorded.event.actor
        why = fact.reason or "no reason was given"
        by = f"by the rule {fact.rule!r}" if getattr(fact, "rule", "") else f"by {who}"
        sentences.append(f"{incident_id} began at {clock(read.recorded.happened_at)} {by}: {why}.")
    pages = {read.recorded.stream: read for read in material.of(PageRequested) if read.fact.incident_id == incident_id}
    sent = [read for read in material.of(PageSent) if read.recorded.stream in pages]
    if pages:
        sentences.append(
            f"{count(len(pages), 'page')} requested, {len({read.recorded.stream for read in sent})} sent"
            f"{f', the first at {clock(sent[0].recorded.happened_at)} by {sent[0].fact.channel}' if sent else ''}."
        )
    for read in [read for read in material.of(IncidentAcknowledged) if read.recorded.stream == stream][:1]:
        sentences.append(f"{read.recorded.event.actor} acknowledged it at {clock(read.recorded.happened_at)}.")
    return tuple(sentences) or (f"{incident_id} is told of by nothing that was read.",)


def _page_in_words(material: Material) -> tuple[str, ...]:
    own = f"page.{material.subject.id}"
    sentences = []
    for read in material.of(PageRequested, PageWithheld, PageSent, PageFailed, PageAnswered):
        if read.recorded.stream != own:
            continue
        at, fact = clock(read.recorded.happened_at), read.fact
        match fact:
            case PageRequested():
                sentences.append(
                    f"{fact.person_id} was asked at {at} about {fact.incident_id}, as {fact.target} of "
                    f"level {fact.level}."
                )
            case PageWithheld():
                sentences.append(f"It was withheld at {at}: {fact.reason}.")
            case PageSent():
                sentences.append(f"{fact.channel} took it at {at}.")
            case PageFailed():
                sentences.append(f"{fact.channel} failed at {at}: {fact.error}.")
            case PageAnswered():
                sentences.append(f"It was answered at {at} by {fact.answer}.")
    for incident_id in incident_ids(material)[:1]:
        sentences += _incident_in_words(material, incident_id)[:1]
    return tuple(sentences) or ("No such page is known.",)


def _silence_in_words(material: Material) -> tuple[str, ...]:
    sentences = []
    for read in material.of(SilenceCreated, SilenceChanged, SilenceEnded):
        who, at, fact = read.recorded.event.actor or "somebody", clock(read.recorded.happened_at), read.fact
        match fact:
            case SilenceCreated():
                lasts = f"from {clock(fact.starts_at)} until {clock(fact.ends_at)}"
                sentences.append(f"{who} asked for it at {at}, {lasts}: {fact.reason}.")
            case SilenceChanged():
                sentences.append(f"{who} changed it at {at} to last until {clock(fact.ends_at)}: {fact.reason}.")
            case SilenceEnded():
                sentences.append(f"{who} ended it at {at}{f': {fact.reason}' if fact.reason else ''}.")
    held = {read.fact.alert_key for read in material.of(SilenceHeldAlert)}
    sentences.append(f"It held back {count(len(held), 'alert')}." if held else "It held nothing back.")
    return tuple(sentences)


def _counted(material: Material, absent: Sequence[Absent]) -> tuple[str, ...]:
    alerts, incidents = alert_keys(material), incident_ids(material)
    pages = {read.recorded.stream for read in material.of(PageRequested)}
    told = f"{count(len(material.events), 'event')} on its way"
    parts = [
        count(len(alerts), "alert") if alerts else "",
        count(len(incidents), "incident") if incidents else "",
        count(len(pages), "page") if pages else "",
    ]
    around = ", ".join(part for part in parts if part)
    return (f"{told}{f', with {around}' if around else ''}.", *_first(absent, ""))


def _first(absent: Sequence[Absent], beginning: str) -> tuple[str, ...]:
    return tuple(f"{one.what}: {one.because}." for one in absent if one.what.startswith(beginning))[:1]
