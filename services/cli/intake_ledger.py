"""``recount intake ledger``: that nothing was dropped; ``recount intake sources``: where senders post."""

from typing import Annotated

import typer

from services.cli.client import connect
from services.cli.console import DATA_DEFAULT, DataOption, JsonOption, note, say, show_json, show_table
from services.cli.lens import AsOfOption, HappenedByOption, KnownByOption, asked_lens
from services.cli.reading import catch_up
from services.cli.times import duration, short_time

_COUNTS = ("received", "facts", "duplicates", "refused", "dead", "unaccounted")


def add_ledger(intake: typer.Typer) -> None:
    """Add both verbs."""

    @intake.command()
    def ledger(
        source: Annotated[str, typer.Option(help="Only this source, or this integration key.")] = "",
        hours: Annotated[int, typer.Option(min=1, help="How many hours back from the last one.")] = 24,
        as_of: AsOfOption = "",
        happened_by: HappenedByOption = "",
        known_by: KnownByOption = "",
        data: DataOption = DATA_DEFAULT,
        as_json: JsonOption = False,
    ) -> None:
        """Show what each source sent in each hour, and what became of it. Exit code 1 when something is unaccounted
        for. Times are UTC."""
        with connect(data) as api:
            catch_up(api)
            answer = api.get(
                "/api/intake/ledger",
                source=source or None,
                hours=hours,
                **asked_lens(as_of, happened_by, known_by),
            )
        total = answer["total"]
        if as_json:
            show_json(answer)
        else:
            show_table(
                ("hour", "source", "key", *_COUNTS, "missing", "bytes"),
                [
                    (
                        short_time(row["hour"]),
                        row["source"] or "(not held)",
                        row["integration"],
                        *(row[name] for name in _COUNTS),
                        row["missing"],
                        row["received_bytes"],
                    )
                    for row in answer["ledger"]
                ],
                empty="Nothing was received and counted yet.",
            )
            for row in answer["silence"]:
                if row["is_unusual"]:
                    say(
                        f"{row['source']} ({row['integration']}) is silent for {duration(row['silent_s'])}; "
                        f"usually not longer than {duration(row['usual_gap_s'])}."
                    )
            say(
                f"In all {total['received']} received = {total['facts']} facts + {total['duplicates']} duplicates + "
                f"{total['refused']} refused + {total['dead']} dead"
                + (f" + {total['unaccounted']} UNACCOUNTED." if total["unaccounted"] else ".")
            )
            note(f"Counted through receipt {total['counted_through']}; what is newer is counted within a minute.")
        if total["unaccounted"]:
            raise typer.Exit(1)

    @intake.command()
    def sources(
        sender: Annotated[str, typer.Argument(help="Only this sender, such as grafana.")] = "",
        data: DataOption = DATA_DEFAULT,
        as_json: JsonOption = False,
    ) -> None:
        """Print for every sender and integration key the address to paste, and a request to try it with."""
        with connect(data) as api:
            catch_up(api)
            found = api.get("/api/intake/sources")["sources"]
        shown = [one for one in found if sender in ("", one["sender"])]
        if as_json:
            show_json({"sources": shown})
            return
        for one in shown:
            key = f" ({one['key_name'] or one['key_id']})" if one["key_id"] else " (no key yet)"
            say(f"{one['sender']}{key}: {one['where']}")
            say(f"  {one['url']}")
            if one["instead"]:
                say(f"  {one['instead']}")
            if one["curl"]:
                say(f"  {one['curl']}")
        if not shown:
            names = ", ".join(sorted({one["sender"] for one in found}))
            note(f"There is no sender {sender!r}; there are {names}.")
            raise typer.Exit(1)
