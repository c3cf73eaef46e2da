"""``recount doctor``: what is wrong with this installation, and what to do about it."""

import asyncio

import typer

from services.cli.console import DATA_DEFAULT, DataOption, JsonOption, out, show_json
from services.cli.run import (
    HTTP_DEFAULT,
    INTAKE_DEFAULT,
    POSTGRES_DEFAULT,
    HttpOption,
    IntakeOption,
    PostgresOption,
)

STYLES = {"ok": "green", "warn": "yellow", "fail": "red"}


def register(app: typer.Typer) -> None:
    """Add the verb."""

    @app.command()
    def doctor(
        data: DataOption = DATA_DEFAULT,
        http: HttpOption = HTTP_DEFAULT,
        intake: IntakeOption = INTAKE_DEFAULT,
        postgres: PostgresOption = POSTGRES_DEFAULT,
        as_json: JsonOption = False,
    ) -> None:
        """Look for what is wrong: one line each, with what to do. Ends with 1 when something fails."""
        asyncio.run(_examine(data, {"--http": http, "--intake": intake, "--postgres": postgres}, as_json))


async def _examine(data: DataOption, addresses: dict[str, str], as_json: bool) -> None:
    # Imported here, because every verb loads every file of this folder.
    from services.supervisor.checkup import examine
    from services.supervisor.http_door import parse_address

    ports = {option: parse_address(address, option) for option, address in addresses.items()}
    findings = []
    async for finding in examine(data, ports):
        findings.append(finding)
        if not as_json:
            out.print(f"{finding.level:<5}", style=STYLES[finding.level], end="")
            out.print(f"{finding.about}: {finding.found}", markup=False, soft_wrap=True)
            if finding.advice:
                out.print(f"     {finding.advice}", markup=False, soft_wrap=True)
    if as_json:
        show_json(findings)
    if any(finding.level == "fail" for finding in findings):
        raise typer.Exit(1)
