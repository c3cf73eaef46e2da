"""Old wire shapes to today's facts: one function for each retired tag.

An upcaster takes the JSON bytes of the old ``data`` and returns the tag and bytes of a present one. Consumers then only
ever meet the newest shapes. Nothing has been retired yet, so the table is empty.
"""

from collections.abc import Callable

UPCASTERS: dict[str, Callable[[bytes], tuple[str, bytes]]] = {}


def upcast(tag: str, data: bytes) -> tuple[str, bytes]:
    """Bring a fact to a tag that this version knows, through as many steps as it takes."""
    while tag in UPCASTERS:
        tag, data = UPCASTERS[tag](data)
    return tag, data
