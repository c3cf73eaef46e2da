"""The verbs about rules and silences, against a running platform."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from services.rules.rules_document import parse_rules
from tests.cli.recount import Recount

PAYLOAD = {
    "version": "4",
    "groupKey": '{}:{alertname="DiskFull"}',
    "status": "firing",
    "receiver": "recount",
    "groupLabels": {},
    "commonLabels": {},
    "commonAnnotations": {},
    "externalURL": "http://alertmanager",
    "alerts": [
        {
            "status": "firing",
            "labels": {"alertname": name, "severity": severity, "service": "cart", "cluster": cluster},
            "annotations": {},
            "startsAt": "2026-03-02T12:00:00Z",
            "endsAt": "0001-01-01T00:00:00Z",
            "generatorURL": "",
            "fingerprint": name,
        }
        for name, severity, cluster in (
            ("ClusterDown", "critical", "eu"),
            ("DiskFull", "error", "eu"),
            ("Watchdog", "critical", "us"),
        )
    ],
}


@pytest.fixture
def payload(tmp_path: Path) -> str:
    path = tmp_path / "payload.json"
    path.write_text(json.dumps(PAYLOAD))
    return str(path)


@pytest.fixture
def example(recount: Recount, tmp_path: Path) -> str:
    path = tmp_path / "rules.toml"
    path.write_text(recount.do("rules", "show", "--example").out)
    return str(path)


def test_the_example_is_in_order(recount: Recount, example: str):
    assert parse_rules(Path(example).read_text()).flapping is not None
    checked = recount.do("rules", "check", example)
    assert "is in order: 3 routes, 1 inhibition rule, 1 time interval." in checked.out.replace("\n", " ")


def test_what_is_probably_not_meant_is_noted_beside_what_is_in_order(recount: Recount, tmp_path: Path):
    path = tmp_path / "odd.toml"
    path.write_text("[services.a]\ndepends_on = ['a']\n")
    checked = recount.do("rules", "check", str(path))
    assert "is in order" in checked.out.replace("\n", " ")
    assert "Note: services depend on each other in a circle" in (checked.out + checked.err).replace("\n", " ")
    assert "circle" in recount.do("rules", "check", str(path), "--json").json["advice"][0]


def test_what_is_wrong_with_a_file_is_named_with_its_key(recount: Recount, tmp_path: Path):
    path = tmp_path / "wrong.toml"
    path.write_text('[route]\nopens_at = "high"\n')
    for verb in ("check", "publish"):
        assert "route.opens_at: expected one of critical" in str(recount.refused("rules", verb, str(path)))
    assert "cannot be read" in str(recount.refused("rules", "check", str(tmp_path / "none.toml")))


def test_a_payload_is_tried_rule_by_rule_without_writing_anything(recount: Recount, example: str, payload: str):
    tried = recount.do("rules", "try", payload, "--rules", example, "--at", "2026-03-02T12:00:00Z", "--json").json
    outcomes = {alert["title"]: alert["verdict"]["action"] for alert in tried["alerts"]}
    assert outcomes == {"ClusterDown": "place", "DiskFull": "hold", "Watchdog": "record"}
    (held,) = [alert["verdict"] for alert in tried["alerts"] if alert["title"] == "DiskFull"]
    assert (held["hold"]["because"], held["hold"]["held_by"]) == ("inhibited", "cluster down")
    shown = recount.do("rules", "try", payload, "--rules", example).out
    assert "route default/watchdog" in shown
    assert "=> only recorded at default/watchdog" in shown
    assert "1 open or join an incident, 1 held back, 1 only recorded" in shown


def test_a_payload_of_another_sender_is_refused(recount: Recount, payload: str, tmp_path: Path):
    assert "there is no sender 'nagios'" in str(recount.refused("rules", "try", payload, "--sender", "nagios"))
    broken = tmp_path / "broken.json"
    broken.write_text("{")
    assert "is no payload of alertmanager" in str(recount.refused("rules", "try", str(broken)))
    assert "say what to try" in str(recount.refused("rules", "try"))


def test_stored_alerts_and_a_stored_hour_are_tried(recount: Recount, played: str, example: str):
    rows = recount.do("sql", "select alert_key, title from alerts where occurrence > 0", "--json").json["rows"]
    key, title = rows[0]
    (tried,) = recount.do("rules", "try", "--alert", key, "--json").json["alerts"]
    assert (tried["alert_key"], tried["title"]) == (key, title)
    hour = (datetime.now(UTC) - timedelta(minutes=50)).isoformat()
    heard = recount.do("rules", "try", "--hour", hour, "--rules", example, "--json").json["alerts"]
    assert key in {alert["alert_key"] for alert in heard}
    assert recount.do("rules", "try", "--hour", "2020-01-01T00:00:00Z").out.strip() == "No alert fires there."
    assert "ever fired" in str(recount.refused("rules", "try", "--alert", "unknown"))


def test_rules_are_published_once_and_read_as_of_any_position(recount: Recount, example: str):
    assert "These rules decide from now on." in recount.do("rules", "publish", example, "--note", "a start").out
    assert "nothing to change" in recount.do("rules", "publish", example).out
    shown = recount.do("rules", "show", "--json").json
    assert (shown["text"], shown["note"]) == (Path(example).read_text(), "a start")
    before = recount.do("rules", "show", "--as-of", str(shown["rules_seq"] - 1), "--json").json
    assert before["rules_seq"] == 0
    empty = Path(example).with_name("empty.toml")
    empty.write_text("")
    recount.do("rules", "publish", str(empty))


def test_a_silence_is_made_prolonged_and_ended(recount: Recount):
    made = recount.do(
        *("silences", "create", "service=nowhere", 'team=~"a|b"', "--for", "2h", "--reason", "moving", "--as", "ada"),
        "--json",
    ).json
    silence = made["target"]
    listed = recount.do("silences", "list")
    assert silence in listed.out
    assert 'service="nowhere", team=~"a|b"' in listed.out
    assert "silences until" in recount.do("silences", "change", silence, "--for", "3h").out
    assert "has ended" in recount.do("silences", "end", silence, "--reason", "done").out
    assert silence not in recount.do("silences", "list").out
    assert silence in recount.do("silences", "list", "--all").out
    assert silence in recount.do("silences", "list", "--as-of", str(made["seq"])).out
    refused = recount.refused("silences", "create", "service=a", "--for", "2 hours", "--reason", "moving")
    assert "expected a duration" in str(refused)
    refused = recount.refused("silences", "create", "team!=a", "--for", "2h", "--reason", "moving")
    assert "it would hold back every alert" in str(refused)
