"""``recount replay``: an incident as it was known at a moment."""

import typer

from services.cli.client import connect
from services.cli.console import DATA_DEFAULT, DataOption, JsonOption, say, show_json
from services.cli.incident import (
    tell_alerts,
    tell_corrections,
    tell_header,
    tell_milestones,
    tell_people,
    tell_timeline,
)
from services.cli.lens import AsOfOption, HappenedByOption, KnownByOption, asked_lens, bounds
from services.cli.orders import IncidentArgument, incident_id
from services.cli.reading import catch_up
from services.cli.times import short_time


def register(app: typer.Typer) -> None:
    """Add the verb."""

    @app.command()
    def replay(
        incident: IncidentArgument,
        as_of: AsOfOption = "",
        happened_by: HappenedByOption = "",
        known_by: KnownByOption = "",
        data: DataOption = DATA_DEFAULT,
        as_json: JsonOption = False,
    ) -> None:
        """Replay an incident as it was known at a log position or a time; now, when neither is given.

        The clocks combine: `--happened-by 14:05` alone is what we now believe was so at 14:05; with `--as-of` it is
        what was believed then. Times are UTC. `happened` is what the writer of an event says, `recorded` is when the
        log took it.
        """
        with connect(data) as api:
            catch_up(api)
            lens = asked_lens(as_of, happened_by, known_by)
            whole = api.get(f"/api/incidents/{incident_id(incident)}/replay", **lens)
        if as_json:
            show_json(whole)
            return
        recorded = f"recorded {short_time(whole['recorded_at'])} UTC"
        say(f"As known at log position {whole['as_of']}, {recorded}{bounds(whole)}.")
        say("")
        tell_header(whole)
        tell_milestones(whole)
        tell_corrections(whole)
        tell_people(whole)
        tell_alerts(whole)
        tell_timeline(whole)
