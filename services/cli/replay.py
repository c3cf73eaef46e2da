"""``recount replay``: an incident as it was known at a moment."""

import typer

from services.cli.client import connect
from services.cli.console import DATA_DEFAULT, DataOption, JsonOption, say, show_json
from services.cli.incident import tell_alerts, tell_header, tell_milestones, tell_people, tell_timeline
from services.cli.orders import AsOfOption, IncidentArgument, incident_id
from services.cli.reading import catch_up
from services.cli.times import short_time


def register(app: typer.Typer) -> None:
    """Add the verb."""

    @app.command()
    def replay(
        incident: IncidentArgument,
        as_of: AsOfOption = "",
        data: DataOption = DATA_DEFAULT,
        as_json: JsonOption = False,
    ) -> None:
        """Replay an incident as it was known at a log position or a time; now, when neither is given.

        Times are UTC. `happened` is what the writer of an event says, `recorded` is when the log took it.
        """
        with connect(data) as api:
            catch_up(api)
            whole = api.get(f"/api/incidents/{incident_id(incident)}/replay", as_of=as_of or None)
        if as_json:
            show_json(whole)
            return
        say(f"As known at log position {whole['as_of']}, recorded {short_time(whole['recorded_at'])} UTC.")
        say("")
        tell_header(whole)
        tell_milestones(whole)
        tell_people(whole)
        tell_alerts(whole)
        tell_timeline(whole)
