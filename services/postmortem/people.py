"""What the document calls people: by letters unless it is told names.

A postmortem is about what happened, not about who; and a document without names stays right when a person is erased.
What somebody typed into a note or a title stays as typed.
"""

import re
from collections.abc import Iterator, Mapping

from events.ids import is_id

# What `events.ids.new_id("per")` makes.
_PERSON_ID = re.compile(r"\bper-[a-z0-9]{10}\b")
_SERVICE = "service:"
_KEY = "key:"
_SOURCE = "recount/"


class Cast:
    """Everybody who appears, in the order of appearance.

    Args:
        names: what to call a person id; whoever is not in it gets a letter.
    """

    def __init__(self, names: Mapping[str, str] | None = None) -> None:
        self._names = names or {}
        self._first_seen: dict[str, int] = {}

    def __iter__(self) -> Iterator[tuple[str, int]]:
        return iter(self._first_seen.items())

    def meet(self, position: int, person_id: str | None, *, text: str = "") -> None:
        """Note who appears at a log position: an actor or a person, and those whose ids a text holds."""
        # Services, keys and sources have a colon or a slash, which an id cannot have.
        present = [person_id] if person_id and is_id(person_id) else []
        for each in [*present, *_PERSON_ID.findall(text)]:
            self._first_seen.setdefault(each, position)

    def called(self, person_id: str | None) -> str:
        """What to call an actor or a person: a letter, a name, or which part of the platform it was."""
        if not person_id:
            return ""
        if person_id in self._names:
            return self._names[person_id]
        if person_id in self._first_seen:
            return f"Responder {_letters(list(self._first_seen).index(person_id))}"
        if person_id.startswith(_SERVICE):
            return f"Recount ({person_id.removeprefix(_SERVICE)})"
        if person_id.startswith(_SOURCE):
            return f"Recount ({person_id.removeprefix(_SOURCE)})"
        if person_id.startswith(_KEY):
            return f"sender with {person_id.removeprefix(_KEY)}"
        return person_id

    def in_words(self, text: str) -> str:
        """A text with its person ids replaced by what they are called."""
        for person_id in self._first_seen:
            text = text.replace(person_id, self.called(person_id))
        return text


def _letters(index: int) -> str:
    """``A`` to ``Z``, then ``AA``, ``AB``: for 0, 25, 26, 27."""
    letters = ""
    index += 1
    while index:
        index, rest = divmod(index - 1, 26)
        letters = chr(ord("A") + rest) + letters
    return letters
