"""Patterns of a contract, matched here only where that is sure to mean what it means on the server.

The server's expressions match in linear time; Python's backtrack, and some signs differ. What is neither
plainly the same nor plainly harmless is left to the server.
"""

from __future__ import annotations

import re
from functools import lru_cache

MOST_STEPS = 10_000_000
"""How many steps a match may need at worst: Python's backtracking is polynomial in the text's length."""
_SAME_ESCAPES = frozenset("dDwWsSbBtnrfv\\.+*?()|[]{}^$/-#&~ ")


def matches_here(pattern: str, longest: int) -> bool:
    """Whether the pattern can be matched in this process, against texts up to that length."""
    return _worst_steps(pattern, longest) <= MOST_STEPS and _compiled(pattern) is not None


def found_in(pattern: str, text: str) -> bool:
    """Whether the pattern is found in the text; true where only the server can tell."""
    compiled = _compiled(pattern)
    return compiled is None or compiled.search(text) is not None


def _worst_steps(pattern: str, longest: int) -> float:
    """Each repetition may be tried at every length, and an open beginning at every place."""
    repetitions = sum(pattern.count(sign) for sign in "*+{")
    exponent = repetitions + (not pattern.startswith("^"))
    return float(max(longest, 1)) ** min(exponent, 50)


@lru_cache(maxsize=512)
def _compiled(pattern: str) -> re.Pattern[str] | None:
    translated = _translate(pattern)
    if translated is None:
        return None
    try:
        return re.compile(translated)
    except (re.error, RecursionError, OverflowError):
        return None


def _translate(pattern: str) -> str | None:
    """The pattern in Python's spelling, or None where the two might differ."""
    out: list[str] = []
    in_class = False
    index = 0
    while index < len(pattern):
        sign, rest = pattern[index], pattern[index + 1 :]
        if sign == "\\":
            piece = _escape(rest[:1], in_class)
            if piece is None:
                return None
            out.append(piece)
            index += 2
            continue
        if in_class:
            # Nested classes and set operations exist on the server only.
            if sign == "[" or pattern[index : index + 2] in ("&&", "--", "~~"):
                return None
            in_class = sign != "]"
        elif sign == "[":
            in_class = True
            if rest.startswith(("]", "^]")):
                return None
        elif sign == "$":
            sign = r"\Z"
        elif _is_risky(sign, rest):
            return None
        out.append(sign)
        index += 1
    return "".join(out)


def _escape(letter: str, in_class: bool) -> str | None:
    if letter == "z" and not in_class:
        return r"\Z"
    if letter not in _SAME_ESCAPES or not letter or (in_class and letter in "bB"):
        return None
    return "\\" + letter


def _is_risky(sign: str, rest: str) -> bool:
    if sign == "(":
        return rest.startswith("?") and not rest.startswith("?:")
    if sign == ")":
        # A repeated group is where backtracking can take for ever.
        return rest.startswith(("*", "+", "{"))
    return sign in "*+?}" and rest.startswith("+")
