"""The lens that a request asks for: its three parameters, and how links carry them on.

``as_of``: as known at a log position or a time. ``happened_by``: only what had happened by a time. ``known_by``: of
imported history, only what its first recorder knew by a time. They combine freely: what we now believe was so at 14:05
is ``happened_by`` alone, what we believed on Monday about Sunday is ``as_of`` Monday and ``happened_by`` Sunday.
"""

from collections.abc import Mapping
from typing import Annotated
from urllib.parse import urlencode

import msgspec
from litestar.params import QueryParameter

from projections.lens import Lens
from services.web.site import Here

# The longest ISO 8601 time has 35 characters.
TEXT_CHARS_MAX = 64

_Text = str | None


class AskedLens(msgspec.Struct, frozen=True, kw_only=True):
    """What a request asks to look through, as it was written; all empty means the present."""

    as_of: str = ""
    known_by: str = ""
    happened_by: str = ""

    @classmethod
    def of(cls, said: Mapping[str, object]) -> "AskedLens":
        """The lens among the parameters of a query or the fields of a form; everything else is left alone."""
        texts = {name: said.get(name) for name in cls.__struct_fields__}
        return cls(**{name: text.strip() for name, text in texts.items() if isinstance(text, str)})

    def __bool__(self) -> bool:
        return bool(self.query)

    @property
    def query(self) -> str:
        """The lens as the query of a link, without what is empty."""
        return urlencode({name: text for name, text in msgspec.structs.asdict(self).items() if text})

    def through(self, address: str) -> str:
        """The same address, looked at through this lens."""
        if not self:
            return address
        return f"{address}{'&' if '?' in address else '?'}{self.query}"


def without_lens(path: str, query: Mapping[str, str]) -> str:
    """An address with the same query but the lens: the way back to now."""
    kept = {name: text for name, text in query.items() if name not in (*AskedLens.__struct_fields__, "min_position")}
    return f"{path}?{urlencode(kept)}" if kept else path


async def provide_lens(
    site: Here,
    asked_as_of: Annotated[_Text, QueryParameter(name="as_of", max_length=TEXT_CHARS_MAX)] = None,
    asked_known_by: Annotated[_Text, QueryParameter(name="known_by", max_length=TEXT_CHARS_MAX)] = None,
    asked_happened_by: Annotated[_Text, QueryParameter(name="happened_by", max_length=TEXT_CHARS_MAX)] = None,
) -> Lens | None:
    """The lens of a request, None for the present: a handler's parameter ``lens``."""
    return await site.reader.lens(
        as_of=asked_as_of or "", known_by=asked_known_by or "", happened_by=asked_happened_by or ""
    )
