"""``recount snapshot``: the file that any DuckDB tool can open while Recount runs."""

from pathlib import Path
from typing import Annotated, Any

import msgspec
import typer

from events import RecountError
from services.cli.client import connect, shown
from services.cli.console import DATA_DEFAULT, DataOption, JsonOption, say, show_json
from services.running import read_running


def register(app: typer.Typer) -> None:
    """Add the verb."""

    @app.command()
    def snapshot(
        now: Annotated[bool, typer.Option("--now", help="Write it now.")] = False,
        data: DataOption = DATA_DEFAULT,
        as_json: JsonOption = False,
    ) -> None:
        """Show where the snapshot file lies and how old it is: `duckdb -readonly FILE` opens it while Recount runs."""
        status = _refreshed(data) if now else _status(data)
        if as_json:
            show_json(status)
        else:
            for sentence in _sentences(status):
                say(sentence)


def _refreshed(data: Path) -> dict[str, Any]:
    with connect(data) as api:
        answer: dict[str, Any] = api.post("/api/snapshot")
        return answer


def _status(data: Path) -> dict[str, Any]:
    if read_running(data) is not None:
        with connect(data) as api:
            answer: dict[str, Any] = api.get("/api/warehouse")["snapshot"]
            return answer
    # Imported here, because every verb loads every file of this folder and this needs the engine.
    from projections.snapshot import FILE_NAME, read_snapshot

    path = data / "warehouse" / FILE_NAME
    info = read_snapshot(path)
    if info is None:
        raise RecountError(
            f"there is no snapshot in {shown(data)}, and nothing is running", hint="recount up; recount snapshot --now"
        )
    return {"path": str(path.absolute()), "info": msgspec.to_builtins(info), "trouble": ""}


def _sentences(status: dict[str, Any]) -> list[str]:
    info = status["info"]
    sentences = [f"{status['path']}"]
    if info is None:
        sentences.append("Nothing is there yet: recount snapshot --now")
    else:
        names = "with" if info["has_names"] else "without"
        size = f"{info['bytes'] / 1e6:,.1f} MB"
        sentences.append(
            f"written {info['written_at'][:19]}Z at log position {info['position']}, {size}, {names} names of people"
        )
    if status["trouble"]:
        sentences.append(f"The last one could not be written: {status['trouble']}")
    return sentences
