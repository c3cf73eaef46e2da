"""Whatever is typed is shown as typed: it formats nothing and begins nothing."""

import re
from datetime import datetime

import pytest
from markdown_it import MarkdownIt
from markdown_it.token import Token

from services.postmortem.markdown import cited, code, duration, escaped, finalized

TYPED = (
    "a | b | c",
    "`rm -rf /` and ``more``",
    "line one\n## Summary\n- [x] done",
    "<script>alert(1)</script>",
    "![pixel](https://evil.example/p.png)",
    "[click](javascript:alert(1))",
    "# heading",
    "- item",
    "+ item",
    "1. item",
    "2) item",
    "> quote",
    "=== not a heading",
    "*strong* _words_ ~~gone~~",
    "trailing \\",
    "&lt;b&gt; &amp; &#35;",
    "$x^2$",
)


def parsed(text: str) -> list[Token]:
    return MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"]).parse(text)


def shape(text: str) -> list[str]:
    """The elements of a document as they nest, without its words."""
    elements = [inner.type for token in parsed(text) for inner in (token, *(token.children or ()))]
    # How a text is cut into pieces depends on what it escapes.
    return [element for element in elements if element not in ("text", "text_special")]


def words(text: str) -> str:
    return " ".join("".join(child.content for child in token.children or ()) for token in parsed(text)).strip()


@pytest.mark.parametrize("typed", TYPED)
@pytest.mark.parametrize("place", ["{}", "- {}", "| a |\n| --- |\n| {} |", "## {}", "> {}"])
def test_what_is_typed_is_shown_as_typed(typed: str, place: str):
    written = place.format(escaped(typed))
    assert shape(written) == shape(place.format("plain"))
    assert " ".join(typed.split()) in words(written)


@pytest.mark.parametrize("typed", ["right\u202eto left", "\x1b[31mred\x07", "zero\u200bwidth", "two\u2028lines"])
def test_what_cannot_be_seen_is_left_out(typed: str):
    assert re.fullmatch(r"[\w \\\[]+", escaped(typed))


def test_plain_text_is_code_and_anything_else_is_not():
    assert code("per-ada4k7m2nq") == "`per-ada4k7m2nq`"
    assert code("`") == "\\`"


def test_positions_are_cited_once_each_and_in_order():
    assert cited([1044, None, 1042, 1044]) == "(#1042, #1044)"


def test_times_are_told_in_utc_and_nothing_is_a_dash():
    assert finalized(datetime(2026, 11, 24, 12, 0, 5, 999_999)) == "2026-11-24 12:00:05Z"
    assert (finalized(None), finalized("")) == ("–", "–")


@pytest.mark.parametrize(
    ("seconds", "told"),
    [(0, "0 s"), (42.9, "42 s"), (60, "1 min"), (3_725, "1 h 2 min 5 s"), (86_401, "1 d 1 s"), (-90, "-1 min 30 s")],
)
def test_durations_are_told_in_whole_seconds(seconds: float, told: str):
    assert duration(seconds) == told
