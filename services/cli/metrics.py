"""``recount metrics``: figures that say how sure they are, and receipts to compute them again."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Annotated, Any

import msgspec
import typer

from events import RecountError
from projections.figures.counted import Counted
from projections.figures.figure import Estimate, Figure
from projections.figures.words import (
    basis,
    counts,
    duration,
    interval,
    share,
    share_interval,
    value,
    values,
    why_absent,
)
from services.cli.causes import because, tell_events
from services.cli.client import Api, connect
from services.cli.console import DATA_DEFAULT, DataOption, JsonOption, line, note, say, shortened, show_json, show_table
from services.cli.incident import called
from services.cli.lens import AsOfOption, HappenedByOption, KnownByOption, bounds
from services.cli.reading import catch_up
from services.cli.times import short_time

MetricsArgument = Annotated[
    list[str] | None, typer.Argument(metavar="[METRIC]...", help="Such as ttr_recover; else all.")
]
ByOption = Annotated[
    str,
    typer.Option("--by", metavar="GROUP", help="service, team, source, severity, week, month, quarter; pages: person."),
]
FromOption = Annotated[str, typer.Option("--from", metavar="TIME", help="Started at or after it; UTC unless it says.")]
ToOption = Annotated[str, typer.Option("--to", metavar="TIME", help="Started before it.")]
PeriodOption = Annotated[
    str,
    typer.Option(
        "--period", "--month", "--quarter", "--week", metavar="PERIOD", help="Started in 2026-02, 2026-Q1, 2026-W07."
    ),
]
SeverityKindOption = Annotated[
    str, typer.Option("--severity-kind", metavar="KIND", help="Which severity is meant: peak, declared or final.")
]
SeverityOption = Annotated[str, typer.Option("--severity", help="Only this severity, of that kind.")]
ServiceOption = Annotated[str, typer.Option("--service", help="Only this service.")]
TeamOption = Annotated[str, typer.Option("--team", help="Only this team.")]
SourceOption = Annotated[str, typer.Option("--source", help="Only what this source found.")]
ProfileOption = Annotated[str, typer.Option("--profile", help="Only ops, or only security.")]
MeanOption = Annotated[bool, typer.Option("--mean", help="The arithmetic mean, too, with its bootstrap interval.")]
CompareOption = Annotated[
    tuple[str, str] | None,
    typer.Option("--compare", metavar="EARLIER LATER", help="Compare two periods, such as 2026-01 2026-02."),
]
KnownAtOption = Annotated[
    str, typer.Option("--known-at", metavar="TIME|SEQ", help="Beside what it is: the figure as it was known then.")
]
RestatementOption = Annotated[bool, typer.Option("--restatement", help="What changed of the figures --since, and why.")]
SinceOption = Annotated[str, typer.Option("--since", metavar="TIME|SEQ", help="With --restatement.")]
ReceiptOption = Annotated[
    str, typer.Option("--receipt", metavar="RECEIPT", help="Compute the figure of a receipt again, and compare.")
]
ReceiptsOption = Annotated[bool, typer.Option("--receipts", help="Print the receipt of every figure.")]

# The values of a few incidents, where the median of more would stand.
VALUES_CHARS_MAX = 60

_PARTS = {
    "figure": "the figure is another",
    "definition": "the metric's definition has changed since",
    "method": "the method of estimating has changed since",
    "engine": "it was computed by DuckDB {then}, now by {now}",
    "program": "it was computed by Recount {then}, now by {now}",
}


def register(app: typer.Typer) -> None:
    """Add the verb."""

    @app.command()
    def metrics(
        metric: MetricsArgument = None,
        by: ByOption = "",
        start: FromOption = "",
        end: ToOption = "",
        period: PeriodOption = "",
        severity_kind: SeverityKindOption = "",
        severity: SeverityOption = "",
        service: ServiceOption = "",
        team: TeamOption = "",
        source: SourceOption = "",
        profile: ProfileOption = "",
        as_of: AsOfOption = "",
        happened_by: HappenedByOption = "",
        known_by: KnownByOption = "",
        mean: MeanOption = False,
        compare: CompareOption = None,
        known_at: KnownAtOption = "",
        restatement: RestatementOption = False,
        since: SinceOption = "",
        receipt: ReceiptOption = "",
        receipts: ReceiptsOption = False,
        data: DataOption = DATA_DEFAULT,
        as_json: JsonOption = False,
    ) -> None:
        """Figures about incidents: median and 90th percentile with their 95 % intervals, open incidents counted in.

        Incidents are chosen by when they started. NR: not reached, because too many are not over. Exit code 1 with
        --receipt: what it names is computed otherwise now.
        """
        asked = _without_empty(
            metric=",".join(metric or ()),
            **{"from": start, "to": end, "period": period, "by": by, "severity_kind": severity_kind},
            severity=severity,
            service=service,
            team=team,
            source=source,
            profile=profile,
            as_of=as_of,
            happened_by=happened_by,
            known_by=known_by,
            mean="1" if mean else "",
        )
        if restatement and not since:
            raise RecountError("since when?", hint="recount metrics --restatement --since 2026-03-05")
        if since and not restatement:
            raise RecountError(
                "--since belongs to --restatement", hint="recount metrics --restatement --since 2026-03-05"
            )
        with connect(data) as api:
            catch_up(api)
            if receipt:
                _check(api, receipt, as_json=as_json)
            elif known_at or restatement:
                grouped = asked if known_at else {"by": "month"} | asked
                _tell_restatement(api, grouped | {"since": known_at or since}, as_json=as_json)
            elif compare:
                _tell_comparison(api, asked | {"earlier": compare[0], "later": compare[1]}, as_json=as_json)
            else:
                _tell_figures(api, asked, as_json=as_json, receipts=receipts)


def _tell_figures(api: Api, asked: Mapping[str, str], *, as_json: bool, receipts: bool) -> None:
    answer = api.get("/api/metrics", **asked)
    if as_json:
        show_json(answer)
        return
    if answer["metrics"]:
        _tell_durations(answer, asked.get("by", ""), receipts=receipts)
    if answer["counts"]:
        if answer["metrics"]:
            say("")
        _tell_counts(answer, asked.get("by", ""), receipts=receipts)
    for why in answer["absent"].values():
        note(f"{why}.")
    note(_footing(answer))


def _tell_durations(answer: Mapping[str, Any], by: str, *, receipts: bool) -> None:
    pairs = [(_figure(each), each["receipt"]) for metric in answer["metrics"] for each in metric["figures"]]
    group = f"{answer['severity']} severity" if by == "severity" else by
    show_table(
        (
            "metric",
            *([group] if by else []),
            "median",
            "95 % interval",
            "P90",
            "95 % interval",
            "n",
            "open",
            "left out",
        ),
        [
            (
                figure.metric,
                *([figure.group] if by else []),
                *_estimates(figure),
                *(figure.n, figure.censored, figure.excluded),
            )
            for figure, _ in pairs
        ],
        empty="No incident started in this cohort.",
    )
    if len(pairs) == 1:
        _tell_one(pairs[0][0], answer["metrics"][0])
    else:
        if any(figure.values_us for figure, _ in pairs):
            say("So few have no median: these are the values themselves.")
        _tell_reasons([figure for figure, _ in pairs])
    _tell_receipts([(_name(figure), receipt) for figure, receipt in pairs], wanted=receipts)


def _estimates(figure: Figure) -> tuple[str, str, str, str]:
    """Median and 90th percentile with their intervals; of too few, the values themselves."""
    if figure.values_us is not None:
        return shortened(values(figure), VALUES_CHARS_MAX) or "–", "", "", ""
    return value(figure.median), interval(figure.median), value(figure.p90), interval(figure.p90)


def _tell_counts(answer: Mapping[str, Any], by: str, *, receipts: bool) -> None:
    pairs = [
        (msgspec.convert(_without_receipt(each), Counted), each["receipt"])
        for metric in answer["counts"]
        for each in metric["figures"]
    ]
    show_table(
        ("metric", *([by] if by else []), "figure", "95 % interval", "counted", "which is"),
        [
            (
                figure.metric,
                *([called(answer, figure.group) if by == "person" else figure.group] if by else []),
                *(share(figure), share_interval(figure), basis(figure), figure.words),
            )
            for figure, _ in pairs
        ],
        empty="Nothing was counted in this cohort.",
    )
    _tell_receipts([(_name(figure), receipt) for figure, receipt in pairs], wanted=receipts)


def _tell_receipts(receipts: Sequence[tuple[str, str]], *, wanted: bool) -> None:
    if not wanted and len(receipts) != 1:
        return
    say("")
    for name, receipt in receipts:
        say(f"receipt of {name}: {receipt}" if len(receipts) > 1 else f"receipt: {receipt}")


def _tell_one(figure: Figure, metric: Mapping[str, Any]) -> None:
    """What a table has no room for."""
    say("")
    say(f"{metric['sentence']} (version {metric['version']})")
    if figure.values_us is not None and figure.n:
        say(f"Values: {values(figure)}.")
    rows = [("restricted mean", figure.restricted_mean), ("geometric mean", figure.geometric_mean)]
    for name, estimate in rows:
        cut = f", each cut at {duration(figure.tau_us)}" if name == "restricted mean" and figure.tau_us else ""
        if estimate.value_us is not None:
            say(f"{name[:1].upper()}{name[1:]}: {value(estimate)} ({interval(estimate)}){cut}.")
    if figure.mean is not None:
        mean = figure.mean
        say(
            f"Arithmetic mean of what is over: {duration(mean.value_us)} ({duration(mean.low_us)} to "
            f"{duration(mean.high_us)}, {'BCa bootstrap' if mean.resamples else 'BCa, by expansion'})."
        )
    if figure.below_zero:
        say(f"{figure.below_zero} ended before they started, and count as they are.")
    if figure.bounds is not None:
        bounds = figure.bounds
        say(
            f"{bounds.incidents} have imprecise times: the median lies between "
            f"{_or_nr(bounds.median_earliest_us)} and {_or_nr(bounds.median_latest_us)} whatever they were."
        )
    for warning in figure.warnings:
        say(warning)
    _tell_reasons([figure])
    for reason in dict.fromkeys(filter(None, (why_absent(figure.median), why_absent(figure.p90)))):
        say(f"Absent: {reason}.")


def _tell_reasons(figures: Iterable[Figure]) -> None:
    for figure in figures:
        if figure.excluded_because:
            say(f"{_name(figure)} leaves out: {counts(figure.excluded_because)}.")


def _tell_comparison(api: Api, asked: Mapping[str, str], *, as_json: bool) -> None:
    answer = api.get("/api/metrics", **asked)
    if as_json:
        show_json(answer)
        return
    comparison = answer["comparison"]
    say(f"{comparison['later']['label']} beside {comparison['earlier']['label']}, by when incidents started.")
    for each in comparison["figures"]:
        say(f"{_named(each)}: {each['sentence']}")
        if each["ratio"] is not None:
            tested = "" if each["log_rank_p"] is None else f"; log-rank p = {each['log_rank_p']:.2g}"
            say(
                f"  ratio of geometric means {each['ratio']:.2f} "
                f"(95 %: {each['ratio_low']:.2f} to {each['ratio_high']:.2f}){tested}"
            )
    note(_footing(answer))


def _tell_restatement(api: Api, asked: Mapping[str, str], *, as_json: bool) -> None:
    answer = api.get("/api/metrics/restatement", **asked)
    if as_json:
        show_json(answer)
        return
    since, position = answer["since"], answer["position"]
    if not answer["restated"] and not answer["counts"]:
        say(f"No figure is other than it was at log position {since}.")
    for each in answer["restated"]:
        say(f"{_named(each)}: {'restated' if each['restated'] else 'not restated, only gone on'}")
        say(f"  was {_short(each['then'])}")
        say(f"  is  {_short(each['now'])}")
        for change in each["changes"]:
            positions = [event["seq"] for event in change["events"]]
            why = f"; {because(positions)}" if positions else ""
            say(f"  {change['incident_id']} {change['kind']}: {_state(change['then'])} → {_state(change['now'])}{why}")
    for each in answer["counts"]:
        say(f"{_named(each)}: was {_short_count(each['then'])}, is {_short_count(each['now'])}")
    changes = [change for each in answer["restated"] for change in each["changes"]]
    tell_events(answer, (event for change in changes for event in change["events"]))
    note(f"Known at log position {since}, and at {position}.")


def _check(api: Api, receipt: str, *, as_json: bool) -> None:
    answer = api.post("/api/metrics/receipt", json={"receipt": receipt})
    if as_json:
        show_json(answer)
    else:
        say(f"{'Equal' if answer['holds'] else 'Not equal'}. Computed again, {_told_again(answer)}.")
        for difference in answer["differences"]:
            words = _PARTS[difference["part"]].format(**difference)
            say(f"{words[:1].upper()}{words[1:]}.")
            if difference["part"] in ("figure", "definition"):
                say(f"  then {difference['then']}")
                say(f"  now  {difference['now']}")
    if not answer["holds"]:
        raise typer.Exit(1)


def _told_again(answer: Mapping[str, Any]) -> str:
    if "part" in answer["now"]:
        counted = msgspec.convert(_without_receipt(answer["now"]), Counted)
        return f"{_name(counted)} at log position {answer['position']}: {share(counted)}, {basis(counted)}"
    figure = _figure(answer["now"])
    return f"{_name(figure)} at log position {answer['position']}: median {value(figure.median)}, n {figure.n}"


def _figure(said: Mapping[str, Any]) -> Figure:
    return msgspec.convert(_without_receipt(said), Figure)


def _without_receipt(said: Mapping[str, Any]) -> dict[str, Any]:
    return {name: each for name, each in said.items() if name != "receipt"}


def _named(each: Mapping[str, Any]) -> str:
    return line(f"{each['metric']}, {each['group']}" if each["group"] else each["metric"])


def _short_count(said: Mapping[str, Any] | None) -> str:
    if said is None:
        return "not known"
    counted = msgspec.convert(_without_receipt(said), Counted)
    return f"{share(counted)} ({basis(counted)})"


def _name(figure: Figure | Counted) -> str:
    return line(f"{figure.metric}, {figure.group}" if figure.group else figure.metric)


def _short(said: Mapping[str, Any] | None) -> str:
    if said is None:
        return "not known"
    figure = _figure(said)
    parts = [f"median {value(figure.median)}", f"P90 {value(figure.p90)}"]
    if figure.values_us is not None:
        parts = [values(figure) or "nothing measured"]
    return f"{', '.join(parts)}; n {figure.n}, {figure.censored} of them open, {figure.excluded} left out"


def _state(measurement: Mapping[str, Any] | None) -> str:
    if measurement is None:
        return "not in the cohort"
    if measurement["state"] == "measured":
        return duration(measurement["duration_us"])
    if measurement["state"] == "censored":
        return f"more than {duration(measurement['duration_us'])}"
    return f"left out, {measurement['reason']}"


def _or_nr(microseconds: int | None) -> str:
    return value(Estimate(value_us=microseconds, absent="not reached"))


def _footing(answer: Mapping[str, Any]) -> str:
    cohort = answer["cohort"]
    window = [f"from {short_time(cohort['start'])}"] if cohort.get("start") else []
    window += [f"before {short_time(cohort['end'])}"] if cohort.get("end") else []
    started = f"started {' and '.join(window)} UTC" if window else "whenever they started"
    seen = f"as of log position {answer['position']}{bounds(answer)}"
    return f"Incidents {started}, {seen}; severity is the {answer['severity']} one."


def _without_empty(**asked: str) -> dict[str, str]:
    return {name: text for name, text in asked.items() if text}
