"""``recount intake try``: what a payload would become. Nothing is sent and nothing is stored."""

import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import msgspec
import typer

from events import RecountError
from events.receipt import Receipt
from services.cli.console import JsonOption, note, say, show_json, show_table
from services.cli.text_file import read_text
from services.cli.times import short_time
from services.intake.adapters import InvalidPayload, adapters
from services.intake.mapping import read_mapping
from services.intake.signal import Said, Signal, fit
from services.intake.translator import alert_key
from services.rules.rules_document import parse_rules
from services.rules.ruleset import BUILT_IN, RuleSet
from services.rules.verdict import Situation, Verdict, labels_to_match, verdict

STDIN = "-"
# The integration that a tried payload seems to come through.
INTEGRATION = "key-tried"


def add_try(intake: typer.Typer) -> None:
    """Add the verb to ``recount intake``."""

    @intake.command(name="try")
    def try_payload(
        sender: Annotated[str, typer.Argument(help="The adapter, such as mapped or alertmanager.")],
        payload: Annotated[str, typer.Argument(help="A file with what the sender posts; - reads standard input.")],
        mapping: Annotated[Path | None, typer.Option(help="TOML or JSON, for the sender mapped.")] = None,
        header: Annotated[
            list[str] | None, typer.Option(help="A header of the request, NAME:VALUE; may be given again.")
        ] = None,
        service: Annotated[str, typer.Option(help="Service of alerts that name none themselves.")] = "",
        rules: Annotated[
            Path | None, typer.Option(help="A rule set to look through instead of the built-in one.")
        ] = None,
        as_json: JsonOption = False,
    ) -> None:
        """Show what a payload would become, and what the rules would do with it. Nothing is stored."""
        read_by = read_text(mapping) if mapping else ""
        if read_by:
            read_mapping(read_by)
        adapter = adapters().get(sender)
        if adapter is None:
            raise RecountError(f"there is no sender {sender!r}", hint=f"Use one of {', '.join(sorted(adapters()))}.")
        receipt = _receipt(sender, _body(payload), header or [])
        try:
            said = adapter.for_mapping(read_by).translate(receipt)
        except InvalidPayload as problem:
            refused = adapter.invalid(problem)
            faults = "\n".join(f"  {fault}" for fault in problem.errors)
            raise RecountError(
                f"{sender} does not understand the payload:\n{faults}",
                hint=f"Its sender would be answered {refused.status}; the payload is kept as a dead letter.",
            ) from None
        told = [
            _told(receipt, one, service, parse_rules(read_text(rules), str(rules)) if rules else BUILT_IN)
            for one in said
        ]
        if as_json:
            show_json({"says": told})
            return
        by = (
            f"By the rules of {rules}."
            if rules
            else "By the built-in rules; `recount rules try` asks the published ones."
        )
        _show(told, by=by)


_FATES = {"place": "opens or joins an incident", "hold": "held back", "record": "only recorded"}


def _show(told: list[dict[str, Any]], *, by: str) -> None:
    if not told:
        say("It is understood, and says nothing.")
        return
    show_table(
        ("what", "key", "severity", "service", "since", "title", "then"),
        [
            (
                one["state"] if one["kind"] == "signal" else one["kind"],
                one.get("fingerprint") or one.get("external_id") or "",
                one.get("severity", ""),
                one.get("service", ""),
                short_time(one.get("started_at") or one.get("observed_at") or one.get("happened_at")),
                one.get("title", ""),
                _fate(one),
            )
            for one in told
        ],
    )
    note(f"Nothing was stored. {by} --json shows labels, annotations, and every rule that was looked at.")


def _fate(one: dict[str, Any]) -> str:
    found = one.get("verdict")
    return f"{_FATES[found['action']]}: {found['reason']}" if found else ""


def _told(receipt: Receipt, said: Said, service: str, rules: RuleSet) -> dict[str, Any]:
    kind = type(said).__name__.lower()
    if not isinstance(said, Signal):
        return {"kind": kind, **msgspec.to_builtins(said)}
    signal = fit(msgspec.structs.replace(said, service=said.service or service))
    told = {"kind": kind, **msgspec.to_builtins(signal), "alert_key": alert_key(receipt, signal)}
    if signal.state != "firing":
        return told
    found = _verdict(receipt, signal, rules)
    return told | {
        "verdict": {
            "action": found.action,
            "route": found.route,
            "severity": found.severity,
            "incident_severity": found.incident_severity,
            "group_labels": dict(found.group_labels),
            "reason": found.reason,
            "steps": [msgspec.to_builtins(step) for step in found.steps],
        }
    }


def _verdict(receipt: Receipt, signal: Signal, rules: RuleSet) -> Verdict:
    labels = labels_to_match(
        signal.labels,
        service=signal.service,
        severity=signal.severity,
        sender=receipt.source,
        integration=receipt.integration,
        title=signal.title,
    )
    return verdict(
        Situation(
            alert_key=alert_key(receipt, signal),
            occurrence=1,
            labels=labels,
            severity=signal.severity,
            service=signal.service,
            fired_at=receipt.received_at,
            rules=rules,
            now=receipt.received_at,
        )
    )


def _receipt(sender: str, body: bytes, headers: list[str]) -> Receipt:
    pairs = [line.partition(":") for line in headers]
    if unclear := next((line for line, (_name, colon, _value) in zip(headers, pairs, strict=True) if not colon), None):
        raise RecountError(f"{unclear!r} is no header", hint="Write NAME:VALUE.")
    named = {name.strip().lower(): value.strip() for name, _colon, value in pairs}
    return Receipt(
        source=sender,
        integration=INTEGRATION,
        received_at=datetime.now(UTC),
        content_type=named.pop("content-type", "application/json"),
        headers=named,
        body=body,
    )


def _body(payload: str) -> bytes:
    if payload == STDIN:
        return sys.stdin.buffer.read()
    try:
        return Path(payload).read_bytes()
    except OSError as error:
        raise RecountError(
            f"{payload} cannot be read: {error.strerror or error}", hint="Name a file, or - ."
        ) from error
