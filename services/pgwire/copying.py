"""COPY … TO STDOUT: which rows, and in which form (PostgreSQL's manual, chapter VI)."""

from typing import Literal

import msgspec

from projections.postgres.lexer import Passage
from services.pgwire.phrase import Phrase
from services.pgwire.refusals import Refused

Format = Literal["text", "csv", "binary"]


class CopyOut(msgspec.Struct, frozen=True):
    """``copy (question) to stdout``."""

    question: Passage
    format: Format
    delimiter: str
    null: str
    """What stands for null."""
    has_header: bool
    quote: str
    escape: str
    forced: frozenset[str] | None
    """Columns whose values are always quoted; None for all."""


def read_copy(phrase: Phrase) -> CopyOut:
    """What follows the word ``copy``.

    Raises:
        Refused: it would write, or it goes anywhere but to the client.
    """
    question = _question(phrase)
    if phrase.needs("to", "from") == "from":
        raise Refused("25006", "cannot execute COPY FROM: SQL reads", hint="Commands and intake write.")
    if not phrase.takes("stdout", "stdin"):
        hint = "COPY … TO STDOUT gives them to the client; psql's \\copy writes a file there."
        raise Refused("42501", "permission denied to COPY to a file or program", hint=hint)
    phrase.takes("with")
    options = _Options()
    if phrase.sees("("):
        for part in phrase.in_brackets().parts():
            options.read(part)
        phrase.ends()
    while phrase.left:
        options.read_bare(phrase)
    return options.checked(question)


def _question(phrase: Phrase) -> Passage:
    if phrase.sees("("):
        return phrase.in_brackets().rest()
    phrase.takes("binary")
    table = [phrase.name("view")]
    while phrase.takes("."):
        table.append(phrase.name("view"))
    columns = "*"
    if phrase.sees("("):
        columns = ", ".join(part.rest().text for part in phrase.in_brackets().parts())
    return Passage(f"select {columns} from {'.'.join(map(_quoted, table))}", 0)


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


class _Options:
    """What was said of the form so far; each may be said once."""

    def __init__(self) -> None:
        self._said: dict[str, str] = {}
        self._forced: frozenset[str] | None = frozenset()

    def read(self, phrase: Phrase) -> None:
        """One of a list in brackets."""
        name = phrase.value().lower()
        if name == "force_quote":
            self._force(phrase.in_brackets() if phrase.sees("(") else phrase)
            return
        if name not in ("format", "delimiter", "null", "header", "quote", "escape", "encoding"):
            raise Refused("42601", f'option "{name}" not recognized')
        self._say(name, phrase.value() if phrase.left else "true")
        phrase.ends()

    def read_bare(self, phrase: Phrase) -> None:
        """One as it was written before PostgreSQL 9."""
        match phrase.needs("binary", "csv", "header", "delimiter", "delimiters", "null", "quote", "escape", "force"):
            case "binary" | "csv" as named:
                self._say("format", named)
            case "header":
                self._say("header", "true")
            case "force":
                phrase.needs("quote")
                self._force(phrase)
            case name:
                phrase.takes("as")
                self._say(name.removesuffix("s"), phrase.value())

    def checked(self, question: Passage) -> CopyOut:
        """All of them together.

        Raises:
            Refused: they do not fit together.
        """
        kind = self._said.get("format", "text").lower()
        if kind not in ("text", "csv", "binary"):
            raise Refused("22023", f'COPY format "{kind}" not recognized')
        if self._said.get("encoding", "utf8").lower().replace("-", "") not in ("utf8", "unicode"):
            raise Refused("22023", "every text is UTF8")
        is_csv = kind == "csv"
        quote = self._of_one_byte("quote", '"')
        found = CopyOut(
            question,
            "csv" if is_csv else "binary" if kind == "binary" else "text",
            self._of_one_byte("delimiter", "," if is_csv else "\t"),
            self._said.get("null", "" if is_csv else "\\N"),
            self._has_header(),
            quote,
            self._of_one_byte("escape", quote),
            self._forced,
        )
        self._check(found)
        return found

    def _check(self, found: CopyOut) -> None:
        given = self._said.keys()
        if found.format == "binary" and given & {"delimiter", "null", "header"}:
            raise Refused("42601", f"cannot specify {sorted(given - {'format'})[0].upper()} in BINARY mode")
        if found.format != "csv" and (given & {"quote", "escape"} or self._forced != frozenset()):
            raise Refused("0A000", "COPY QUOTE, ESCAPE and FORCE_QUOTE are for CSV only")
        if found.format == "csv" and found.delimiter == found.quote:
            raise Refused("22023", "COPY delimiter and quote must be different")
        if found.format == "text" and found.delimiter in "\\.abcdefghijklmnopqrstuvwxyz0123456789":
            raise Refused("22023", f'COPY delimiter cannot be "{found.delimiter}"')
        if {"\r", "\n"} & {found.delimiter, found.quote, *found.null}:
            raise Refused("22023", "COPY delimiter, quote and null cannot end a line")
        if found.delimiter in found.null or (found.format == "csv" and found.quote in found.null):
            raise Refused("22023", "COPY delimiter and quote must not appear in NULL")

    def _say(self, name: str, value: str) -> None:
        if name in self._said:
            raise Refused("42601", "conflicting or redundant options")
        self._said[name] = value

    def _force(self, phrase: Phrase) -> None:
        self._forced = None if phrase.takes("*") else frozenset(_names(phrase))

    def _of_one_byte(self, name: str, otherwise: str) -> str:
        value = self._said.get(name, otherwise)
        if len(value.encode()) != 1:
            raise Refused("0A000", f"COPY {name} must be a single one-byte character")
        return value

    def _has_header(self) -> bool:
        said = self._said.get("header", "false").lower()
        if said not in ("true", "on", "1", "false", "off", "0"):
            raise Refused("42601", "COPY header requires a Boolean value")
        return said in ("true", "on", "1")


def _names(phrase: Phrase) -> list[str]:
    names = [phrase.name("column")]
    while phrase.takes(","):
        names.append(phrase.name("column"))
    return names
