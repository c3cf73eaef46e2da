"""``recount keys``: what senders present to intake."""

from pathlib import Path
from typing import Annotated

import msgspec
import typer

from events.ids import new_event_id
from services.cli.client import connect
from services.cli.console import DATA_DEFAULT, DataOption, JsonOption, note, say, show_json, show_table
from services.cli.lens import AsOfOption, HappenedByOption, KnownByOption, asked_lens
from services.cli.orders import show_done
from services.cli.reading import catch_up
from services.cli.text_file import read_text
from services.cli.times import short_time
from services.command import Done
from services.intake.adapters import adapters, sender_names
from services.intake.commands import FORMER_FOR_MAX_S


def register(app: typer.Typer) -> None:
    """Add the verbs."""
    keys = typer.Typer(no_args_is_help=True, help="Integration keys: what senders present to intake.")
    app.add_typer(keys, name="keys")

    @keys.command()
    def create(
        sender: Annotated[str, typer.Argument(help=f"One of {', '.join(sender_names())}.")],
        name: Annotated[str, typer.Option(help="What it is for.")] = "",
        service: Annotated[str, typer.Option(help="Service of alerts that name none themselves.")] = "",
        mapping: Annotated[
            Path | None, typer.Option(help="How payloads are read, TOML or JSON: for the sender mapped.")
        ] = None,
        signing_secret: Annotated[
            bool, typer.Option("--signing-secret", help="Ask for the secret that the sender signs with, too.")
        ] = False,
        data: DataOption = DATA_DEFAULT,
        as_json: JsonOption = False,
    ) -> None:
        """Make a key and print its secret, this once: the log keeps only its hash."""
        read_by = read_text(mapping) if mapping else ""
        wanted = {"sender": sender, "name": name, "service": service, "mapping": read_by}
        secret = typer.prompt("Signing secret", hide_input=True, err=True) if signing_secret else ""
        with connect(data) as api:
            answer = api.post("/api/keys", json=wanted, headers={"Idempotency-Key": new_event_id()})
            if secret:
                api.post(f"/api/keys/{answer['key_id']}/signing-secret", json={"secret": secret})
        if as_json:
            show_json(answer)
            return
        say(answer["secret"])
        note(f"{answer['key_id']} was made. Its secret is shown only now.")
        if not read_by and adapters()[sender].configured:
            note(f"It takes nothing until it has a mapping: recount keys update {answer['key_id']} --mapping FILE")

    @keys.command()
    def update(
        key: Annotated[str, typer.Argument(help="The key's id.")],
        mapping: Annotated[Path, typer.Option(help="How payloads are read from now on, TOML or JSON.")],
        data: DataOption = DATA_DEFAULT,
        as_json: JsonOption = False,
    ) -> None:
        """Read a key's payloads by another mapping from now on."""
        with connect(data) as api:
            answer = api.post(f"/api/keys/{key}/mapping", json={"mapping": read_text(mapping)})
        show_done(msgspec.convert(answer, Done), as_json=as_json)

    @keys.command()
    def sign(
        key: Annotated[str, typer.Argument(help="The key's id, such as key-sentry.")],
        # Asked for, because what stands on a command line can be read by everybody on the machine.
        secret: Annotated[
            str,
            typer.Option(
                prompt="Signing secret",
                hide_input=True,
                envvar="RECOUNT_SIGNING_SECRET",
                help="As the sender shows it.",
            ),
        ],
        data: DataOption = DATA_DEFAULT,
        as_json: JsonOption = False,
    ) -> None:
        """Accept what comes with a key only if it was signed with a secret of its sender."""
        with connect(data) as api:
            answer = api.post(f"/api/keys/{key}/signing-secret", json={"secret": secret.strip()})
        show_done(msgspec.convert(answer, Done), as_json=as_json)

    @keys.command()
    def unsign(
        key: Annotated[str, typer.Argument(help="The key's id, such as key-sentry.")],
        data: DataOption = DATA_DEFAULT,
        as_json: JsonOption = False,
    ) -> None:
        """Accept what comes with a key without a signature again."""
        with connect(data) as api:
            answer = api.delete(f"/api/keys/{key}/signing-secret")
        show_done(msgspec.convert(answer, Done), as_json=as_json)

    @keys.command()
    def rotate(
        key: Annotated[str, typer.Argument(help="The key's id, such as key-alertmanager.")],
        former_for_hours: Annotated[
            float,
            typer.Option(
                min=0, max=FORMER_FOR_MAX_S / 3_600, help="How long the former secret is accepted; 0: no longer."
            ),
        ] = 24,
        data: DataOption = DATA_DEFAULT,
        as_json: JsonOption = False,
    ) -> None:
        """Give a key a new secret and print it, this once. The former one is accepted for a day, so that senders can be
        changed in peace."""
        wanted = {"former_for_s": round(former_for_hours * 3_600)}
        with connect(data) as api:
            answer = api.post(f"/api/keys/{key}/rotate", json=wanted, headers={"Idempotency-Key": new_event_id()})
        if as_json:
            show_json(answer)
            return
        say(answer["secret"])
        note(f"{answer['message']} The new secret is shown only now.")

    @keys.command(name="list")
    def list_keys(
        as_of: AsOfOption = "",
        happened_by: HappenedByOption = "",
        known_by: KnownByOption = "",
        data: DataOption = DATA_DEFAULT,
        as_json: JsonOption = False,
    ) -> None:
        """List the keys, without their secrets. Times are UTC."""
        with connect(data) as api:
            catch_up(api)
            answer = api.get("/api/keys", **asked_lens(as_of, happened_by, known_by))
        if as_json:
            show_json(answer)
            return
        show_table(
            ("key", "sender", "name", "service", "signed", "created", "rotated", "last used", "revoked"),
            [
                (
                    row["key_id"],
                    row["sender"],
                    row["name"],
                    row["service"],
                    "yes" if row["is_signed"] else "",
                    short_time(row["created_at"]),
                    short_time(row["rotated_at"]),
                    short_time(row["last_used_at"])[:10],
                    short_time(row["revoked_at"]),
                )
                for row in answer["keys"]
            ],
            empty="No keys. recount keys create alertmanager",
        )

    @keys.command()
    def revoke(
        key: Annotated[str, typer.Argument(help="The key's id, such as key-alertmanager.")],
        reason: Annotated[str, typer.Option(help="Why.")] = "",
        data: DataOption = DATA_DEFAULT,
        as_json: JsonOption = False,
    ) -> None:
        """Revoke a key: what comes with it is refused from now on."""
        with connect(data) as api:
            answer = api.delete(f"/api/keys/{key}", reason=reason or None)
        show_done(msgspec.convert(answer, Done), as_json=as_json)
