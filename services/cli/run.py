"""``recount run``: one process, in the foreground. `recount up` runs them all; a container runs one."""

import asyncio
from pathlib import Path
from typing import Annotated

import typer

from events import RecountError
from services.cli.console import DATA_DEFAULT, DataOption
from services.supervisor.roles import ROLES

HTTP_DEFAULT = "127.0.0.1:8080"
INTAKE_DEFAULT = "127.0.0.1:8081"
POSTGRES_DEFAULT = "127.0.0.1:8082"

HttpOption = Annotated[
    str, typer.Option("--http", metavar="HOST:PORT", envvar="RECOUNT_HTTP", help="Where the web and its API listen.")
]
IntakeOption = Annotated[
    str, typer.Option("--intake", metavar="HOST:PORT", envvar="RECOUNT_INTAKE", help="Where alerts are received.")
]
PostgresOption = Annotated[
    str,
    typer.Option(
        "--postgres", metavar="HOST:PORT", envvar="RECOUNT_POSTGRES", help="Where SQL is answered to BI tools."
    ),
]


def register(app: typer.Typer) -> None:
    """Add the verb."""

    @app.command()
    def run(
        process: Annotated[str, typer.Argument(help=f"One of {', '.join(ROLES)}.")],
        data: DataOption = DATA_DEFAULT,
        http: HttpOption = HTTP_DEFAULT,
        intake: IntakeOption = INTAKE_DEFAULT,
        postgres: PostgresOption = POSTGRES_DEFAULT,
        nats: Annotated[
            str, typer.Option("--nats", metavar="URL", help="The NATS server; RECOUNT_NATS_URL when left out.")
        ] = "",
    ) -> None:
        """Run one process: actors, readers, or a single service of the actors."""
        # Imported here, because every verb loads every file of this folder and this one needs everything.
        import uvloop

        from services.supervisor.http_door import parse_address
        from services.supervisor.process import ProcessOptions, run_process

        if process not in ROLES:
            raise RecountError(f"there is no process {process!r}", hint=f"Run one of {', '.join(ROLES)}.")
        options = ProcessOptions(
            name=process,
            data=Path(data),
            http=parse_address(http, "--http"),
            intake=parse_address(intake, "--intake"),
            postgres=parse_address(postgres, "--postgres"),
            nats_url=nats,
        )
        # With uvloop, intake takes twice the requests a second (benchmarks/README.md).
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(run_process(options))
