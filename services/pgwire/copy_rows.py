"""Rows as COPY gives them: text, CSV or binary, one message a row (PostgreSQL's manual, ``COPY``, file formats)."""

import re
from collections.abc import Callable, Sequence

from services.pgwire import messages
from services.pgwire.copying import CopyOut
from services.pgwire.messages import BINARY_FORMAT, NULL, TEXT_FORMAT

_SIGNATURE = b"PGCOPY\n\xff\r\n\0" + bytes(8)  # no flags, no more of a header
_TRAILER = b"\xff\xff"
_ESCAPES = {b"\b": b"\\b", b"\t": b"\\t", b"\n": b"\\n", b"\v": b"\\v", b"\f": b"\\f", b"\r": b"\\r"}

Columns = Sequence[Sequence[bytes]]
"""Cells by column, each with its length before it."""


class CopyRows:
    """Writes the rows of one COPY.

    Args:
        form: how.
        names: of the columns.
    """

    def __init__(self, form: CopyOut, names: Sequence[str]) -> None:
        self.format = BINARY_FORMAT if form.format == "binary" else TEXT_FORMAT
        self._form = form
        self._names = names
        self._has_begun = False
        self._delimiter = form.delimiter.encode()
        self._null = form.null.encode()
        self._writes = [self._writer(name) for name in names]

    def begin(self) -> bytes:
        """That rows follow, and how many columns."""
        return messages.copy_out(self.format, len(self._names)) + (self._header() if self._form.has_header else b"")

    def rows(self, columns: Columns) -> bytes:
        """Some rows."""
        if self.format == BINARY_FORMAT:
            return self._binary_rows(columns)
        written = [write(cells) for write, cells in zip(self._writes, columns, strict=True)]
        join, line = self._delimiter.join, messages.copy_data
        return b"".join([line(join(row) + b"\n") for row in zip(*written, strict=True)])

    def end(self) -> bytes:
        """That there are no more."""
        if self.format == TEXT_FORMAT:
            return messages.COPY_DONE
        return messages.copy_data(_TRAILER if self._has_begun else _SIGNATURE + _TRAILER) + messages.COPY_DONE

    def _binary_rows(self, columns: Columns) -> bytes:
        if self._has_begun:
            return messages.data_rows(columns, kind=b"d")
        # As PostgreSQL does: what begins the whole stands in the message of its first row.
        self._has_begun = True
        first = messages.data_rows([cells[:1] for cells in columns], kind=b"d")
        rest = messages.data_rows([cells[1:] for cells in columns], kind=b"d")
        return messages.copy_data(_SIGNATURE + first[5:]) + rest

    def _header(self) -> bytes:
        cells = [[messages.cell(name.encode())] for name in self._names]
        written = [write(cell) for write, cell in zip(self._writes, cells, strict=True)]
        return messages.copy_data(self._delimiter.join(column[0] for column in written) + b"\n")

    def _writer(self, name: str) -> Callable[[Sequence[bytes]], list[bytes]]:
        if self._form.format != "csv":
            return _escaping(self._delimiter, self._null)
        is_forced = self._form.forced is None or name in self._form.forced
        quote, escape = self._form.quote.encode(), self._form.escape.encode()
        return _quoting(self._delimiter, self._null, quote, escape, is_forced, len(self._names) == 1)


def _escaping(delimiter: bytes, null: bytes) -> Callable[[Sequence[bytes]], list[bytes]]:
    special = re.compile(b"[\\\\\b\t\n\v\f\r" + re.escape(delimiter) + b"]")

    def escaped(found: re.Match[bytes]) -> bytes:
        return _ESCAPES.get(found[0], b"\\" + found[0])

    def write(cells: Sequence[bytes]) -> list[bytes]:
        written = [null if cell == NULL else cell[4:] for cell in cells]
        # Most columns hold nothing to escape, which one look at all of them shows.
        if not special.search(b"".join(cell[4:] for cell in cells)):
            return written
        return [null if cell == NULL else special.sub(escaped, cell[4:]) for cell in cells]

    return write


def _quoting(
    delimiter: bytes, null: bytes, quote: bytes, escape: bytes, is_forced: bool, is_alone: bool
) -> Callable[[Sequence[bytes]], list[bytes]]:
    special = re.compile(b"[\n\r" + re.escape(delimiter + quote) + b"]")

    def write(cells: Sequence[bytes]) -> list[bytes]:
        return [null if cell == NULL else quoted(cell[4:]) for cell in cells]

    def quoted(value: bytes) -> bytes:
        # A line of `\\.` alone would end the whole.
        if not (is_forced or value == null or special.search(value) or (is_alone and value == b"\\.")):
            return value
        if escape != quote:
            value = value.replace(escape, escape + escape)
        return quote + value.replace(quote, escape + quote) + quote

    return write
