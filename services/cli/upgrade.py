"""``recount upgrade``: what a new version defines otherwise, and which figures that changes."""

from pathlib import Path
from typing import Annotated, Any

import msgspec
import typer

from events import RecountError
from services.cli.client import connect, shown
from services.cli.console import DATA_DEFAULT, DataOption, JsonOption, note, say, show_json, show_table
from services.running import is_locked, read_running


def register(app: typer.Typer) -> None:
    """Add the verb."""

    @app.command()
    def upgrade(
        preview: Annotated[
            bool, typer.Option("--preview", help="Compute the views by this version beside the present ones; compare.")
        ] = False,
        file: Annotated[
            Path | None,
            typer.Option("--file", metavar="FILE", help="A warehouse or snapshot; the data folder's when left out."),
        ] = None,
        data: DataOption = DATA_DEFAULT,
        as_json: JsonOption = False,
    ) -> None:
        """Show which views a version defines otherwise and what figures change, or how far an upgrade is that runs."""
        if preview:
            _preview(file or _present_file(data), as_json=as_json)
        elif file is not None:
            raise typer.BadParameter("--file goes with --preview")
        else:
            _show_running(data, as_json=as_json)


def _present_file(data: Path) -> Path:
    """What to compare with: the warehouse itself, or its snapshot while a platform has it open."""
    folder = data / "warehouse"
    path = folder / ("snapshot.duckdb" if is_locked(data) else "recount.duckdb")
    if not path.exists():
        raise RecountError(
            f"there is no {path.name} in {shown(folder)}",
            hint="recount snapshot --now" if is_locked(data) else "Name a warehouse or a snapshot with --file.",
        )
    return path


def _preview(file: Path, *, as_json: bool) -> None:
    # Imported here, because every verb loads every file of this folder and this needs the engine.
    from projections.preview import preview

    found = preview(file)
    if as_json:
        show_json(found)
        return
    visible = [change for change in found.changes if change.is_visible]
    if not found.changes:
        say(f"This version defines every view as {file} does.")
        return
    rows = [
        (change.view, change.rows_before, change.rows_after, change.differing, change.new, change.gone)
        for change in visible
    ]
    show_table(("view", "rows", "would be", "differing", "new", "gone"), rows, empty="No row would change.")
    for change in visible:
        for line in _lines(msgspec.to_builtins(change, builtin_types=(), str_keys=True, enc_hook=str)):
            say(line)
    note(
        f"{len(found.changes)} views are defined otherwise, or read one that is; {len(visible)} would show something "
        f"else, at log position {found.position}. Nothing was changed. The next start computes them in the background."
    )


def _lines(change: dict[str, Any]) -> list[str]:
    lines = [f"{change['view']}: new column {name}" for name in change["columns_new"]]
    lines += [f"{change['view']}: column {name} goes" for name in change["columns_gone"]]
    for example in change["examples"]:
        which = ", ".join(f"{name} {value}" for name, value in example["key"].items())
        before, after = example["before"], example["after"]
        if before is None:
            lines.append(f"{change['view']}, {which}: new")
        elif after is None:
            lines.append(f"{change['view']}, {which}: goes")
        else:
            moves = ", ".join(f"{name} {_value(before[name])} → {_value(after[name])}" for name in before)
            lines.append(f"{change['view']}, {which}: {moves}")
    return lines


def _value(value: Any) -> str:
    return "nothing" if value is None else str(value)


def _show_running(data: Path, *, as_json: bool) -> None:
    if read_running(data) is None:
        raise RecountError(
            f"nothing is running in {shown(data)}",
            hint="`recount upgrade --preview` compares without; a start upgrades in the background.",
        )
    with connect(data) as api:
        running = api.get("/api/warehouse")["upgrade"]
    if as_json:
        show_json({"upgrade": running})
    else:
        say(running or "Everything is computed by the definitions of the version that runs.")
