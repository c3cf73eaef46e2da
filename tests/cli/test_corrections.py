"""The verbs that say what was not so, against a running platform."""

from typing import Any

import pytest

from tests.cli.recount import Recount

LONG_AGO = "2026-01-05T"


@pytest.fixture
def incident(recount: Recount, played: str) -> str:
    """An incident of one morning in January, recorded long after it was over."""
    declared = recount.do(
        "declare",
        "payments fail",
        *("--severity", "sev3", "--at", f"{LONG_AGO}09:00:00", "--detected-at", f"{LONG_AGO}08:50:00"),
        *("--resolved-at", f"{LONG_AGO}11:00:00", "--reason", "found in the mail", "--as", "ada", "--json"),
    )
    return str(declared.json["target"])


def shown(recount: Recount, incident: str) -> dict[str, Any]:
    return dict(recount.do("show", incident, "--json").json)


def milestone(recount: Recount, incident: str, name: str) -> dict[str, Any]:
    (found,) = [row for row in shown(recount, incident)["milestones"] if row["milestone"] == name]
    return dict(found)


def corrections(recount: Recount, incident: str) -> list[str]:
    return [row["kind"] for row in shown(recount, incident)["corrections"]]


def test_an_incident_that_is_over_is_declared_retroactively_and_wakes_nobody(recount: Recount, incident: str):
    whole = shown(recount, incident)
    row = whole["incident"]
    assert (row["phase"], row["retroactive"], row["resolved_at"]) == ("resolved", True, f"{LONG_AGO}11:00:00Z")
    assert whole["pages"] == []
    assert not [line for line in whole["timeline"] if line["type"].startswith("escalation.")]
    assert corrections(recount, incident) == ["declared retroactively"]


def test_a_milestone_is_corrected_and_shows_what_was_said(recount: Recount, incident: str):
    corrected = recount.do(
        *("correct", incident, "resolved", "--at", f"{LONG_AGO}10:30:00", "--reason", "the graph", "--as", "ada"),
        *("--between", f"{LONG_AGO}10:25:00", f"{LONG_AGO}10:40:00", "--evidence", "https://graphs.example.org/1"),
    )
    assert "resolved corrected to 2026-01-05 10:30" in corrected.out
    found = milestone(recount, incident, "resolved")
    assert (found["happened_at"], found["said_at"]) == (f"{LONG_AGO}10:30:00Z", f"{LONG_AGO}11:00:00Z")
    assert (found["earliest"], found["latest"]) == (f"{LONG_AGO}10:25:00Z", f"{LONG_AGO}10:40:00Z")
    told = recount.do("show", incident).out
    assert "2026-01-05 10:30:00 (10:25:00–10:40:00)" in told
    assert "said 2026-01-05 11:00:00" in told
    assert "the graph" in told
    refused = recount.refused("correct", incident, "resolved", "--at", f"{LONG_AGO}08:00:00", "--reason", "a guess")
    assert "lies before it was detected" in str(refused)


def test_an_event_is_taken_back(recount: Recount, incident: str):
    seq = next(row["seq"] for row in shown(recount, incident)["timeline"] if row["type"] == "incident.resolved")
    assert "taken back: a typo" in recount.do("retract", incident, str(seq), "--reason", "a typo", "--as", "ada").out
    assert shown(recount, incident)["incident"]["phase"] == "active"
    assert "(nothing to change)" in recount.do("retract", incident, str(seq), "--reason", "a typo").out
    assert "no event of" in str(recount.refused("retract", incident, "999999", "--reason", "a typo"))
    # It stays in the log and in the timeline, and says by what it was taken back.
    (line,) = [row for row in shown(recount, incident)["timeline"] if row["seq"] == seq]
    assert line["retracted_by_seq"] > seq
    assert "(taken back, see" in recount.do("show", incident).out
    recount.do("resolve", incident, "--at", f"{LONG_AGO}10:45:00", "--between", f"{LONG_AGO}10:40", f"{LONG_AGO}10:50")
    assert milestone(recount, incident, "resolved")["latest"] == f"{LONG_AGO}10:50:00Z"


def test_a_severity_and_a_determination_were_wrong_from_the_start(recount: Recount, incident: str):
    recount.do("severity", incident, "sev1", "--was-wrong", "--reason", "all customers")
    row = shown(recount, incident)["incident"]
    assert (row["severity"], row["severity_declared"], row["severity_peak"]) == ("sev1", "sev1", "sev1")
    recount.do("determine", incident, "confirmed")
    recount.do("determine", incident, "exercise", "--was-wrong", "--reason", "it was the drill of that day")
    row = shown(recount, incident)["incident"]
    assert (row["determination"], row["phase"]) == ("exercise", "dismissed")
    assert corrections(recount, incident)[1:] == ["severity", "determination", "dismissed after resolution"]
    assert "reason" in str(recount.refused("severity", incident, "sev2", "--was-wrong"))
