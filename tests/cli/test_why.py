"""``recount why`` and ``recount rules replay``, against a running platform in which the demo was played."""

from pathlib import Path

from tests.cli.recount import Recount


def test_the_incident_of_the_demo_is_told_from_the_payload_to_the_channels_answer(recount: Recount, played: str):
    told = recount.do("why", played, "--json").json
    steps = [line["step"] for line in told["chain"]]
    assert {"alert", "decided", "incident", "escalation", "page", "delivery", "answer"} <= set(steps)
    assert told["receipts"][0]["first_line"].startswith("{")
    assert told["receipts"][0]["source"] == "alertmanager"
    by_seq = {line["seq"]: line for line in told["chain"]}
    sent = next(line for line in told["chain"] if line["headline"].startswith("sent by"))
    # Every step back from the channel's answer to the payload is named.
    page = next(line for line in told["chain"] if line["stream"] == sent["stream"] and line["step"] == "page")
    declared = by_seq[page["cause_seq"]]
    fired = by_seq[declared["cause_seq"]]
    assert declared["stream"] == f"incident.{played}"
    assert fired["step"] == "alert"
    assert fired["receipt_seq"] == told["receipts"][0]["seq"]
    assert any(decision["agrees"] for decision in told["decisions"])

    shown = recount.do("why", played).out
    for words in ("What did not happen", "Bytes received", "What led to it", "Rule by rule"):
        assert words in shown
    assert recount.do("why", page["stream"].partition(".")[2], "--json").json["subject"]["kind"] == "page"
    assert recount.do("why", fired["stream"].partition(".")[2], "--json").json["subject"]["kind"] == "alert"
    assert "Nothing is known" in str(recount.refused("why", "no-such-thing"))
    assert "nothing was asked about" in str(recount.refused("why", " "))


def test_it_is_told_as_it_was_known_then(recount: Recount, played: str):
    chain = recount.do("why", played, "--json").json["chain"]
    declared = next(line["seq"] for line in chain if line["headline"].startswith("declared"))
    then = recount.do("why", played, "--as-of", str(declared), "--json").json
    assert max(line["seq"] for line in then["chain"]) == declared
    assert any("no escalation has begun" in one["because"] for one in then["absent"])


def test_other_rules_are_tried_on_what_happened(recount: Recount, played: str, tmp_path: Path):
    first = recount.do("why", played, "--json").json["chain"][0]["seq"] - 1
    same = recount.do("rules", "replay", "--from", str(first), "--json").json
    assert same["difference"] == {"incidents": [], "pages": [], "alerts": []}
    assert same["before"]["incidents"] >= 1
    nothing = tmp_path / "record.toml"
    nothing.write_text('[route]\naction = "record"\n')
    tried = recount.do("rules", "replay", "--from", str(first), "--rules", str(nothing), "--json").json
    assert {each["change"] for each in tried["difference"]["incidents"]} == {"removed"}
    assert tried["after"]["alerts_recorded"] >= 2
    shown = recount.do("rules", "replay", "--from", str(first), "--rules", str(nothing)).out
    assert "removed" in shown
    assert "What this cannot know" in shown
    broken = tmp_path / "broken.toml"
    broken.write_text("[route]\nopens_at = 7\n")
    assert "opens_at" in str(recount.refused("rules", "replay", "--from", "1", "--rules", str(broken)))
