"""What is asked of metrics over HTTP, and the answers at one position, for the API and the pages."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any, TypeVar

import msgspec

from events import RecountError
from projections.figures.cohort import BY, SEVERITY_KINDS, Ask, Cohort, cells
from projections.figures.comparison import Comparison, compare
from projections.figures.counted import BY_NAME, COUNTS, Counted, NotKnownBy
from projections.figures.definition import NoSuchMetric, definition, metrics
from projections.figures.figure import Sample, samples
from projections.figures.period import BadPeriod, Period, parse_period, parse_start
from projections.figures.receipt import Told, ToldCount, tell, tell_counts, tell_of
from projections.figures.restatement import WENT_ON, Change, changed, changes, events_between, measurements
from projections.lens import Lens
from projections.query import Table
from projections.warehouse import Warehouse
from services.version import recount_version
from services.web.problems import Problem
from services.web.site import Site

# How often an answer is computed from the live tables while the log grows, before it is computed from the past.
LIVE_TRIES = 2
TEXT_CHARS_MAX = 200
PROFILES = ("ops", "security")
PARAMETERS = frozenset(
    {
        *("metric", "by", "from", "to", "period", "severity_kind", "service", "team", "source", "severity", "profile"),
        *("mean", "earlier", "later", "since", "curve"),
        *("as_of", "known_by", "happened_by", "min_position"),
    }
)

T = TypeVar("T")


class Question(msgspec.Struct, frozen=True, kw_only=True):
    """Which figures are wanted."""

    metrics: tuple[str, ...]
    """Duration metrics."""
    counts: tuple[str, ...] = ()
    """Counted ones."""
    cohort: Cohort
    period: str = ""
    """The period as it was written, if one was."""
    has_mean: bool = False


class Restated(msgspec.Struct, frozen=True, kw_only=True):
    """A figure as it was known at an earlier position, and as it is."""

    metric: str
    group: str
    then: Told | None
    """None when nothing of it was known."""
    now: Told | None
    changes: tuple[Change, ...]

    @property
    def is_restated(self) -> bool:
        """Whether more changed than that what went on has ended."""
        return any(change.kind not in WENT_ON for change in self.changes)


class RestatedCount(msgspec.Struct, frozen=True, kw_only=True):
    """A counted figure as it was known at an earlier position, and as it is."""

    then: ToldCount | None
    """None when nothing of it was known."""
    now: ToldCount | None

    @property
    def told(self) -> Counted:
        """The figure that there is: what it is, or else what it was."""
        told = self.now or self.then
        assert told is not None
        return told.figure


def read_question(said: Mapping[str, str], metric: str = "") -> Question:
    """The question that the parameters of a request ask.

    Args:
        said: the query of the address. What is empty is left out.
        metric: the only metric, when the path names it.

    Raises:
        Problem: 400, a parameter cannot be read; 404, there is no such metric.
    """
    wanted = {name: text.strip() for name, text in said.items() if text.strip()}
    strangers = sorted(wanted.keys() - PARAMETERS)
    if strangers:
        raise Problem(
            400,
            f"There is no parameter {strangers[0][:60]!r}",
            because="a condition that was ignored would give another figure than was meant",
            instead=f"Give any of {', '.join(sorted(PARAMETERS))}.",
        )
    long = next((name for name, text in wanted.items() if len(text) > TEXT_CHARS_MAX), "")
    if long:
        raise Problem(400, f"The parameter {long} is too long", because=f"{TEXT_CHARS_MAX} characters are read")
    names = [metric] if metric else [name for name in wanted.get("metric", "").split(",") if name]
    period = explained(lambda: parse_period(wanted["period"])) if "period" in wanted else None
    known = [known_metric(name) for name in names]
    cohort = _cohort(wanted, period)
    durations = tuple(name for name in known if name not in BY_NAME)
    if durations and cohort.by == "person":
        raise Problem(
            400,
            f"{durations[0]} is not told by person",
            because="an incident is nobody's; only pages are counted by whom they woke",
            instead=f"Ask for {_or([each.metric for each in COUNTS if 'person' in each.columns])}.",
        )
    return Question(
        metrics=durations if known or cohort.by == "person" else metrics(),
        counts=tuple(name for name in known if name in BY_NAME) if known else tuple(BY_NAME),
        cohort=cohort,
        period=period.label if period else "",
        has_mean=wanted.get("mean", "") in ("1", "true", "yes"),
    )


def known_metric(name: str) -> str:
    """The id of a metric that exists.

    Raises:
        Problem: 404.
    """
    if name not in (*metrics(), *BY_NAME):
        if name in ("mttr", "ttr"):
            meanings = _or([each for each in metrics() if each.startswith("ttr_")])
            raise Problem(
                404, "There is no bare MTTR", because="it has at least four meanings", instead=f"Ask for {meanings}."
            )
        raise Problem(404, f"There is no metric {name[:60]!r}", instead=f"Ask for {_or((*metrics(), *BY_NAME))}.")
    return name


async def answer(site: Site, lens: Lens | None, question: Question) -> tuple[Lens, list[Told]]:
    """The figures, and the lens with the position that they were computed at."""
    work = partial(
        _tell,
        metrics=question.metrics,
        cohort=question.cohort,
        program=recount_version(),
        has_mean=question.has_mean,
    )
    return await at_one_position(site, lens, work)


async def counts(site: Site, lens: Lens | None, question: Question) -> tuple[list[ToldCount], dict[str, str]]:
    """The counted figures, and why others cannot be told of this cohort.

    Raises:
        Problem: 400, the only one that is asked for cannot be told.
    """

    def work(ask: Ask, seen: Lens) -> tuple[list[ToldCount], dict[str, str]]:
        told: list[ToldCount] = []
        absent: dict[str, str] = {}
        for metric in question.counts:
            try:
                told += tell_counts(ask, seen, metric, question.cohort, program=recount_version())
            except NotKnownBy as error:
                absent[metric] = str(error)
                if len(question.counts) == 1:
                    raise
        return told, absent

    try:
        return (await at_one_position(site, lens, work))[1]
    except NotKnownBy as error:
        raise Problem(400, "This cannot be told", because=str(error), instead=error.hint) from error


async def sampled(site: Site, lens: Lens | None, question: Question) -> dict[tuple[str, str], Sample]:
    """The measurements by metric and group."""
    _, found = await at_one_position(
        site, lens, lambda ask, _lens: samples(cells(ask, question.metrics, question.cohort))
    )
    return found


async def whole(site: Site, lens: Lens | None, question: Question) -> tuple[Lens, Told, Sample]:
    """The figure of one metric in a cohort without groups, with the measurements that it rests on."""

    def work(ask: Ask, seen: Lens) -> tuple[Told, Sample]:
        found = samples(cells(ask, question.metrics, question.cohort))
        (told,) = tell_of(
            found,
            seen,
            question.metrics,
            question.cohort,
            program=recount_version(),
            has_mean=question.has_mean,
        )
        return told, found.get((told.figure.metric, ""), Sample(()))

    seen, (told, sample) = await at_one_position(site, lens, work)
    return seen, told, sample


async def compared(
    site: Site, lens: Lens | None, question: Question, earlier: Period, later: Period
) -> dict[tuple[str, str], Comparison]:
    """How a later period compares with an earlier one, by metric and group."""

    def work(ask: Ask, _lens: Lens) -> dict[tuple[str, str], Comparison]:
        one, other = (
            samples(cells(ask, question.metrics, question.cohort.within(period.start, period.end)))
            for period in (earlier, later)
        )
        keys = sorted(one.keys() | other.keys()) or [(metric, "") for metric in question.metrics]
        return {key: compare(one.get(key, Sample(())), other.get(key, Sample(()))) for key in keys}

    return (await at_one_position(site, lens, work))[1]


async def restated(site: Site, lens: Lens | None, since: Lens, question: Question) -> list[Restated]:
    """The figures of which an incident is measured otherwise than it was, each with the events between."""

    def work(ask: Ask, now: Lens) -> list[Restated]:
        ask_then = bound(site.reader.warehouse, since)
        before = measurements(ask_then, question.metrics, question.cohort)
        after = measurements(ask, question.metrics, question.cohort)
        incidents = sorted({key[2] for key in changed(before, after)})
        events = events_between(ask, incidents, since.position or 0, now.position or 0) if incidents else {}
        found: dict[tuple[str, str], list[Change]] = {}
        ((known_until,),) = ask_then("select moment from clock", ()).rows
        for change in changes(before, after, events, since=known_until):
            found.setdefault((change.metric, change.group), []).append(change)
        told_then = _by_group(_tell(ask_then, since, question.metrics, question.cohort, recount_version()))
        told_now = _by_group(_tell(ask, now, question.metrics, question.cohort, recount_version()))
        return [
            Restated(metric=key[0], group=key[1], then=told_then.get(key), now=told_now.get(key), changes=tuple(each))
            for key, each in found.items()
        ]

    return (await at_one_position(site, lens, work))[1]


async def restated_counts(site: Site, lens: Lens | None, since: Lens, question: Question) -> list[RestatedCount]:
    """The counted figures that are others than they were, where the question can be asked of them."""

    def work(ask: Ask, now: Lens) -> list[RestatedCount]:
        ask_then = bound(site.reader.warehouse, since)
        found: list[RestatedCount] = []
        for metric in question.counts:
            try:
                before = _counts_by_group(
                    tell_counts(ask_then, since, metric, question.cohort, program=recount_version())
                )
                after = _counts_by_group(tell_counts(ask, now, metric, question.cohort, program=recount_version()))
            except NotKnownBy:
                continue
            pairs = [(before.get(group), after.get(group)) for group in sorted(before.keys() | after.keys())]
            found += [RestatedCount(then=then, now=later) for then, later in pairs if _part(then) != _part(later)]
        return found

    return (await at_one_position(site, lens, work))[1]


async def at_one_position(site: Site, lens: Lens | None, work: Callable[[Ask, Lens], T]) -> tuple[Lens, T]:
    """Do several queries that all see the log up to one position, in a thread; that position in a lens, and the result.

    The live tables answer soonest; while the log grows between two queries, they are asked again, and then the past.
    """
    if lens is not None:
        return lens, await asyncio.to_thread(work, bound(site.reader.warehouse, lens), lens)
    live = bound(site.reader.warehouse, None)
    position = await site.reader.stored_position()
    for _ in range(LIVE_TRIES):
        found = await asyncio.to_thread(work, live, Lens(position=position))
        before, position = position, await site.reader.stored_position()
        if position == before:
            return Lens(position=position), found
    fixed = Lens(position=position)
    return fixed, await asyncio.to_thread(work, bound(site.reader.warehouse, fixed), fixed)


def explained(read: Callable[[], T]) -> T:
    """What a reader of text gives; what it cannot read becomes a problem of the request.

    Raises:
        Problem: 400, or 404 for a metric that is gone.
    """
    try:
        return read()
    except RecountError as error:
        status = 404 if isinstance(error, NoSuchMetric) else 400
        raise Problem(status, "The question cannot be read", because=str(error), instead=error.hint) from error


def described(metric: str) -> dict[str, Any]:
    """A metric's definition, for programs."""
    return msgspec.to_builtins(definition(metric))  # type: ignore[no-any-return]


def _cohort(wanted: Mapping[str, str], period: Period | None) -> Cohort:
    if period is not None and ("from" in wanted or "to" in wanted):
        raise Problem(400, "The period cannot be read", because="it comes with from or to", instead="Give one of both.")
    start = explained(lambda: parse_start(wanted["from"])) if "from" in wanted else None
    end = explained(lambda: parse_start(wanted["to"])) if "to" in wanted else None
    if period is not None:
        start, end = period.start, period.end
    if start is not None and end is not None and end <= start:
        raise Problem(400, "The window is empty", because=f"it is from {start} to {end}", instead=BadPeriod.hint)
    return Cohort(
        start=start,
        end=end,
        by=_one_of(wanted, "by", BY, ""),
        severity_kind=_one_of(wanted, "severity_kind", SEVERITY_KINDS, "peak"),
        service=wanted.get("service", ""),
        team=wanted.get("team", ""),
        source=wanted.get("source", ""),
        severity=wanted.get("severity", ""),
        profile=_one_of(wanted, "profile", PROFILES, ""),
    )


def _one_of(wanted: Mapping[str, str], name: str, choices: Sequence[Any], default: Any) -> Any:
    chosen = wanted.get(name, default)
    if chosen not in (*choices, default):
        raise Problem(400, f"{name} cannot be {chosen[:60]!r}", instead=f"Give {_or(choices)}.")
    return chosen


def _tell(
    ask: Ask, lens: Lens, metrics: tuple[str, ...], cohort: Cohort, program: str, *, has_mean: bool = False
) -> list[Told]:
    return tell(ask, lens, metrics, cohort, program=program, has_mean=has_mean)


def _by_group(told: Sequence[Told]) -> dict[tuple[str, str], Told]:
    return {(each.figure.metric, each.figure.group): each for each in told}


def _counts_by_group(told: Sequence[ToldCount]) -> dict[str, ToldCount]:
    return {each.figure.group: each for each in told}


def _part(told: ToldCount | None) -> tuple[int, int]:
    """What was counted. The time in which a rate is counted, and impact that lasts, grow with every event, so they
    restate nothing."""
    if told is None:
        return 0, 0
    return told.figure.part - told.figure.lasting_part, told.figure.whole if told.figure.kind != "rate" else 0


def bound(warehouse: Warehouse, lens: Lens | None) -> Ask:
    """Queries through a lens; None for the live tables."""

    def ask(sql: str, params: Sequence[Any] = ()) -> Table:
        return warehouse.ask(sql, params, as_of=lens)

    return ask


def _or(names: Sequence[str]) -> str:
    return f"{', '.join(names[:-1])} or {names[-1]}" if len(names) > 1 else "".join(names)
