"""SQL text as tokens, by the lexical rules of PostgreSQL (its manual, section 4.1): enough to tell statements apart and
to read those that set something. What a statement means is the parser's to say (`projections.postgres.dialect`).
"""

import re
from collections.abc import Iterator, Sequence
from typing import Literal

import msgspec

TokenKind = Literal["space", "text", "quoted", "word", "number", "parameter", "sign"]


class Token(msgspec.Struct, frozen=True):
    """A piece of SQL text."""

    kind: TokenKind
    text: str
    start: int
    """Its first character in the whole text, counted from 0."""

    @property
    def end(self) -> int:
        """The character after it."""
        return self.start + len(self.text)

    @property
    def value(self) -> str:
        """What it says: without quotes; a word that is not quoted in lower case."""
        match self.kind:
            case "word":
                return self.text.lower()
            case "quoted":
                return self.text[1:-1].replace('""', '"')
            case "text" if self.text.startswith("$"):
                tag = self.text.index("$", 1) + 1
                return self.text[tag:-tag]
            case "text":
                return self.text.lstrip("eE")[1:-1].replace("''", "'")
        return self.text

    def says(self, *words: str) -> bool:
        """Whether it is one of these words, not quoted."""
        return self.kind == "word" and self.text.lower() in words


class Passage(msgspec.Struct, frozen=True):
    """A part of a SQL text."""

    text: str
    start: int
    """Its first character in the whole text, counted from 0."""


# A text or comment that is not closed goes on to the end; the parser will say so.
_TOKEN = re.compile(
    r"""
    (?P<space>   \s+ | --[^\n]* | /\* (?:[^*]|\*(?!/))* (?:\*/|\Z) )
  | (?P<text>    [eE]'(?:[^'\\]|\\.|'')*(?:'|\Z) | '(?:[^']|'')*(?:'|\Z)
               | \$(?P<tag>[A-Za-z_\x80-\U0010ffff][\w\x80-\U0010ffff]*)?\$ .*? (?:\$(?(tag)(?P=tag))\$|\Z) )
  | (?P<quoted>  "(?:[^"]|"")*(?:"|\Z) )
  | (?P<parameter> \$\d+ )
  | (?P<number>  (?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)? )
  | (?P<word>    [A-Za-z_\x80-\U0010ffff][\w$\x80-\U0010ffff]* )
  | (?P<sign>    :: | . )
    """,
    re.VERBOSE | re.DOTALL,
)


def tokens(sql: str) -> Iterator[Token]:
    """Every token of a text; together they are the text."""
    place = 0
    while place < len(sql):
        found = _TOKEN.match(sql, place)
        assert found is not None, "any character is a sign"
        kind = found.lastgroup if found.lastgroup != "tag" else "text"
        yield Token(kind, found[0], place)  # type: ignore[arg-type]  # the groups are named after the kinds
        place = found.end()


def words(sql: str) -> list[Token]:
    """The tokens that mean something."""
    return [token for token in tokens(sql) if token.kind != "space"]


def statements(sql: str) -> list[tuple[int, str]]:
    """Each statement of a text with the place where it starts; those without a word in them are left out."""
    found: list[tuple[int, str]] = []
    meaning: list[Token] = []
    for token in [*words(sql), Token("sign", ";", len(sql))]:
        if token.kind == "sign" and token.text == ";":
            if meaning:
                found.append((meaning[0].start, sql[meaning[0].start : meaning[-1].end]))
            meaning = []
        else:
            meaning.append(token)
    return found


def passage(sql: str, found: Sequence[Token]) -> Passage:
    """What some tokens of a text span; empty when there are none."""
    return Passage(sql[found[0].start : found[-1].end], found[0].start) if found else Passage("", len(sql))


def listed(found: Sequence[Token]) -> list[list[Token]]:
    """The parts of a list that commas divide, those in brackets left alone; none of an empty list."""
    parts: list[list[Token]] = [[]]
    depth = 0
    for token in found:
        depth += (token.text in ("(", "[", "{")) - (token.text in (")", "]", "}"))
        if token.text == "," and not depth:
            parts.append([])
        else:
            parts[-1].append(token)
    return parts if found else []
