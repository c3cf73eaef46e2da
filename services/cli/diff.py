"""``recount diff``: what changed between two looks at the log, and because of which events."""

from collections.abc import Mapping
from typing import Annotated, Any

import typer

from services.cli.causes import because, tell_events
from services.cli.client import connect
from services.cli.console import DATA_DEFAULT, DataOption, JsonOption, counted, note, say, shortened, show_json
from services.cli.incident import spoken
from services.cli.lens import HappenedByOption, KnownByOption, asked_lens, bounds
from services.cli.orders import incident_id
from services.cli.reading import catch_up

# Changed with every event about an incident, so they say nothing beside another column.
BOOKKEEPING = ("last_seq", "updated_at")
# A line of a comparison is read at a glance; --json has everything.
VALUE_CHARS_MAX = 60


def register(app: typer.Typer) -> None:
    """Add the verb."""

    @app.command()
    def diff(
        since: Annotated[str, typer.Option("--from", metavar="TIME|SEQ", help="As known at this position or time …")],
        until: Annotated[
            str, typer.Option("--to", metavar="TIME|SEQ", help="… and as known at that; left out, now.")
        ] = "",
        incident: Annotated[str, typer.Option(metavar="INCIDENT", help="Only rows of this one.")] = "",
        view: Annotated[
            list[str] | None,
            typer.Option(metavar="NAME", help="Only this view, also a computed one; may be given again."),
        ] = None,
        happened_by: HappenedByOption = "",
        known_by: KnownByOption = "",
        from_happened_by: Annotated[
            str, typer.Option(metavar="TIME", help="--happened-by of the earlier look, when it is another.")
        ] = "",
        from_known_by: Annotated[
            str, typer.Option(metavar="TIME", help="--known-by of the earlier look, when it is another.")
        ] = "",
        data: DataOption = DATA_DEFAULT,
        as_json: JsonOption = False,
    ) -> None:
        """Name every row that differs between two looks at the log, each column before and after, and the events."""
        wanted = {
            "from": since,
            "to": until or None,
            "incident": incident_id(incident) if incident else None,
            "view": ",".join(view or ()) or None,
            "from_happened_by": from_happened_by or None,
            "from_known_by": from_known_by or None,
        }
        with connect(data) as api:
            catch_up(api)
            answer = api.get("/api/diff", **wanted, **_without_as_of(happened_by, known_by))
        if as_json:
            show_json(answer)
            return
        _tell(answer)


def _without_as_of(happened_by: str, known_by: str) -> dict[str, str | None]:
    return {name: text for name, text in asked_lens("", happened_by, known_by).items() if name != "as_of"}


def _tell(answer: Mapping[str, Any]) -> None:
    for each in answer["views"]:
        say(f"{each['view']}: {_counted(each)}")
        for change in each["changes"]:
            _tell_change(answer, change)
        if each["truncated"]:
            say(f"  … the first {len(each['changes'])} rows; narrow it with --incident or --view")
        if each is not answer["views"][-1]:
            say("")
    if not answer["views"]:
        say("Nothing that is stored differs.")
    tell_events(answer, answer["causes"].values())
    before, after = answer["from"], answer["to"]
    looks = f"position {before['position']}{bounds(before)} and position {after['position']}{bounds(after)}"
    note(f"{counted(answer['events'], 'event')} between {looks}")


def _counted(each: Mapping[str, Any]) -> str:
    return ", ".join(f"{each[kind]} {kind}" for kind in ("changed", "added", "removed") if each[kind])


def _tell_change(answer: Mapping[str, Any], change: Mapping[str, Any]) -> None:
    sign = {"added": "+", "removed": "-", "changed": "~"}[change["kind"]]
    say(f"{sign} {' '.join(spoken(answer, str(value)) for value in change['key'].values())}")
    if change["kind"] == "changed":
        telling = [cell for cell in change["cells"] if cell["column"] not in BOOKKEEPING] or change["cells"]
        for cell in telling:
            say(f"    {cell['column']}: {_value(answer, cell['before'])} → {_value(answer, cell['after'])}")
    if not change["is_certain"]:
        say("    no event names this row; the view reads those of:")
    say(f"    {because(change['causes'], has_more=change['has_more_causes'])}")


def _value(answer: Mapping[str, Any], value: Any) -> str:
    return "nothing" if value is None else shortened(spoken(answer, str(value)), VALUE_CHARS_MAX)
