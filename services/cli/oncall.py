"""``recount oncall``: who is on call, who is next, and whom the policies ask."""

from collections.abc import Mapping
from typing import Any

import typer

from services.cli.client import connect
from services.cli.console import DATA_DEFAULT, DataOption, JsonOption, say, show_json, show_table
from services.cli.incident import called
from services.cli.lens import AsOfOption, HappenedByOption, KnownByOption, asked_lens
from services.cli.reading import catch_up
from services.cli.times import duration, short_time


def register(app: typer.Typer) -> None:
    """Add the verb."""

    @app.command()
    def oncall(
        as_of: AsOfOption = "",
        happened_by: HappenedByOption = "",
        known_by: KnownByOption = "",
        data: DataOption = DATA_DEFAULT,
        as_json: JsonOption = False,
    ) -> None:
        """Show who is on call, now or as it was, who is next, and whom each policy asks when. Times are UTC."""
        with connect(data) as api:
            catch_up(api)
            answer = api.get("/api/oncall", **asked_lens(as_of, happened_by, known_by))
        if as_json:
            show_json(answer)
            return
        show_table(
            ("rotation", "on call", "since", "until", "next"),
            [
                *(_shift(answer, shift) for shift in answer["shifts"]),
                *((rotation["name"], "nobody", "", "", "") for rotation in answer["idle"]),
            ],
            empty="Nobody is on call: no rotation is configured.",
        )
        for policy in answer["policies"]:
            say("")
            say(f"Policy {policy['name']}")
            for number, level in enumerate(policy["levels"], start=1):
                asked = " and ".join(_target(answer, target) for target in level["targets"])
                say(f"  {number}. ask {asked}; if nobody answers within {duration(level['answer_within_s'])}, go on")
            if policy["repeat"]:
                say(f"  then begin again, {policy['repeat']} more time{'' if policy['repeat'] == 1 else 's'}")


def _shift(answer: Mapping[str, Any], shift: Mapping[str, Any]) -> tuple[str, ...]:
    return (
        shift["rotation"] or shift["rotation_id"],
        called(answer, shift["person_id"]),
        short_time(shift["since"]),
        short_time(shift["ends_at"]),
        called(answer, shift["next_person_id"]),
    )


def _target(answer: Mapping[str, Any], target: str) -> str:
    kind, _, name = target.partition(".")
    if kind == "rotation":
        return f"whoever is on call in {answer['rotation_names'].get(name, name)}"
    return called(answer, name)
