"""What a comparison of two looks at the log tells: views, rows, values, and the events that are to blame."""

from datetime import datetime
from typing import Any, Literal

import msgspec

from projections.lens import Lens

Kind = Literal["added", "removed", "changed"]


class Cell(msgspec.Struct, frozen=True):
    """A value that differs."""

    column: str
    before: Any
    after: Any


class Change(msgspec.Struct, frozen=True, kw_only=True):
    """A row that differs."""

    kind: Kind
    key: dict[str, Any]
    cells: tuple[Cell, ...]
    """The columns that differ, beside the key; of a row that is only on one side, those that hold something."""
    causes: tuple[int, ...]
    """Log positions of the events that caused it, in order, at most `projections.diff.CAUSES_PER_ROW_MAX`."""
    has_more_causes: bool
    is_certain: bool
    """Whether the causes concern this row; if not, they are all that the view reads."""


class ViewChanges(msgspec.Struct, frozen=True, kw_only=True):
    """The rows of one view that differ."""

    view: str
    added: int
    removed: int
    changed: int
    changes: tuple[Change, ...]
    """In order of the key, at most `projections.diff.ROWS_PER_VIEW_MAX`."""

    @property
    def truncated(self) -> bool:
        """Whether more rows differ than are told."""
        return self.added + self.removed + self.changed > len(self.changes)


class Cause(msgspec.Struct, frozen=True, kw_only=True):
    """An event that only one of the lenses lets through."""

    seq: int
    stream: str
    type: str
    happened_at: datetime
    recorded_at: datetime
    actor: str
    headline: str


class Diff(msgspec.Struct, frozen=True, kw_only=True):
    """What two lenses show differently."""

    before: Lens
    after: Lens
    events: int
    """How many events only one of them lets through."""
    compared: tuple[str, ...]
    """The views that were compared."""
    views: tuple[ViewChanges, ...]
    """Those in which something differs."""
    causes: dict[int, Cause]
    """The events that changes name, by position."""
