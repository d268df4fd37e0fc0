"""What the providers' shapes have in common: messages, settings, tools, calls."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, NoReturn

from .._messages import read_message
from .notes import Notes

Message = dict[str, Any]
Json = dict[str, Any]
OWN_SETTINGS = ("model", "provider", "integration")
"""Settings that are for xr2, not for a provider."""


class ProviderRequest(dict[str, Any]):
    """A provider's request body: a dict to pass on, with what was left out in ``warnings``."""

    warnings: list[dict[str, str]]
    model: str | None


def finish(body: Json, notes: Notes, model: str | None) -> ProviderRequest:
    """The body as the caller's own, sharing nothing with the memory of the client."""
    request = ProviderRequest(copy.deepcopy(body))
    request.warnings = notes.warnings
    request.model = model
    return request


def model_of(config: Mapping[str, Any]) -> str | None:
    """The model of a config, if it names one."""
    model = config.get("model")
    return model if isinstance(model, str) and model else None


def read_messages(data: Mapping[str, Any]) -> list[Message]:
    """The messages of a rendered prompt: a text is what the user says."""
    entries = data.get("messages")
    if entries is None:
        return [{"role": "user", "content": data.get("content") or ""}]
    return [read_message(entry) or dict(entry) for entry in entries if "role" in entry]


def parts_of(message: Message) -> list[Any] | None:
    """The parts of a message that has parts."""
    content = message.get("content")
    return content if isinstance(content, list) else None


def is_text(part: Json) -> bool:
    """Whether a part is a text; else it is an image."""
    return part.get("type") == "text"


def split_system(messages: list[Message], notes: Notes) -> tuple[list[Message], list[Message]]:
    """Messages parted into what the system says and what is talked, for providers that keep them apart."""
    for message in messages:
        notes.check_message(message)
    said = [_is_system(message) for message in messages]
    if False in said and True in said[said.index(False) :]:
        told = f"A system message in the middle was moved to the top: {notes.title} takes them nowhere else."
        notes.add("SYSTEM_MOVED", told)
    system = [message for message in messages if _is_system(message)]
    talk = [message for message in messages if not _is_system(message)]
    if not talk:
        notes.add("NO_MESSAGES", f"{notes.title} needs at least one message beside the system's.")
    return system, talk


def _is_system(message: Message) -> bool:
    return message.get("role") in ("system", "developer")


class Settings:
    """What is left of a config while a request is built from it."""

    def __init__(self, config: Mapping[str, Any], notes: Notes) -> None:
        self._notes = notes
        self._left = {name: v for name, v in config.items() if name not in OWN_SETTINGS and v is not None}

    def take(self, *names: str) -> Any:
        """The first of several names of a setting that is there, or None; all of them are used up."""
        found = next((self._left[name] for name in names if name in self._left), None)
        for name in names:
            self._left.pop(name, None)
        return found

    def carry(self, body: Json, names: Iterable[str], to: str) -> None:
        """Put a setting under the provider's name for it."""
        value = self.take(*names)
        if value is not None:
            body[to] = value

    def take_stop(self) -> list[Any] | None:
        """The stop sequences as a list, however they were written."""
        stop = self.take("stop", "stop_sequences", "stopSequences")
        return stop if stop is None or isinstance(stop, list) else [stop]

    def take_tools(self) -> list[Any] | None:
        """The tools; a list without any when what stands there is no list."""
        tools = self.take("tools")
        return tools if tools is None or isinstance(tools, list) else []

    def leave_out(self, names: Iterable[str]) -> None:
        """Tell which of these settings the provider has nothing like."""
        for name in names:
            if self.take(name) is not None:
                self._notes.left_out(name)

    def rest(self) -> Json:
        """What nobody named: passed on as it is, for the author knows the provider."""
        return self._left


@dataclass(frozen=True)
class Tool:
    """A tool, whichever way it was written."""

    function: Json

    @staticmethod
    def read(tool: Any) -> Tool | None:
        """Read OpenAI's shape, or Anthropic's; others (a provider's own tools) are nobody else's."""
        kind = field(tool, "type")
        kind = kind if isinstance(kind, str) else None
        if kind == "function":
            function = field(tool, "function", tool)
        elif kind in (None, "custom"):
            function = tool
        else:
            return None
        return Tool(function) if isinstance(field(function, "name"), str) else None

    def fields(self, schema_name: str) -> Json:
        """The tool's fields, with its schema under a provider's name for it."""
        function = self.function
        fields: Json = {"name": function["name"]}
        if "description" in function:
            fields["description"] = function["description"]
        if "parameters" in function or "input_schema" in function:
            fields[schema_name] = function.get("parameters", function.get("input_schema"))
        if "strict" in function:
            fields["strict"] = function["strict"]
        return fields


@dataclass(frozen=True)
class Choice:
    """Which tool the model must or may call: ``auto``, ``none``, ``any`` or ``tool`` with its name."""

    kind: str
    name: str = ""

    @staticmethod
    def read(value: Any) -> Choice | None:
        """Read a choice in OpenAI's or Anthropic's words."""
        word = value if isinstance(value, str) else field(value, "type")
        if word in ("auto", "none"):
            return Choice(word)
        if word in ("required", "any"):
            return Choice("any")
        if word in ("function", "tool"):
            name = field(field(value, "function"), "name")
            name = field(value, "name") if name is None else name
            return Choice("tool", name) if isinstance(name, str) else None
        return None


@dataclass(frozen=True)
class Call:
    """A call of the assistant, its arguments as an object."""

    id: str | None
    name: str
    arguments: Json

    @staticmethod
    def read(call: Any) -> Call | None:
        """Read OpenAI's shape, or Anthropic's."""
        function = field(call, "function", call)
        name, identity = field(function, "name"), field(call, "id")
        if not isinstance(name, str):
            return None
        arguments = field(function, "arguments", field(function, "input"))
        if isinstance(arguments, str):
            # OpenAI writes the arguments as JSON in a string.
            arguments = parse(arguments)
        return Call(
            identity if isinstance(identity, str) else None, name, arguments if isinstance(arguments, dict) else {}
        )


def field(value: Any, name: str, default: Any = None) -> Any:
    """A field of an object, or the default where there is no object or no such field."""
    return value.get(name, default) if isinstance(value, dict) else default


def parse(source: str) -> Any:
    """The JSON in a text, or None."""
    try:
        return json.loads(source, parse_constant=_refuse)
    except (ValueError, RecursionError):
        return None


def _refuse(word: str) -> NoReturn:
    raise ValueError(f"{word} is not JSON")
