"""Finds the projections: every ``.sql`` file below this package, its header, what it reads, and in which order.

A file is one SELECT, named as its view, under a header of comment lines::

    -- Who holds or held which role in an incident.        one or more lines: what a row means
    -- grain: one row a holding                            what one row is
    -- key: incident_id, role, person_id, since            the columns that tell rows apart
    -- refresh: stream                                     how the live table follows the log
    -- once: metric_population                             what is beneath and computed once (`projections.sharing`)
    -- column until: Null while it is held.                what only this view says of a column

``refresh`` is one of

* ``stream``: every row comes from one stream of the only category it reads, and the first key column is its id.
* ``closure``: a row also needs streams linked to its own (the view ``links``); the first key column names its category.
* ``view``: never stored; computed when asked. What reads ``log``, ``history`` or ``clock`` must be one, because every
  event changes it.

The view ``links`` is the only one with the refresh ``event``: each row comes from one event, so rows are only added.

No file qualifies a name, so that the same text answers over any log (`projections.lens`).
"""

from collections.abc import Iterable
from functools import cache, cached_property
from pathlib import Path
from typing import Literal

import duckdb
import msgspec

from events import RecountError
from projections import links
from projections.log_tables import ALL
from projections.schema import PEOPLE_VIEW, attach_people, create_tables
from projections.sharing import Definition, share
from projections.statement import NotOneSelect, read_select
from projections.typed_views import TypedView, typed_views

FOLDER = Path(__file__).parent

Refresh = Literal["event", "stream", "closure", "view"]
REFRESHES = ("stream", "closure", "view")
"""What a file may say."""

_DEFINITION = ("metric", "population", "starts", "ends", "open", "excluded", "source")
HEADER_FIELDS = ("grain", "key", "refresh", "once", *_DEFINITION)
"""Words that begin a header line which is no part of the sentence. Those of a definition are for people: which metric
this is and its version, what it counts, from when to when, what is not over, what is left out, who defines it so."""

_COLUMN = "column "

CATEGORY_OF_KEY = {"incident_id": "incident", "alert_key": "alert", "page_id": "page", "rotation_id": "rotation"}
"""Which streams a closure projection has a row for, by its first key column."""


class BadProjection(RecountError):
    """A ``.sql`` file breaks the rules of `projections.catalog`; the message names the file."""


class Column(msgspec.Struct, frozen=True):
    """A column of a view or a result; the type as DuckDB writes it, such as ``VARCHAR`` or ``TIMESTAMP``."""

    name: str
    type: str


class View(msgspec.Struct, frozen=True, dict=True):
    """A projection, as its file says."""

    name: str
    sentence: str
    grain: str
    key: tuple[str, ...]
    refresh: Refresh
    columns: tuple[Column, ...]
    sql: str
    """The SELECT, without its header."""
    meanings: dict[str, str]
    """What the header says of a column, where its name does not say enough; `projections.comments` knows the rest."""
    once: str
    """The view beneath it that is computed once for all of it (`projections.sharing`); usually none."""
    uses: frozenset[str]
    """Every typed view, projection and table that it names, directly."""
    reads: frozenset[str]
    """Tags of every fact that can change its rows, through other projections too; empty when any fact can."""

    @property
    def stored(self) -> bool:
        """Whether its rows lie in a table of their own."""
        return self.refresh != "view"

    @cached_property
    def categories(self) -> frozenset[str]:
        """Categories of the streams it reads."""
        return frozenset(tag.partition(".")[0] for tag in self.reads)

    @cached_property
    def owner(self) -> str:
        """Category of the streams whose id is the first key column."""
        if self.refresh == "stream":
            (only,) = self.categories
            return only
        return CATEGORY_OF_KEY[self.key[0]]


class Catalog(msgspec.Struct, frozen=True):
    """Everything that can be asked for besides ``log`` and ``people``, in an order in which it can be created."""

    typed: tuple[TypedView, ...]
    views: tuple[View, ...]

    @property
    def stored(self) -> tuple[View, ...]:
        """The projections that have a table."""
        return tuple(view for view in self.views if view.stored)


@cache
def read_catalog(folder: Path = FOLDER) -> Catalog:
    """Read every ``.sql`` file below a folder, once.

    Raises:
        BadProjection: a header is incomplete, a SELECT does not work, projections read each other in a circle, or
            ``refresh`` claims more than the SELECT keeps.
    """
    typed = tuple(typed_views())
    with duckdb.connect() as scratch:
        attach_people(scratch)
        create_tables(scratch)
        scratch.execute(PEOPLE_VIEW)
        unordered = [_links(), *(_parse(path, scratch) for path in sorted(folder.rglob("*.sql")))]
        for each in typed:
            _create(scratch, each.name, each.sql)
        known = {each.name: each.reads for each in typed} | {"people": frozenset[str](), ALL: frozenset[str]()}
        views: list[View] = []
        for draft in _in_order(unordered, known):
            view = _shared(_complete(draft, scratch, known), views)
            known[view.name] = view.reads
            views.append(view)
    return Catalog(typed, tuple(views))


def _links() -> View:
    return View(
        name=links.NAME,
        sentence=links.SENTENCE,
        grain=links.GRAIN,
        key=links.KEY,
        refresh="event",
        columns=(),
        meanings={},
        once="",
        sql=links.SQL.strip(),
        # The table under every view, which no file may name.
        uses=frozenset(),
        reads=links.READS,
    )


def _create(scratch: duckdb.DuckDBPyConnection, name: str, sql: str) -> None:
    # Empty tables instead of views: binding then costs what one SELECT costs, not what everything under it does.
    scratch.execute(f'create table "{name}" as select * from (\n{sql}\n) limit 0')


def _parse(path: Path, scratch: duckdb.DuckDBPyConnection) -> View:
    lines = path.read_text().splitlines()
    # A comment further down belongs to the SELECT, also when it stands at the margin.
    length = next((number for number, line in enumerate(lines) if not line.startswith("--")), len(lines))
    header = [line.removeprefix("--").strip() for line in lines[:length]]
    fields = {key: value.strip() for key, _, value in (line.partition(":") for line in header) if value}
    sentence = " ".join(line for line in header if not _begins_a_field(line))
    missing = [name for name in ("grain", "key", "refresh") if not fields.get(name)]
    if missing or not sentence:
        raise BadProjection(f"{path.name} has no '-- {(missing or ['sentence'])[0]}' in its header")
    if fields["refresh"] not in REFRESHES:
        raise BadProjection(f"{path.name}: refresh is {fields['refresh']!r}, not one of {', '.join(REFRESHES)}")
    sql = "\n".join(lines[length:]).strip()
    try:
        uses = read_select(scratch, sql).tables
    except NotOneSelect as error:
        raise BadProjection(f"{path.name}: {error}") from error
    return View(
        name=path.stem,
        sentence=sentence,
        grain=fields["grain"],
        key=tuple(name.strip() for name in fields["key"].split(",")),
        refresh=fields["refresh"],  # type: ignore[arg-type]  # checked above
        columns=(),
        meanings={key.removeprefix(_COLUMN): text for key, text in fields.items() if key.startswith(_COLUMN)},
        once=fields.get("once", ""),
        sql=sql,
        uses=uses,
        reads=frozenset(),
    )


def _begins_a_field(line: str) -> bool:
    word = line.partition(":")[0]
    return word in HEADER_FIELDS or word.startswith(_COLUMN)


def _shared(view: View, earlier: list[View]) -> View:
    if not view.once:
        return view
    definitions = {each.name: Definition(each.sql, each.uses) for each in earlier if not each.stored}
    try:
        sql = share(Definition(view.sql, view.uses), view.once, definitions)
    except ValueError as error:
        raise BadProjection(f"{view.name}.sql: {error}") from error
    return msgspec.structs.replace(view, sql=sql)


def _in_order(drafts: list[View], known: dict[str, frozenset[str]]) -> Iterable[View]:
    waiting = {draft.name: draft for draft in drafts}
    while waiting:
        ready = [draft for draft in waiting.values() if not draft.uses & waiting.keys()]
        if not ready:
            raise BadProjection(f"these projections read each other in a circle: {', '.join(sorted(waiting))}")
        for draft in ready:
            del waiting[draft.name]
            yield draft


def _complete(draft: View, scratch: duckdb.DuckDBPyConnection, known: dict[str, frozenset[str]]) -> View:
    strangers = draft.uses - known.keys()
    if strangers:
        raise BadProjection(f"{draft.name}.sql reads {', '.join(sorted(strangers))}, which does not exist")
    try:
        _create(scratch, draft.name, draft.sql)
        described = scratch.execute(f'describe "{draft.name}"').fetchall()
    except duckdb.Error as error:
        raise BadProjection(f"{draft.name}.sql: {error}") from error
    reads = [draft.reads] if draft.reads else [known[name] for name in draft.uses if name != "people"]
    view = msgspec.structs.replace(
        draft,
        columns=tuple(Column(name, kind) for name, kind, *_ in described),
        reads=frozenset[str]() if frozenset[str]() in reads else frozenset[str]().union(*reads),
    )
    strange = view.meanings.keys() - {column.name for column in view.columns}
    if strange:
        raise BadProjection(f"{view.name}.sql has no column {', '.join(sorted(strange))}, which its header explains")
    missing = set(view.key) - {column.name for column in view.columns}
    if missing:
        raise BadProjection(f"{view.name}.sql has no column {', '.join(sorted(missing))}, which its key names")
    if view.refresh in ("stream", "closure") and not view.reads:
        raise BadProjection(f"{view.name}.sql reads every event, as the log and the clock do: make it a view")
    if view.refresh == "stream" and len(view.categories) != 1:
        raise BadProjection(f"{view.name}.sql reads {', '.join(sorted(view.categories))}: its refresh is a closure")
    if view.refresh == "closure" and view.key[0] not in CATEGORY_OF_KEY:
        raise BadProjection(f"{view.name}.sql: the first key column is none of {', '.join(CATEGORY_OF_KEY)}")
    return view
