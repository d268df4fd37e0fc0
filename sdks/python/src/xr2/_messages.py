"""What counts as a chat message when it comes with the values."""

from __future__ import annotations

from typing import Any

ROLES = frozenset({"system", "developer", "user", "assistant", "tool"})


def is_message(value: Any) -> bool:
    """Whether this is a message; fields that are not known are allowed, a placeholder is none."""
    if not isinstance(value, dict) or value.get("role") not in ROLES:
        return False
    if not all(isinstance(value.get(name), str | None) for name in ("name", "tool_call_id")):
        return False
    calls, content = value.get("tool_calls"), value.get("content")
    if calls is not None and not _are_calls(calls, value["role"]):
        return False
    if isinstance(content, list):
        return all(_is_part(part) for part in content)
    return isinstance(content, str) or (content is None and calls is not None)


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
