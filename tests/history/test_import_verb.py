"""``recount import`` against a whole platform."""

import json
import signal
import subprocess
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.history.feed import feed, reached, state
from tests.platform import ROOT, Platform, environment, run_cli, running_platform, wait_until

MONDAY = "2026-03-02T12:00:00Z"


@pytest.fixture(scope="module")
def platform(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Platform]:
    """One platform for all of these."""
    with running_platform(tmp_path_factory.mktemp("platform")) as running:
        yield running


def write(file: Path, lines: Iterable[Any]) -> str:
    """A file of JSON lines; returns its name."""
    file.write_text("".join((line if isinstance(line, str) else json.dumps(line)) + "\n" for line in lines))
    return str(file)


def many(system: str, count: int) -> Iterator[dict[str, Any]]:
    """Incidents that were over in a quarter of an hour each."""
    for number in range(count):
        hour = f"2026-02-{1 + number % 28:02}T{number % 24:02}"
        steps = [("detected", 0), ("declared", 5), ("contained", 10), ("resolved", 15)]
        milestones = [reached(name, f"{hour}:{minute:02}:00Z") for name, minute in steps]
        yield state(f"{system}-{number}", MONDAY, title=f"{number}", severity="sev3", milestones=milestones) | {
            "system": system
        }


def test_a_feed_is_imported_once(platform: Platform, tmp_path: Path):
    file = write(tmp_path / "feed.jsonl", feed())
    said = platform.cli("import", file).stdout
    assert said.startswith("42 facts about 2 incidents were written in ")
    assert "8 states taken over, 0 known already." in said
    platform.wait_until_healthy()
    position = platform.rows("select max(seq) from log")
    assert "0 facts about 2 incidents were written" in platform.cli("import", file).stdout
    platform.wait_until_healthy()
    # The only thing that may have been recorded meanwhile is not about incidents.
    assert platform.rows(
        f"select count(*) from log where category in ('incident', 'import') and seq > {position[0][0]}"
    ) == [[0]]
    sources = platform.rows("select distinct source from log where category = 'incident'")
    assert sources == [["import/statuspage"]]
    assert platform.rows("select count(*) from log where category in ('escalation', 'page')") == [[0]]


def test_a_dry_run_says_what_would_be_written_and_writes_nothing(platform: Platform, tmp_path: Path):
    file = write(tmp_path / "dry.jsonl", many("dry", 2))
    said = platform.cli("import", file, "--dry-run").stdout
    assert f"line 1: dry-0 of dry, as known at {MONDAY.replace('Z', '+00:00')}\n  opened for triage: 0\n" in said
    assert "8 facts about 2 incidents would be written" in said
    platform.wait_until_healthy()
    assert platform.rows("select count(*) from log where source = 'import/dry'") == [[0]]


def test_a_bad_line_stops_it_before_anything_is_written(platform: Platform, tmp_path: Path):
    file = write(tmp_path / "bad.jsonl", [*many("bad", 2), "nonsense", state("x", "2026-03-02T12:00:00")])
    done = platform.cli("import", file, check=False)
    assert done.returncode == 1
    assert f"{file}, line 3, $: JSON is malformed" in done.stderr
    assert f"{file}, line 4, $.known_at: Expected `datetime` with a timezone component" in done.stderr
    assert "error:" in done.stderr
    assert "hint: Mend them, or use --skip-bad to leave them out." in done.stderr
    platform.wait_until_healthy()
    assert platform.rows("select count(*) from log where source = 'import/bad'") == [[0]]


def test_bad_lines_are_skipped_into_a_report(platform: Platform, tmp_path: Path):
    lines = [*many("skip", 2), "nonsense", state("x", MONDAY) | {"system": "skip"}]
    file = write(tmp_path / "skip.jsonl", lines)
    done = platform.cli("import", file, "--skip-bad")
    assert "8 facts about 2 incidents were written" in done.stdout
    report = Path(f"{file}.refused.jsonl")
    assert f"2 were refused; {report} says which and why." in done.stderr.replace("\n", " ")
    refused = [json.loads(line) for line in report.read_text().splitlines()]
    assert [(one["line"], one["path"]) for one in refused] == [(3, "$"), (4, "$.title")]
    assert refused[0]["text"] == "nonsense"


def test_a_refusal_of_the_platform_names_the_line(platform: Platform, tmp_path: Path):
    file = write(tmp_path / "early.jsonl", [*many("early", 1), state("x", MONDAY) | {"system": "early"}])
    done = platform.cli("import", file, check=False)
    assert done.returncode == 1
    assert f"{file}, line 2, $.title: it is missing" in done.stderr
    assert "What came before it is there; import the whole file again" in done.stderr


def test_json_for_programs(platform: Platform, tmp_path: Path):
    file = write(tmp_path / "json.jsonl", many("json", 2))
    *each, last = [json.loads(line) for line in platform.cli("import", file, "--json").stdout.splitlines()]
    assert [(one["line"], one["id"], one["facts"]) for one in each] == [(1, "json-0", 4), (2, "json-1", 4)]
    assert (last["finished"], last["taken"], last["facts"], last["incidents"]) == (True, 2, 8, 2)


def test_lines_come_from_the_standard_input(platform: Platform):
    lines = "".join(json.dumps(line) + "\n" for line in many("stdin", 2))
    command = [sys.executable, "-m", "services.cli", "import", "-", "--data", str(platform.data)]
    done = subprocess.run(command, input=lines, capture_output=True, text=True, env=environment(), cwd=ROOT, check=True)
    assert "8 facts about 2 incidents were written" in done.stdout


def test_an_import_that_was_killed_goes_on_and_writes_nothing_twice(platform: Platform, tmp_path: Path):
    file = write(tmp_path / "killed.jsonl", many("killed", 1_500))
    command = [sys.executable, "-m", "services.cli", "import", file, "--data", str(platform.data)]
    running = subprocess.Popen(
        command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=environment(), cwd=ROOT
    )
    taken = "select count(*) from import_taken where system = 'killed'"
    wait_until(lambda: platform.rows(taken)[0][0] > 0, "the first states to be taken over")
    running.send_signal(signal.SIGKILL)
    running.wait()
    platform.wait_until_healthy()
    before = platform.rows(taken)[0][0]
    assert 0 < before < 1_500, "it was killed too late to show anything"
    said = platform.cli("import", file).stdout
    assert f"{1_500 - before:,} states taken over, {before:,} known already." in said
    platform.wait_until_healthy()
    assert platform.rows(taken) == [[1_500]]
    [[facts, incidents]] = platform.rows(
        "select count(*), count(distinct stream) from log where category = 'incident' and source = 'import/killed'"
    )
    assert (facts, incidents) == (6_000, 1_500)


def test_the_actors_may_be_killed_meanwhile(platform: Platform, tmp_path: Path):
    file = write(tmp_path / "actors.jsonl", many("actors", 600))
    command = [sys.executable, "-m", "services.cli", "import", file, "--data", str(platform.data)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment(), cwd=ROOT) as running:
        taken = "select count(*) from import_taken where system = 'actors'"
        wait_until(lambda: platform.rows(taken)[0][0] > 0, "the first states to be taken over")
        former = platform.kill("actors")
        said, _errors = running.communicate(timeout=90)
    assert running.returncode == 0
    assert "about 600 incidents were written" in said
    platform.wait_until_restarted("actors", former)
    platform.wait_until_healthy()
    assert platform.rows("select count(*) from log where source = 'import/actors' and category = 'incident'") == [
        [2_400]
    ]


def test_somebody_whose_handle_it_names_is_that_person(platform: Platform, tmp_path: Path):
    platform.cli("people", "add", "ada", "--name", "Ada Lovelace")
    platform.wait_for_rows("select * from people where handle = 'ada'")
    [line] = many("people", 1)
    roles = [{"role": "commander", "person": "ada", "start": MONDAY}]
    platform.cli("import", write(tmp_path / "people.jsonl", [line | {"roles": roles}]))
    rows = platform.wait_for_rows(
        "select handle from incidents join people on person_id = commander where title = '0' and handle is not null"
    )
    assert rows == [["ada"]]


def test_only_an_administrator_may_import(platform: Platform):
    answer = httpx.post(f"{platform.url}/api/import", json={"snapshots": []})
    assert answer.status_code == 401
    answer = platform.http.post("/api/import", json={"snapshots": [{"system": "x"}]})
    assert answer.status_code == 400
    assert "$.snapshots[0]" in answer.json()["because"]


def test_the_schema_needs_no_platform(tmp_path: Path):
    done = run_cli("import", "--schema", "--data", str(tmp_path / "nothing"))
    assert json.loads(done.stdout)["title"] == "One line of an incident history"


def test_a_file_that_is_not_there(tmp_path: Path):
    done = run_cli("import", str(tmp_path / "nowhere.jsonl"), "--data", str(tmp_path))
    assert done.returncode == 1
    assert "nowhere.jsonl cannot be read: No such file or directory" in done.stderr
