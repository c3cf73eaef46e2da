"""Taking one snapshot over: from what is loaded to the writes that make the incident what the snapshot says. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime

import msgspec
from msgspec import UNSET
from msgspec.structs import replace

from events import NOTHING, Event, Fact, Recorded, Write, headline
from events.fact import tag_of
from events.ids import derived_event_id, key_of
from events.imported import ImportAssigned, ImportTaken
from events.incident import EventRetracted, IncidentAbsorbed, IncidentDisowned, IncidentMerged, IncidentUnmerged
from services.history.archive import Foreign, Loaded, Taken, content_sha256
from services.history.belief import believe, source_of
from services.history.checking import BadSnapshot, check
from services.history.commands import Snapshot
from services.history.comparing import compare
from services.history.strands import About, Telling

_ENCODER = msgspec.json.Encoder(order="deterministic")


class TakenOver(msgspec.Struct, frozen=True, kw_only=True):
    """What there is to append for a snapshot, and what is loaded once it is."""

    incident_id: str
    writes: tuple[Write, ...] = ()
    """None when the snapshot says nothing new."""
    events: tuple[Event, ...] = ()
    """Those about the incident."""
    is_new: bool = False
    """Whether it gets its incident id by these."""
    after: Loaded


def take(
    snapshot: Snapshot,
    loaded: Mapping[Foreign, Loaded],
    people: Mapping[str, str],
    new_id: str,
    actor: str,
    auth_id: str,
) -> TakenOver:
    """What brings the log to a snapshot.

    Args:
        snapshot: what should hold.
        loaded: the incident, and the one that it is merged into.
        people: person ids by the names in the snapshot.
        new_id: the incident id that it gets, when it is new.
        actor: who asked for the import.
        auth_id: by which token.

    Raises:
        BadSnapshot: it cannot be taken over; says where and why.
    """
    check(snapshot)
    before = loaded[snapshot.system, snapshot.id]
    if before.knows(snapshot):
        return TakenOver(incident_id=before.incident_id, after=before)
    digest = content_sha256(snapshot)
    _in_order_of_knowledge(snapshot, before)
    incident_id = before.incident_id or new_id
    cause = derived_event_id("import", snapshot.system, snapshot.id, _utc_text(snapshot.known_at), digest)
    about = About(
        system=snapshot.system,
        stream=f"incident.{incident_id}",
        known_at=snapshot.known_at,
        previous_at=before.last_known_at,
    )
    tellings = compare(
        before.belief,
        snapshot,
        about,
        lambda name: actor_of(name, snapshot.system, people),
        _root(snapshot, loaded, incident_id),
    )
    events = tuple(_event(telling, number, cause, incident_id, about) for number, telling in enumerate(tellings))
    guard_events = _guard_events(snapshot, before, incident_id, digest, len(events), cause, actor, auth_id)
    writes = [Write(before.guard, before.guard_version, guard_events)]
    if events:
        writes.append(Write(about.stream, before.version, events))
    writes += _counterparts(events, incident_id, before, loaded.values())
    history = (*before.history, *((NOTHING, event) for event in events))
    after = replace(
        before,
        incident_id=incident_id,
        taken=(*before.taken, Taken(snapshot.known_at, digest)),
        history=history,
        belief=believe(history, snapshot.system),
    )
    return TakenOver(
        incident_id=incident_id,
        writes=tuple(writes),
        events=events,
        is_new=not before.incident_id,
        after=after,
    )


def actor_of(name: str, system: str, people: Mapping[str, str]) -> str:
    """Who somebody is whom another system names: a person of ours, or a pseudonym, because no name enters the log."""
    if not name:
        return f"import:{system}"
    return people.get(name) or f"ext-{key_of('person', system, name)}"


def headlines(taken: TakenOver) -> tuple[str, ...]:
    """What would be told, in words."""
    stream = f"incident.{taken.incident_id}"
    return tuple(
        _headline(Recorded(seq=0, stream=stream, recorded_at=event.happened_at, event=event)) for event in taken.events
    )


def _headline(told: Recorded) -> str:
    fact = told.fact
    if isinstance(fact, EventRetracted) and not fact.event_seq:
        # What is not in the log yet has no position.
        return f"{fact.event_type} taken back: {fact.reason}"
    return headline(told)


def _in_order_of_knowledge(snapshot: Snapshot, before: Loaded) -> None:
    last = before.last_known_at
    if last is None or snapshot.known_at > last:
        return
    what = "another state of it" if snapshot.known_at == last else "a later state of it"
    raise BadSnapshot(
        "$.known_at",
        f"{before.incident_id} was taken over as known at {last.isoformat()}, which is {what}",
        hint="States are taken over in order of knowledge; what was told before cannot be known differently now.",
    )


def _root(snapshot: Snapshot, loaded: Mapping[Foreign, Loaded], incident_id: str) -> str | msgspec.UnsetType:
    if snapshot.merged_into is UNSET:
        return UNSET
    if snapshot.merged_into is None:
        return ""
    root = loaded[snapshot.system, snapshot.merged_into]
    if not root.incident_id:
        raise BadSnapshot(
            "$.merged_into",
            f"{snapshot.merged_into!r} of {snapshot.system} has not been taken over",
            hint="Import it before, or together with an earlier `known_at`.",
        )
    if root.belief.merged_into:
        raise BadSnapshot(
            "$.merged_into",
            f"{root.incident_id} is itself merged into {root.belief.merged_into}",
            hint="Name the one that carries on.",
        )
    return root.incident_id


def _event(telling: Telling, number: int, cause: str, incident_id: str, about: About) -> Event:
    return Event(
        id=derived_event_id(cause, tag_of(type(telling.fact)), str(number)),
        fact=telling.fact,
        happened_at=telling.at,
        happened_earliest=telling.earliest,
        happened_latest=telling.latest,
        source=source_of(about.system),
        actor=telling.by or f"import:{about.system}",
        causation_id=cause,
        correlation_id=incident_id,
        known_at=about.known_at,
    )


def _guard_events(
    snapshot: Snapshot,
    before: Loaded,
    incident_id: str,
    digest: str,
    facts: int,
    cause: str,
    actor: str,
    auth_id: str,
) -> tuple[Event, ...]:
    said: list[Fact] = []
    if not before.incident_id:
        said.append(ImportAssigned(system=snapshot.system, external_id=snapshot.id, incident_id=incident_id))
    said.append(
        ImportTaken(
            system=snapshot.system,
            external_id=snapshot.id,
            incident_id=incident_id,
            content_sha256=digest,
            facts=facts,
            url=snapshot.url,
            tags=snapshot.tags,
            extra=_ENCODER.encode(snapshot.extra).decode() if snapshot.extra else "",
        )
    )
    return tuple(
        Event(
            id=derived_event_id(cause, tag_of(type(fact))),
            fact=fact,
            happened_at=snapshot.known_at,
            source=source_of(snapshot.system),
            actor=actor,
            auth_id=auth_id,
            causation_id=cause,
            correlation_id=incident_id,
            known_at=snapshot.known_at,
        )
        for fact in said
    )


def _counterparts(events: Sequence[Event], incident_id: str, before: Loaded, others: Iterable[Loaded]) -> list[Write]:
    """What a merge, or its undoing, says on the other incident."""
    versions = {one.incident_id: one.version for one in others} | {before.belief.merged_into: before.root_version}
    writes = []
    for event in events:
        match event.fact:
            case IncidentMerged(into_incident_id=root):
                fact: Fact = IncidentAbsorbed(from_incident_id=incident_id)
            case IncidentUnmerged(from_incident_id=root):
                fact = IncidentDisowned(from_incident_id=incident_id)
            case _:
                continue
        told = replace(event, id=derived_event_id(event.id, tag_of(type(fact))), fact=fact, correlation_id=root)
        writes.append(Write(f"incident.{root}", versions[root], (told,)))
    return writes


def _utc_text(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat()
