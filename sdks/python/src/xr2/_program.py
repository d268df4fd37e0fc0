"""A template taken apart once, so that rendering it only has to put values in.

What is usual (text, plain values that fit) goes the short way here. Everything else, each error among it, goes
through ``_template``, which says what rendering means; the two agree on every case of ``sdks/conformance``.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ._template import SLOT, Rendered, must_ask_server, render_data, specs_of
from ._values import to_text

_ANY = object()
_PLAIN_TYPES: dict[str, Any] = {"string": str, "integer": int, "boolean": bool}
_CHECKS = ("enum", "min", "max", "min_length", "max_length", "pattern", "items")


class Program:
    """The parts of one delivered prompt."""

    __slots__ = ("_asks", "_data", "_defaults", "_known", "_parts", "_quick", "_required", "_slots", "_types")

    def __init__(self, data: Mapping[str, Any]) -> None:
        self._data = data
        text = data.get("content")
        self._quick = (
            isinstance(text, str)
            and data.get("messages") is None
            and not data.get("rendered")
            and data.get("syntax") in ("simple", "none")
        )
        self._asks = not data.get("rendered") and (
            data.get("syntax") == "jinja" or any(_has_pattern(spec) for spec in data.get("variables") or ())
        )
        self._parts: list[str] = []
        self._slots: list[tuple[int, str, tuple[str, ...], str]] = []
        self._types: dict[str, Any] = {}
        self._defaults: dict[str, Any] = {}
        self._required: list[str] = []
        if self._quick:
            self._take_apart(text or "", plain=data.get("syntax") == "none")
            self._take_contract()
        self._known = self._types.keys()

    def _take_apart(self, text: str, *, plain: bool) -> None:
        at = 0
        for match in () if plain else SLOT.finditer(text):
            root, *rest = match[1].split(".")
            self._slots.append((len(self._parts) + 1, root, tuple(rest), match[1]))
            self._parts += [text[at : match.start()], match[0]]
            at = match.end()
        self._parts.append(text[at:])

    def _take_contract(self) -> None:
        for spec in specs_of(self._data):
            name = spec["name"]
            # A name declared twice is checked twice: nothing for the short way.
            self._types[name] = None if name in self._types else _plain_type(spec)
            if spec.get("default") is not None:
                self._defaults[name] = spec["default"]
            elif spec.get("required") and not spec.get("discovered"):
                self._required.append(name)

    def must_ask_server(self, values: Mapping[str, Any]) -> bool:
        """Whether only the server can render this."""
        return self._asks and must_ask_server(self._data, values)

    def render(self, given: Mapping[str, Any], slug: str) -> Rendered:
        """Fill in the variables, or raise with all that is wrong with the values."""
        if not self._quick or not self._is_usual(given):
            return render_data(self._data, given, slug)
        values = {**self._defaults, **given} if self._defaults else given
        parts = self._parts.copy()
        missing: dict[str, None] = {}
        for index, root, rest, path in self._slots:
            if root not in values:
                missing[root] = None
                continue
            value = values[root]
            for name in rest:
                if not isinstance(value, dict) or name not in value:
                    missing[path] = None
                    break
                value = value[name]
            else:
                parts[index] = value if type(value) is str else to_text(value)
        data = {**self._data, "rendered": True, "content": "".join(parts), "missing": list(missing)}
        return Rendered(data, [])

    def _is_usual(self, given: Mapping[str, Any]) -> bool:
        """Whether each value is known and so plain that nothing needs a closer look."""
        types = self._types
        for name, value in given.items():
            wanted = types.get(name)
            kind = type(value)
            if wanted is None or (kind is not wanted and not (wanted is _ANY and kind in (str, int, bool))):
                return False
        return all(name in given for name in self._required)


def _plain_type(spec: Mapping[str, Any]) -> Any:
    """The one Python type whose values need no further check; none where each value does."""
    if spec.get("discovered"):
        return _ANY
    if any(spec.get(name) is not None for name in _CHECKS):
        return None
    kind = spec.get("type") or "string"
    return _ANY if kind == "any" else _PLAIN_TYPES.get(kind) if isinstance(kind, str) else None


def _has_pattern(spec: Any) -> bool:
    return isinstance(spec, Mapping) and isinstance(spec.get("pattern"), str)
