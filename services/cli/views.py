"""``recount views``: what can be asked, down to the meaning of each column."""

from pathlib import Path
from typing import Annotated, Any

import typer

from events import RecountError
from services.cli.client import connect
from services.cli.console import DATA_DEFAULT, DataOption, JsonOption, note, say, show_json, show_table

_REFRESHES = {
    "event": "stored; each event adds rows",
    "stream": "stored; follows the log stream by stream",
    "closure": "stored; follows the log with what is linked",
    "view": "computed when asked",
}


def register(app: typer.Typer) -> None:
    """Add the verb."""

    @app.command()
    def views(
        name: Annotated[str, typer.Argument(metavar="[VIEW]", help="One view with its columns; left out: all.")] = "",
        everything: Annotated[
            bool, typer.Option("--all", help="Those generated from the facts, such as incident_declared, too.")
        ] = False,
        data: DataOption = DATA_DEFAULT,
        as_json: JsonOption = False,
    ) -> None:
        """List the views with what a row says, or one view with what each column means. Every time is UTC."""
        if name:
            _show_view(name, data, as_json=as_json)
        else:
            list_views(data, everything=everything, as_json=as_json)


def list_views(data: Path, *, as_json: bool, everything: bool = False) -> None:
    """Print every view with what a row says in short."""
    with connect(data) as api:
        found = api.get("/api/views", all=str(everything).lower())
    if as_json:
        show_json(found)
        return
    show_table(("view", "what a row says"), [(view["name"], first_sentence(view["sentence"])) for view in found])
    note("`recount views VIEW` tells the columns of one.")


def first_sentence(text: str) -> str:
    """What a row says in short: the first sentence of a view's header."""
    return " ".join(text.replace("``", "`").split()).partition(". ")[0].removesuffix(".") + "."


def _show_view(name: str, data: Path, *, as_json: bool) -> None:
    with connect(data) as api:
        found: list[dict[str, Any]] = api.get("/api/views", all="true")
    view = next((view for view in found if view["name"] == name), None)
    if view is None:
        close = [view["name"] for view in found if name.split("_", maxsplit=1)[0] in view["name"]]
        hint = f"Is it one of {', '.join(close)}?" if close else "`recount views --all` lists them."
        raise RecountError(f"there is no view {name!r}", hint=hint)
    if as_json:
        show_json(view)
        return
    say(f"{view['name']}: {view['sentence'].replace('``', '`')}")
    say(f"  one row: {view['grain'].removeprefix('one row ')}")
    say(f"  key: {', '.join(view['key'])}")
    say(f"  {_REFRESHES[view['refresh']]}")
    say("")
    show_table(
        ("column", "type", "what it says"),
        [(column["name"], column["type"].lower(), column["meaning"]) for column in view["columns"]],
    )
