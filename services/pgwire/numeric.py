"""PostgreSQL's binary form of a numeric: digits to the base of 10,000 (``numeric_send`` in its source)."""

import struct
from collections.abc import Sequence
from decimal import Decimal

_POSITIVE, _NEGATIVE, _NAN, _PLUS_INFINITY, _MINUS_INFINITY = 0x0000, 0x4000, 0xC000, 0xD000, 0xF000
_DIGITS = 4
_SPECIAL = {_NAN: "NaN", _PLUS_INFINITY: "Infinity", _MINUS_INFINITY: "-Infinity"}


def numeric_bytes(text: str) -> bytes:
    """A decimal number as it is written, such as ``-12.50``."""
    number = text.removeprefix("-")
    whole, _, fraction = number.partition(".")
    whole = whole.lstrip("0")
    whole = whole.zfill(-(-len(whole) // _DIGITS) * _DIGITS)
    padded = fraction.ljust(-(-len(fraction) // _DIGITS) * _DIGITS, "0")
    together = whole + padded
    digits = [int(together[start : start + _DIGITS]) for start in range(0, len(together), _DIGITS)]
    weight = len(whole) // _DIGITS - 1
    while digits and digits[0] == 0:
        digits, weight = digits[1:], weight - 1
    while digits and digits[-1] == 0:
        digits = digits[:-1]
    sign = _NEGATIVE if text.startswith("-") and digits else _POSITIVE
    return _packed(digits, weight if digits else 0, sign, len(fraction))


def numeric_value(content: bytes) -> Decimal:
    """The number.

    Raises:
        ValueError: it is none.
    """
    if len(content) < 8 or len(content) % 2:
        raise ValueError("a numeric ends too early")
    count, weight, sign, scale = struct.unpack_from("!HhHH", content)
    if sign in _SPECIAL:
        return Decimal(_SPECIAL[sign])
    if len(content) != 8 + 2 * count or sign not in (_POSITIVE, _NEGATIVE):
        raise ValueError("a numeric is malformed")
    digits = struct.unpack_from(f"!{count}H", content, 8)
    number = Decimal(0)
    for place, digit in enumerate(digits):
        number += Decimal(digit).scaleb(_DIGITS * (weight - place))
    return (-number if sign == _NEGATIVE else number) + Decimal(0).scaleb(-scale)


def _packed(digits: Sequence[int], weight: int, sign: int, scale: int) -> bytes:
    return struct.pack(f"!HhHH{len(digits)}H", len(digits), weight, sign, scale, *digits)
