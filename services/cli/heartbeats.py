"""``recount heartbeats``: senders whose silence is an alert."""

from typing import Annotated

import msgspec
import typer

from events.ids import new_event_id
from services.cli.client import connect
from services.cli.console import DATA_DEFAULT, DataOption, JsonOption, show_json, show_table
from services.cli.lens import AsOfOption, HappenedByOption, KnownByOption, asked_lens
from services.cli.orders import show_done
from services.cli.reading import catch_up
from services.cli.times import duration, short_time
from services.command import Done
from services.rules.durations import parse_duration

NameArgument = Annotated[str, typer.Argument(metavar="HEARTBEAT", help="Its name, such as nightly-backup.")]


def register(app: typer.Typer) -> None:
    """Add the verbs."""
    heartbeats = typer.Typer(no_args_is_help=True, help="Heartbeats: senders whose silence is an alert.")
    app.add_typer(heartbeats, name="heartbeats")

    @heartbeats.command(name="list")
    def list_heartbeats(
        as_of: AsOfOption = "",
        happened_by: HappenedByOption = "",
        known_by: KnownByOption = "",
        data: DataOption = DATA_DEFAULT,
        as_json: JsonOption = False,
    ) -> None:
        """List the heartbeats and how they stand. Times are UTC."""
        with connect(data) as api:
            catch_up(api)
            answer = api.get("/api/heartbeats", **asked_lens(as_of, happened_by, known_by))
        if as_json:
            show_json(answer)
            return
        show_table(
            ("heartbeat", "name", "state", "every", "grace", "severity", "service", "missed", "returned"),
            [
                (
                    row["heartbeat_id"],
                    row["name"],
                    row["state"],
                    duration(row["every_s"]) if row["every_s"] else "",
                    duration(row["grace_s"]) if row["grace_s"] else "",
                    row["severity"],
                    row["service"],
                    short_time(row["missed_at"]),
                    short_time(row["returned_at"]),
                )
                for row in answer["heartbeats"]
            ],
            empty="No heartbeats. recount heartbeats configure nightly-backup --every 24h",
        )

    @heartbeats.command()
    def configure(
        name: NameArgument,
        every: Annotated[str, typer.Option(metavar="DURATION", help="Longest time between two pings, such as 5m.")],
        grace: Annotated[str, typer.Option(metavar="DURATION", help="How much later one may come.")] = "0s",
        severity: Annotated[str, typer.Option(help="Of the alert: critical, error, warning or info.")] = "error",
        service: Annotated[str, typer.Option(help="What the alert is about.")] = "",
        data: DataOption = DATA_DEFAULT,
        as_json: JsonOption = False,
    ) -> None:
        """Expect a ping at least so often; or again, when it was paused."""
        body = {
            "every_s": int(parse_duration(every).total_seconds()),
            "grace_s": int(parse_duration(grace).total_seconds()),
            "severity": severity,
            "service": service,
        }
        with connect(data) as api:
            answer = api.post(f"/api/heartbeats/{name}", json=body, headers={"Idempotency-Key": new_event_id()})
        show_done(msgspec.convert(answer, Done), as_json=as_json)

    @heartbeats.command()
    def pause(name: NameArgument, data: DataOption = DATA_DEFAULT, as_json: JsonOption = False) -> None:
        """Expect nothing until it is configured again."""
        with connect(data) as api:
            answer = api.post(f"/api/heartbeats/{name}/pause", headers={"Idempotency-Key": new_event_id()})
        show_done(msgspec.convert(answer, Done), as_json=as_json)

    @heartbeats.command()
    def remove(
        name: NameArgument,
        reason: Annotated[str, typer.Option(help="Why.")] = "",
        data: DataOption = DATA_DEFAULT,
        as_json: JsonOption = False,
    ) -> None:
        """Expect nothing any more."""
        with connect(data) as api:
            answer = api.delete(f"/api/heartbeats/{name}", reason=reason or None)
        show_done(msgspec.convert(answer, Done), as_json=as_json)
