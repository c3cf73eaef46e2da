"""Events as they come from the log, as a relation that DuckDB reads where they lie."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import duckdb
import nanoarrow
from nanoarrow.c_array import CArray
from nanoarrow.c_array_stream import CArrayStream
from nanoarrow.c_schema import c_schema

from events.stretch import Packed, Stretch

RAW = "raw"
"""The relation's name. ``recorded_us`` is the time of recording in microseconds since 1970."""

RAW_COLUMNS = "seq bigint, subject varchar, recorded_us bigint, body blob"

_SCHEMA = nanoarrow.struct(
    {
        "seq": nanoarrow.int64(),
        "subject": nanoarrow.large_string(),
        "recorded_us": nanoarrow.int64(),
        "body": nanoarrow.large_binary(),
    }
)


@contextmanager
def raw_events(connection: duckdb.DuckDBPyConnection, stretches: Sequence[Stretch]) -> Iterator[None]:
    """Have a connection see some stretches of the log, in order, as the relation ``raw``. Nothing is copied."""
    connection.register(RAW, _Columns(stretches))
    try:
        yield
    finally:
        connection.unregister(RAW)


class _Columns:
    """Stretches as an Arrow stream, as often as it is asked for (the Arrow PyCapsule interface)."""

    def __init__(self, stretches: Sequence[Stretch]) -> None:
        self._batches = [_batch(stretch) for stretch in stretches]

    def __arrow_c_stream__(self, requested_schema: object = None) -> object:
        stream = CArrayStream.from_c_arrays(self._batches, c_schema(_SCHEMA), move=False, validate=False)
        return stream.__arrow_c_stream__(requested_schema)


def _batch(stretch: Stretch) -> CArray:
    length = len(stretch)
    columns = [
        nanoarrow.c_array_from_buffers(nanoarrow.int64(), length, [None, stretch.seqs]),
        _packed(nanoarrow.large_string(), length, stretch.subjects),
        nanoarrow.c_array_from_buffers(nanoarrow.int64(), length, [None, stretch.recorded_us]),
        _packed(nanoarrow.large_binary(), length, stretch.bodies),
    ]
    return nanoarrow.c_array_from_buffers(_SCHEMA, length, [None], children=columns)


def _packed(kind: nanoarrow.Schema, length: int, packed: Packed) -> CArray:
    return nanoarrow.c_array_from_buffers(kind, length, [None, packed.bounds, packed.content])
