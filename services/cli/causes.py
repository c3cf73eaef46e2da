"""Why something is otherwise: each line names log positions, and the events are told once beneath.

An incident that was corrected ten times differs in twenty rows because of the same ten events.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from services.cli.console import say, shortened, show_table
from services.cli.incident import called, spoken
from services.cli.times import short_time

# An event is recognized by its beginning; `recount show --raw` has all of it.
HEADLINE_CHARS_MAX = 100


def because(seqs: Sequence[int], *, has_more: bool = False) -> str:
    """``because 41, 43``, or ``because 41, 43 and more``."""
    return f"because {', '.join(map(str, seqs))}{' and more' if has_more else ''}"


def tell_events(answer: Mapping[str, Any], events: Iterable[Mapping[str, Any]]) -> None:
    """Print a table of events, each once, in the order of the log; nothing when there are none."""
    by_seq = {event["seq"]: event for event in events}
    if not by_seq:
        return
    say("")
    show_table(
        ("position", "happened", "recorded", "by", "what"),
        [
            (
                seq,
                short_time(event["happened_at"]),
                short_time(event["recorded_at"]),
                called(answer, event["actor"]),
                shortened(spoken(answer, event["headline"]), HEADLINE_CHARS_MAX),
            )
            for seq, event in sorted(by_seq.items())
        ],
    )
