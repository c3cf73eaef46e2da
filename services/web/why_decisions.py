"""Decisions about firings, made again by the rules of their moment."""

from projections.lens import AsOf
from services.web.reader import Reader
from services.web.why_told import Decision, Material


async def decisions_of(reader: Reader, material: Material, lens: AsOf) -> tuple[Decision, ...]:
    """What the rules of that moment said."""
    del reader, material, lens
    return ()
