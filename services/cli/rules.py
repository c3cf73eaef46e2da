"""``recount rules``: by what alerts are decided."""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import msgspec
import typer

from events import RecountError
from events.ids import new_event_id
from services.cli.client import connect
from services.cli.console import DATA_DEFAULT, DataOption, JsonOption, counted, note, say, show_json
from services.cli.lens import AsOfOption, HappenedByOption, KnownByOption, asked_lens
from services.cli.orders import ActorOption, show_done
from services.cli.reading import catch_up
from services.cli.rules_trial import Asked, tried_alerts
from services.cli.times import short_time
from services.command import Done
from services.rules import rules_document
from services.rules.advice import advice_on
from services.rules.rules_document import parse_rules
from services.rules.ruleset import RuleSet
from services.rules.trying import Tried

EXAMPLE = Path(rules_document.__file__).with_name("example.toml")
FileArgument = Annotated[Path, typer.Argument(metavar="FILE", help="The rules, in TOML.")]
# More is read by a program: --json gives all.
SHOWN_MAX = 100


def register(app: typer.Typer) -> None:
    """Add the verbs."""
    rules = typer.Typer(
        no_args_is_help=True, help="Rules: which alerts open or join an incident, and which are held back."
    )
    app.add_typer(rules, name="rules")
    _register_documents(rules)
    _register_try(rules)


def rules_group(app: typer.Typer) -> typer.Typer:
    """The group of verbs that `register` added, for the verbs of other files."""
    (group,) = [group.typer_instance for group in app.registered_groups if group.name == "rules"]
    assert group is not None
    return group


def read_rules(path: Path) -> tuple[str, RuleSet]:
    """The text of a file of rules, and what it means.

    Raises:
        RecountError: it cannot be read, or is no rule set.
    """
    try:
        text = path.read_bytes().decode()
    except OSError as error:
        raise RecountError(f"{path} cannot be read: {error.strerror}", hint="Name a file.") from error
    except UnicodeDecodeError as error:
        raise RecountError(f"{path} is not UTF-8: {error}", hint="TOML is UTF-8.") from error
    return text, parse_rules(text, str(path))


def _register_documents(rules: typer.Typer) -> None:
    @rules.command()
    def show(
        example: Annotated[bool, typer.Option("--example", help="A set to begin with, with comments.")] = False,
        as_of: AsOfOption = "",
        happened_by: HappenedByOption = "",
        known_by: KnownByOption = "",
        data: DataOption = DATA_DEFAULT,
        as_json: JsonOption = False,
    ) -> None:
        """Print the rules that decide now, or decided then, as they were written."""
        if example:
            say(EXAMPLE.read_text().rstrip())
            return
        with connect(data) as api:
            catch_up(api)
            answer = api.get("/api/rules", **asked_lens(as_of, happened_by, known_by))
        if as_json:
            show_json(answer)
            return
        note(_published(answer))
        say(answer["text"].rstrip())

    @rules.command()
    def check(file: FileArgument, as_json: JsonOption = False) -> None:
        """Say whether a file of rules is in order. Needs no running platform and changes nothing."""
        _text, found = read_rules(file)
        routes = [route.path for route in found.route.walk()]
        inhibit, intervals = [rule.name for rule in found.inhibit], sorted(found.time_intervals)
        advice = advice_on(found)
        if as_json:
            told = {"routes": routes, "inhibit": inhibit, "time_intervals": intervals, "advice": list(advice)}
            show_json(told)
            return
        parts = (counted(len(routes), "route"), counted(len(inhibit), "inhibition rule"))
        say(f"{file} is in order: {', '.join(parts)}, {counted(len(intervals), 'time interval')}.")
        for one in advice:
            note(f"Note: {one}.")

    @rules.command()
    def publish(
        file: FileArgument,
        why: Annotated[str, typer.Option("--note", help="What changes and why.")] = "",
        data: DataOption = DATA_DEFAULT,
        actor: ActorOption = "",
        as_json: JsonOption = False,
    ) -> None:
        """Have a file of rules decide from now on. What already decides is not published again."""
        text, _found = read_rules(file)
        with connect(data, actor=actor) as api:
            headers = {"Idempotency-Key": new_event_id()}
            answer = api.post("/api/rules", json={"text": text, "note": why}, headers=headers)
        show_done(msgspec.convert(answer, Done), as_json=as_json)


def _register_try(rules: typer.Typer) -> None:
    @rules.command(name="try")
    def try_rules(
        payload: Annotated[
            Path | None, typer.Argument(metavar="[PAYLOAD]", help="A file with what a sender would send.")
        ] = None,
        sender: Annotated[str, typer.Option(help="Which adapter reads the payload.")] = "alertmanager",
        service: Annotated[str, typer.Option(help="Service of alerts that name none, as a key may have.")] = "",
        content_type: Annotated[str, typer.Option(help="Content type of the payload.")] = "application/json",
        alert: Annotated[str, typer.Option(metavar="KEY", help="An alert of the log, as it fired last.")] = "",
        hour: Annotated[str, typer.Option(metavar="TIME", help="All that came in the hour from then on.")] = "",
        at: Annotated[str, typer.Option("--at", metavar="TIME", help="When a payload comes; default: now.")] = "",
        file: Annotated[
            Path | None, typer.Option("--rules", metavar="FILE", help="Rules to try; default: those that decide now.")
        ] = None,
        data: DataOption = DATA_DEFAULT,
        as_json: JsonOption = False,
    ) -> None:
        """Show what rules make of a payload, a stored alert or a stored hour, rule by rule. Changes nothing."""
        asked = Asked(
            payload=payload,
            sender=sender,
            service=service,
            content_type=content_type,
            alert_key=alert,
            hour=hour,
            at=at,
            rules=read_rules(file)[1] if file else None,
        )
        tried = tried_alerts(data, asked)
        if as_json:
            show_json({"alerts": tried})
        else:
            _show_tried(tried)


def _show_tried(tried: Sequence[Tried]) -> None:
    for alert in tried[:SHOWN_MAX]:
        say(f"{short_time(alert.at.isoformat())}  {alert.title}  ({_about(alert)})")
        width = max(len(step.what) for step in alert.verdict.steps)
        for step in alert.verdict.steps:
            say(f"  {step.what.ljust(width)}  {step.outcome.ljust(12)}  {step.detail}".rstrip())
        say(f"  => {_outcome(alert)}")
    if len(tried) > SHOWN_MAX:
        note(f"{counted(len(tried) - SHOWN_MAX, 'more alert')}: --json gives all.")
    if not tried:
        say("No alert fires there.")
        return
    counts = {action: sum(alert.verdict.action == action for alert in tried) for action in ("place", "hold", "record")}
    words = {"place": "open or join an incident", "hold": "held back", "record": "only recorded"}
    say(", ".join(f"{number:,} {words[action]}" for action, number in counts.items() if number))


def _about(alert: Tried) -> str:
    return ", ".join(filter(None, (alert.severity, alert.service, f"alert {alert.alert_key}")))


def _outcome(alert: Tried) -> str:
    found = alert.verdict
    if found.action != "place":
        return f"{'held back' if found.action == 'hold' else 'only recorded'} at {found.route}: {found.reason}"
    group = ", ".join(f"{name}={value}" for name, value in found.group_labels.items()) or "of its own"
    what = "joins an open incident" if found.route_action == "join" else f"opens or joins a {found.incident_severity}"
    policy = f", policy {found.policy}" if found.policy else ""
    return f"{what} by {found.route}, group {group}{policy}: {found.reason}"


def _published(answer: dict[str, Any]) -> str:
    if not answer["rules_seq"]:
        return "Nobody has published rules: these stand for the settings [grouping]."
    why = f": {answer['note']}" if answer["note"] else ""
    return f"Published {short_time(answer['happened_at'])} UTC at log position {answer['rules_seq']}{why}"
