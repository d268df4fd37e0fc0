"""Anthropic's messages."""

from __future__ import annotations

from typing import Any

from .common import Call, Choice, Json, Message, Settings, Tool, is_text, parts_of, split_system
from .notes import Notes

# The API demands a limit; this one is told when it is put in.
DEFAULT_MAX_TOKENS = 1024
# What other providers know and Anthropic does not.
UNKNOWN = (
    "response_format", "frequency_penalty", "presence_penalty", "seed", "n", "logprobs", "top_logprobs",
    "logit_bias", "reasoning_effort", "modalities", "store", "stream_options",
)  # fmt: skip


def body(messages: list[Message], config: Json, model: str | None, notes: Notes) -> Json:
    """The request body."""
    system, talk = split_system(messages, notes)
    settings = Settings(config, notes)
    request: Json = {"model": model} if model is not None else {}
    request["max_tokens"] = _max_tokens(settings, notes)
    instructions = _system_text(system, notes)
    if instructions:
        request["system"] = instructions
    request["messages"] = _conversation(talk, notes)
    _carry_settings(settings, request, notes)
    return {**request, **settings.rest()}


def _max_tokens(settings: Settings, notes: Notes) -> Any:
    given = settings.take("max_tokens", "max_completion_tokens", "max_output_tokens", "maxOutputTokens")
    if given is not None:
        return given
    told = f"`max_tokens` is not set; Anthropic demands one, so it is {DEFAULT_MAX_TOKENS}."
    notes.add("MAX_TOKENS_DEFAULTED", told)
    return DEFAULT_MAX_TOKENS


def _carry_settings(settings: Settings, request: Json, notes: Notes) -> None:
    temperature = settings.take("temperature")
    if isinstance(temperature, int | float) and not isinstance(temperature, bool) and temperature > 1:
        notes.add("TEMPERATURE_LOWERED", "The temperature was lowered to 1, the highest Anthropic takes.")
        temperature = 1
    if temperature is not None:
        request["temperature"] = temperature
    settings.carry(request, ("top_p", "topP"), "top_p")
    settings.carry(request, ("top_k", "topK"), "top_k")
    stop = settings.take_stop()
    if stop is not None:
        request["stop_sequences"] = stop
    user = settings.take("user")
    if user is not None:
        request["metadata"] = {"user_id": user}
    tools = settings.take_tools()
    if tools is not None:
        request["tools"] = [_tool(tool, notes) for tool in tools]
    parallel = settings.take("parallel_tool_calls")
    choice = _tool_choice(settings.take("tool_choice"), in_turn=parallel is False)
    if choice is not None:
        request["tool_choice"] = choice
    settings.leave_out(UNKNOWN)


def _tool(tool: Any, notes: Notes) -> Any:
    read = Tool.read(tool)
    if read is None:
        # Anthropic's own tools carry a dated type; those of others cannot be told from them.
        notes.add("TOOL_AS_IS", "A tool that is no function was passed on as it is.")
        return tool
    fields = read.fields("input_schema")
    fields.setdefault("input_schema", {"type": "object", "properties": {}})
    return fields


def _tool_choice(choice: Any, *, in_turn: bool) -> Any:
    if choice is None:
        converted: Any = {"type": "auto"} if in_turn else None
    else:
        read = Choice.read(choice)
        if read is None:
            converted = choice
        else:
            converted = {"type": "tool", "name": read.name} if read.kind == "tool" else {"type": read.kind}
    if in_turn and isinstance(converted, dict):
        return {**converted, "disable_parallel_tool_use": True}
    return converted


def _system_text(system: list[Message], notes: Notes) -> str:
    texts = [_text_of(message, notes) for message in system]
    return "\n\n".join(text for text in texts if text)


def _text_of(message: Message, notes: Notes) -> str:
    parts = parts_of(message)
    if parts is None:
        return message.get("content") or ""
    if not all(is_text(part) for part in parts):
        notes.add("IMAGE_LEFT_OUT", "An image of a system message was left out: it may hold text only.")
    return "\n\n".join(part.get("text", "") for part in parts if is_text(part))


def _conversation(talk: list[Message], notes: Notes) -> list[Json]:
    turns: list[Json] = []
    after_tool = False
    for message in talk:
        if message.get("role") == "tool":
            # Results of one turn belong into one message.
            if after_tool:
                turns[-1]["content"].append(_tool_result(message))
            else:
                turns.append({"role": "user", "content": [_tool_result(message)]})
            after_tool = True
            continue
        after_tool = False
        role = "assistant" if message.get("role") == "assistant" else "user"
        turns.append({"role": role, "content": _content(message, notes)})
    return turns


def _tool_result(message: Message) -> Json:
    result: Json = {"type": "tool_result", "tool_use_id": message.get("tool_call_id") or ""}
    parts = parts_of(message)
    if parts is not None:
        result["content"] = [_part(part) for part in parts]
    elif message.get("content") is not None:
        result["content"] = message["content"]
    return result


def _content(message: Message, notes: Notes) -> Any:
    text, parts, calls = message.get("content"), parts_of(message), message.get("tool_calls") or []
    if isinstance(text, str) and not calls:
        return text
    blocks: list[Json] = [_part(part) for part in parts or ()]
    if isinstance(text, str) and text:
        blocks.append({"type": "text", "text": text})
    for call in calls:
        read = Call.read(call)
        if read is None:
            notes.add("TOOL_CALL_LEFT_OUT", "A tool call without a function's name was left out.")
            continue
        blocks.append({"type": "tool_use", "id": read.id or "", "name": read.name, "input": read.arguments})
    return blocks


def _part(part: Json) -> Json:
    if is_text(part):
        return {"type": "text", "text": part.get("text", "")}
    if part.get("url") is not None:
        return {"type": "image", "source": {"type": "url", "url": part["url"]}}
    source = {"type": "base64", "media_type": part.get("media_type"), "data": part.get("data")}
    return {"type": "image", "source": source}
