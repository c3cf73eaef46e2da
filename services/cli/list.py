"""``recount list``: the incidents."""

from typing import Annotated

import typer

from services.cli.client import connect
from services.cli.console import DATA_DEFAULT, DataOption, JsonOption, note, shortened, show_json, show_table
from services.cli.incident import called
from services.cli.lens import AsOfOption, HappenedByOption, KnownByOption, asked_lens
from services.cli.reading import catch_up
from services.cli.times import short_time

# A line of a list is read at a glance; `recount show` tells the whole title.
TITLE_CHARS_MAX = 80


def register(app: typer.Typer) -> None:
    """Add the verb."""

    @app.command(name="list")
    def list_incidents(
        everything: Annotated[bool, typer.Option("--all", help="Those that are over, too.")] = False,
        phase: Annotated[str, typer.Option(help="Only these phases, with commas: triage,active.")] = "",
        as_of: AsOfOption = "",
        happened_by: HappenedByOption = "",
        known_by: KnownByOption = "",
        data: DataOption = DATA_DEFAULT,
        as_json: JsonOption = False,
    ) -> None:
        """List the open incidents, the newest first, now or as they were. Times are UTC."""
        wanted = phase or ("" if everything else "open")
        with connect(data) as api:
            catch_up(api)
            answer = api.get("/api/incidents", phase=wanted or None, **asked_lens(as_of, happened_by, known_by))
        if as_json:
            show_json(answer)
            return
        show_table(
            ("incident", "severity", "phase", "service", "commander", "opened", "title"),
            [
                (
                    row["incident_id"],
                    row["severity"],
                    row["phase"],
                    row["service"],
                    called(answer, row["commander"]),
                    short_time(row["opened_at"]),
                    shortened(row["title"], TITLE_CHARS_MAX),
                )
                for row in answer["incidents"]
            ],
            empty="No incidents."
            if everything or phase
            else "No open incidents. `recount list --all` shows the others.",
        )
        if answer["truncated"]:
            note("There are more; `recount sql` gives them all.")
