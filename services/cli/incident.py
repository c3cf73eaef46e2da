"""How the command line tells an incident: the parts that `show` and `replay` print."""

from collections.abc import Mapping, Sequence
from typing import Any

from services.cli.console import line, say, show_table
from services.cli.times import bounded_time, duration, parsed, short_time

# Two clocks that differ by less are the same to a reader: an event is recorded within milliseconds when all is well.
CLOCKS_DIFFER_S = 1.0

Whole = Mapping[str, Any]
"""An incident with its parts, as the API answers it."""


def tell_header(whole: Whole) -> None:
    """What it is, how bad, and who has it."""
    incident = whole["incident"]
    say(f"{incident['incident_id']}  {line(incident['title'])}")
    severity = incident["severity"]
    if incident["severity_peak"] and incident["severity_peak"] != severity:
        severity += f" (was {incident['severity_peak']})"
    phase = incident["phase"]
    if incident["merged_into"]:
        phase += f" into {incident['merged_into']}"
    if incident["episode"] > 1:
        phase += f", episode {incident['episode']}"
    lines = {
        "phase": phase,
        "severity": severity,
        "service": incident["service"],
        "profile": incident["profile"],
        "determination": incident["determination"],
        "commander": called(whole, incident["commander"]) or "nobody",
        "acknowledged": _acknowledged(whole),
    }
    for name, value in lines.items():
        say(f"  {name:<14}{line(value or '-')}")


def tell_milestones(whole: Whole) -> None:
    """What was reached when, with both clocks and positions, and what was said before it was corrected."""
    _heading("Milestones")
    show_table(
        ("milestone", "happened", "recorded", "position", "corrected"),
        [
            (
                row["milestone"].replace("_", " ") + (" (taken back)" if row.get("void") else ""),
                bounded_time(row),
                short_time(row["recorded_at"]),
                row["seq"],
                _said_before(row),
            )
            for row in whole["milestones"]
        ],
        empty="None yet.",
    )


def tell_corrections(whole: Whole) -> None:
    """What was said and is believed otherwise since; nothing when there is none."""
    if not whole["corrections"]:
        return
    _heading("Corrections")
    show_table(
        ("position", "recorded", "by", "what", "from", "to", "why"),
        [
            (
                row["seq"],
                short_time(row["recorded_at"]),
                called(whole, row["actor"]),
                (row["milestone"] or row["kind"]).replace("_", " "),
                spoken(whole, row["from_value"] or ""),
                row["to_value"] or "",
                row["reason"] or "",
            )
            for row in whole["corrections"]
        ],
        empty="None.",
    )


def tell_people(whole: Whole) -> None:
    """Who had which role, and who was paged."""
    _heading("Roles")
    show_table(
        ("role", "held by", "from", "until"),
        [
            (row["role"], called(whole, row["person_id"]), short_time(row["since"]), short_time(row["until"]) or "now")
            for row in whole["roles"]
        ],
        empty="Nobody has a role.",
    )
    _heading("Pages")
    show_table(
        ("level", "paged", "state", "asked", "sent", "answered", "remark"),
        [
            (
                row["level"] or "",
                called(whole, row["person_id"]) or row["target"],
                row["state"],
                short_time(row["requested_at"]),
                short_time(row["sent_at"]),
                short_time(row["answered_at"]),
                row["withheld_reason"] or row["error"] or ("perhaps twice" if row["possibly_duplicate"] else ""),
            )
            for row in whole["pages"]
        ],
        empty="Nobody was paged.",
    )


def tell_alerts(whole: Whole) -> None:
    """The alerts that belong to it."""
    _heading("Alerts")
    show_table(
        ("alert", "state", "severity", "service", "fired", "cleared", "key"),
        [
            (
                row["title"],
                row["state"],
                row["severity"],
                row["service"],
                short_time(row["started_at"]),
                short_time(row["cleared_at"]),
                row["alert_key"],
            )
            for row in whole["alerts"]
        ],
        empty="None.",
    )


def tell_timeline(whole: Whole, lines: Sequence[Mapping[str, Any]] | None = None) -> None:
    """What happened, line by line in log order: position, both clocks, type and headline."""
    _heading("Timeline")
    show_table(
        ("position", "happened", "recorded", "type", "what"),
        [
            (row["seq"], short_time(row["happened_at"]), _recorded(row), row["type"], _told(whole, row))
            for row in (whole["timeline"] if lines is None else lines)
        ],
        empty="Nothing happened.",
    )


def called(whole: Whole, person_id: str | None) -> str:
    """What to call a person: the name, or the opaque id of somebody unknown or erased."""
    return str(whole["names"].get(person_id, person_id)) if person_id else ""


def spoken(whole: Whole, text: str) -> str:
    """A headline with names in place of person ids."""
    for person_id, name in whole["names"].items():
        text = text.replace(person_id, name)
    return text


def _told(whole: Whole, row: Mapping[str, Any]) -> str:
    taken_back = f" (taken back, see {row['retracted_by_seq']})" if row["retracted_by_seq"] else ""
    return spoken(whole, row["headline"]) + taken_back


def _said_before(row: Mapping[str, Any]) -> str:
    if not row["corrected_seq"]:
        return ""
    said = f"said {short_time(row['said_at'])}" if row["said_at"] else "nothing said so"
    return f"{said}, see {row['corrected_seq']}"


def _acknowledged(whole: Whole) -> str:
    incident = whole["incident"]
    if not incident["acknowledged_at"]:
        return "not yet"
    who, when = called(whole, incident["acknowledged_by"]), short_time(incident["acknowledged_at"])
    notified, acknowledged = parsed(incident["notified_at"]), parsed(incident["acknowledged_at"])
    after = (
        f", {duration((acknowledged - notified).total_seconds())} after the page" if notified and acknowledged else ""
    )
    return f"by {who} at {when}{after}"


def _recorded(row: Mapping[str, Any]) -> str:
    happened, recorded = parsed(row["happened_at"]), parsed(row["recorded_at"])
    assert happened is not None
    assert recorded is not None
    if abs((recorded - happened).total_seconds()) < CLOCKS_DIFFER_S:
        return "same"
    return short_time(row["recorded_at"])


def _heading(words: str) -> None:
    say("")
    say(words)
