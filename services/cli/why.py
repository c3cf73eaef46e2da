"""``recount why``: from the bytes received to what a channel answered, and what did not happen."""

from collections.abc import Mapping
from typing import Annotated, Any
from urllib.parse import quote

import typer

from events import RecountError
from services.cli.client import connect
from services.cli.console import DATA_DEFAULT, DataOption, JsonOption, line, note, say, show_json, show_table
from services.cli.incident import called, spoken
from services.cli.lens import AsOfOption, HappenedByOption, KnownByOption, asked_lens
from services.cli.reading import catch_up
from services.cli.times import short_time


def register(app: typer.Typer) -> None:
    """Add the verb."""

    @app.command()
    def why(
        about: Annotated[
            str,
            typer.Argument(
                metavar="ID",
                help="INC-42, an alert's key or title, a page, a silence, an event's id, a log position as '#4711' "
                "(the shell needs the quotes), receipt:12.",
            ),
        ],
        as_of: AsOfOption = "",
        happened_by: HappenedByOption = "",
        known_by: KnownByOption = "",
        data: DataOption = DATA_DEFAULT,
        as_json: JsonOption = False,
    ) -> None:
        """Tell why something happened, or did not: every event from the payload to the channel's answer, and every
        rule that was looked at. Times are UTC."""
        if not about.strip():
            raise RecountError("nothing was asked about", hint="Name something: recount why INC-42")
        with connect(data) as api:
            catch_up(api)
            told = api.get(f"/api/why/{quote(about, safe='')}", **asked_lens(as_of, happened_by, known_by))
        if as_json:
            show_json(told)
            return
        _tell(told)


def _tell(told: Mapping[str, Any]) -> None:
    subject = told["subject"]
    say(f"{subject['kind']} {subject['id']}" + (f"  {line(subject['title'])}" if subject["title"] else ""))
    for sentence in told["answer"]:
        say(f"  {line(spoken(told, sentence))}")
    _tell_absent(told)
    _tell_receipts(told)
    _tell_chain(told)
    for decision in told["decisions"]:
        _tell_decision(told, decision)
    for sentence in told["unknown"]:
        note(f"{sentence[:1].upper()}{sentence[1:]}.")


def _tell_absent(told: Mapping[str, Any]) -> None:
    if not told["absent"]:
        return
    say("")
    say("What did not happen")
    for one in told["absent"]:
        said = ", ".join(part for part in (one["rule"], f"#{one['seq']}" if one["seq"] else "") if part)
        say(f"  {line(spoken(told, one['what']))}: {line(spoken(told, one['because']))}{f' ({said})' if said else ''}")


def _tell_receipts(told: Mapping[str, Any]) -> None:
    if not told["receipts"]:
        return
    say("")
    say("Bytes received")
    for receipt in told["receipts"]:
        if receipt["trouble"]:
            say(f"  receipt {receipt['seq']}: {receipt['trouble']}")
            continue
        say(
            f"  receipt {receipt['seq']}: {receipt['size_bytes']} bytes from {receipt['source']} by "
            f"{receipt['integration']} at {short_time(receipt['received_at'])}"
        )
        say(f"    {receipt['first_line']}")


def _tell_chain(told: Mapping[str, Any]) -> None:
    say("")
    say("What led to it")
    show_table(
        ("position", "because of", "happened", "step", "stream", "what"),
        [
            (
                row["seq"],
                row["cause_seq"] or (f"receipt {row['receipt_seq']}" if row["receipt_seq"] else ""),
                short_time(row["happened_at"]),
                row["step"],
                row["stream"],
                _what(told, row),
            )
            for row in told["chain"]
        ],
        empty="Nothing.",
    )


def _what(told: Mapping[str, Any], row: Mapping[str, Any]) -> str:
    actor = called(told, row["actor"])
    said = spoken(told, row["headline"]).replace(row["actor"] or "\0", actor)
    back = f" [taken back by #{row['retracted_by_seq']}]" if row["retracted_by_seq"] else ""
    reason = f" ({spoken(told, row['reason'])})" if row["reason"] else ""
    return line(f"{said}{reason}{back}")


def _tell_decision(told: Mapping[str, Any], decision: Mapping[str, Any]) -> None:
    say("")
    rules = f"rule set #{decision['rules_seq']}" if decision["rules_seq"] else "the built-in rule set"
    same = "says the same" if decision["agrees"] else f"says otherwise: {decision['computed']}"
    which = f"{line(decision['title'])}, occurrence {decision['occurrence']} ({decision['recorded']})"
    say(f"Rule by rule: {which}; {rules}, asked again, {same}")
    if decision["note"]:
        say(f"  {decision['note']}")
    show_table(
        ("rule", "outcome", "detail"),
        [(step["what"], step["outcome"], line(spoken(told, step["detail"]))) for step in decision["steps"]],
    )
