"""Reading a TOML document into structs, with errors that name the file, the key, and what is expected."""

import difflib
import re
from collections.abc import Mapping
from typing import Any, TypeVar

import msgspec

from events.errors import BadConfiguration
from events.ids import is_id

Converted = TypeVar("Converted")


class TomlReader:
    """Converts parts of a document; its errors name the file and the whole key.

    Args:
        file: the file's name.
        hint: what every error advises.
    """

    def __init__(self, file: str, *, hint: str) -> None:
        self._file = file
        self._hint = hint

    def wrong(self, key: str, problem: str) -> BadConfiguration:
        """What is wrong with a key."""
        return BadConfiguration(f"{self._file}: {key}: {problem}", hint=self._hint)

    def refuse_unknown(self, table: Mapping[str, Any], known: tuple[str, ...], *, where: str) -> None:
        """Refuse keys that no setting has, with the one that was probably meant."""
        for key in table:
            if key not in known:
                near = difflib.get_close_matches(key, known, n=1)
                meant = f"did you mean {near[0]}?" if near else f"expected one of {', '.join(known)}"
                raise self.wrong(f"{where}{key}", f"unknown setting; {meant}")

    def convert(self, value: Any, kind: type[Converted], key: str) -> Converted:
        """A value as what a setting takes."""
        try:
            return msgspec.convert(value, kind)
        except msgspec.ValidationError as error:
            problem, path = _taken_apart(str(error))
            raise self.wrong(f"{key}{path}", problem) from error

    def table(self, document: Mapping[str, Any], key: str, kind: type[Converted]) -> Converted | None:
        """A table as a struct; None when there is none."""
        if key not in document:
            return None
        value = document[key]
        if isinstance(value, dict) and issubclass(kind, msgspec.Struct):
            self.refuse_unknown(value, kind.__struct_encode_fields__, where=f"{key}.")
        return self.convert(value, kind, key)

    def tables(self, document: Mapping[str, Any], key: str, kind: type[Converted]) -> dict[str, Converted]:
        """Tables by their names, such as ``[people.ada]``."""
        tables = document.get(key, {})
        if not isinstance(tables, dict):
            raise self.wrong(key, f"expected tables such as [{key}.name]")
        found: dict[str, Converted] = {}
        for name, table in tables.items():
            if not is_id(name):
                raise self.wrong(f"{key}.{name}", "a name has 1 to 64 of A-Z a-z 0-9 _ -")
            made = self.table({f"{key}.{name}": table}, f"{key}.{name}", kind)
            assert made is not None
            found[name] = made
        return found


def _taken_apart(message: str) -> tuple[str, str]:
    """msgspec's ``Expected `int`, got `str` - at `$.levels[0].answer_within_s` `` as problem and path."""
    found = re.fullmatch(r"(.*?)(?: - at `(?:key in )?\$(.*)`)?", message, re.DOTALL)
    assert found is not None
    problem = found[1].replace("`", "")
    return problem[:1].lower() + problem[1:], found[2] or ""
