"""``recount silences``: holding alerts back for a while."""

from typing import Annotated

import msgspec
import typer

from events.ids import new_event_id
from services.cli.client import connect
from services.cli.console import DATA_DEFAULT, DataOption, JsonOption, show_json, show_table
from services.cli.lens import AsOfOption, HappenedByOption, KnownByOption, asked_lens
from services.cli.orders import ActorOption, said, show_done
from services.cli.reading import catch_up
from services.cli.times import short_time
from services.command import Done
from services.rules.durations import parse_duration

SilenceArgument = Annotated[str, typer.Argument(metavar="SILENCE", help="Its id, such as sil-7f3k2m9qx4.")]
UntilOption = Annotated[
    str, typer.Option("--until", metavar="TIME", help="When it ends; ISO 8601, UTC unless it says.")
]
ReasonOption = Annotated[str, typer.Option(help="Why.")]


def register(app: typer.Typer) -> None:
    """Add the verbs."""
    silences = typer.Typer(no_args_is_help=True, help="Silences: alerts that fit one are held back while it lasts.")
    app.add_typer(silences, name="silences")
    _register_changes(silences)

    @silences.command(name="list")
    def list_silences(
        everything: Annotated[bool, typer.Option("--all", help="Those that are over, too.")] = False,
        as_of: AsOfOption = "",
        happened_by: HappenedByOption = "",
        known_by: KnownByOption = "",
        data: DataOption = DATA_DEFAULT,
        as_json: JsonOption = False,
    ) -> None:
        """List the silences with how many alerts each held back, what ends first on top. Times are UTC."""
        state = None if everything else "active,pending"
        with connect(data) as api:
            catch_up(api)
            answer = api.get("/api/silences", state=state, **asked_lens(as_of, happened_by, known_by))
        if as_json:
            show_json(answer)
            return
        show_table(
            ("silence", "state", "matchers", "begins", "ends", "held", "by", "reason"),
            [
                (
                    row["silence_id"],
                    row["state"],
                    ", ".join(row["matchers"]),
                    short_time(row["starts_at"]),
                    short_time(row["ends_at"]),
                    row["held_ever"],
                    answer["names"].get(row["created_by"], row["created_by"]),
                    row["reason"],
                )
                for row in answer["silences"]
            ],
            empty="No silences."
            if everything
            else "No silence lasts or is to come. `recount silences list --all` shows the others.",
        )


def _register_changes(silences: typer.Typer) -> None:
    @silences.command()
    def create(
        matchers: Annotated[list[str], typer.Argument(metavar="MATCHER...", help="service=checkout, team=~'a|b'.")],
        reason: ReasonOption,
        lasts: Annotated[str, typer.Option("--for", metavar="DURATION", help="How long, such as 2h.")] = "",
        until: UntilOption = "",
        begins: Annotated[str, typer.Option("--from", metavar="TIME", help="When it begins; default: now.")] = "",
        data: DataOption = DATA_DEFAULT,
        actor: ActorOption = "",
        as_json: JsonOption = False,
    ) -> None:
        """Hold back the alerts that fit every matcher. With --from, it is a maintenance window."""
        body = {
            "matchers": matchers,
            "reason": reason,
            "starts_at": begins,
            "ends_at": until,
            "lasts_s": _seconds(lasts),
        }
        _order(data, actor, "/api/silences", said(body), as_json=as_json)

    @silences.command()
    def change(
        silence: SilenceArgument,
        lasts: Annotated[str, typer.Option("--for", metavar="DURATION", help="How long from now on.")] = "",
        until: UntilOption = "",
        reason: ReasonOption = "",
        data: DataOption = DATA_DEFAULT,
        actor: ActorOption = "",
        as_json: JsonOption = False,
    ) -> None:
        """Let a silence last for another time, or give another reason."""
        body = {"ends_at": until, "lasts_s": _seconds(lasts), "reason": reason}
        _order(data, actor, f"/api/silences/{silence}/change", said(body), as_json=as_json)

    @silences.command()
    def end(
        silence: SilenceArgument,
        reason: ReasonOption = "",
        data: DataOption = DATA_DEFAULT,
        actor: ActorOption = "",
        as_json: JsonOption = False,
    ) -> None:
        """End a silence now; the alerts that it holds back are looked at again."""
        _order(data, actor, f"/api/silences/{silence}/end", {"reason": reason}, as_json=as_json)


def _order(data: DataOption, actor: str, path: str, body: dict[str, object], *, as_json: bool) -> None:
    with connect(data, actor=actor) as api:
        answer = api.post(path, json=body, headers={"Idempotency-Key": new_event_id()})
    show_done(msgspec.convert(answer, Done), as_json=as_json)


def _seconds(duration: str) -> int | None:
    return round(parse_duration(duration).total_seconds()) if duration else None
