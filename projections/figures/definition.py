"""What a metric is: the SQL text that computes it, with everything beneath, as one hash."""

import hashlib
import re
from functools import cache

import msgspec

from events import RecountError
from projections.catalog import FOLDER, Catalog, read_catalog
from projections.figures.counted import BY_NAME
from projections.schema import LOG_TABLE

POPULATION = "root incidents that are or may be real: not merged, dismissed, false positive, benign, nor an exercise"
"""Of every metric whose file names no other one (`metric_population`)."""

MEASUREMENTS = "measurements"
"""The view that brings all metrics into one shape."""


class NoSuchMetric(RecountError):
    """A metric is asked for that is not defined."""


class Definition(msgspec.Struct, frozen=True, kw_only=True):
    """A metric as its file defines it."""

    metric: str
    version: int
    """Raised when what it means changes; 0 when its file does not say."""
    sentence: str
    """What is measured."""
    starts: str
    """The milestone that it is measured from, as its file says; empty when it does not."""
    ends: str
    population: str
    excluded: str
    """Why incidents are left out, besides not being in the population of all metrics."""
    sha256: str
    """Over the SQL of its view and of everything that this reads: 64 hexadecimal digits."""


@cache
def definition(metric: str) -> Definition:
    """The definition that this version of Recount computes.

    Raises:
        NoSuchMetric: there is no view of that name.
    """
    catalog = read_catalog()
    views = {view.name: view for view in catalog.views}
    count = BY_NAME.get(metric)
    name = count.view if count else metric
    if name not in views or MEASUREMENTS not in views:
        raise NoSuchMetric(f"there is no metric {metric}", hint="`recount metrics` lists them.")
    through = f"{count.part} / {count.whole}" if count else measured_by(metric, views[MEASUREMENTS].sql)
    said = _header(name)
    version = re.search(r"version ([0-9]+)", said.get("metric", ""))
    return Definition(
        metric=metric,
        version=int(version[1]) if version else 0,
        sentence=said["sentence"],
        starts=said.get("starts", ""),
        ends=said.get("ends", ""),
        population=said.get("population", POPULATION),
        excluded=said.get("excluded", ""),
        sha256=_hash(sql_beneath(catalog, name) | {"": through}),
    )


@cache
def metrics() -> tuple[str, ...]:
    """The ids of all duration metrics, in the order of `measurements`."""
    sql = next((view.sql for view in read_catalog().views if view.name == MEASUREMENTS), "")
    said = [path.stem for path in FOLDER.rglob("*.sql") if "metric" in _header(path.stem)]
    return tuple(sorted((name for name in said if f"'{name}'" in sql), key=lambda name: sql.index(f"'{name}'")))


def sql_beneath(catalog: Catalog, name: str) -> dict[str, str]:
    """The SQL of a view and of everything that it reads, by name."""
    sql = {each.name: each.sql for each in catalog.typed} | {each.name: each.sql for each in catalog.views}
    uses = {each.name: each.uses for each in catalog.views}
    found: dict[str, str] = {}
    waiting = [name]
    while waiting:
        each = waiting.pop()
        if each in sql and each not in found:
            found[each] = sql[each]
            # What a typed view takes from the log is in its text; the log itself is the table below.
            waiting += uses.get(each, ())
    return found


def measured_by(metric: str, sql: str) -> str:
    """The part of `measurements` that a metric goes through, so that another one more leaves its hash alone."""
    arms, bounded, rest = sql.partition("bounded as (")
    own = [arm for arm in arms.split("union all") if f"'{metric}'" in arm]
    return "".join([*own, bounded, rest])


def _hash(texts: dict[str, str]) -> str:
    parts = [part for name in sorted(texts) for part in (name, texts[name])]
    return hashlib.sha256("\0".join([LOG_TABLE, *parts]).encode()).hexdigest()


def _header(name: str) -> dict[str, str]:
    """The fields above a view's SELECT, and its sentence."""
    (path,) = FOLDER.rglob(f"{name}.sql")
    fields: dict[str, str] = {}
    sentence: list[str] = []
    last = ""
    for line in path.read_text().splitlines():
        if not line.startswith("--"):
            break
        text = line.removeprefix("--").strip()
        if found := re.fullmatch(r"([a-z]+): +(.+)", text):
            last, fields[found[1]] = found[1], found[2]
        elif last:
            fields[last] += f" {text}"
        else:
            sentence.append(text)
    return fields | {"sentence": " ".join(sentence)}
