"""``recount rebuild``: compute every view again, out of the log or out of an export of it."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import msgspec
import typer

from events import RecountError
from services.cli.client import Api, connect, shown
from services.cli.console import DATA_DEFAULT, DataOption, JsonOption, say, show_json
from services.cli.progress import Bar
from services.cli.rebuild_offline import rebuild_from_parquet
from services.running import read_running

OFFLINE_HINT = (
    "A start builds a warehouse that is damaged or gone by itself: recount up. "
    "Without NATS: recount rebuild --from-parquet FOLDER."
)


def register(app: typer.Typer) -> None:
    """Add the verb."""

    @app.command()
    def rebuild(
        projections: Annotated[
            bool, typer.Option("--projections", help="Only the projections, out of the log as the warehouse holds it.")
        ] = False,
        stop: Annotated[bool, typer.Option("--stop", help="Stop the rebuild that runs; another one goes on.")] = False,
        from_parquet: Annotated[
            Path | None,
            typer.Option("--from-parquet", metavar="FOLDER", help="Out of an export; nothing needs to run."),
        ] = None,
        into: Annotated[
            Path | None,
            typer.Option("--into", metavar="FILE", help="A new DuckDB file; the data folder's when left out."),
        ] = None,
        data: DataOption = DATA_DEFAULT,
        as_json: JsonOption = False,
    ) -> None:
        """Compute every view again beside the live ones, and swap them in. Ctrl-C only stops watching it."""
        if from_parquet is not None:
            if projections or stop:
                raise typer.BadParameter("--from-parquet goes with --into only")
            rebuild_from_parquet(from_parquet, into, data, as_json=as_json)
            return
        if into is not None:
            raise typer.BadParameter("--into goes with --from-parquet")
        if stop:
            _stop(data, as_json=as_json)
            return
        _finish(_follow(data, projections=projections, as_json=as_json), as_json=as_json)


@contextmanager
def _platform(data: Path) -> Iterator[Api]:
    if read_running(data) is None and not os.environ.get("RECOUNT_URL"):
        raise RecountError(f"nothing is running in {shown(data)}", hint=OFFLINE_HINT)
    with connect(data) as api:
        yield api


def _stop(data: Path, *, as_json: bool) -> None:
    with _platform(data) as api:
        answer = api.delete("/api/rebuild")
    if as_json:
        show_json(answer)
    else:
        say("Stopped; `recount rebuild` goes on from there." if answer["stopped"] else "No rebuild runs.")


def _follow(data: Path, *, projections: bool, as_json: bool) -> dict[str, Any]:
    """Show every step; the last line that came."""
    last: dict[str, Any] = {}
    path = "/api/rebuild?projections=true" if projections else "/api/rebuild"
    with _platform(data) as api, api.stream("POST", path) as lines, Bar("rebuilding", quiet=as_json) as bar:
        for line in filter(None, lines):
            last = msgspec.json.decode(line)
            if "total" in last:
                bar.now("copying the log" if last["doing"] == "log" else "computing")
                unit = "events" if last["doing"] == "log" else "projections"
                bar.show(last["done"], last["total"], rate=last["rate"], unit=unit)
            if as_json:
                show_json(last)
    return last


def _finish(last: dict[str, Any], *, as_json: bool) -> None:
    if not last.get("finished"):
        raise RecountError(
            f"the rebuild did not finish: {last.get('error', 'the platform stopped answering')}",
            hint="The live views are as they were. `recount rebuild` goes on from where it stood.",
        )
    if not as_json:
        say(f"Every view was computed again from {last['position']:,} events in {last['elapsed_s']:.1f} s.")
