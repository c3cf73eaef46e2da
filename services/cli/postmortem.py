"""``recount postmortem``: the story of an incident as Markdown, and its publication."""

import hashlib
import sys
from pathlib import Path
from typing import Annotated

import typer

from services.cli.client import connect
from services.cli.console import DATA_DEFAULT, DataOption, JsonOption, note, say, show_json
from services.cli.lens import AsOfOption, HappenedByOption, KnownByOption, asked_lens
from services.cli.orders import ActorOption, IncidentArgument, incident_id, send_order
from services.cli.reading import catch_up


def register(app: typer.Typer) -> None:
    """Add the verb."""

    @app.command()
    def postmortem(
        incident: IncidentArgument,
        as_of: AsOfOption = "",
        happened_by: HappenedByOption = "",
        known_by: KnownByOption = "",
        output: Annotated[
            Path | None, typer.Option("--output", "-o", metavar="FILE", help="Write it there instead of printing it.")
        ] = None,
        names: Annotated[bool, typer.Option("--names", help="Names instead of letters.")] = False,
        publish: Annotated[
            bool, typer.Option("--publish", help="Record that people have read it: its position and its SHA-256.")
        ] = False,
        data: DataOption = DATA_DEFAULT,
        actor: ActorOption = "",
        as_json: JsonOption = False,
    ) -> None:
        """Print an incident's postmortem in Markdown. The same log position gives the same bytes."""
        if names and publish:
            raise typer.BadParameter(
                "a published postmortem has no names, so that it stays the same: leave --names out"
            )
        lens = asked_lens(as_of, happened_by, known_by)
        if publish and (happened_by or known_by):
            raise typer.BadParameter("what is published is what the log holds: leave --happened-by and --known-by out")
        identifier = incident_id(incident)
        with connect(data, actor=actor) as api:
            catch_up(api)
            answer = api.ask(
                "GET",
                f"/api/incidents/{identifier}/postmortem",
                params=lens | {"names": str(names).lower()},
            )
            made_from = int(answer.headers["Recount-Position"])
            digest = hashlib.sha256(answer.content).hexdigest()
            done = None
            if publish:
                published = {"made_from_seq": made_from, "document_sha256": digest}
                done = send_order(api, identifier, "publish_review", published)
        if output is not None:
            output.write_bytes(answer.content)
        if as_json:
            show_json(
                {
                    "incident_id": identifier,
                    "made_from_seq": made_from,
                    "document_sha256": digest,
                    "published": done is not None,
                    "markdown": answer.text,
                }
            )
        elif output is not None:
            say(f"{output}: {identifier} as of log position {made_from}, SHA-256 {digest}")
        else:
            sys.stdout.write(answer.text)
        if done is not None:
            note(done.message)
