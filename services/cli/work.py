"""``recount work``: what waits for somebody."""

import typer

from services.cli.client import connect
from services.cli.console import DATA_DEFAULT, DataOption, JsonOption, note, shortened, show_json, show_table
from services.cli.incident import called
from services.cli.lens import AsOfOption, HappenedByOption, KnownByOption, asked_lens
from services.cli.list import TITLE_CHARS_MAX
from services.cli.reading import catch_up
from services.cli.times import short_time


def register(app: typer.Typer) -> None:
    """Add the verb."""

    @app.command()
    def work(
        as_of: AsOfOption = "",
        happened_by: HappenedByOption = "",
        known_by: KnownByOption = "",
        data: DataOption = DATA_DEFAULT,
        as_json: JsonOption = False,
    ) -> None:
        """List what waits for somebody: open incidents, unanswered pages, postmortems, actions, dead letters."""
        with connect(data) as api:
            catch_up(api)
            answer = api.get("/api/work", **asked_lens(as_of, happened_by, known_by))
        if as_json:
            show_json(answer)
            return
        show_table(
            ("kind", "id", "severity", "owner", "waits since", "title"),
            [
                (
                    row["kind"].replace("_", " "),
                    row["id"],
                    row["severity"],
                    called(answer, row["owner"]),
                    short_time(row["since"]),
                    shortened(row["title"] or "", TITLE_CHARS_MAX),
                )
                for row in answer["work"]
            ],
            empty="Nothing waits for anybody.",
        )
        if answer["truncated"]:
            note("There is more; `recount sql 'select * from open_work'` gives it all.")
