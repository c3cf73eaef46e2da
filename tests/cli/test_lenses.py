"""Reading through a lens on the command line, what changed between two, and answers as files."""

from pathlib import Path

import pyarrow.ipc
import pyarrow.parquet
import pytest

from tests.cli.recount import Recount


@pytest.fixture
def then(recount: Recount, incident: str) -> str:
    """A log position after which the incident became worse."""
    position = recount.do("replay", incident, "--json").json["as_of"]
    recount.do("severity", incident, "sev1", "--reason", "all regions")
    return str(position)


@pytest.fixture
def incident(recount: Recount, played: str) -> str:
    return str(recount.do("declare", "payments fail", "--severity", "sev2", "--as", "ada", "--json").json["target"])


@pytest.mark.parametrize(
    "verb",
    [
        ("list", "--all"),
        ("show", "{incident}"),
        ("replay", "{incident}"),
        ("postmortem", "{incident}"),
        ("oncall",),
        ("work",),
        ("sql", "select count(*) from incidents"),
        ("keys", "list"),
        ("changes", "list"),
        ("dead-letters", "list"),
        ("action", "list"),
    ],
    ids=lambda verb: verb[0],
)
def test_every_verb_that_reads_takes_a_lens(recount: Recount, incident: str, then: str, verb: tuple[str, ...]):
    asked = [word.format(incident=incident) for word in verb]
    moment = recount.do("replay", incident, "--json").json["recorded_at"]
    recount.do(*asked, "--as-of", then, "--happened-by", moment, "--known-by", moment)
    for option, text in (("--as-of", "999999999"), ("--happened-by", "12"), ("--known-by", "9999-01-01")):
        refused = recount.refused(*asked, option, text)
        assert text in str(refused)
        assert refused.hint


def test_both_clocks(recount: Recount, played: str):
    noon = "2026-01-05T12:00:00Z"
    recount.do("declare", "seen by the night shift", "--at", noon)
    title = "seen by the night shift"
    assert title in recount.do("list", "--happened-by", "2026-01-05T12:01").out
    assert title not in recount.do("list", "--happened-by", "2026-01-05T11:59").out
    # Nobody knew then.
    assert title not in recount.do("list", "--as-of", "2026-01-05T12:01").out
    assert title not in recount.do("list", "--as-of", "2026-01-05T12:01", "--happened-by", "2026-01-05T12:01").out


def test_the_past_of_an_incident_is_shown(recount: Recount, incident: str, then: str):
    assert "sev1" in recount.do("show", incident).out
    assert "sev1" not in recount.do("show", incident, "--as-of", then).out
    assert recount.ask("show", "--raw", "1", "--as-of", then).code == 2


def test_who_is_on_call_and_what_waits(recount: Recount, incident: str):
    told = recount.do("oncall")
    assert "Ada Lovelace" in told.out or "Grace Hopper" in told.out or "nobody" in told.out.lower()
    assert recount.do("oncall", "--json").json["policies"]
    assert incident in recount.do("work").out
    assert "Nothing waits" in recount.do("work", "--as-of", "1").out


def test_what_changed_is_told_with_its_cause(recount: Recount, incident: str, then: str):
    told = recount.do("diff", "--from", then, "--incident", incident).out
    positions = [text.split()[0] for text in told.partition("\nposition ")[2].splitlines()[1:]]
    assert positions, "the events stand beneath"
    assert len(positions) == len(set(positions)), "each once, however many rows it changed"
    assert "incidents: 1 changed" in told
    assert f"~ {incident}" in told
    assert "severity: sev2 → sev1" in told
    assert "all regions" in told
    assert "Nothing that is stored differs" in recount.do("diff", "--from", then, "--to", then).out
    [view] = recount.do("diff", "--from", then, "--view", "incidents", "--json").json["views"]
    assert view["view"] == "incidents"
    assert recount.refused("diff", "--from", then, "--view", "nonsense").hint
    assert recount.refused("diff", "--from", "yesterday").hint


def test_a_long_title_is_shortened_in_a_list_and_whole_elsewhere(recount: Recount, played: str):
    title = "payments fail in " + "every single region of the world and " * 5 + "beyond"
    incident = recount.do("declare", title, "--json").json["target"]
    [line] = [line for line in recount.do("list").out.splitlines() if line.startswith(f"{incident} ")]
    assert line.endswith("…")
    assert title[:60] in line
    assert title in recount.do("show", incident).out


def test_an_unknown_phase_is_refused_with_those_that_there_are(recount: Recount, played: str):
    refused = recount.refused("list", "--phase", "stuck")
    assert "stuck" in str(refused)
    assert "eradicated" in str(refused)


def test_views_are_listed_down_to_their_columns(recount: Recount, played: str):
    listed = recount.do("views").out
    assert "incident_timeline" in listed
    assert "incident_declared" not in listed
    assert "incident_declared" in recount.do("views", "--all").out
    one = recount.do("views", "alerts").out
    assert "firing, acknowledged or cleared." in one
    assert "key: alert_key" in one
    [state] = [
        column for column in recount.do("views", "alerts", "--json").json["columns"] if column["name"] == "state"
    ]
    assert state == {"name": "state", "type": "VARCHAR", "meaning": "firing, acknowledged or cleared."}
    assert "incidents" in recount.refused("views", "incident").hint


def test_an_answer_is_written_into_a_file(recount: Recount, incident: str, tmp_path: Path):
    sql = f"select incident_id, severity from incidents where incident_id = '{incident}'"
    expected = [{"incident_id": incident, "severity": "sev2"}]
    for answer_format in ("arrow", "parquet", "csv", "json"):
        file = tmp_path / f"answer.{answer_format}"
        said = recount.do("sql", sql, "--format", answer_format, "--output", str(file))
        assert str(file) in said.err
    assert pyarrow.ipc.open_stream((tmp_path / "answer.arrow").read_bytes()).read_all().to_pylist() == expected
    assert pyarrow.parquet.read_table(tmp_path / "answer.parquet").to_pylist() == expected
    assert (tmp_path / "answer.csv").read_text().splitlines() == ["incident_id,severity", f"{incident},sev2"]
    assert incident in (tmp_path / "answer.json").read_text()
    assert {path.name for path in tmp_path.iterdir()} == {
        f"answer.{kind}" for kind in ("arrow", "parquet", "csv", "json")
    }


def test_a_file_that_cannot_be_written_is_told(recount: Recount, played: str, tmp_path: Path):
    nowhere = tmp_path / "missing" / "answer.parquet"
    refused = recount.refused("sql", "select 1", "--format", "parquet", "--output", str(nowhere))
    assert str(nowhere) in str(refused)
    wrong = tmp_path / "answer.parquet"
    recount.refused("sql", "select nonsense", "--format", "parquet", "--output", str(wrong))
    assert list(tmp_path.iterdir()) == []
    assert recount.ask("sql", "select 1", "--output", str(wrong)).code == 2
    assert recount.ask("sql", "select 1", "--csv", "--format", "arrow").code == 2
