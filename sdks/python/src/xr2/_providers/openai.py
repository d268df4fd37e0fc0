"""OpenAI's chat completions."""

from __future__ import annotations

from typing import Any

from .common import Choice, Json, Message, Settings, Tool, is_text, parts_of
from .notes import Notes

# Models that think first count their thoughts, and refuse `max_tokens`.
REASONING = ("o1", "o3", "o4", "gpt-5")
UNKNOWN = ("top_k", "topK", "thinking")


def body(messages: list[Message], config: Json, model: str | None, notes: Notes) -> Json:
    """The request body."""
    request: Json = {"model": model} if model is not None else {}
    request["messages"] = [_message(message) for message in messages]
    settings = Settings(config, notes)
    limit = "max_completion_tokens" if model is not None and model.startswith(REASONING) else "max_tokens"
    given = settings.take("max_completion_tokens")
    if given is not None:
        settings.take("max_tokens")
        request["max_completion_tokens"] = given
    else:
        settings.carry(request, ("max_tokens", "max_output_tokens", "maxOutputTokens"), limit)
    settings.carry(request, ("stop", "stop_sequences", "stopSequences"), "stop")
    settings.carry(request, ("top_p", "topP"), "top_p")
    tools = settings.take_tools()
    if tools is not None:
        request["tools"] = [_tool(tool) for tool in tools]
    choice = settings.take("tool_choice")
    if choice is not None:
        request["tool_choice"] = _tool_choice(choice)
    settings.leave_out(UNKNOWN)
    return {**request, **settings.rest()}


def _message(message: Message) -> Message:
    parts = parts_of(message)
    return message if parts is None else {**message, "content": [_part(part) for part in parts]}


def _part(part: Json) -> Json:
    if is_text(part):
        return {"type": "text", "text": part.get("text", "")}
    url = part.get("url")
    if url is None:
        url = f"data:{part.get('media_type') or 'image/png'};base64,{part.get('data') or ''}"
    return {"type": "image_url", "image_url": {"url": url}}


def _tool(tool: Any) -> Any:
    read = Tool.read(tool)
    return tool if read is None else {"type": "function", "function": read.fields("parameters")}


def _tool_choice(choice: Any) -> Any:
    read = Choice.read(choice)
    if read is None:
        return choice
    if read.kind == "tool":
        return {"type": "function", "function": {"name": read.name}}
    return "required" if read.kind == "any" else read.kind
