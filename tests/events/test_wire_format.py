"""The bytes of every fact are pinned, because what was once released stays readable for ever."""

import json

import pytest

from events import FACT_TYPES, Fact, Stored, decode, encode, headline
from events.fact import name_of
from tests.events.examples import GOLDEN, NOON, example, golden_bytes, golden_file, golden_lines

ALL_FACTS = pytest.mark.parametrize("kind", FACT_TYPES.values(), ids=FACT_TYPES.keys())
ADD = "run `make golden` and look at the diff: it may add lines, never change one"


@ALL_FACTS
@pytest.mark.parametrize("full", [True, False], ids=["full", "minimal"])
def test_a_fact_is_written_with_exactly_the_pinned_bytes(kind: type[Fact], full: bool) -> None:
    stream, event = example(kind, full=full)
    _subject, body = encode(stream, event)
    assert body in golden_lines(kind), f"{golden_file(kind).name} lacks today's bytes: {ADD}"


@ALL_FACTS
@pytest.mark.parametrize("full", [True, False], ids=["full", "minimal"])
def test_a_fact_reads_back_as_it_was_written(kind: type[Fact], full: bool) -> None:
    stream, event = example(kind, full=full)
    subject, body = encode(stream, event)
    recorded = decode(Stored(7, subject, NOON, body))
    assert (recorded.event, recorded.stream, recorded.seq, recorded.recorded_at) == (event, stream, 7, NOON)


@ALL_FACTS
def test_every_pinned_line_stays_readable(kind: type[Fact]) -> None:
    lines = golden_lines(kind)
    assert lines
    for body in lines:
        stream = json.loads(body)["subject"]
        recorded = decode(Stored(7, f"evt.{stream}.{name_of(kind)}", NOON, body))
        assert isinstance(recorded.fact, kind)
        assert headline(recorded)


@ALL_FACTS
def test_the_minimal_example_is_shorter_because_defaults_are_left_out(kind: type[Fact]) -> None:
    full, minimal = golden_bytes(kind)
    assert len(minimal) < len(full)


def test_every_golden_file_belongs_to_a_fact() -> None:
    retired = {file.stem for file in GOLDEN.glob("*.jsonl")} - set(FACT_TYPES)
    assert not retired, f"{retired} have golden bytes and no class: released facts need an upcaster in events/upcast.py"
