"""``recount people``: who can be paged, and how they are erased."""

from typing import Annotated

import msgspec
import typer

from events.ids import new_event_id
from services.cli.client import connect
from services.cli.console import DATA_DEFAULT, DataOption, JsonOption, show_json, show_table
from services.cli.orders import show_done
from services.cli.reading import catch_up
from services.command import Done


def register(app: typer.Typer) -> None:
    """Add the verbs."""
    people = typer.Typer(no_args_is_help=True, help="People: who can be paged, hold a role, or act.")
    app.add_typer(people, name="people")

    @people.command()
    def add(
        handle: Annotated[str, typer.Argument(help="What they are called on the command line, such as ada.")],
        name: Annotated[str, typer.Option(help="Their name; kept sealed.")] = "",
        contact: Annotated[
            list[str] | None,
            typer.Option(help="smtp:ada@example.org, console: or an Apprise URL; repeat it in the order to try."),
        ] = None,
        zone: Annotated[str, typer.Option(help="IANA time zone, such as Europe/London.")] = "UTC",
        data: DataOption = DATA_DEFAULT,
        as_json: JsonOption = False,
    ) -> None:
        """Add a person. Their details are encrypted under a key of their own."""
        person = {"handle": handle, "name": name or handle, "zone": zone, "contacts": contact or []}
        with connect(data) as api:
            answer = api.post("/api/people", json=person, headers={"Idempotency-Key": new_event_id()})
        show_done(msgspec.convert(answer, Done), as_json=as_json)

    @people.command(name="list")
    def list_people(data: DataOption = DATA_DEFAULT, as_json: JsonOption = False) -> None:
        """List everybody; of the erased, only the opaque id is left."""
        with connect(data) as api:
            catch_up(api)
            answer = api.get("/api/people")
        if as_json:
            show_json(answer)
            return
        show_table(
            ("handle", "name", "zone", "person id", ""),
            [
                (row["handle"], row["name"], row["zone"], row["person_id"], "erased" if row["erased"] else "")
                for row in sorted(answer["people"], key=lambda row: row["handle"])
            ],
            empty="Nobody yet. recount people add ada --name 'Ada Lovelace' --contact smtp:ada@example.org",
        )

    @people.command()
    def erase(
        handle: Annotated[str, typer.Argument(help="Handle or person id.")],
        reason: Annotated[str, typer.Option(help="Why; it is kept in the log, so do not name the person.")],
        yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
        data: DataOption = DATA_DEFAULT,
        as_json: JsonOption = False,
    ) -> None:
        """Erase a person for ever: their key is destroyed, what they did stays under an opaque id."""
        if not yes:
            typer.confirm(f"Destroy the key of {handle}? Nobody can undo this", abort=True, err=True)
        with connect(data) as api:
            answer = api.delete(f"/api/people/{handle}", reason=reason)
        show_done(msgspec.convert(answer, Done), as_json=as_json)
