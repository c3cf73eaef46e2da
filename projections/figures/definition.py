"""What a metric is: the SQL text that computes it, with everything beneath, as one hash."""

import hashlib
from functools import cache

import msgspec

from events import RecountError
from projections.catalog import Catalog, read_catalog
from projections.schema import LOG_TABLE

MEASUREMENTS = "measurements"
"""The view that brings all metrics into one shape."""


class NoSuchMetric(RecountError):
    """A metric is asked for that is not defined."""


class Definition(msgspec.Struct, frozen=True, kw_only=True):
    """A metric as its file defines it."""

    metric: str
    sentence: str
    """What is measured, from where to where, in which population."""
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
    view = views.get(metric)
    if view is None or MEASUREMENTS not in views:
        raise NoSuchMetric(f"there is no metric {metric}", hint="`recount metrics` lists them.")
    texts = sql_beneath(catalog, metric) | {MEASUREMENTS: views[MEASUREMENTS].sql}
    return Definition(metric=metric, sentence=view.sentence, sha256=_hash(texts))


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


def _hash(texts: dict[str, str]) -> str:
    parts = [part for name in sorted(texts) for part in (name, texts[name])]
    return hashlib.sha256("\0".join([LOG_TABLE, *parts]).encode()).hexdigest()
