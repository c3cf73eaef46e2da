"""``recount action``: what was agreed on so that it is less likely, or less bad, next time."""

from typing import Annotated

import typer

from services.cli.client import connect
from services.cli.console import DATA_DEFAULT, DataOption, JsonOption, note, show_json, show_table
from services.cli.lens import AsOfOption, HappenedByOption, KnownByOption, asked_lens
from services.cli.orders import ActorOption, IncidentArgument, give_order, incident_id
from services.cli.reading import catch_up

# What has no date comes last; what is over, after what is open.
_ACTIONS = """
    select incident_id, action_id, state, purpose, coalesce(nullif(name, ''), owner_id, '') as owner, due_on, text
    from action_items left join people on person_id = owner_id
    where {wanted}
    order by state <> 'open', due_on nulls last, agreed_at, incident_id, action_id
"""


def register(app: typer.Typer) -> None:
    """Add the verbs."""
    action = typer.Typer(no_args_is_help=True, help="Actions: what was agreed on after an incident.")
    app.add_typer(action, name="action")

    @action.command()
    def add(
        incident: IncidentArgument,
        text: Annotated[str, typer.Argument(help="What is to be done.")],
        owner: Annotated[str, typer.Option(metavar="HANDLE", help="Who sees to it; closing asks for one.")] = "",
        due: Annotated[str, typer.Option(metavar="DATE", help="By when, such as 2026-12-01.")] = "",
        purpose: Annotated[str, typer.Option(help="prevent, mitigate, detect, process or other.")] = "",
        data: DataOption = DATA_DEFAULT,
        actor: ActorOption = "",
        as_json: JsonOption = False,
    ) -> None:
        """Agree on something to be done. Prints the action's number."""
        command = {"text": text, "owner_id": owner, "due_on": due, "purpose": purpose}
        give_order(data, actor, incident, "agree_action", command, as_json=as_json)

    @action.command()
    def done(
        incident: IncidentArgument,
        action_id: Annotated[str, typer.Argument(metavar="ACTION", help="Such as A1.")],
        dropped: Annotated[bool, typer.Option("--dropped", help="It will not be done; say why with --reason.")] = False,
        reason: Annotated[str, typer.Option(help="Why it is dropped.")] = "",
        data: DataOption = DATA_DEFAULT,
        actor: ActorOption = "",
        as_json: JsonOption = False,
    ) -> None:
        """Say that an action was carried out, or is dropped."""
        command = {"action_id": action_id.upper(), "dropped": dropped, "reason": reason}
        give_order(data, actor, incident, "finish_action", command, as_json=as_json)

    @action.command(name="list")
    def list_actions(
        incident: Annotated[str, typer.Argument(metavar="[INCIDENT]", help="Only of this one.")] = "",
        everything: Annotated[bool, typer.Option("--all", help="Those that are done or dropped, too.")] = False,
        as_of: AsOfOption = "",
        happened_by: HappenedByOption = "",
        known_by: KnownByOption = "",
        data: DataOption = DATA_DEFAULT,
        as_json: JsonOption = False,
    ) -> None:
        """List the open actions, what is due first on top."""
        wanted = ["true" if everything else "state = 'open'"]
        if incident:
            wanted.append(f"incident_id = '{incident_id(incident)}'")
        with connect(data) as api:
            catch_up(api)
            question = {"sql": _ACTIONS.format(wanted=" and ".join(wanted))}
            answer = api.post("/api/sql", json=question | asked_lens(as_of, happened_by, known_by))
        columns = [column["name"] for column in answer["columns"]]
        if as_json:
            actions = [dict(zip(columns, row, strict=True)) for row in answer["rows"]]
            show_json({"actions": actions, "truncated": answer["truncated"], "position": answer["position"]})
            return
        show_table(
            ["incident", "action", *columns[2:]],
            answer["rows"],
            empty="No actions." if everything else "No open actions. `recount action list --all` shows the others.",
        )
        if answer["truncated"]:
            note("There are more; `recount sql` gives them all.")
