"""Reading a statement word by word."""

from typing import NoReturn

from projections.postgres.lexer import Passage, Token, listed, passage
from services.pgwire.refusals import Refused


class Phrase:
    """The words of a statement that are not read yet.

    Args:
        sql: the whole text.
        words: those to read.
    """

    def __init__(self, sql: str, words: list[Token]) -> None:
        self._sql = sql
        self._words = words

    @property
    def left(self) -> int:
        """How many words are left."""
        return len(self._words)

    def sees(self, *alternatives: str) -> bool:
        """Whether the next word is one of these words or signs."""
        return bool(self._words) and self._words[0].kind in ("word", "sign") and self._next in alternatives

    def takes(self, *alternatives: str) -> str:
        """Take the next word if it is one of these, and say which; empty when it is not."""
        return self._words.pop(0).value if self.sees(*alternatives) else ""

    def needs(self, *alternatives: str) -> str:
        """Take the next word, which must be one of these.

        Raises:
            Refused: it is another.
        """
        return self.takes(*alternatives) or self._refuse(f"expected {' or '.join(alternatives).upper()}")

    def name(self, of: str) -> str:
        """Take a name.

        Args:
            of: what it names.

        Raises:
            Refused: it is none.
        """
        if not self._words or self._words[0].kind not in ("word", "quoted"):
            self._refuse(f"expected the name of a {of}")
        return self._words.pop(0).value

    def number(self) -> int | None:
        """Take a whole number with its sign; None, and nothing, when there is none."""
        signs = 1 if self.sees("-", "+") else 0
        if self.left <= signs or self._words[signs].kind != "number" or not self._words[signs].text.isdecimal():
            return None
        sign = self.takes("-", "+")
        digits = self._words.pop(0).text
        return -int(digits) if sign == "-" else int(digits)

    def value(self) -> str:
        """Take a word, name, number or text, whatever it says."""
        if not self._words or self._words[0].kind == "sign":
            self._refuse("expected a value")
        return self._words.pop(0).value

    def in_brackets(self) -> "Phrase":
        """Take what stands in the brackets that open here."""
        self.needs("(")
        depth = 1
        for place, token in enumerate(self._words):
            depth += (token.text == "(") - (token.text == ")")
            if not depth:
                inside, self._words = self._words[:place], self._words[place + 1 :]
                return Phrase(self._sql, inside)
        self._refuse("a bracket is not closed")

    def parts(self) -> list["Phrase"]:
        """Take everything, as a list that commas divide."""
        found, self._words = listed(self._words), []
        return [Phrase(self._sql, part) for part in found]

    def rest(self) -> Passage:
        """Take everything, as it is written."""
        found, self._words = passage(self._sql, self._words), []
        return found

    def ends(self) -> None:
        """Nothing is left.

        Raises:
            Refused: something is.
        """
        if self._words:
            self._refuse("expected the end of the statement")

    @property
    def _next(self) -> str:
        return self._words[0].value

    def _refuse(self, expected: str) -> NoReturn:
        place = self._words[0].start if self._words else len(self._sql)
        found = f", found {self._words[0].text[:40]}" if self._words else ""
        raise Refused("42601", f"{expected}{found}", position=place + 1)
