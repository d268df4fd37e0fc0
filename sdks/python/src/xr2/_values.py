"""Value to text: the one way every xr2 renderer writes a value into a template.

Strings as they are, ``true``/``false``, null as nothing, integers exact, other numbers as ECMAScript
prints them, arrays and objects as compact JSON in the given key order.
"""

from __future__ import annotations

import json
import math
from typing import Any

MAX_DEPTH = 128
"""How deeply arrays and objects may nest; the server has the same kind of limit."""


class NotJson(ValueError):
    """The value has no JSON form (a date, NaN, an object of some class, a cycle)."""


def to_text(value: Any) -> str:
    """The text a value becomes inside a template."""
    if value is None:
        return ""
    if isinstance(value, str):
        return str.__str__(value)
    return to_json(value)


def to_json(value: Any, depth: int = 0) -> str:
    """Compact JSON with numbers spelled as ECMAScript spells them."""
    if value is None:
        return "null"
    if value is True:
        return "true"
    if value is False:
        return "false"
    if isinstance(value, str):
        return json.dumps(str.__str__(value), ensure_ascii=False)
    if isinstance(value, int):
        return int.__repr__(value)
    if isinstance(value, float):
        return number_text(value)
    if depth >= MAX_DEPTH:
        raise NotJson(f"nested deeper than {MAX_DEPTH} levels")
    if isinstance(value, list | tuple):
        return "[" + ",".join(to_json(item, depth + 1) for item in value) + "]"
    if isinstance(value, dict):
        return "{" + ",".join(_member(key, item, depth) for key, item in value.items()) + "}"
    raise NotJson(f"{type(value).__name__} has no JSON form")


def _member(key: Any, item: Any, depth: int) -> str:
    if not isinstance(key, str):
        raise NotJson(f"an object's key must be a string, not {type(key).__name__}")
    return f"{json.dumps(str.__str__(key), ensure_ascii=False)}:{to_json(item, depth + 1)}"


def number_text(value: float) -> str:
    """A float as ECMAScript's ``Number::toString`` writes it.

    Both languages print the shortest digits that read back as the same number; they differ only in where
    the exponent form begins (Python at 1e16 and 1e-5, ECMAScript at 1e21 and 1e-7) and in ``1.0``.
    """
    if not math.isfinite(value):
        raise NotJson(f"{value} is not a JSON number")
    if value == 0:
        return "0"
    sign = "-" if value < 0 else ""
    digits, point = _shortest_digits(abs(value))
    count = len(digits)
    if count <= point <= 21:
        return sign + digits + "0" * (point - count)
    if 0 < point <= 21:
        return f"{sign}{digits[:point]}.{digits[point:]}"
    if -6 < point <= 0:
        return f"{sign}0.{'0' * -point}{digits}"
    mantissa = digits if count == 1 else f"{digits[0]}.{digits[1:]}"
    return f"{sign}{mantissa}e{point - 1:+d}"


def _shortest_digits(value: float) -> tuple[str, int]:
    """Significant digits and the position of the decimal point: 0.0012 is ``("12", -2)``."""
    mantissa, _, exponent = float.__repr__(value).partition("e")
    whole, _, fraction = mantissa.partition(".")
    point = len(whole) + int(exponent or 0)
    digits = whole + fraction
    leading = len(digits) - len(digits.lstrip("0"))
    return digits.strip("0"), point - leading
