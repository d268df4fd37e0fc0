"""Rendering simple templates in this process, to the letter as the server does.

``{{ name }}`` and ``{{ a.b }}`` are special, with spaces, tabs and line ends allowed inside the braces;
everything else is text. Values are put in as they are and never read as templates.
"""

from __future__ import annotations

import copy
import re
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from ._contract import read_values, unknown_values
from ._messages import read_message
from ._pattern import matches_here
from ._values import to_text
from .errors import VariableProblem, variable_error

# From the left, the next character after each `{{` that is no variable: `{{{a}}}` is a brace, `a`, a brace.
_NAME = r"[A-Za-z_][A-Za-z0-9_]*"
SLOT = re.compile(r"\{\{[ \t\r\n]*(" + _NAME + r"(?:\." + _NAME + r")*)[ \t\r\n]*\}\}")
_ABSENT = object()


class Rendered(NamedTuple):
    """A rendered prompt's data and what was worth a warning."""

    data: dict[str, Any]
    warnings: list[dict[str, str]]


def must_ask_server(data: Mapping[str, Any], values: Mapping[str, Any]) -> bool:
    """Whether only the server can render this: jinja, or a pattern that Python cannot match the same way."""
    if data.get("rendered"):
        return False
    if data.get("syntax") == "jinja":
        return True
    return any(
        not matches_here(spec["pattern"], len(given))
        for spec in data.get("variables") or ()
        if isinstance(spec.get("pattern"), str) and isinstance(given := values.get(spec["name"]), str)
    )


def render_data(data: Mapping[str, Any], given: Mapping[str, Any], slug: str) -> Rendered:
    """Fill in the variables, or raise with all that is wrong with the values."""
    specs = specs_of(data)
    warnings = unknown_values(given, [spec["name"] for spec in specs])
    if data.get("rendered"):
        return Rendered(dict(data), warnings)
    values, problems = read_values(specs, given)
    for spec in specs:
        if spec["name"] not in values and spec.get("default") is not None:
            values[spec["name"]] = spec["default"]
    problems += _placeholder_problems(data, values, {problem["name"] for problem in problems})
    if problems:
        raise variable_error(slug, problems)
    filler = _Filler(values, plain=data.get("syntax") == "none")
    rendered = {**data, "rendered": True}
    if data.get("messages") is not None:
        rendered["messages"] = filler.messages(data["messages"])
    else:
        rendered["content"] = filler.text(data.get("content") or "")
    rendered["missing"] = filler.missing
    return Rendered(rendered, warnings)


def discover(data: Mapping[str, Any]) -> list[str]:
    """The names a prompt uses: variables in the order of first use, then placeholders."""
    found: dict[str, None] = {}
    if data.get("syntax") == "simple":
        for text in texts_of(data):
            found.update((match[1].partition(".")[0], None) for match in SLOT.finditer(text))
    found.update((entry["name"], None) for entry in _placeholders(data))
    return list(found)


def texts_of(data: Mapping[str, Any]) -> Iterator[str]:
    """Every text of a prompt, in reading order."""
    if data.get("messages") is None:
        yield data.get("content") or ""
    for message in data.get("messages") or ():
        content = message.get("content")
        if isinstance(content, str):
            yield content
        elif isinstance(content, list):
            yield from (part["text"] for part in content if isinstance(part.get("text"), str))


def specs_of(data: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The declared variables, then what the text uses beyond them."""
    declared = [spec for spec in data.get("variables") or () if isinstance(spec, dict) and "name" in spec]
    known = {spec["name"] for spec in declared}
    used = [] if data.get("rendered") else discover(data)
    return declared + [{"name": name, "type": "any", "discovered": True} for name in used if name not in known]


def _placeholders(data: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    return [entry for entry in data.get("messages") or () if _is_placeholder(entry)]


def _is_placeholder(entry: Mapping[str, Any]) -> bool:
    return entry.get("type") == "placeholder" and "role" not in entry


def _placeholder_problems(
    data: Mapping[str, Any], values: Mapping[str, Any], already: set[str]
) -> list[VariableProblem]:
    """What is wrong with the values for placeholders: each takes a list of messages."""
    problems: dict[str, VariableProblem] = {}
    for entry in _placeholders(data):
        name = entry["name"]
        if name in already or name in problems:
            continue
        fault = _placeholder_fault(entry, values.get(name, _ABSENT))
        if fault is not None:
            problems[name] = {"name": name, "problem": fault, "expected": "array of messages"}
    return list(problems.values())


def _placeholder_fault(entry: Mapping[str, Any], value: Any) -> str | None:
    if not entry.get("required") and (value is _ABSENT or value is None):
        return None
    if value is _ABSENT:
        return "missing"
    if not isinstance(value, list):
        return "wrong_type"
    return None if all(read_message(item) for item in value) else "item_wrong_type"


class _Filler:
    """Puts values into texts and remembers which were missing."""

    def __init__(self, values: Mapping[str, Any], *, plain: bool) -> None:
        self._values = values
        self._plain = plain
        self._missing: dict[str, None] = {}

    @property
    def missing(self) -> list[str]:
        return list(self._missing)

    def text(self, template: str) -> str:
        return template if self._plain else SLOT.sub(self._fill, template)

    def messages(self, entries: list[dict[str, Any]]) -> list[dict[str, Any]]:
        # First all texts, then the placeholders: that is the order in which `missing` names them.
        texts = [entry if _is_placeholder(entry) else self._message(entry) for entry in entries]
        filled: list[dict[str, Any]] = []
        for entry in texts:
            filled += self._inserted(entry["name"]) if _is_placeholder(entry) else [entry]
        return filled

    def _message(self, entry: dict[str, Any]) -> dict[str, Any]:
        return {**entry, "content": self._content(entry.get("content"))}

    def _inserted(self, name: str) -> list[dict[str, Any]]:
        value = self._values.get(name, _ABSENT)
        if value is _ABSENT:
            self._missing[name] = None
        if value is _ABSENT or value is None:
            return []
        return [message for item in copy.deepcopy(value) if (message := read_message(item))]

    def _content(self, content: Any) -> Any:
        if isinstance(content, str):
            return self.text(content)
        if isinstance(content, list):
            return [self._part(part) for part in content]
        return content

    def _part(self, part: dict[str, Any]) -> dict[str, Any]:
        text = part.get("text")
        return {**part, "text": self.text(text)} if part.get("type") == "text" and isinstance(text, str) else part

    def _fill(self, match: re.Match[str]) -> str:
        path = match[1]
        root, _, rest = path.partition(".")
        value = self._values.get(root, _ABSENT)
        if value is _ABSENT:
            self._missing[root] = None
            return match[0]
        for name in rest.split(".") if rest else ():
            value = value.get(name, _ABSENT) if isinstance(value, dict) else _ABSENT
            if value is _ABSENT:
                self._missing[path] = None
                return match[0]
        return to_text(value)
