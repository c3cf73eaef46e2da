"""docker-compose.yml and the Dockerfile, without an engine: they are parsed, and their commands are run by hand."""

import os
import re
import shlex
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest
import typer.main
import yaml

from services.cli.__main__ import build_app
from services.secrets import load_secrets
from services.supervisor.nats_server import find_binary, free_port
from services.supervisor.roles import ACTORS, ROLES
from tests.platform import ROOT, STOP_TIMEOUT_S, environment, run_cli, wait_until

COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
DOCKERFILE = (ROOT / "Dockerfile").read_text()
OURS = sorted(name for name in SERVICES if name != "nats")
LONG_RUNNING = sorted(name for name in OURS if name != "init")


@pytest.mark.parametrize("name", OURS)
def test_each_command_is_one_of_the_command_line(name: str):
    verb, *arguments = SERVICES[name]["command"]
    command = typer.main.get_group(build_app()).commands[verb]
    context = command.make_context(verb, list(arguments))
    assert context.params.get("process", "actors") in ROLES


def test_the_image_brings_up_everything_when_it_is_given_no_command():
    assert re.search(r'^ENTRYPOINT \["recount"\]$', DOCKERFILE, re.MULTILINE)
    assert re.search(r'^CMD \["up"\]$', DOCKERFILE, re.MULTILINE)


def test_the_image_holds_every_package():
    assert set(re.findall(r"^COPY (\w+) \1$", DOCKERFILE, re.MULTILINE)) == {"events", "projections", "services"}
    ignored = (ROOT / ".dockerignore").read_text().splitlines()
    for copied in re.findall(r"^COPY (?!--from)(.+) \S+$", DOCKERFILE, re.MULTILINE):
        for path in copied.split():
            assert f"!{path}" in ignored, f".dockerignore keeps {path} from the image"


@pytest.mark.parametrize("name", OURS)
def test_ours_is_not_root_and_writes_only_to_its_volume(name: str):
    service = SERVICES[name]
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert "user" not in service  # the image's own
    assert "USER 10001:10001" in DOCKERFILE
    assert SERVICES["nats"]["user"] == "10001:10001"  # who may read the configuration that `init` wrote


def test_every_volume_is_declared_and_every_declared_one_used():
    used = {volume.partition(":")[0] for service in SERVICES.values() for volume in service["volumes"]}
    assert used == set(COMPOSE["volumes"])


def test_the_server_reads_the_configuration_where_init_writes_it():
    assert SERVICES["nats"]["command"] == ["-c", "/data/nats/nats.conf"]
    assert "nats:/data/nats" in SERVICES["nats"]["volumes"]
    assert "nats:/data/nats" in SERVICES["init"]["volumes"]
    assert SERVICES["nats"]["depends_on"]["init"]["condition"] == "service_completed_successfully"


def test_what_has_a_port_has_a_health_check_and_everything_waits_for_the_log():
    for name in ("nats", "actors", "intake", "readers"):
        assert SERVICES[name]["healthcheck"]["test"][0] == "CMD"
    for name in LONG_RUNNING:
        assert SERVICES[name]["depends_on"]["nats"]["condition"] == "service_healthy"


def test_published_ports_are_the_ones_that_the_processes_listen_on():
    listening = dict(re.findall(r"RECOUNT_(HTTP|INTAKE|POSTGRES)=0\.0\.0\.0:(\d+)", DOCKERFILE))
    published = {"actors": ["INTAKE"], "intake": ["INTAKE"], "readers": ["HTTP", "POSTGRES"]}
    for name, variables in published.items():
        for port, variable in zip(SERVICES[name]["ports"], variables, strict=True):
            assert port.endswith(f":{listening[variable]}:{listening[variable]}")
        assert f":{listening[variables[0]]}/healthz" in SERVICES[name]["healthcheck"]["test"][-1]


def test_the_split_profile_runs_every_service_of_the_actors():
    split = {SERVICES[name]["command"][1] for name in OURS if SERVICES[name].get("profiles") == ["split"]}
    assert split == set(ACTORS)


def test_its_commands_carry_an_alert_from_intake_to_sql_one_service_a_process(tmp_path: Path):
    data = tmp_path / "data"
    ports = {"nats": free_port(), "http": free_port(), "intake": free_port()}
    made = run_cli(*_by_hand(SERVICES["init"]["command"], data, ports), "--data", str(data))
    assert made.returncode == 0, made.stderr
    # The server's health check has a port of its own, which other tests may want too.
    config = data / "nats" / "nats.conf"
    config.write_text(config.read_text().replace("0.0.0.0:8222", f"127.0.0.1:{free_port()}"))
    secrets = load_secrets(data)
    with _running(tmp_path, [str(find_binary()), *_by_hand(SERVICES["nats"]["command"], data, ports)], {}):
        variables = {
            "RECOUNT_NATS_URL": f"nats://127.0.0.1:{ports['nats']}",
            "RECOUNT_DATA": str(data),
            "RECOUNT_HTTP": f"127.0.0.1:{ports['http']}",
            "RECOUNT_INTAKE": f"127.0.0.1:{ports['intake']}",
            "RECOUNT_POSTGRES": "127.0.0.1:0",
        }
        commands = [SERVICES[name]["command"] for name in (*ACTORS, "readers")]
        with _all_running(tmp_path, commands, variables):
            intake, web = (f"http://127.0.0.1:{ports[name]}" for name in ("intake", "http"))
            wait_until(lambda: _is_well(intake) and _is_well(web), "intake and the web", deadline_s=90)
            alert = {"title": "checkout is down", "severity": "critical", "service": "checkout"}
            assert httpx.post(f"{intake}/hooks/json/{secrets.keys['json'].secret}", json=alert).status_code == 202
            bearer = {"Authorization": f"Bearer {secrets.admin_token.secret}"}

            def incidents() -> list[Any]:
                answer = httpx.get(f"{web}/api/incidents", headers=bearer, timeout=30)
                return msgspec.json.decode(answer.content)["incidents"]

            def started() -> set[str]:
                question = {"sql": "select distinct process from system_started"}
                answer = httpx.post(f"{web}/api/sql", json=question, headers=bearer, timeout=30)
                return {row[0] for row in msgspec.json.decode(answer.content)["rows"]}

            wait_until(lambda: len(incidents()) == 1, "one incident")
            # One that still imports its modules ends at once when it is told to stop, and not in order.
            wait_until(lambda: started() >= set(ACTORS), "every service to have started", deadline_s=90)


def _by_hand(command: list[str], data: Path, ports: dict[str, int]) -> list[str]:
    """A command of a container, with paths and addresses of this machine."""
    line = shlex.join(command).replace("/data/nats", str(data / "nats"))
    return shlex.split(line.replace("0.0.0.0:4222", f"127.0.0.1:{ports['nats']}"))


@contextmanager
def _all_running(folder: Path, commands: list[list[str]], variables: dict[str, str]) -> Iterator[None]:
    if not commands:
        yield
        return
    first, *others = commands
    with (
        _running(folder, [sys.executable, "-m", "services.cli", *first], variables),
        _all_running(folder, others, variables),
    ):
        yield


@contextmanager
def _running(folder: Path, command: list[str], variables: dict[str, str]) -> Iterator[None]:
    with (folder / "output").open("ab") as output:
        process = subprocess.Popen(
            command, stdout=output, stderr=output, cwd=folder, env=environment() | variables, stdin=subprocess.DEVNULL
        )
    try:
        yield
    finally:
        os.kill(process.pid, signal.SIGTERM)
        code = process.wait(STOP_TIMEOUT_S)
        assert code == 0, (folder / "output").read_text()


def _is_well(url: str) -> bool:
    try:
        return httpx.get(f"{url}/healthz", timeout=5).is_success
    except httpx.HTTPError:
        return False
