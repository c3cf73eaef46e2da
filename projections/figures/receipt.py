"""Receipts: one line that says what a figure was computed from, so that a stranger can compute it again and compare.

A receipt is ``rc1.`` and the base64url of a JSON object. It proves nothing by itself: what it names is computed again.
"""

import hashlib
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Mapping
from datetime import datetime

import duckdb
import msgspec

from events import RecountError
from projections.figures.cohort import Ask, Cohort, cells
from projections.figures.counted import BY_NAME, Counted, counted, counted_of
from projections.figures.definition import Definition, definition
from projections.figures.figure import METHOD, Figure, Sample, figure, samples
from projections.lens import Lens

PREFIX = "rc1."
RECEIPT_CHARS_MAX = 4_096
"""A receipt has some hundred characters; its longest part is the name of a group."""


class BadReceipt(RecountError):
    """A text is no receipt."""

    hint = "Paste the whole line that begins with rc1. and has no blanks."


class Receipt(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """What a figure was computed from."""

    position: int = msgspec.field(name="p")
    """The log position."""
    known_by: datetime | None = msgspec.field(name="k", default=None)
    happened_by: datetime | None = msgspec.field(name="h", default=None)
    """The rest of the lens."""
    metric: str = msgspec.field(name="m")
    version: int = msgspec.field(name="v")
    definition: str = msgspec.field(name="d")
    """SHA-256 of the metric's SQL and of everything beneath."""
    cohort: Cohort = msgspec.field(name="c")
    has_mean: bool = msgspec.field(name="a", default=False)
    """Whether the figure has an arithmetic mean."""
    method: int = msgspec.field(name="e")
    """Version of the estimates."""
    engine: str = msgspec.field(name="q")
    """Version of DuckDB."""
    program: str = msgspec.field(name="r")
    """Version of Recount."""
    figure: str = msgspec.field(name="f")
    """Digest of all that the figure says."""

    @property
    def lens(self) -> Lens:
        """What of the log the figure saw."""
        return Lens(position=self.position, known_by=self.known_by, happened_by=self.happened_by)

    def encode(self) -> str:
        """The line."""
        return PREFIX + urlsafe_b64encode(msgspec.json.encode(self)).decode().rstrip("=")


def decode(text: str) -> Receipt:
    """The receipt in a line.

    Raises:
        BadReceipt: it is none.
    """
    line = "".join(text.split())
    if not line.startswith(PREFIX) or len(line) > RECEIPT_CHARS_MAX:
        raise BadReceipt(f"{text.strip()[:40]!r} is no receipt")
    encoded = line.removeprefix(PREFIX)
    try:
        body = urlsafe_b64decode(encoded + "=" * (-len(encoded) % 4))
        return msgspec.json.decode(body, type=Receipt)
    except ValueError as error:  # of base64, UTF-8, JSON, or of what is in it
        raise BadReceipt(f"the receipt is damaged: {error}") from error


class Told(msgspec.Struct, frozen=True, kw_only=True):
    """A figure with what it was computed from."""

    figure: Figure
    receipt: str


class ToldCount(msgspec.Struct, frozen=True, kw_only=True):
    """A counted figure with what it was computed from."""

    figure: Counted
    receipt: str


class Difference(msgspec.Struct, frozen=True):
    """One part of a receipt that is not what it was."""

    part: str
    """``figure``, ``definition``, ``method``, ``engine`` or ``program``."""
    then: str
    now: str


class Verdict(msgspec.Struct, frozen=True, kw_only=True):
    """What came of computing a figure again."""

    holds: bool
    """Whether figure and definition are the same. Other engines and programs are told, and must give the same."""
    differences: tuple[Difference, ...]
    receipt: Receipt
    told: Told | ToldCount
    """The figure as it is computed now, at the receipt's position."""


def tell(
    ask: Ask, lens: Lens, metrics: tuple[str, ...], cohort: Cohort, *, program: str, has_mean: bool = False
) -> list[Told]:
    """The figures of some metrics in a cohort, a group each, with their receipts.

    Args:
        ask: queries through the lens.
        lens: what of the log is seen; its position is known.
        metrics: their ids.
        cohort: which incidents.
        program: the version of Recount.
        has_mean: whether to add the arithmetic mean, which costs some tenths of a second.

    Raises:
        NoSuchMetric: one of them is not defined.
    """
    for metric in metrics:
        definition(metric)
    return tell_of(samples(cells(ask, metrics, cohort)), lens, metrics, cohort, program=program, has_mean=has_mean)


def tell_of(
    found: Mapping[tuple[str, str], Sample],
    lens: Lens,
    metrics: tuple[str, ...],
    cohort: Cohort,
    *,
    program: str,
    has_mean: bool = False,
) -> list[Told]:
    """The same of measurements that were asked for already, by metric and group."""
    if not cohort.by:
        # A cohort without incidents has a figure, too: that there are none.
        found = {(metric, ""): found.get((metric, ""), Sample(())) for metric in metrics}
    order = {metric: place for place, metric in enumerate(metrics)}
    return [
        _told(found[key], key[1], lens, cohort, definition(key[0]), program, has_mean)
        for key in sorted(found, key=lambda key: (order[key[0]], key[1]))
    ]


def tell_counts(ask: Ask, lens: Lens, metric: str, cohort: Cohort, *, program: str) -> list[ToldCount]:
    """The figures of a counted metric in a cohort, a group each, with their receipts.

    Raises:
        NotKnownBy: it was not counted by what the cohort names.
    """
    defined = definition(metric)
    return [
        ToldCount(figure=each, receipt=_receipt(each, lens, cohort, defined, program).encode())
        for each in counted(ask, BY_NAME[metric], cohort)
    ]


def again(ask: Ask, receipt: Receipt, *, program: str) -> Verdict:
    """Compute a figure again and compare.

    Args:
        ask: queries through the receipt's lens.
        receipt: what it was computed from.
        program: the version of Recount.

    Raises:
        NoSuchMetric: its metric is no longer defined.
    """
    told = _again(ask, receipt, program)
    new = decode(told.receipt)
    parts = [
        ("figure", receipt.figure, new.figure),
        ("definition", f"version {receipt.version}, {receipt.definition}", f"version {new.version}, {new.definition}"),
        ("method", str(receipt.method), str(new.method)),
        ("engine", receipt.engine, new.engine),
        ("program", receipt.program, new.program),
    ]
    differences = tuple(Difference(part, then, now) for part, then, now in parts if then != now)
    holds = not any(difference.part in ("figure", "definition") for difference in differences)
    return Verdict(holds=holds, differences=differences, receipt=receipt, told=told)


def seed_of(lens: Lens, metric: Definition, cohort: Cohort) -> int:
    """The seed of a bootstrap: the same question has the same one for ever."""
    parts = (msgspec.json.encode(lens), metric.metric.encode(), metric.sha256.encode(), cohort.key)
    return int.from_bytes(hashlib.sha256(b"\0".join(parts)).digest())


def engine_version() -> str:
    """The version of DuckDB."""
    return str(duckdb.__version__)


def _again(ask: Ask, receipt: Receipt, program: str) -> Told | ToldCount:
    lens, cohort, metric = receipt.lens, receipt.cohort, definition(receipt.metric)
    if receipt.metric in BY_NAME:
        counts = tell_counts(ask, lens, receipt.metric, cohort, program=program)
        if counts:
            return counts[0]
        gone = counted_of(BY_NAME[receipt.metric], cohort.value, 0, 0)
        return ToldCount(figure=gone, receipt=_receipt(gone, lens, cohort, metric, program).encode())
    found = tell(ask, lens, (receipt.metric,), cohort, program=program, has_mean=receipt.has_mean)
    # The group may be gone.
    return found[0] if found else _told(Sample(()), cohort.value, lens, cohort, metric, program, receipt.has_mean)


def _told(
    sample: Sample, group: str, lens: Lens, cohort: Cohort, metric: Definition, program: str, has_mean: bool
) -> Told:
    seed = seed_of(lens, metric, _narrowed(cohort, group)) if has_mean else None
    made = figure(metric.metric, group, sample, version=metric.version, seed=seed)
    return Told(figure=made, receipt=_receipt(made, lens, cohort, metric, program, has_mean=has_mean).encode())


def _receipt(
    made: Figure | Counted, lens: Lens, cohort: Cohort, metric: Definition, program: str, *, has_mean: bool = False
) -> Receipt:
    return Receipt(
        position=lens.position or 0,
        known_by=lens.known_by,
        happened_by=lens.happened_by,
        metric=made.metric,
        version=made.version,
        definition=metric.sha256,
        cohort=_narrowed(cohort, made.group),
        has_mean=has_mean,
        method=METHOD,
        engine=engine_version(),
        program=program,
        figure=made.digest,
    )


def _narrowed(cohort: Cohort, group: str) -> Cohort:
    return cohort.only(group) if group else cohort
