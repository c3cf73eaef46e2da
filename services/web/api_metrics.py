"""HTTP API: figures with intervals and receipts, their comparison and restatement, and receipts computed again.

Durations are whole microseconds in fields that end in ``_us``; an end that is null says why in the field beside it.
"""

import asyncio
from datetime import datetime
from functools import partial
from typing import Annotated, Any

import msgspec
from litestar import Request, Router, get, post
from litestar.params import FromPath, JSONBody

from projections.figures.cohort import BY, SEVERITY_KINDS
from projections.figures.comparison import Comparison
from projections.figures.definition import definition
from projections.figures.period import parse_period
from projections.figures.receipt import RECEIPT_CHARS_MAX, Told, ToldCount, Verdict, again, decode
from projections.lens import Lens as AnyLens
from services.version import recount_version
from services.web import metric_questions as questions
from services.web.answers import json_value
from services.web.declared import declared
from services.web.metric_questions import Question, Restated, RestatedCount, explained
from services.web.problems import Problem
from services.web.site import Here, Lens, Site

# Steps of a curve; a screen shows fewer, and `survival_curve` has them all.
STEPS_MAX = 1_000

Asking = Request[Any, Any, Any]

# What `metric_questions.read_question` and what is below read of the address, for the OpenAPI document.
SEVERAL = {"metric": "Metrics, several with commas; all when left out."}
COHORT = {
    "by": f"What to group by: {', '.join(BY)}.",
    "from": "Incidents that started from this time on, ISO 8601.",
    "to": "Incidents that started before this time.",
    "period": "In place of both: 2026-02, 2026-Q1, 2026-W07, 2026, 2026-02-14 or 2026-02-01..2026-02-15.",
    "severity_kind": f"Which severity counts: {', '.join(SEVERITY_KINDS)}.",
    "service": "Of this service alone.",
    "team": "Of this team alone.",
    "source": "Declared from this source alone.",
    "severity": "Of this severity alone.",
    "profile": f"Of this profile alone: {', '.join(questions.PROFILES)}.",
    "mean": "With 1: the mean, too.",
}
COMPARED = {
    "earlier": "A period to compare with `later`.",
    "later": "The other period.",
    "curve": "With 1: the survival curve of each group.",
}
SINCE = {"since": "A log position or a time."}


class Pasted(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """A receipt to check."""

    receipt: Annotated[str, msgspec.Meta(min_length=1, max_length=RECEIPT_CHARS_MAX)]


@get("/metrics", opt=declared(404, query=SEVERAL | COHORT | COMPARED))
async def figures(request: Asking, site: Here, lens: Lens) -> dict[str, Any]:
    """The figures of all metrics, or of those in ``metric``, of one cohort, in groups ``by``."""
    return await _figures(site, lens, questions.read_question(dict(request.query_params)), request)


@get("/metrics/{metric:str}", opt=declared(query=COHORT | COMPARED))
async def one_metric(request: Asking, site: Here, lens: Lens, metric: FromPath[str]) -> dict[str, Any]:
    """The figures of one metric; with ``curve=1`` also the curve of each group."""
    return await _figures(site, lens, questions.read_question(dict(request.query_params), metric), request)


@get("/metrics/restatement", opt=declared(404, query=SEVERAL | COHORT | SINCE))
async def restatement(request: Asking, site: Here, lens: Lens) -> dict[str, Any]:
    """The figures that are not what they were at ``since``, a position or a time, with the events that changed them."""
    said = dict(request.query_params)
    since = await since_of(site, lens, said)
    question = questions.read_question(said)
    found = await questions.restated(site, lens, since, question)
    counts = await questions.restated_counts(site, lens, since, question)
    return {
        "since": since.position,
        "position": site.reader.position_of(lens),
        "restated": [restated_json(each) for each in found],
        "counts": [restated_count_json(each) for each in counts],
        "names": await site.names.called(),
    }


@post("/metrics/receipt", status_code=200, opt=declared(404))
async def receipt(data: JSONBody[Pasted], site: Here) -> dict[str, Any]:
    """Compute the figure of a receipt again at its position, and compare."""
    verdict = await verdict_on(site, data.receipt)
    return {
        "holds": verdict.holds,
        "differences": plain(verdict.differences),
        "metric": verdict.receipt.metric,
        "position": verdict.receipt.position,
        "cohort": plain(verdict.receipt.cohort),
        "now": told_json(verdict.told),
    }


async def verdict_on(site: Site, text: str) -> Verdict:
    """Compute the figure of a receipt again.

    Raises:
        Problem: 400, it is no receipt; 404, its position or its metric does not exist here.
    """
    pasted = explained(lambda: decode(text))
    if pasted.position > site.reader.position:
        raise Problem(
            404,
            f"Log position {pasted.position} does not exist here",
            because=f"this log ends at {site.reader.position}, so the receipt is of another log or of a longer one",
            instead="Check it where the figure was made.",
        )
    explained(lambda: definition(pasted.metric))
    ask = questions.bound(site.reader.warehouse, pasted.lens)
    return await asyncio.to_thread(partial(again, ask, pasted, program=recount_version()))


async def since_of(site: Site, lens: AnyLens | None, said: dict[str, str]) -> AnyLens:
    """The lens of the parameter ``since``: as now, but known at that position.

    Raises:
        Problem: 400, it is missing, cannot be read or lies in the future.
    """
    if not said.get("since"):
        raise Problem(400, "Since when?", instead="Give since=4711, a log position, or a time such as 2026-03-05.")
    position = await site.reader.resolve(said["since"])
    if position > site.reader.position_of(lens):
        raise Problem(400, "Nothing can have changed since then", because="it is later than what is looked at")
    return msgspec.structs.replace(lens or AnyLens(), position=position)


def told_json(told: Told | ToldCount) -> dict[str, Any]:
    """A figure with its receipt, for programs."""
    return {**plain(told.figure), "receipt": told.receipt}


def restated_json(restated: Restated) -> dict[str, Any]:
    """A restated figure, for programs."""
    return {
        "metric": restated.metric,
        "group": restated.group,
        "restated": restated.is_restated,
        "then": told_json(restated.then) if restated.then else None,
        "now": told_json(restated.now) if restated.now else None,
        "changes": plain(restated.changes),
    }


def restated_count_json(restated: RestatedCount) -> dict[str, Any]:
    """A counted figure that is another than it was, for programs."""
    return {
        "metric": restated.told.metric,
        "group": restated.told.group,
        "then": told_json(restated.then) if restated.then else None,
        "now": told_json(restated.now) if restated.now else None,
    }


def plain(value: Any) -> Any:
    """A struct, or several, as JSON can hold them; times in UTC with ``Z``."""
    return json_value(msgspec.to_builtins(value, builtin_types=(datetime,)))


async def _figures(site: Site, lens: AnyLens | None, question: Question, request: Asking) -> dict[str, Any]:
    seen, told = await questions.answer(site, lens, question)
    by_metric: dict[str, list[dict[str, Any]]] = {metric: [] for metric in question.metrics}
    for each in told:
        by_metric[each.figure.metric].append(told_json(each))
    answer: dict[str, Any] = {
        "position": seen.position,
        "known_by": json_value(seen.known_by),
        "happened_by": json_value(seen.happened_by),
        "cohort": plain(question.cohort),
        "severity": question.cohort.severity_kind,
        "metrics": [{**questions.described(metric), "figures": by_metric[metric]} for metric in question.metrics],
    }
    counts, absent = await questions.counts(site, seen, question)
    answer["counts"] = [
        {**questions.described(metric), "figures": [told_json(each) for each in counts if each.figure.metric == metric]}
        for metric in question.counts
        if metric not in absent
    ]
    answer["absent"] = absent
    if question.cohort.by == "person":
        answer["names"] = await site.names.called()
    if request.query_params.get("curve"):
        await _add_curves(answer, site, seen, question)
    if request.query_params.get("earlier") or request.query_params.get("later"):
        answer["comparison"] = await _comparison(site, lens, question, request)
    return answer


async def _add_curves(answer: dict[str, Any], site: Site, seen: AnyLens, question: Question) -> None:
    sampled = await questions.sampled(site, seen, question)
    for metric in answer["metrics"]:
        for figure in metric["figures"]:
            sample = sampled.get((metric["metric"], figure["group"]))
            steps = sample.curve().steps if sample else ()
            thin = -(-len(steps) // STEPS_MAX) or 1
            figure["curve"] = [
                {
                    "duration_us": step.duration_us,
                    "at_risk": step.at_risk,
                    "events": step.events,
                    "survival": round(step.survival, 12),
                    "low": round(step.band[0], 12) if step.band else None,
                    "high": round(step.band[1], 12) if step.band else None,
                }
                for step in steps[::thin]
            ]


async def _comparison(site: Site, lens: AnyLens | None, question: Question, request: Asking) -> dict[str, Any]:
    earlier, later = (
        explained(partial(parse_period, request.query_params.get(name, ""))) for name in ("earlier", "later")
    )
    found: dict[tuple[str, str], Comparison] = await questions.compared(site, lens, question, earlier, later)
    return {
        "earlier": plain(earlier),
        "later": plain(later),
        "figures": [{"metric": metric, "group": group, **plain(each)} for (metric, group), each in found.items()],
    }


router = Router(path="/api", route_handlers=[figures, restatement, receipt, one_metric])
