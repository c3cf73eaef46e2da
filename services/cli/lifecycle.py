"""The rest of an incident's life: impact, mitigation, regression, reopening, closing, dismissal, merging."""

from typing import Annotated

import typer

from services.cli.console import DATA_DEFAULT, DataOption, JsonOption
from services.cli.orders import (
    NO_BOUNDS,
    ActorOption,
    AtOption,
    BetweenOption,
    IncidentArgument,
    give_order,
    happened,
    incident_id,
)

SummaryArgument = Annotated[str, typer.Argument(help="What was done, in a sentence.")]
ReasonArgument = Annotated[str, typer.Argument(help="Why, in a sentence.")]


def register(app: typer.Typer) -> None:
    """Add the verbs."""
    _register_recovery(app)
    _register_return(app)
    _register_end(app)


def _register_recovery(app: typer.Typer) -> None:
    @app.command()
    def identify(
        incident: IncidentArgument,
        summary: Annotated[str, typer.Argument(help="What the cause is, in a sentence.")],
        at: AtOption = "",
        between: BetweenOption = NO_BOUNDS,
        data: DataOption = DATA_DEFAULT,
        actor: ActorOption = "",
        as_json: JsonOption = False,
    ) -> None:
        """Say that the cause is known well enough to repair it: time to repair starts."""
        give_order(data, actor, incident, "identify", {"summary": summary} | happened(at, between), as_json=as_json)

    @app.command()
    def impact(
        incident: IncidentArgument,
        scope: Annotated[str, typer.Argument(help="What users cannot do, or which data: a service such as checkout.")],
        level: Annotated[int, typer.Argument(help="0 none (it is over), 1 minor, 2 degraded, 3 major, 4 total.")],
        at: AtOption = "",
        between: BetweenOption = NO_BOUNDS,
        data: DataOption = DATA_DEFAULT,
        actor: ActorOption = "",
        as_json: JsonOption = False,
    ) -> None:
        """Say how much users are affected, from now on or since a time."""
        command = {"scope": scope, "level": level} | happened(at, between)
        give_order(data, actor, incident, "impact", command, as_json=as_json)

    @app.command()
    def mitigate(
        incident: IncidentArgument,
        summary: SummaryArgument = "",
        impact_goes_on: Annotated[bool, typer.Option("--impact-goes-on", help="Users are still affected.")] = False,
        at: AtOption = "",
        between: BetweenOption = NO_BOUNDS,
        data: DataOption = DATA_DEFAULT,
        actor: ActorOption = "",
        as_json: JsonOption = False,
    ) -> None:
        """Say that users are no longer affected (in security incidents: use `contain`)."""
        command = {"summary": summary, "ends_impact": not impact_goes_on} | happened(at, between)
        give_order(data, actor, incident, "contain", command, as_json=as_json)

    @app.command()
    def contain(
        incident: IncidentArgument,
        summary: SummaryArgument = "",
        at: AtOption = "",
        between: BetweenOption = NO_BOUNDS,
        data: DataOption = DATA_DEFAULT,
        actor: ActorOption = "",
        as_json: JsonOption = False,
    ) -> None:
        """Say that the harm no longer spreads; whether users are affected is another matter."""
        command = {"summary": summary, "ends_impact": False} | happened(at, between)
        give_order(data, actor, incident, "contain", command, as_json=as_json)

    @app.command()
    def eradicate(
        incident: IncidentArgument,
        summary: SummaryArgument = "",
        waiver: Annotated[str, typer.Option(help="Security: why it was not contained first.")] = "",
        at: AtOption = "",
        between: BetweenOption = NO_BOUNDS,
        data: DataOption = DATA_DEFAULT,
        actor: ActorOption = "",
        as_json: JsonOption = False,
    ) -> None:
        """Say that the cause is gone."""
        command = {"summary": summary, "waiver": waiver} | happened(at, between)
        give_order(data, actor, incident, "eradicate", command, as_json=as_json)


def _register_return(app: typer.Typer) -> None:
    @app.command()
    def regress(
        incident: IncidentArgument,
        reason: ReasonArgument,
        at: AtOption = "",
        between: BetweenOption = NO_BOUNDS,
        data: DataOption = DATA_DEFAULT,
        actor: ActorOption = "",
        as_json: JsonOption = False,
    ) -> None:
        """Say that the mitigation or the fix did not hold."""
        give_order(data, actor, incident, "regress", {"reason": reason} | happened(at, between), as_json=as_json)

    @app.command()
    def reopen(
        incident: IncidentArgument,
        reason: ReasonArgument,
        mistaken: Annotated[
            bool, typer.Option("--mistaken", help="It never was over, so the clock ran on; else it came back.")
        ] = False,
        at: AtOption = "",
        between: BetweenOption = NO_BOUNDS,
        data: DataOption = DATA_DEFAULT,
        actor: ActorOption = "",
        as_json: JsonOption = False,
    ) -> None:
        """Reopen an incident that came back, or that was never over."""
        command = {"kind": "mistaken" if mistaken else "relapse", "reason": reason} | happened(at, between)
        give_order(data, actor, incident, "reopen", command, as_json=as_json)

    @app.command()
    def reinstate(
        incident: IncidentArgument,
        reason: ReasonArgument,
        at: AtOption = "",
        between: BetweenOption = NO_BOUNDS,
        data: DataOption = DATA_DEFAULT,
        actor: ActorOption = "",
        as_json: JsonOption = False,
    ) -> None:
        """Say that a dismissal was wrong."""
        give_order(data, actor, incident, "reinstate", {"reason": reason} | happened(at, between), as_json=as_json)


def _register_end(app: typer.Typer) -> None:
    @app.command()
    def close(
        incident: IncidentArgument,
        waiver: Annotated[str, typer.Option(help="Why no review was published.")] = "",
        at: AtOption = "",
        between: BetweenOption = NO_BOUNDS,
        data: DataOption = DATA_DEFAULT,
        actor: ActorOption = "",
        as_json: JsonOption = False,
    ) -> None:
        """Close an incident: its review is published, or waived."""
        give_order(data, actor, incident, "close", {"waiver": waiver} | happened(at, between), as_json=as_json)

    @app.command()
    def dismiss(
        incident: IncidentArgument,
        reason: Annotated[
            str,
            typer.Argument(
                help="false_positive, benign, exercise, out_of_scope, insufficient_data or transient_no_impact."
            ),
        ],
        explanation: Annotated[str, typer.Option(help="In a sentence.")] = "",
        at: AtOption = "",
        between: BetweenOption = NO_BOUNDS,
        data: DataOption = DATA_DEFAULT,
        actor: ActorOption = "",
        as_json: JsonOption = False,
    ) -> None:
        """Say that it is not an incident."""
        command = {"reason": reason, "explanation": explanation} | happened(at, between)
        give_order(data, actor, incident, "dismiss", command, as_json=as_json)

    @app.command()
    def merge(
        incident: IncidentArgument,
        into: Annotated[str, typer.Argument(metavar="INTO", help="The incident that carries on.")],
        reason: Annotated[str, typer.Option(help="Why they are one.")] = "",
        data: DataOption = DATA_DEFAULT,
        actor: ActorOption = "",
        as_json: JsonOption = False,
    ) -> None:
        """Merge an incident into another, which carries on alone."""
        command = {"into_incident_id": incident_id(into), "reason": reason}
        give_order(data, actor, incident, "merge", command, as_json=as_json)

    @app.command()
    def unmerge(
        incident: IncidentArgument,
        reason: Annotated[str, typer.Option(help="Why they are two.")] = "",
        data: DataOption = DATA_DEFAULT,
        actor: ActorOption = "",
        as_json: JsonOption = False,
    ) -> None:
        """Say that a merge was wrong."""
        give_order(data, actor, incident, "unmerge", {"reason": reason}, as_json=as_json)
