"""``recount rebuild``: compute every view again out of the log."""

from typing import Any

import msgspec
import typer
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

from events import RecountError
from services.cli.client import connect
from services.cli.console import DATA_DEFAULT, DataOption, JsonOption, err, say, show_json


def register(app: typer.Typer) -> None:
    """Add the verb."""

    @app.command()
    def rebuild(data: DataOption = DATA_DEFAULT, as_json: JsonOption = False) -> None:
        """Compute every view again out of the log, beside the live ones, and swap them in."""
        last: dict[str, Any] = {}
        bar = Progress(
            TextColumn("rebuilding"),
            BarColumn(),
            TextColumn("{task.fields[told]}"),
            TimeRemainingColumn(),
            console=err,
            disable=as_json or not err.is_terminal,
        )
        with connect(data) as api, api.stream("POST", "/api/rebuild") as lines, bar:
            task = bar.add_task("", total=None, told="")
            for line in filter(None, lines):
                last = msgspec.json.decode(line)
                if "total" in last:
                    told = f"{last['done']:,} of {last['total']:,} events, {last['rate']:,} events/s"
                    bar.update(task, completed=last["done"], total=last["total"], told=told)
                if as_json:
                    show_json(last)
        if not last.get("finished"):
            raise RecountError(
                f"the rebuild did not finish: {last.get('error', 'the platform stopped answering')}",
                hint="The live views are as they were. Look into logs/readers.log, then run `recount rebuild` again.",
            )
        if not as_json:
            say(_sentence(last))


def _sentence(last: dict[str, Any]) -> str:
    return f"Every view was computed again from {last['done']:,} events" + (
        f" in {last['elapsed_s']:.1f} s." if "elapsed_s" in last else "."
    )
