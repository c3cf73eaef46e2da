"""``recount show``: one incident as it stands, or one event as it lies in the log."""

from typing import Annotated, Any

import msgspec
import typer

from events import RecountError
from services.cli.client import Api, connect
from services.cli.console import DATA_DEFAULT, DataOption, JsonOption, counted, say, show_json
from services.cli.incident import (
    tell_alerts,
    tell_corrections,
    tell_header,
    tell_milestones,
    tell_people,
    tell_timeline,
)
from services.cli.lens import AsOfOption, HappenedByOption, KnownByOption, asked_lens
from services.cli.orders import incident_id
from services.cli.reading import catch_up

# The last lines say where it stands; `recount replay` tells the whole story.
TIMELINE_LINES = 10


def register(app: typer.Typer) -> None:
    """Add the verb."""

    @app.command()
    def show(
        incident: Annotated[str, typer.Argument(metavar="[INCIDENT]", help="Such as INC-42, or only 42.")] = "",
        raw: Annotated[
            int | None, typer.Option("--raw", metavar="SEQ", help="One event, whole, by its position.")
        ] = None,
        as_of: AsOfOption = "",
        happened_by: HappenedByOption = "",
        known_by: KnownByOption = "",
        data: DataOption = DATA_DEFAULT,
        as_json: JsonOption = False,
    ) -> None:
        """Show an incident as it stands, now or through a lens, or with --raw one event of the log. Times are UTC."""
        lens = asked_lens(as_of, happened_by, known_by)
        if (raw is None) == (not incident):
            raise typer.BadParameter("give an incident, or --raw and a log position")
        if raw is not None and any(lens.values()):
            raise typer.BadParameter("an event is the same through every lens: leave it out with --raw")
        with connect(data) as api:
            catch_up(api)
            answer = api.get(f"/api/incidents/{incident_id(incident)}", **lens) if raw is None else _event(api, raw)
        if as_json:
            show_json(answer)
        elif raw is not None:
            say(msgspec.json.format(msgspec.json.encode(answer)).decode())
        else:
            _tell(answer)


def _tell(whole: dict[str, Any]) -> None:
    tell_header(whole)
    tell_milestones(whole)
    tell_corrections(whole)
    tell_people(whole)
    tell_alerts(whole)
    tell_timeline(whole, whole["timeline"][-TIMELINE_LINES:])
    earlier = len(whole["timeline"]) - TIMELINE_LINES
    if earlier > 0:
        say(f"{counted(earlier, 'earlier line')}: recount replay {whole['incident']['incident_id']}")


def _event(api: Api, seq: int) -> dict[str, Any]:
    answer = api.post("/api/sql", json={"sql": f"select * from log where seq = {seq}"})
    if not answer["rows"]:
        raise RecountError(
            f"there is no event at position {seq}",
            hint=f"The log ends at {answer['position']}; `recount tail` follows it.",
        )
    columns = [column["name"] for column in answer["columns"]]
    return dict(zip(columns, answer["rows"][0], strict=True))
