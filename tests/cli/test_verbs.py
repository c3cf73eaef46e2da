"""The verbs, against a running platform: what they do, what they print, and how they are refused."""

import hashlib
import re
from pathlib import Path

import pytest

from tests.cli.recount import Recount
from tests.platform import Platform, run_cli

ANSI = re.compile("\x1b")


@pytest.fixture
def incident(recount: Recount, played: str) -> str:
    """A fresh incident, declared by ada."""
    return recount.do("declare", "payments fail", "--severity", "sev2", "--as", "ada", "--json").json["target"]


def row(recount: Recount, incident: str) -> dict[str, object]:
    return recount.do("show", incident, "--json").json["incident"]


def test_the_demo_plays_a_whole_incident(recount: Recount, played: str):
    shown = recount.do("show", played, "--json").json
    assert shown["incident"]["phase"] == "resolved"
    assert (shown["incident"]["severity_declared"], shown["incident"]["severity"]) == ("sev2", "sev1")
    assert [page["state"] for page in shown["pages"]] == ["answered"]
    assert sorted(alert["title"] for alert in shown["alerts"]) == ["CheckoutErrorRate", "CheckoutLatencyHigh"]
    assert {alert["state"] for alert in shown["alerts"]} == {"cleared"}
    metrics = dict(
        recount.do("sql", f"select 'ttd', duration_s from ttd where incident_id = '{played}'", "--json").json["rows"]
    )
    assert metrics["ttd"] > 0
    assert all(key["revoked_at"] for key in recount.do("keys", "list", "--json").json["keys"] if key["name"] == "demo")


def test_the_demo_does_not_mix_with_an_open_incident_of_its_service(recount: Recount, played: str):
    opened = recount.do("declare", "checkout again", "--service", "checkout", "--json").json["target"]
    beside = recount.do("demo", "--fast", "--json").json["incident_id"]
    assert beside not in (opened, played)
    assert recount.do("show", beside, "--json").json["incident"]["service"] == "checkout-demo"
    recount.do("reopen", beside, "it is slow again")
    refused = recount.refused("demo", "--fast")
    assert f"{beside} about checkout-demo is open" in str(refused)
    assert f"recount resolve {beside}" in refused.hint
    recount.do("resolve", beside, "it was the demo")
    recount.do("dismiss", opened, "false_positive")


def test_an_incident_is_led_through_its_life(recount: Recount, incident: str):
    number = incident.removeprefix("INC-")
    assert "acknowledged by Ada Lovelace" in recount.do("ack", number, "--as", "ada").out
    assert "(nothing to change)" in recount.do("ack", incident, "--as", "ada").out
    recount.do("assign", incident, "grace", "--as", "ada")
    recount.do("relieve", incident, "grace", "--as", "ada")
    recount.do("assign", incident, "ada", "--role", "scribe")
    assert "severity sev2 → sev1: it spreads" in recount.do("severity", incident, "sev1", "--reason", "it spreads").out
    recount.do("note", incident, "-", typed="called the provider\n")
    recount.do("impact", incident, "payments", "3")
    refused = recount.refused("resolve", incident)
    assert "payments" in str(refused)
    assert refused.hint
    recount.do("mitigate", incident, "switched the provider")
    recount.do("regress", incident, "the other provider fails, too")
    recount.do("mitigate", incident, "switched back")
    recount.do("eradicate", incident, "the provider repaired it")
    recount.do("resolve", incident, "payments work")
    recount.do("reopen", incident, "they fail again", "--mistaken")
    assert row(recount, incident)["episode"] == 2
    recount.do("resolve", incident)
    recount.do("close", incident, "--waiver", "the provider's own postmortem is enough")
    assert row(recount, incident)["phase"] == "closed"


def test_what_happened_earlier_can_be_said_later(recount: Recount, incident: str):
    declared = recount.do("replay", incident, "--json").json["timeline"][0]
    recount.do("note", incident, "the first complaint came in", "--at", "2026-01-05T09:00:00Z", "--as", "grace")
    told = recount.do("replay", incident).out.splitlines()[-1]
    assert "2026-01-05 09:00:00" in told
    assert "Grace Hopper: the first complaint came in" in told
    assert declared["recorded_at"][:10] in told


def test_an_incident_is_dismissed_reinstated_and_merged(recount: Recount, played: str, incident: str):
    recount.do("dismiss", incident, "benign", "--explanation", "a rehearsal")
    recount.do("reinstate", incident, "it was none")
    other = recount.do("declare", "payments fail twice", "--json").json["target"]
    recount.do("merge", incident, other)
    assert (row(recount, incident)["phase"], row(recount, incident)["merged_into"]) == ("merged", other)
    recount.do("unmerge", incident, "--reason", "two causes")
    assert row(recount, incident)["phase"] == "triage"


def test_a_suspicion_is_opened_for_triage_and_declared_by_its_number(recount: Recount, played: str):
    suspicion = ("open", "odd logins", "--severity", "sev2", "--profile", "security", "--reason", "three countries")
    opened = recount.do(*suspicion, "--at", "2026-01-05T09:00:00Z", "--as", "ada", "--json").json["target"]
    shown = row(recount, opened)
    assert (shown["phase"], shown["profile"], shown["declared_at"]) == ("triage", "security", None)
    assert opened in recount.do("list", "--phase", "triage").out
    assert "declared sev2: odd logins" in recount.do("declare", opened.lower(), "--reason", "it is an attack").out
    declared = row(recount, opened)
    assert (declared["phase"], declared["severity"]) == ("active", "sev2")
    assert declared["detected_at"].startswith("2026-01-05T09:00:00")


def test_an_incident_is_renamed_and_determined(recount: Recount, incident: str):
    assert "renamed: payments are slow" in recount.do("rename", incident, "payments are slow").out
    recount.do("determine", incident, "confirmed", "--reason", "the provider says so")
    assert (row(recount, incident)["title"], row(recount, incident)["determination"]) == (
        "payments are slow",
        "confirmed",
    )
    assert "perhaps" in str(recount.refused("determine", incident, "perhaps"))


def test_the_commander_hands_over(recount: Recount, incident: str):
    recount.do("assign", incident, "ada")
    assert "does not hold it" in str(recount.refused("offer", incident, "ada", "--as", "grace"))
    assert "nobody offered it" in str(recount.refused("accept", incident, "--as", "grace"))
    assert "commander offered to Grace Hopper" in recount.do("offer", incident, "grace", "--as", "ada").out
    accepted = recount.do("accept", incident, "--as", "grace").out
    assert "Grace Hopper took over as commander from Ada Lovelace" in accepted


def test_an_alert_is_taken_out_and_put_back(recount: Recount, played: str, incident: str):
    alert = recount.do("show", played, "--json").json["alerts"][0]["alert_key"]
    assert alert in recount.do("show", played).out
    recount.do("link", incident, alert, "--reason", "the same database")
    assert [row["alert_key"] for row in recount.do("show", incident, "--json").json["alerts"]] == [alert]
    recount.do("unlink", incident, alert)
    recount.do("link", played, alert)
    assert "recount sql" in recount.refused("link", incident, "no-such-alert").hint


def test_the_cause_is_said_and_which_change_it_was(recount: Recount, incident: str):
    assert "cause identified: a missing index" in recount.do("identify", incident, "a missing index").out
    assert "nothing to change" in recount.do("identify", incident, "another").out
    refused = recount.refused("changes", "link", incident, "no-such-change")
    assert "recount changes list" in refused.hint
    assert "give one of cause, remedy" in recount.refused("changes", "link", incident, "c1", "culprit").hint


def test_actions_are_agreed_on_listed_and_finished(recount: Recount, incident: str):
    text = "alert on queue depth"
    added = recount.do("action", "add", incident, text, "--owner", "ada", "--due", "2026-12-01", "--purpose", "detect")
    assert f"action A1: {text}" in added.out
    recount.do("action", "add", incident, "write a runbook")
    listed = recount.do("action", "list", incident, "--json").json["actions"]
    assert [(action["action_id"], action["owner"], action["due_on"]) for action in listed] == [
        ("A1", "Ada Lovelace", "2026-12-01"),
        ("A2", "", None),
    ]
    assert "reason" in str(recount.refused("action", "done", incident, "A2", "--dropped"))
    recount.do("action", "done", incident, "a2", "--dropped", "--reason", "there is one")
    recount.do("action", "done", incident, "A1")
    assert "No open actions" in recount.do("action", "list", incident).out
    assert text in recount.do("action", "list", "--all").out
    assert "A1, A2" in recount.refused("action", "done", incident, "A9").hint
    assert "due_on" in str(recount.refused("action", "add", incident, text, "--due", "soon"))


def test_lists_show_the_open_ones_unless_asked_for_all(recount: Recount, played: str, incident: str):
    assert incident in recount.do("list").out
    assert played not in recount.do("list").out.split()
    assert played in recount.do("list", "--all").out.split()
    assert played in [
        found["incident_id"] for found in recount.do("list", "--phase", "resolved", "--json").json["incidents"]
    ]


def test_a_table_in_a_pipe_has_one_line_a_row_and_no_colour(recount: Recount, platform: Platform, incident: str):
    recount.do("note", incident, "long " * 60)
    said = platform.cli("replay", incident)
    assert not ANSI.search(said.stdout)
    assert sum("long long" in line for line in said.stdout.splitlines()) == 1


def test_a_replay_tells_what_was_known_then(recount: Recount, played: str):
    now = recount.do("replay", played, "--json").json
    acknowledged = next(line for line in now["timeline"] if line["type"] == "incident.acknowledged")
    before = recount.do("replay", played, "--as-of", str(acknowledged["seq"] - 1)).out
    assert before.startswith(f"As known at log position {acknowledged['seq'] - 1}")
    assert "not yet" in before
    assert "resolved" not in before
    then = recount.do("replay", played, "--as-of", acknowledged["recorded_at"], "--json").json
    assert then["incident"]["acknowledged_at"] is not None
    assert then["incident"]["resolved_at"] is None


def test_a_time_that_cannot_be_read_is_refused_with_an_example(recount: Recount, played: str):
    assert "2026-" in recount.refused("replay", played, "--as-of", "yesterday").hint


def test_what_is_no_incident_is_refused_with_an_example(recount: Recount, played: str):
    assert "INC-42" in recount.refused("show", "checkout").hint
    assert "recount list" in recount.refused("show", "INC-999").hint


def test_the_same_position_gives_the_same_postmortem(recount: Recount, played: str, incident: str, tmp_path: Path):
    first = recount.do("postmortem", played, "--json").json
    recount.do("note", incident, "the log goes on")
    position = str(first["made_from_seq"])
    assert recount.do("postmortem", played, "--as-of", position).out == first["markdown"]
    file = tmp_path / "postmortem.md"
    recount.do("postmortem", played, "--as-of", position, "--output", str(file))
    assert hashlib.sha256(file.read_bytes()).hexdigest() == first["document_sha256"]
    assert "Ada Lovelace" not in first["markdown"]
    assert "Ada Lovelace" in recount.do("postmortem", played, "--names").out


def test_a_published_postmortem_lets_an_incident_be_closed(recount: Recount, incident: str):
    recount.do("resolve", incident)
    assert "review" in str(recount.refused("close", incident))
    published = recount.do("postmortem", incident, "--publish", "--json").json
    sql = "select made_from_seq, document_sha256 from review_published order by seq desc limit 1"
    assert recount.do("sql", sql, "--json").json["rows"] == [[published["made_from_seq"], published["document_sha256"]]]
    recount.do("close", incident)


def test_names_are_not_published(recount: Recount, incident: str):
    assert recount.ask("postmortem", incident, "--publish", "--names").code == 2


def test_sql_answers_as_table_json_and_csv(recount: Recount, played: str):
    sql = f"select incident_id, severity_peak from incidents where incident_id = '{played}'"
    assert [line.split() for line in recount.do("sql", sql).out.splitlines()] == [
        ["incident_id", "severity_peak"],
        [played, "sev1"],
    ]
    assert recount.do("sql", sql, "--json").json["rows"] == [[played, "sev1"]]
    assert recount.do("sql", sql, "--csv").out.splitlines() == ["incident_id,severity_peak", f"{played},sev1"]
    assert recount.do("sql", "-", "--json", typed=sql).json["rows"] == [[played, "sev1"]]
    assert recount.do("sql", "select count(*) from incidents", "--as-of", "1", "--json").json["rows"] == [[0]]
    assert recount.ask("sql", sql, "--json", "--csv").code == 2


def test_sql_without_a_query_lists_the_views(recount: Recount):
    assert "incident_timeline" in recount.do("sql").out


def test_sql_that_writes_is_refused(recount: Recount):
    refused = recount.refused("sql", "delete from log")
    assert "SELECT" in str(refused)


def test_one_event_can_be_seen_whole(recount: Recount, played: str):
    seq = recount.do("replay", played, "--json").json["timeline"][0]["seq"]
    event = recount.do("show", "--raw", str(seq)).out
    assert '"type": "alert.fired"' in event
    assert "CheckoutLatencyHigh" in event
    assert "ends at" in recount.refused("show", "--raw", "999999").hint
    assert recount.ask("show").code == 2


def test_the_log_is_followed(recount: Recount, played: str):
    lines = recount.do("tail", "--after", "0", "-n", "3", "--json").out.splitlines()
    assert [line.startswith('{"seq":') for line in lines] == [True] * 3
    assert len(recount.do("tail", "--after", "0", "-n", "2").out.splitlines()) == 2


def test_the_views_are_rebuilt_and_verified(recount: Recount, played: str):
    assert "computed again" in recount.do("rebuild").out
    last = recount.do("rebuild", "--json").out.splitlines()[-1]
    assert '"finished":true' in last
    assert "views equal a rebuild" in recount.do("verify").out
    assert recount.do("verify", "--views", "--json").json["differences"] == []


def test_a_rebuild_shows_its_progress_in_a_terminal(platform: Platform, played: str):
    said = run_cli("rebuild", "--data", str(platform.data), FORCE_COLOR="1", COLUMNS="120")
    assert said.returncode == 0
    assert "computed again" in said.stdout
    assert "events/s" in said.stderr


def test_people_are_added_and_erased(recount: Recount, played: str):
    recount.do("people", "add", "bob", "--name", "Bob Taylor", "--contact", "console:", "--zone", "Europe/London")
    listed = {person["handle"]: person for person in recount.do("people", "list", "--json").json["people"]}
    assert listed["bob"]["name"] == "Bob Taylor"
    assert "Bob Taylor" in recount.do("people", "list").out
    assert recount.ask("people", "erase", "bob", "--reason", "asked for it").code == 1  # nobody confirmed
    recount.do("people", "erase", "bob", "--reason", "asked for it", "--yes")
    assert "Bob Taylor" not in recount.do("people", "list").out


def test_an_actor_who_is_unknown_is_refused(recount: Recount, incident: str):
    refused = recount.refused("ack", incident, "--as", "eve")
    assert "eve" in str(refused)
    assert "recount people add" in refused.hint


def test_keys_are_made_shown_once_and_revoked(recount: Recount, platform: Platform):
    made = recount.do("keys", "create", "json", "--name", "cron", "--json").json
    alert = {"title": "the nightly job failed", "severity": "warning"}
    assert platform.intake.post(f"/hooks/json/{made['secret']}", json=alert).status_code == 202
    assert made["secret"] not in recount.do("keys", "list").out
    recount.do("keys", "revoke", made["key_id"], "--reason", "test is over")
    [key] = [key for key in recount.do("keys", "list", "--json").json["keys"] if key["key_id"] == made["key_id"]]
    assert key["revoked_at"]


def test_a_key_that_lacks_a_mapping_says_so(recount: Recount):
    made = recount.do("keys", "create", "mapped", "--name", "probe")
    assert "It takes nothing until it has a mapping: recount keys update key-" in made.err
    assert "mapping" not in recount.do("keys", "create", "json", "--name", "plain").err


def test_dead_letters_are_listed_and_replayed(recount: Recount, platform: Platform):
    assert platform.intake.post(f"/hooks/json/{platform.keys['json']}", content=b"{").status_code == 400
    letters = platform.wait_for_rows("select dead_letter_id from dead_letters")
    [[identifier]] = letters
    for verb in (("dead-letters",), ("intake", "dead-letters", "list")):
        assert identifier in recount.do(*verb).out
    replayed = recount.ask("intake", "dead-letters", "replay", "all")
    assert (replayed.code, replayed.out.startswith("It failed again")) == (1, True)  # it still is not JSON
    assert "there" in str(recount.refused("dead-letters", "replay", "0123456789abcdef0123"))


def test_nothing_running_is_said_with_the_way_out(tmp_path: Path):
    said = run_cli("list", "--data", str(tmp_path / "data"))
    assert said.returncode == 1
    assert said.stderr.splitlines()[0].startswith("error: nothing is running in")
    assert said.stderr.splitlines()[1] == "hint: recount up"
    assert not said.stdout


def test_an_unknown_option_is_a_usage_error():
    assert run_cli("list", "--everything").returncode == 2


def test_a_platform_is_found_by_address_and_token(platform: Platform, tmp_path: Path):
    address = {"RECOUNT_URL": platform.url, "RECOUNT_TOKEN": platform.token}
    assert run_cli("list", "--json", cwd=tmp_path, **address).returncode == 0
    refused = run_cli("list", cwd=tmp_path, **(address | {"RECOUNT_TOKEN": "wrong"}))
    assert refused.returncode == 1
    assert "hint: " in refused.stderr
