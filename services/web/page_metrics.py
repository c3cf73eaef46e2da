"""Pages: the figures of all metrics, one metric with its curve and incidents, and a receipt computed again."""

from functools import partial
from typing import Annotated, Any
from urllib.parse import urlencode

import msgspec
from litestar import Router, get, post
from litestar.enums import RequestEncodingType
from litestar.params import Body, FromPath
from litestar.response import Template

from projections.figures import words
from projections.figures.cohort import BY, SEVERITY_KINDS, Cohort, conditions
from projections.figures.definition import definition
from projections.figures.period import parse_period
from projections.figures.receipt import ToldCount
from projections.lens import Lens as AnyLens
from services.web import metric_questions as questions
from services.web.api_metrics import since_of, verdict_on
from services.web.identity import AskerRequest
from services.web.metric_questions import Question, explained
from services.web.pages import page
from services.web.problems import Problem
from services.web.site import Here, Lens, Site
from services.web.survival_drawing import draw

# More than anybody reads on a page; SQL gives them all.
INCIDENTS_MAX = 100

STATES = ("measured", "censored", "excluded")

_WORDS: dict[str, Any] = {
    "duration": words.duration,
    "value": words.value,
    "interval": words.interval,
    "why_absent": words.why_absent,
    "values": words.values,
    "share": words.share,
    "share_interval": words.share_interval,
    "basis": words.basis,
}


@get("/metrics")
async def overview(request: AskerRequest, site: Here, lens: Lens) -> Template:
    """Every metric of one cohort."""
    said = dict(request.query_params)
    question = questions.read_question(said)
    seen, told = await questions.answer(site, lens, question)
    counts, absent = await questions.counts(site, seen, question)
    return await page(
        request,
        site,
        "metrics.html",
        as_of=lens,
        told=[(definition(each.figure.metric), each) for each in told],
        counts=[(definition(each.figure.metric), each) for each in counts],
        absent=absent,
        **_form(question, said),
    )


@get("/metrics/{metric:str}")
async def one(request: AskerRequest, site: Here, lens: Lens, metric: FromPath[str]) -> Template:
    """One metric: its definition, its figure with the curve, its groups, and the incidents behind it."""
    said = dict(request.query_params)
    question = questions.read_question({"mean": "1"} | said, metric)
    if not question.metrics:
        raise Problem(404, f"{metric} has no page of its own", instead="It is among all metrics: /metrics")
    whole = Question(
        metrics=question.metrics, cohort=_whole(question.cohort), period=question.period, has_mean=question.has_mean
    )
    seen, told, sample = await questions.whole(site, lens, whole)
    # A bootstrap for every group would take seconds.
    grouped = msgspec.structs.replace(question, has_mean=False)
    groups = (await questions.answer(site, seen, grouped))[1] if question.cohort.by else []
    return await page(
        request,
        site,
        "metric.html",
        as_of=lens,
        definition=definition(metric),
        told=told,
        groups=groups,
        drawing=draw(sample.curve(), told.figure.median.value_us),
        incidents=await _incidents(site, seen, whole),
        incidents_max=INCIDENTS_MAX,
        comparison=await _comparison(site, seen, question, said),
        restated=await _restated(site, lens, whole, said),
        **_form(question, said) | {"by_choices": [by for by in BY if by != "person"]},
    )


@post("/metrics/receipt", status_code=200)
async def receipt(
    request: AskerRequest,
    site: Here,
    data: Annotated[dict[str, str], Body(media_type=RequestEncodingType.URL_ENCODED)],
) -> Template:
    """A receipt that somebody pasted, computed again."""
    verdict = await verdict_on(site, data.get("receipt", ""))
    return await page(
        request, site, "receipt.html", verdict=verdict, counted=isinstance(verdict.told, ToldCount), **_WORDS
    )


def _whole(cohort: Cohort) -> Cohort:
    return Cohort(**{name: getattr(cohort, name) for name in Cohort.__struct_fields__ if name not in ("by", "value")})


def _form(question: Question, said: dict[str, str]) -> dict[str, Any]:
    """What the form of a cohort shows, and what its links carry on."""
    kept = {name: said[name] for name in questions.PARAMETERS if said.get(name) and name in _CARRIED}
    return {
        "question": question,
        "said": {name: said.get(name, "") for name in questions.PARAMETERS},
        "cohort_query": urlencode(sorted(kept.items())),
        "by_choices": BY,
        "severity_kinds": SEVERITY_KINDS,
        **_WORDS,
    }


_CARRIED = frozenset(
    {"period", "from", "to", "by", "severity_kind", "service", "team", "source", "severity", "profile"}
)


async def _incidents(site: Site, seen: AnyLens, question: Question) -> dict[str, list[dict[str, Any]]]:
    """The incidents behind a figure by state, the longest first; one more than are shown, when there are more."""
    where, params = conditions(question.metrics, question.cohort)
    sql = f"""
        select
            incident_id, state, duration_us, reason, cohort_at, service,
            severity_{question.cohort.severity_kind} as severity
        from measurements
        where {where}
        qualify row_number() over (partition by state order by duration_us desc, incident_id) <= {INCIDENTS_MAX + 1}
        order by duration_us desc, incident_id
    """
    found: dict[str, list[dict[str, Any]]] = {state: [] for state in STATES}
    for row in await site.reader.rows(sql, params, as_of=seen):
        found[row["state"]].append(row)
    return found


async def _comparison(site: Site, seen: AnyLens, question: Question, said: dict[str, str]) -> Any:
    if not (said.get("earlier") or said.get("later")):
        return None
    earlier, later = (explained(partial(parse_period, said.get(name, ""))) for name in ("earlier", "later"))
    whole = Question(metrics=question.metrics, cohort=_whole(question.cohort))
    found = await questions.compared(site, seen, whole, earlier, later)
    return {"earlier": earlier, "later": later, "result": next(iter(found.values()))}


async def _restated(site: Site, lens: AnyLens | None, question: Question, said: dict[str, str]) -> Any:
    if not said.get("since"):
        return None
    since = await since_of(site, lens, said)
    found = await questions.restated(site, lens, since, question)
    return {"since": since.position, "figure": found[0] if found else None}


router = Router(path="/", route_handlers=[overview, one, receipt])
