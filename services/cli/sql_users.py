"""``recount sql-users``: who may ask in SQL over the PostgreSQL wire."""

from typing import Annotated

import typer

from services.cli.client import connect
from services.cli.console import DATA_DEFAULT, DataOption, JsonOption, note, say, show_json, show_table
from services.cli.times import short_time


def register(app: typer.Typer) -> None:
    """Add the verbs."""
    users = typer.Typer(no_args_is_help=True, help="SQL users: who may connect with psql, a driver or a BI tool.")
    app.add_typer(users, name="sql-users")

    @users.command()
    def add(
        name: Annotated[str, typer.Argument(help="What they connect as: a-z 0-9 _ -.")],
        data: DataOption = DATA_DEFAULT,
        as_json: JsonOption = False,
    ) -> None:
        """Let somebody ask, and print their password, this once: only a verifier of it is kept."""
        with connect(data) as api:
            answer = api.post("/api/sql-users", json={"name": name})
        if as_json:
            show_json(answer)
            return
        say(answer["password"])
        note(f"{name} may connect now. The password is shown only now.")

    @users.command(name="list")
    def list_users(data: DataOption = DATA_DEFAULT, as_json: JsonOption = False) -> None:
        """List who may ask. Times are UTC."""
        with connect(data) as api:
            answer = api.get("/api/sql-users")
        if as_json:
            show_json(answer)
            return
        show_table(
            ("name", "created"),
            [(row["name"], short_time(row["created_at"])) for row in answer["sql_users"]],
            empty="Nobody. recount sql-users add NAME",
        )

    @users.command()
    def remove(
        name: Annotated[str, typer.Argument(help="The user's name.")],
        data: DataOption = DATA_DEFAULT,
        as_json: JsonOption = False,
    ) -> None:
        """Let somebody connect no more; a connection that is open stays so until it ends."""
        with connect(data) as api:
            answer = api.delete(f"/api/sql-users/{name}")
        if as_json:
            show_json(answer)
            return
        note(f"{name} may connect no more.")
