"""``recount metrics``: figures for people and for programs, and receipts that exit with what they find."""

import msgspec
import pytest

from projections.figures.receipt import decode
from tests.cli.recount import Recount
from tests.platform import Platform

WHOLE_STORY = ("--service", "billing", "--severity", "sev3")
BEGAN = (
    "2026-02-02T09:00",
    "2026-02-03T09:00",
    "2026-02-04T09:00",
    "2026-02-05T09:00",
    "2026-02-06T09:00",
    "2026-02-09T09:00",
)


@pytest.fixture(scope="module")
def billing(recount: Recount, played: str) -> str:
    """Six incidents of billing in February; the fifth and sixth are not over. Gives the id of the first."""
    first = ""
    for number, began in enumerate(BEGAN):
        declared = recount.do("declare", "invoices are late", *WHOLE_STORY, "--at", began, "--as", "ada", "--json").json
        incident = declared["target"]
        first = first or incident
        recount.do("impact", incident, "billing", "2", "--at", began)
        if number < 4:
            over = began.replace("09:00", f"1{number}:00")
            recount.do("impact", incident, "billing", "0", "--at", over)
            recount.do("resolve", incident, "sent", "--at", over)
    return first


FEBRUARY = ("--service", "billing", "--month", "2026-02")


def test_a_figure_is_told_with_interval_counts_definition_and_receipt(recount: Recount, billing: str):
    said = recount.do("metrics", "ttr_recover", *FEBRUARY)
    lines = said.out.splitlines()
    assert lines[0].split() == [
        "metric",
        "median",
        "95",
        "%",
        "interval",
        "P90",
        "95",
        "%",
        "interval",
        "n",
        "open",
        "left",
        "out",
    ]
    assert lines[1].split()[:2] == ["ttr_recover", "3"]  # hours
    assert "NR" in lines[1]
    assert "Time to recover: from the start of impact" in said.out
    assert "receipt: rc1." in said.out
    assert "Incidents started from 2026-02-01 00:00:00 and before 2026-03-01 00:00:00 UTC" in said.err


def test_all_metrics_are_one_table(recount: Recount, billing: str):
    said = recount.do("metrics", *FEBRUARY)
    assert {"ttd", "tta", "ttr_recover"} <= {line.split()[0] for line in said.out.splitlines() if line}
    assert "leaves out" in said.out
    assert "receipt" not in said.out
    assert "receipt of ttd: rc1." in recount.do("metrics", *FEBRUARY, "--receipts").out


def test_few_are_told_as_their_values(recount: Recount, billing: str):
    said = recount.do("metrics", "ttr_recover", "--service", "billing", "--week", "2026-W07")
    assert "Values: more than" in said.out


def test_groups_and_the_severity_that_is_meant(recount: Recount, billing: str):
    said = recount.do("metrics", "ttr_recover", *FEBRUARY, "--by", "severity", "--severity-kind", "declared")
    assert "declared severity" in said.out
    assert "sev3" in said.out
    assert "severity is the declared one" in said.err


def test_programs_get_json(recount: Recount, billing: str):
    answer = recount.do("metrics", "ttr_recover", *FEBRUARY, "--mean", "--json").json
    (figure,) = answer["metrics"][0]["figures"]
    assert (figure["n"], figure["measured"], figure["censored"]) == (6, 4, 2)
    assert figure["mean"]["resamples"] == 2000


def test_a_receipt_is_computed_again_and_the_exit_code_says_whether_it_holds(recount: Recount, billing: str):
    answer = recount.do("metrics", "ttr_recover", *FEBRUARY, "--json").json
    receipt = answer["metrics"][0]["figures"][0]["receipt"]
    said = recount.do("metrics", "--receipt", receipt)
    assert said.out.startswith("Equal. Computed again, ttr_recover at log position")
    other = recount.do("metrics", "ttd", *FEBRUARY, "--json").json["metrics"][0]["figures"][0]["receipt"]
    assert other != receipt
    refused = recount.refused("metrics", "--receipt", receipt[:-20])
    assert "rc1." in refused.hint


def test_a_receipt_that_does_not_hold_names_what_differs(recount: Recount, billing: str):
    answer = recount.do("metrics", "ttr_recover", *FEBRUARY, "--json").json
    receipt = decode(answer["metrics"][0]["figures"][0]["receipt"])
    forged = msgspec.structs.replace(receipt, figure="0" * 32, engine="1.0.0").encode()
    said = recount.ask("metrics", "--receipt", forged)
    assert said.code == 1
    assert said.out.startswith("Not equal.")
    assert "The figure is another." in said.out
    assert "It was computed by DuckDB 1.0.0, now by" in said.out


def test_two_periods_are_compared_or_not(recount: Recount, billing: str):
    said = recount.do("metrics", "ttr_recover", "--service", "billing", "--compare", "2026-01", "2026-02")
    assert "cannot be compared" in said.out


def test_a_figure_beside_what_it_was_names_the_events_that_changed_it(recount: Recount, billing: str):
    position = recount.do("metrics", "ttr_recover", *FEBRUARY, "--json").json["position"]
    same = recount.do("metrics", "ttr_recover", *FEBRUARY, "--known-at", str(position))
    assert f"No figure is other than it was at log position {position}" in same.out
    recount.do("correct", billing, "impact_started", "--at", "2026-02-02T08:00", "--reason", "the graphs show it")
    said = recount.do("metrics", "ttr_recover", *FEBRUARY, "--known-at", str(position))
    assert "ttr_recover: restated" in said.out
    (change,) = [
        text for text in said.out.splitlines() if text.startswith(f"  {billing} restated: 1 h → 2 h; because ")
    ]
    cause = change.rpartition(" ")[2]
    (event,) = [text for text in said.out.splitlines() if text.startswith(cause)]
    assert event.endswith("impact_started corrected to 2026-02-02 08:00:00 UTC: the graphs show it")
    told = recount.do("metrics", "--service", "billing", "--restatement", "--since", str(position), "--json").json
    assert told["since"] == position
    assert {"ttd", "ttr_recover"} <= {each["metric"] for each in told["restated"] if each["restated"]}
    assert {each["group"] for each in told["restated"]} == {"2026-02"}


def test_what_is_counted_has_its_interval_and_its_receipt(recount: Recount, billing: str):
    said = recount.do("metrics", "relapse_rate", *FEBRUARY)
    assert said.out.splitlines()[1].split()[:3] == ["relapse_rate", "0", "%"]
    assert "0 of 4" in said.out
    receipt = said.out.partition("receipt: ")[2].strip()
    assert "0 of 4" in recount.do("metrics", "--receipt", receipt).out
    refused = recount.refused("metrics", "relapse_rate", "--by", "source")
    assert "not counted by source" in str(refused)


def test_minutes_of_impact_are_added_up_over_the_incidents(recount: Recount, billing: str):
    """The fifth and the sixth last."""
    said = recount.do("metrics", "impact_minutes", "--service", "billing", "--period", "2026-Q1")
    assert said.out.splitlines()[1].split()[0] == "impact_minutes"
    assert "over 6 incidents, 2 of them not over" in said.out
    receipt = said.out.partition("receipt: ")[2].strip()
    assert "over 6 incidents" in recount.do("metrics", "--receipt", receipt).out


def test_pages_are_told_by_name(recount: Recount, played: str):
    said = recount.do("metrics", "pages_per_person", "--by", "person")
    assert "per-" not in said.out.partition("receipt")[0]
    assert "pages for each person who was paged" in said.out


@pytest.mark.parametrize(
    ("arguments", "hint"),
    [
        (("mttr",), "Ask for ttr_recover, ttr_recover_durable, ttr_respond, ttr_repair or ttr_resolve."),
        (("ttd", "--by", "colour"), "service, team"),
        (("ttd", "--month", "February"), "2026-Q1"),
        (("--restatement",), "--since 2026-03-05"),
        (("--since", "4"), "--restatement"),
    ],
)
def test_what_cannot_be_answered_says_what_to_do(
    recount: Recount, platform: Platform, arguments: tuple[str, ...], hint: str
):
    assert hint in recount.refused("metrics", *arguments).hint
