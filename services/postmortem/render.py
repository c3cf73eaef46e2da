"""Renders the postmortem of an incident: asks, gives everybody a letter, and fills the template.

Nothing but the answers goes in: no clock, no machine, no configuration. The same log position under the same
definitions therefore gives the same bytes.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import jinja2

from events import RecountError
from projections.lens import Lens
from projections.query import Table
from services.postmortem import questions
from services.postmortem.markdown import between, cited, code, duration, finalized, struck
from services.postmortem.people import Cast

Ask = Callable[[str, Sequence[object]], Table]
Row = Mapping[str, Any]

# What each duration is called, and the milestones between which it is measured.
DURATIONS = {
    "ttd": ("time to detect", "impact_started", "detected"),
    "tta": ("time to acknowledge", "notified", "acknowledged"),
    "ttc": ("time to contain", "detected", "contained"),
    "ttm": ("time to mitigate", "impact_started", "mitigated"),
    "ttr_recover": ("time to recover", "impact_started", "resolved"),
}

_PHASE_STEPS = frozenset(
    f"incident.{step}"
    for step in (
        "opened", "declared", "contained", "eradicated", "resolved", "regressed", "closed", "reopened", "dismissed",
        "reinstated", "merged", "unmerged",
    )
)  # fmt: skip

_ENVIRONMENT = jinja2.Environment(
    loader=jinja2.PackageLoader("services.postmortem", "."),
    finalize=finalized,  # escapes for Markdown, which HTML's escaping would not
    autoescape=False,
    undefined=jinja2.StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
    keep_trailing_newline=True,
)
_ENVIRONMENT.filters |= {"cited": cited, "code": code, "duration": duration, "struck": struck}
_ENVIRONMENT.globals |= {"between": between}


class UnknownIncident(RecountError):
    """There is no such incident at that log position."""

    hint = "`recount list` shows the incidents; `--as-of` may lie before this one was opened."


def render(ask: Ask, incident_id: str, *, names: Mapping[str, str] | None = None, lens: Lens | None = None) -> str:
    """The postmortem as Markdown.

    Args:
        ask: answers a question as of one log position, the same for every call.
        incident_id: such as ``INC-42``.
        names: what to call person ids; everybody else is called by a letter, in order of appearance. A document with
            names changes when a person is renamed or erased; one without never does.
        lens: what ``ask`` looks through, when it is bounded by more than a position: the document says so.

    Raises:
        UnknownIncident: there is none of that id at that position.
    """
    found = _rows(ask, questions.INCIDENT, incident_id)
    if not found:
        raise UnknownIncident(f"{incident_id} is not known")
    [incident] = found
    [receipt] = _rows(ask, questions.RECEIPT)
    said = _rows(ask, questions.SAID, incident_id)
    timeline = _rows(ask, questions.TIMELINE, incident_id)
    milestones = _rows(ask, questions.MILESTONES, incident_id)
    roles = _rows(ask, questions.ROLES, incident_id)
    pages = _rows(ask, questions.PAGES, incident_id)
    actions = _rows(ask, questions.ACTIONS, incident_id)
    corrections = _rows(ask, questions.CORRECTIONS, incident_id)
    severities, determinations = _changes(said, "severity"), _changes(said, "determination")
    cast = _cast(names, timeline, pages, actions)
    return _ENVIRONMENT.get_template("template.md.j2").render(
        incident=incident,
        receipt=receipt,
        lens=lens or Lens(),
        opened=said[0]["seq"],
        severities=severities,
        severity_seqs=_seqs(severities, "severity"),
        said_by={name: [row["seq"] for row in said if row[name] not in (None, "")] for name in said[0]},
        phase=[row["seq"] for row in said if row["type"] in _PHASE_STEPS][-1:],
        reopenings=[row["seq"] for row in said if row["type"] == "incident.reopened"],
        determinations=determinations,
        determination_seqs=_seqs(determinations, "determination"),
        milestones=milestones,
        durations=[_duration(row, milestones, said[0]["seq"]) for row in _rows(ask, questions.DURATIONS, incident_id)],
        impact=_rows(ask, questions.IMPACT, incident_id),
        roles=roles,
        pages=pages,
        acknowledgements=_rows(ask, questions.ACKNOWLEDGEMENTS, incident_id),
        alerts=_rows(ask, questions.ALERTS, incident_id),
        actions=actions,
        corrections=corrections,
        taken_back={row["seq"]: row for row in corrections if row["kind"] == "retraction"},
        retimed={row["replaces_seq"]: row for row in corrections if _moves_its_event(row)},
        timeline=sorted(timeline, key=lambda row: (row["happened_at"], row["seq"])),
        cast=cast,
        is_pseudonymous=names is None,
    )


def _rows(ask: Ask, sql: str, *params: object) -> list[dict[str, Any]]:
    return ask(sql, params).dicts()


def _cast(
    names: Mapping[str, str] | None, timeline: Iterable[Row], pages: Iterable[Row], actions: Iterable[Row]
) -> Cast:
    cast = Cast(names)
    for row in timeline:
        cast.meet(row["seq"], row["actor"], text=row["headline"])
    # A headline need not name everybody whom its fact concerns.
    for row in pages:
        cast.meet(row["seqs"][0], row["person_id"])
    for row in actions:
        cast.meet(row["seqs"][0], row["owner_id"])
    return cast


def _changes(said: Iterable[Row], name: str) -> list[Row]:
    """The facts that gave a field another value than it had, in order."""
    changes: list[Row] = []
    for row in said:
        if row[name] and (not changes or changes[-1][name] != row[name]):
            changes.append(row)
    return changes


def _seqs(changes: Iterable[Row], name: str) -> list[int | None]:
    """Where the log says so: each fact, and what corrected it."""
    return [seq for row in changes for seq in (row["seq"], row[f"{name}_corrected_seq"])]


def _moves_its_event(correction: Row) -> bool:
    """Whether a correction says that an event happened at another time; that of a signal moves no declaration."""
    is_signal = (correction["milestone"], correction["replaces_type"]) == ("detected", "incident.declared")
    return correction["kind"] == "milestone" and correction["replaces_seq"] is not None and not is_signal


def _duration(row: Row, milestones: Sequence[Row], opened: int) -> dict[str, Any]:
    words, begins, ends = DURATIONS[row["metric"]]
    at = {begins: row["started_at"], ends: row["ended_at"]}
    # A merged incident's start may come from another one, whose milestones are not here: then the opening is cited.
    rests_on = [each for each in milestones if at.get(each["milestone"]) == each["happened_at"]]
    seqs = [seq for each in rests_on for seq in (each["seq"], each["corrected_seq"])]
    return {**row, "words": words, "begins": begins, "ends": ends, "seqs": seqs or [opened]}
