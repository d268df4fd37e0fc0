"""What counts as a chat message when it comes with the values."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

ROLES = frozenset({"system", "developer", "user", "assistant", "tool"})
OPTIONAL = frozenset({"name", "tool_calls", "tool_call_id"})


def read_message(value: Any) -> dict[str, Any] | None:
    """The message, without fields that are null; none if it is not one. Unknown fields are kept."""
    if not isinstance(value, dict) or value.get("role") not in ROLES:
        return None
    if not all(isinstance(value.get(name), str | None) for name in ("name", "tool_call_id")):
        return None
    calls, content = value.get("tool_calls"), value.get("content")
    if calls is not None and not _are_calls(calls, value["role"]):
        return None
    if isinstance(content, list):
        if not all(_is_part(part) for part in content):
            return None
        content = [_without_nulls(part, part.keys()) for part in content]
    elif not isinstance(content, str) and (content is not None or calls is None):
        return None
    message = {"role": value["role"], "content": content, **value}
    message["content"] = content
    return _without_nulls(message, OPTIONAL)


def _without_nulls(fields: dict[str, Any], names: Collection[str]) -> dict[str, Any]:
    return {name: value for name, value in fields.items() if value is not None or name not in names}


def _are_calls(calls: Any, role: str) -> bool:
    return role == "assistant" and isinstance(calls, list) and all(isinstance(call, dict) for call in calls)


def _is_part(part: Any) -> bool:
    if not isinstance(part, dict):
        return False
    if part.get("type") == "text":
        return isinstance(part.get("text"), str) and part.keys() == {"type", "text"}
    if part.get("type") != "image" or part.keys() - {"type", "url", "data", "media_type"}:
        return False
    fields = [part.get("url"), part.get("data"), part.get("media_type")]
    if not all(isinstance(field, str | None) for field in fields):
        return False
    url, data, media_type = fields
    return (url is None) != (data is None) and (data is None or media_type is not None)
