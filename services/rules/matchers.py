"""Matchers: which labels an alert must have, in Alertmanager's syntax.

``name="value"``, ``!=``, ``=~`` (a regular expression that must fit the whole value) and ``!~``. A label that is
missing counts as empty. Expressions are RE2, the dialect of Alertmanager, which takes linear time whatever is matched.

Alertmanager has two grammars and, by default, reads by the older one what both understand: so does `parse_matchers`.
https://prometheus.io/docs/alerting/latest/configuration/#matcher
"""

import re
from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Any, Literal

import msgspec
import re2

from events.errors import BadConfiguration

Operator = Literal["=", "!=", "=~", "!~"]
# Characters. Alertmanager sets no limit; the longest alternations of host names that people write stay below it.
PATTERN_CHARS_MAX = 4_000
# Bytes that RE2 may take for one expression: its default is 8 MiB, too much for a few hundred of them.
PATTERN_MEMORY_BYTES = 1 << 20
MATCHERS_MAX = 64
"""Matchers of one rule or silence. As many as an alert may have labels."""

HINT = 'A matcher is name="value", name!="value", name=~"expression" or name!~"expression"; see docs/rules.md.'

_CLASSIC = re.compile(r"\s*([a-zA-Z_:][a-zA-Z0-9_:]*)\s*(=~|=|!=|!~)\s*(.*?)\s*", re.DOTALL)
_TOKEN = re.compile(r"""\s*(?:(=~|!=|!~|=)|(,)|("(?:[^"\\\n]|\\.)*")|([^\s{}!=~,\\"'`]+))""", re.DOTALL)
_BARE = re.compile(r"""[^\s{}!=~,\\"'`]+""")
_ESCAPE = re.compile(r"\\(?:x([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|([0-7]{3})|(.))", re.DOTALL)
_SHORT = {"a": "\a", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v", "\\": "\\", '"': '"'}


class Matcher(msgspec.Struct, frozen=True):
    """One condition on one label."""

    name: str
    operator: Operator
    value: str

    def matches(self, labels: Mapping[str, str]) -> bool:
        """Whether the labels fit; a missing one is empty."""
        found = labels.get(self.name, "")
        if self.operator == "=":
            return found == self.value
        if self.operator == "!=":
            return found != self.value
        return _fits(self.value, found) is (self.operator == "=~")

    def __str__(self) -> str:
        """As it is written, with the value in quotes."""
        name = self.name if _BARE.fullmatch(self.name) else _quoted(self.name)
        return f"{name}{self.operator}{_quoted(self.value)}"


Matchers = tuple[Matcher, ...]


def parse_matchers(text: str) -> Matchers:
    """``team="a"``, or several: ``{team="a", severity=~"warning|info"}``; the braces are optional.

    Raises:
        BadConfiguration: says what is wrong with which matcher.
    """
    inside = _without_braces(text)
    pieces = _split(inside)
    found = tuple(_classic(piece) for piece in pieces)
    classic = tuple(each for each in found if each is not None)
    matchers = classic if pieces and len(classic) == len(pieces) else _utf8(inside, text)
    for matcher in matchers:
        if matcher.operator in ("=~", "!~"):
            expression(matcher.value)
    return matchers


def parse_all(texts: Iterable[str]) -> Matchers:
    """The matchers of a list of texts: all must fit.

    Raises:
        BadConfiguration: says what is wrong, or that there are too many.
    """
    matchers = tuple(matcher for text in texts for matcher in parse_matchers(text))
    if len(matchers) > MATCHERS_MAX:
        raise BadConfiguration(f"expected at most {MATCHERS_MAX} matchers, got {len(matchers)}", hint=HINT)
    return matchers


def unfit(matchers: Matchers, labels: Mapping[str, str]) -> Matcher | None:
    """The first matcher that does not fit the labels; None when all fit."""
    for matcher in matchers:
        if not matcher.matches(labels):
            return matcher
    return None


def all_fit(matchers: Matchers, labels: Mapping[str, str]) -> bool:
    """Whether every matcher fits; no matcher at all fits everything."""
    return unfit(matchers, labels) is None


def match_nothing_given(matchers: Matchers) -> bool:
    """Whether an alert without a single label would fit. Alertmanager refuses such silences: they ask for nothing."""
    return all_fit(matchers, {})


def written(matchers: Matchers) -> str:
    """``{team="a",severity="page"}``."""
    return "{" + ",".join(str(matcher) for matcher in matchers) + "}"


@lru_cache(maxsize=4096)
def expression(pattern: str) -> Any:
    """A compiled expression.

    Raises:
        BadConfiguration: RE2 does not know such an expression, or it is too long.
    """
    if len(pattern) > PATTERN_CHARS_MAX:
        raise BadConfiguration(
            f"an expression has at most {PATTERN_CHARS_MAX} characters, got {len(pattern)}",
            hint="Split it over several rules, or give these alerts a label of their own.",
        )
    options = re2.Options()
    options.log_errors = False
    options.max_mem = PATTERN_MEMORY_BYTES
    try:
        return re2.compile(pattern, options)
    except (re2.error, UnicodeEncodeError) as error:
        problem = error.args[0].decode() if error.args and isinstance(error.args[0], bytes) else str(error)
        raise BadConfiguration(
            f"{pattern!r} is no RE2 expression: {problem}",
            hint="RE2 has no look-around and no back-references: https://github.com/google/re2/wiki/Syntax",
        ) from error


def _fits(pattern: str, text: str) -> bool:
    # A lone surrogate cannot be encoded for RE2; JSON may carry one.
    return expression(pattern).fullmatch(text.encode("utf-8", "replace").decode()) is not None


def _without_braces(text: str) -> str:
    inside = text.strip()
    opens, closes = inside.startswith("{"), inside.endswith("}")
    if opens and closes:
        return inside[1:-1]
    if opens:
        raise BadConfiguration(f"{text!r} opens a brace and does not close it", hint=HINT)
    return inside


def _split(text: str) -> list[str]:
    """The pieces between commas that are not within quotes, as Alertmanager's older grammar cuts them."""
    pieces, piece, quoted, escaped = [], "", False, False
    for character in text:
        if character == "," and not quoted:
            pieces.append(piece)
            piece = ""
            continue
        if character == '"' and not escaped:
            quoted = not quoted
        escaped = character == "\\" and not escaped
        piece += character
    if piece.strip():
        pieces.append(piece)
    return pieces


def _classic(text: str) -> Matcher | None:
    """A matcher by the older grammar; None when it is not one."""
    found = _CLASSIC.fullmatch(text)
    if found is None:
        return None
    name, operator, raw = found[1], found[2], found[3]
    if raw.startswith('"'):
        raw = raw[1:]
        if not raw.endswith('"'):
            return None
        quoted = True
    else:
        quoted = False
    value, escaped = "", False
    for number, character in enumerate(raw):
        if escaped:
            value += {"n": "\n", '"': '"', "\\": "\\"}.get(character, "\\" + character)
            escaped = False
        elif character == "\\" and number < len(raw) - 1:
            escaped = True
        elif character == '"':
            if not quoted or number < len(raw) - 1:
                return None
            quoted = False
        else:
            value += character
    if quoted:
        return None
    return Matcher(name, operator, value)  # type: ignore[arg-type]


def _utf8(text: str, whole: str) -> Matchers:
    """Matchers by the newer grammar: names may be anything, in quotes when they contain reserved characters."""
    tokens: list[tuple[str, str]] = []
    at = 0
    while at < len(text.rstrip()):
        found = _TOKEN.match(text, at)
        if found is None:
            raise BadConfiguration(f"{whole!r}: cannot be read from {text[at : at + 20]!r} on", hint=HINT)
        kind = ("operator", "comma", "quoted", "bare")[(found.lastindex or 1) - 1]
        tokens.append((kind, found[found.lastindex or 0]))
        at = found.end()
    matchers: list[Matcher] = []
    while tokens:
        kinds = [kind for kind, _text in tokens[:4]]
        if len(kinds) < 3 or kinds[0] not in ("bare", "quoted") or kinds[1] != "operator":
            raise BadConfiguration(f"{whole!r}: expected a name, an operator and a value", hint=HINT)
        if kinds[2] not in ("bare", "quoted") or (len(kinds) > 3 and kinds[3] != "comma"):
            raise BadConfiguration(f"{whole!r}: expected a value after {tokens[1][1]}, then a comma", hint=HINT)
        name, operator, value = _plain(tokens[0], whole), tokens[1][1], _plain(tokens[2], whole)
        if not name:
            raise BadConfiguration(f"{whole!r}: a label needs a name", hint=HINT)
        matchers.append(Matcher(name, operator, value))  # type: ignore[arg-type]
        tokens = tokens[4:]
    return tuple(matchers)


def _plain(token: tuple[str, str], whole: str) -> str:
    kind, text = token
    if kind == "bare":
        return text
    return _ESCAPE.sub(lambda found: _unescaped(found, whole), text[1:-1])


def _unescaped(found: re.Match[str], whole: str) -> str:
    """Go's escapes, as in Go's strings."""
    if digits := found[1] or found[2] or found[3]:
        code = int(digits, 16)
    elif found[4]:
        code = int(found[4], 8)
    elif found[5] in _SHORT:
        return _SHORT[found[5]]
    else:
        raise BadConfiguration(f"{whole!r}: there is no escape {found[0]}", hint='Write a backslash as "\\\\".')
    if code > 0x10FFFF or 0xD800 <= code <= 0xDFFF:
        raise BadConfiguration(f"{whole!r}: {found[0]} is no character", hint=HINT)
    return chr(code)


def _quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n") + '"'
