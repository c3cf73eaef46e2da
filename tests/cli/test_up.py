"""`recount up`: what it says, whom it refuses, how it stops, and what it survives."""

import json
import os
import signal
import socket
import stat
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from events.ids import incident_number
from services.running import read_running
from services.secrets import hash_secret
from tests.platform import Platform, is_alive, run_cli, running_platform, spawn_up, start_platform, wait_until

ROOT = Path(__file__).resolve().parents[2]
SETTINGS = """
[people.ada]
name = "Ada Lovelace"
contacts = ["console:"]
[rotations.primary]
zone = "Europe/London"
starts_at = 2026-01-05T09:00:00
shift_days = 7
members = ["ada"]
[policies.default]
levels = [{ targets = ["rotation.primary"], answer_within_s = 300 }]
"""


@pytest.fixture(scope="module")
def platform(tmp_path_factory: pytest.TempPathFactory):
    with running_platform(tmp_path_factory.mktemp("up"), settings=SETTINGS) as platform:
        yield platform


def test_an_alert_becomes_an_incident_and_a_page(platform: Platform):
    assert platform.fire().status_code == 202
    [[incident_id, service]] = platform.wait_for_rows("select incident_id, service from incidents")
    assert (incident_number(incident_id), service) == (1, "checkout")
    platform.wait_for_rows("select * from pages where state in ('sent', 'attempted', 'requested')")


def test_people_of_the_configuration_are_there_when_it_is_up(platform: Platform):
    assert platform.rows("select handle, name from people") == [["ada", "Ada Lovelace"]]


def test_secrets_are_for_their_owner_and_the_log_holds_hashes(platform: Platform):
    secrets = platform.data / "secrets.json"
    assert stat.S_IMODE(secrets.stat().st_mode) == 0o600
    rows = platform.rows("select secret_sha256 from key_created union all select secret_sha256 from token_created")
    stored = {sha256 for (sha256,) in rows}
    assert stored == {hash_secret(secret) for secret in (platform.token, *platform.keys.values())}
    assert platform.token not in json.dumps(platform.rows("select cast(data as varchar) from log"))
    assert len(platform.keys["pagerduty"]) == 32


def test_what_it_writes_is_for_its_owner_only(platform: Platform):
    folders = [platform.data / name for name in ("warehouse", "logs", "nats", "people")]
    assert {stat.S_IMODE(folder.stat().st_mode) for folder in folders} == {0o700}
    files = [path for name in ("warehouse", "logs") for path in (platform.data / name).iterdir()]
    assert {path.name: oct(stat.S_IMODE(path.stat().st_mode)) for path in files} == {
        path.name: oct(0o600) for path in files
    }


def test_the_log_of_a_process_names_people_by_their_handle_only(platform: Platform):
    log = (platform.data / "logs" / "actors.log").read_text()
    assert "people.ada holds now" in log
    assert "Lovelace" not in log


def test_each_process_says_that_it_started(platform: Platform):
    started = platform.rows("select process from system_started order by 1")
    assert started == [["actors"], ["readers"]]


def test_a_second_one_on_the_same_folder_is_refused_and_told_of_the_first(platform: Platform):
    second = run_cli("up", "--data", str(platform.data), "--http", "127.0.0.1:0", "--intake", "127.0.0.1:0")
    assert second.returncode == 1
    assert str(platform.process.pid) in second.stderr
    assert platform.url in second.stderr
    assert "hint: " in second.stderr
    assert "Traceback" not in second.stderr


def test_a_port_in_use_is_named(tmp_path: Path):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        refused = run_cli("up", "--data", str(tmp_path / "data"), "--http", f"127.0.0.1:{port}")
    assert refused.returncode == 1
    assert f"port {port} on 127.0.0.1 is in use" in refused.stderr
    assert "--http" in refused.stderr


@pytest.mark.parametrize("intake", ["127.0.0.1:8080", "localhost:8080", "0.0.0.0:8080"])
def test_one_address_for_both_doors_is_refused_before_anything_starts(tmp_path: Path, intake: str):
    refused = run_cli("up", "--data", str(tmp_path / "data"), "--http", "127.0.0.1:8080", "--intake", intake)
    assert refused.returncode == 1
    assert f"--http 127.0.0.1:8080 and --intake {intake} are the same address" in refused.stderr
    assert "hint: " in refused.stderr
    assert not (tmp_path / "data").exists()


@pytest.mark.parametrize("verb", [("up",), ("run", "actors"), ("init",)])
def test_a_data_folder_that_is_a_file_is_refused(tmp_path: Path, verb: tuple[str, ...]):
    (tmp_path / "data").touch()
    refused = run_cli(*verb, "--data", str(tmp_path / "data"))
    assert refused.returncode == 1
    assert "/data is a file" in refused.stderr.replace("\n", "")
    assert "hint: Choose a folder with --data DIR." in refused.stderr


def test_a_data_folder_that_cannot_be_made_is_refused():
    refused = run_cli("up", "--data", "/proc/recount")  # not even root makes one there
    assert refused.returncode == 1
    assert "the data folder /proc/recount cannot be made" in refused.stderr
    assert "hint: Choose another with --data DIR" in refused.stderr


LOOK_AS_NOBODY = """
import os, sys, pathlib
from services.supervisor.data_folder import prepare_folder
if os.geteuid() == 0:
    os.setuid(65534)  # root may write everywhere
prepare_folder(pathlib.Path(sys.argv[1]))
"""


def test_a_data_folder_that_is_not_writable_is_refused():
    with TemporaryDirectory() as folder:
        Path(folder).chmod(0o555)
        refused = subprocess.run(
            [sys.executable, "-c", LOOK_AS_NOBODY, folder], cwd=ROOT, capture_output=True, text=True, timeout=30
        )
        assert f"the data folder {folder} is not writable by this user" in refused.stderr


def test_a_wrong_address_is_explained(tmp_path: Path):
    refused = run_cli("up", "--data", str(tmp_path / "data"), "--http", "checkout")
    assert refused.returncode == 1
    assert "--http checkout: not an address" in refused.stderr


def test_a_misspelt_setting_is_told_before_anything_starts(tmp_path: Path):
    (tmp_path / "recount.toml").write_text('publik_url = "http://recount.example.org"\n')
    refused = run_cli("up", "--data", str(tmp_path), "--http", "127.0.0.1:0", "--intake", "127.0.0.1:0")
    assert refused.returncode == 1
    assert "publik_url: unknown setting; did you mean public_url?" in refused.stderr


@pytest.mark.parametrize("child", ["nats", "actors", "readers"])
def test_a_child_that_is_killed_comes_back_and_nothing_is_missing(platform: Platform, child: str):
    former = platform.kill(child)
    platform.wait_until_restarted(child, former)
    platform.wait_until_healthy()
    title = f"checkout after {child}"
    assert platform.fire(title, key=title).is_success
    platform.wait_for_rows(f"select * from alerts where title = '{title}'")


def test_it_stops_in_order_and_starts_again_with_everything(tmp_path: Path):
    first = start_platform(tmp_path)
    pids = first.pids
    assert first.fire().status_code == 202
    assert first.stop() == 0
    assert not any(map(is_alive, pids.values()))
    assert read_running(first.data) is None
    with running_platform(tmp_path) as second:
        assert (second.token, second.keys) == (first.token, first.keys)
        second.wait_for_rows("select * from incidents")
        order = second.rows("select process from system_stopped order by seq")
        assert order == [["actors"], ["readers"]]
        assert second.rows("select count(*) from log where type in ('key.created', 'token.created')") == [[5]]


def test_killing_it_leaves_no_child_and_it_starts_again(tmp_path: Path):
    first = start_platform(tmp_path)
    pids = first.pids
    assert first.fire().status_code == 202
    os.kill(first.process.pid, signal.SIGKILL)
    first.stop()
    wait_until(lambda: not any(map(is_alive, pids.values())), "the children to end")
    with running_platform(tmp_path) as second:
        second.wait_for_rows("select * from incidents")


def test_stopping_it_while_it_starts_leaves_nothing_behind(tmp_path: Path):
    process = spawn_up(tmp_path)
    wait_until(lambda: "actors" in pids_of(tmp_path / "data"), "the actors to be started", deadline_s=60)
    pids = pids_of(tmp_path / "data")
    process.send_signal(signal.SIGTERM)
    assert process.wait(60) == 0
    assert process.stdout is not None
    with process.stdout:
        assert process.stdout.read() == ""
    assert not any(map(is_alive, pids.values()))
    assert read_running(tmp_path / "data") is None


def pids_of(data: Path) -> dict[str, int]:
    try:
        return {name: pid for name, pid in json.loads((data / "run.json").read_text())["pids"].items() if pid}
    except FileNotFoundError:
        return {}
