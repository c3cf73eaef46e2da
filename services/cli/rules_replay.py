"""``recount rules replay``: what other rules would have made of history."""

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import msgspec
import typer

from events import RecountError, Stored
from services.cli.client import Api, connect
from services.cli.console import DATA_DEFAULT, DataOption, JsonOption, counted, note, say, show_json, show_table
from services.cli.counterfactual import CATEGORIES, Played, Setting, from_outside, new_run, readable
from services.cli.counterfactual_acts import Acts
from services.cli.counterfactual_diff import (
    Difference,
    IncidentChange,
    PageChange,
    Told,
    difference,
    told_by,
)
from services.cli.counterfactual_diff import counted as kinds_of
from services.cli.progress import Bar
from services.cli.reading import catch_up
from services.cli.rules import read_rules, rules_group
from services.cli.times import parsed, short_time
from services.incidents.grouping import Rules
from services.settings import load_settings

# What is kept in memory: some kilobyte an event, twice.
EVENTS_MAX = 1_000_000
SHOWN_MAX = 50
DROPPED_SHOWN_MAX = 10

UNKNOWN = (
    "What people would have done otherwise: each act is done at the time at which it was done, on the incident that "
    "has the same alerts; where there is none it is left out.",
    "Whether each person could be reached: everybody who was there counts as having a contact, so a page that was "
    "withheld for want of one is told as requested in both runs.",
    "Whether a page arrived: channels are not asked, so nothing is sent and nothing fails.",
    "When alerts would have expired: repeats are in no log, so those that expired then do so in both runs.",
    "How fast: services answer at once, so times differ by what their work took.",
    "What was corrected, linked or merged by hand after the beginning is left out of both runs.",
)
"""What a run cannot know; printed with every answer."""


class Result(msgspec.Struct, frozen=True, kw_only=True):
    """The whole answer."""

    began_at: datetime
    ended_at: datetime
    position_from: int
    position_to: int
    firings: int
    """Alerts that fired in the time."""
    before: dict[str, int]
    after: dict[str, int]
    difference: Difference
    carried: int
    dropped_before: tuple[str, ...]
    dropped_after: tuple[str, ...]
    unknown: tuple[str, ...]


def register(app: typer.Typer) -> None:
    """Add the verb to those about rules."""

    @rules_group(app).command()
    def replay(
        began: Annotated[
            str, typer.Option("--from", metavar="TIME", help="The beginning: ISO 8601, UTC, or a position.")
        ],
        ended: Annotated[str, typer.Option("--to", metavar="TIME", help="The end; default: now.")] = "",
        file: Annotated[
            Path | None,
            typer.Option("--rules", metavar="FILE", help="The rules to try; default: those that decide now."),
        ] = None,
        data: DataOption = DATA_DEFAULT,
        as_json: JsonOption = False,
    ) -> None:
        """Show what rules would have made of history: incidents and pages added, removed and moved in time.

        History runs twice, under the rules as they were and under the ones to try, by the same code that decides live.
        Nothing is written and nobody is paged.
        """
        with connect(data) as api:
            catch_up(api)
            text = read_rules(file)[0] if file else api.get("/api/rules")["text"]
            result = _replay(api, data, began, ended, text, quiet=as_json)
        if as_json:
            show_json(result)
        else:
            _tell(result)


def _replay(api: Api, data: Path, began: str, ended: str, rules: str, *, quiet: bool) -> Result:
    first, began_at = _moment(api, began)
    last, ended_at = _moment(api, ended or str(api.get("/api/position")["position"]))
    if last < first or ended_at < began_at:
        raise RecountError("the end lies before the beginning", hint="--from is the earlier of the two times.")
    stored = _events(api, last, quiet=quiet)
    settings = load_settings(data)
    setting = Setting(
        built_in=Rules(opens_at=settings.grouping.opens_at, severity=dict(settings.grouping.severity)),
        threshold=settings.paging.severity,
    )
    edited = msgspec.structs.replace(setting, rules=rules)
    before, after = asyncio.run(_both(setting, edited, stored, first, began_at, ended_at))
    told_before, told_after = told_by(before.events), told_by(after.events)
    return Result(
        began_at=began_at,
        ended_at=ended_at,
        position_from=first,
        position_to=last,
        firings=sum(1 for each in stored if each.seq > first and each.subject.endswith(".fired") and _is_alert(each)),
        before=_totals(told_before),
        after=_totals(told_after),
        difference=difference(told_before, told_after),
        carried=after.carried,
        dropped_before=before.dropped,
        dropped_after=after.dropped,
        unknown=UNKNOWN,
    )


async def _both(
    setting: Setting, edited: Setting, stored: Sequence[Stored], first: int, began_at: datetime, ended_at: datetime
) -> tuple[Played, Played]:
    return (
        await play(setting, stored, first, began_at, ended_at),
        await play(edited, stored, first, began_at, ended_at),
    )


async def play(
    setting: Setting, stored: Sequence[Stored], first: int, began_at: datetime, ended_at: datetime
) -> Played:
    """Run history once.

    Args:
        setting: what decides.
        stored: the events of `CATEGORIES`, from the first of the log through the end.
        first: the last position before the beginning.
        began_at: the beginning.
        ended_at: the end.
    """
    with new_run(setting, began_at) as run:
        acts = Acts(run, first)
        before = [each for each in stored if each.seq <= first]
        for each in before:
            if each.subject.startswith("evt.incident.") and (known := readable(each)) is not None:
                acts.remember(known)
        await run.begin(before)
        for each in stored[len(before) :]:
            recorded = readable(each)
            if recorded is None:
                continue
            acts.remember(recorded)
            if acts.is_act(recorded):
                await acts.carry(recorded)
            elif from_outside(recorded, keeps_rules=setting.rules is None):
                await run.happen(each)
        await run.pass_until(ended_at)
        return Played(events=tuple(run.news), carried=acts.carried, dropped=tuple(acts.dropped))


def _events(api: Api, last: int, *, quiet: bool) -> list[Stored]:
    found: list[Stored] = []
    position = 0
    with Bar("reading the log", last, quiet=quiet) as bar:
        while position < last:
            params = {"after": position, "through": last, "categories": ",".join(sorted(CATEGORIES))}
            response = api.ask("GET", "/api/events", params=params)
            found += [_stored(line) for line in response.content.splitlines()]
            if len(found) > EVENTS_MAX:
                raise RecountError(
                    f"there are more than {EVENTS_MAX:,} events before the end",
                    hint="A replay keeps them in memory; choose an earlier --to.",
                )
            reached = int(response.headers["Recount-Last"])
            if reached <= position:
                break
            position = reached
            bar.show(position)
    return found


class _Line(msgspec.Struct):
    seq: int
    subject: str
    recorded_at: datetime
    body: msgspec.Raw


_LINE = msgspec.json.Decoder(_Line)


def _stored(text: bytes) -> Stored:
    line = _LINE.decode(text)
    return Stored(line.seq, line.subject, line.recorded_at, bytes(line.body))


def _moment(api: Api, text: str) -> tuple[int, datetime]:
    """The position that a text means, and the moment."""
    found = api.get("/api/resolve", as_of=text)
    moment = None if text.isdigit() else parsed(text)
    return int(found["position"]), moment or parsed(found["recorded_at"]) or datetime(1970, 1, 1, tzinfo=UTC)


def _is_alert(stored: Stored) -> bool:
    return stored.subject.startswith("evt.alert.")


def _totals(told: Told) -> dict[str, int]:
    kinds = ("incident", "held", "recorded")
    return {
        "incidents": len(told.incidents),
        "pages": sum(1 for page in told.pages.values() if not page.withheld),
        "pages_withheld": sum(1 for page in told.pages.values() if page.withheld),
    } | {f"alerts_{kind}": sum(1 for each in told.outcomes.values() if each.what == kind) for kind in kinds}


_WORDS = {
    "incidents": "incidents",
    "pages": "pages requested",
    "pages_withheld": "pages withheld",
    "alerts_incident": "firings in an incident",
    "alerts_held": "firings held back to the end",
    "alerts_recorded": "firings only recorded",
}


def _tell(result: Result) -> None:
    times = f"{short_time(result.began_at.isoformat())} to {short_time(result.ended_at.isoformat())} UTC"
    say(f"{times}, log positions {result.position_from + 1} to {result.position_to}, {result.firings:,} firings.")
    say("")
    show_table(
        ("", "as it was", "tried", ""),
        [
            (_WORDS[name], result.before[name], result.after[name], _signed(result.after[name] - result.before[name]))
            for name in _WORDS
        ],
    )
    _tell_incidents(result.difference.incidents)
    _tell_pages(result.difference.pages)
    if result.difference.alerts:
        say("")
        say(f"{counted(len(result.difference.alerts), 'firing')} would have ended otherwise:")
        show_table(
            ("alert", "occurrence", "as it was", "tried"),
            [
                (each.alert_key, each.occurrence, _outcome(each.before), _outcome(each.after))
                for each in result.difference.alerts[:SHOWN_MAX]
            ],
        )
    if not (result.difference.incidents or result.difference.pages or result.difference.alerts):
        say("")
        say("Nothing would have been otherwise.")
    say("")
    say(f"{counted(result.carried, 'act')} of people carried over.")
    for words in result.dropped_after[:DROPPED_SHOWN_MAX]:
        say(f"  left out: {words}")
    if len(result.dropped_after) > DROPPED_SHOWN_MAX:
        say(f"  and {len(result.dropped_after) - DROPPED_SHOWN_MAX} more; --json gives all")
    say("What this cannot know")
    for sentence in result.unknown:
        say(f"  {sentence}")


def _tell_incidents(changes: Sequence[IncidentChange]) -> None:
    if not changes:
        return
    say("")
    say(f"Incidents: {_kinds(kinds_of(changes))}")
    rows: list[tuple[Any, ...]] = []
    for each in changes[:SHOWN_MAX]:
        one = each.before or each.after
        assert one is not None
        rows.append((each.change, short_time(one.began_at.isoformat()), one.severity, one.title, "; ".join(each.what)))
    show_table(("", "began", "severity", "title", "what differs"), rows)
    _more(len(changes))


def _tell_pages(changes: Sequence[PageChange]) -> None:
    if not changes:
        return
    say("")
    say(f"Pages: {_kinds(kinds_of(changes))}")
    rows: list[tuple[Any, ...]] = []
    for each in changes[:SHOWN_MAX]:
        one = each.before or each.after
        assert one is not None
        to = short_time(each.after.at.isoformat()) if each.change == "moved" and each.after else ""
        rows.append(
            (each.change, short_time(one.at.isoformat()), to, one.whom, one.level, one.incident_id, one.withheld)
        )
    show_table(("", "at", "moves to", "person", "level", "incident", "withheld because"), rows)
    _more(len(changes))


def _more(number: int) -> None:
    if number > SHOWN_MAX:
        note(f"{number - SHOWN_MAX:,} more; --json gives all.")


def _kinds(counts: dict[str, int]) -> str:
    return ", ".join(f"{number:,} {kind}" for kind, number in counts.items() if number)


def _outcome(outcome: Any) -> str:
    words = {"incident": "in", "held": "held back,", "recorded": "only recorded:", "undecided": "undecided"}
    return f"{words[outcome.what]} {outcome.detail}".strip()


def _signed(number: int) -> str:
    return f"+{number}" if number > 0 else str(number)
