"""``recount up``: the whole platform on this machine, until SIGTERM or Ctrl-C."""

import asyncio
import logging
import sys
from typing import TYPE_CHECKING, Annotated

import msgspec
import typer

from services.cli.client import shown
from services.cli.console import DATA_DEFAULT, DataOption, JsonOption, note, say, show_json
from services.cli.run import (
    HTTP_DEFAULT,
    INTAKE_DEFAULT,
    POSTGRES_DEFAULT,
    HttpOption,
    IntakeOption,
    PostgresOption,
)

if TYPE_CHECKING:
    from services.supervisor.platform import Announcement

FIRST_ALERT = {"title": "checkout is down", "severity": "critical", "service": "checkout", "key": "checkout-down"}


def register(app: typer.Typer) -> None:
    """Add the verb."""

    @app.command()
    def up(
        data: DataOption = DATA_DEFAULT,
        http: HttpOption = HTTP_DEFAULT,
        intake: IntakeOption = INTAKE_DEFAULT,
        postgres: PostgresOption = POSTGRES_DEFAULT,
        nats_port: Annotated[int, typer.Option("--nats-port", help="Port of the NATS server; 0 takes a free one.")] = 0,
        as_json: JsonOption = False,
    ) -> None:
        """Start Recount here: NATS server, actors and readers. Ctrl-C stops it in order."""
        # Imported here, because every verb loads every file of this folder.
        from services.supervisor.http_door import parse_address
        from services.supervisor.platform import PlatformOptions, run_platform

        logging.basicConfig(
            level=logging.WARNING, format="%(asctime)s %(levelname)s up: %(message)s", stream=sys.stderr
        )
        options = PlatformOptions(
            data=data,
            http=parse_address(http, "--http"),
            intake=parse_address(intake, "--intake"),
            postgres=parse_address(postgres, "--postgres"),
            nats_port=nats_port,
        )
        note(f"Starting Recount in {shown(data)} …")
        asyncio.run(run_platform(options, show_json if as_json else _show))
        note("Stopped; nothing was lost.")


def _show(announcement: "Announcement") -> None:
    alert = msgspec.json.encode(FIRST_ALERT).decode()
    say("")
    say(f"Recount is up: {announcement.url}")
    say(f"  token         {announcement.token}")
    say(f"  alerts go to  {announcement.intake_url}")
    for source, path in _paths(announcement).items():
        say(f"    {source:<13} {path}")
    producer = announcement.producer
    if announcement.postgres:
        say(f"  SQL           {announcement.postgres} (recount sql-users add NAME)")
    say(f"  NATS          {announcement.nats} (user {producer.user}, password {producer.password})")
    say("")
    say("A first alert:")
    say(
        f"  curl -X POST {announcement.intake_url}/hooks/json/{announcement.keys['json']} "
        f"-H 'Content-Type: application/json' -d '{alert}'"
    )
    say("")


def _paths(announcement: "Announcement") -> dict[str, str]:
    keys = announcement.keys
    return {
        "Alertmanager": f"/hooks/alertmanager/{keys['alertmanager']}",
        "PagerDuty": f"/v2/enqueue with routing_key {keys['pagerduty']}",
        "CloudEvents": f"/hooks/cloudevents/{keys['cloudevents']}",
        "JSON": f"/hooks/json/{keys['json']}",
    }
