"""Google's ``generateContent``."""

from __future__ import annotations

from typing import Any

from .common import Call, Choice, Json, Message, Settings, Tool, field, is_text, parse, parts_of, split_system
from .notes import Notes

# Settings of `generationConfig`, by the names an author may use.
GENERATION = (
    (("temperature",), "temperature"),
    (("top_p", "topP"), "topP"),
    (("top_k", "topK"), "topK"),
    (("max_tokens", "max_completion_tokens", "max_output_tokens", "maxOutputTokens"), "maxOutputTokens"),
    (("n", "candidate_count", "candidateCount"), "candidateCount"),
    (("seed",), "seed"),
    (("presence_penalty", "presencePenalty"), "presencePenalty"),
    (("frequency_penalty", "frequencyPenalty"), "frequencyPenalty"),
    (("thinking_config", "thinkingConfig"), "thinkingConfig"),
)
# Fields of the body that only Google has.
OWN = (
    (("safety_settings", "safetySettings"), "safetySettings"),
    (("cached_content", "cachedContent"), "cachedContent"),
    (("labels",), "labels"),
)
MODES = {"auto": "AUTO", "none": "NONE", "any": "ANY", "tool": "ANY"}


def body(messages: list[Message], config: Json, notes: Notes) -> Json:
    """The request body; the model is named in the address."""
    system, talk = split_system(messages, notes)
    request: Json = {}
    instructions = [part for message in system for part in _parts(message, notes)]
    if instructions:
        request["systemInstruction"] = {"parts": instructions}
    request["contents"] = _contents(talk, notes)
    settings = Settings(config, notes)
    generation = _generation_config(settings, notes)
    if generation:
        request["generationConfig"] = generation
    _carry_tools(settings, request, notes)
    for names, to in OWN:
        settings.carry(request, names, to)
    # Streaming is a matter of the address.
    settings.take("stream", "stream_options")
    for name in settings.rest():
        notes.left_out(name)
    return request


def _generation_config(settings: Settings, notes: Notes) -> Json:
    generation: Json = {}
    for names, to in GENERATION:
        settings.carry(generation, names, to)
    stop = settings.take_stop()
    if stop is not None:
        generation["stopSequences"] = stop
    wanted = settings.take("response_format")
    if wanted is not None:
        _response_format(wanted, generation, notes)
    return generation


def _response_format(wanted: Any, generation: Json, notes: Notes) -> None:
    kind = field(wanted, "type")
    if kind == "text":
        return
    if kind not in ("json_object", "json_schema"):
        notes.left_out("response_format")
        return
    generation["responseMimeType"] = "application/json"
    if kind == "json_schema":
        schema = field(field(wanted, "json_schema"), "schema", field(wanted, "schema"))
        if schema is not None:
            generation["responseJsonSchema"] = schema


def _carry_tools(settings: Settings, request: Json, notes: Notes) -> None:
    declarations: list[Json] = []
    others: list[Any] = []
    for tool in settings.take_tools() or ():
        read = Tool.read(tool)
        if read is not None:
            fields = read.fields("parameters")
            fields.pop("strict", None)
            declarations.append(fields)
            continue
        if field(tool, "type") is not None:
            notes.add("TOOL_AS_IS", "A tool that is no function was passed on as it is.")
        others.append(tool)
    tools = [{"functionDeclarations": declarations}, *others] if declarations else others
    if tools:
        request["tools"] = tools
    _carry_choice(settings, request, notes)
    settings.carry(request, ("toolConfig", "tool_config"), "toolConfig")


def _carry_choice(settings: Settings, request: Json, notes: Notes) -> None:
    choice = settings.take("tool_choice")
    if choice is None:
        return
    read = Choice.read(choice)
    if read is None:
        notes.left_out("tool_choice")
        return
    calling: Json = {"mode": MODES[read.kind]}
    if read.kind == "tool":
        calling["allowedFunctionNames"] = [read.name]
    request["toolConfig"] = {"functionCallingConfig": calling}


def _contents(talk: list[Message], notes: Notes) -> list[Json]:
    contents: list[Json] = []
    called: dict[str, str] = {}
    after_tool = False
    for message in talk:
        calls = [call for call in map(Call.read, message.get("tool_calls") or ()) if call is not None]
        called.update((call.id, call.name) for call in calls if call.id is not None)
        if message.get("role") == "tool":
            response = _function_response(message, called, notes)
            # Results of one turn belong into one content.
            if after_tool:
                contents[-1]["parts"].append(response)
            else:
                contents.append({"role": "user", "parts": [response]})
            after_tool = True
            continue
        after_tool = False
        role = "model" if message.get("role") == "assistant" else "user"
        made = [{"functionCall": {"name": call.name, "args": call.arguments}} for call in calls]
        contents.append({"role": role, "parts": _parts(message, notes) + made})
    return contents


def _function_response(message: Message, called: dict[str, str], notes: Notes) -> Json:
    identity = message.get("tool_call_id") or ""
    name = called.get(identity, message.get("name"))
    if name is None:
        told = "A tool message answers no call of the prompt, so the function's name is not known."
        notes.add("TOOL_NAME_UNKNOWN", told)
    text = _tool_text(message, notes)
    # A result that is an object is one for Google too.
    parsed = parse(text)
    response = parsed if isinstance(parsed, dict) else {"result": text}
    return {"functionResponse": {"name": identity if name is None else name, "response": response}}


def _tool_text(message: Message, notes: Notes) -> str:
    parts = parts_of(message)
    if parts is None:
        return message.get("content") or ""
    if not all(is_text(part) for part in parts):
        notes.add("IMAGE_LEFT_OUT", "An image of a tool message was left out: Google takes texts there.")
    return "\n".join(part.get("text", "") for part in parts if is_text(part))


def _parts(message: Message, notes: Notes) -> list[Json]:
    parts, text = parts_of(message), message.get("content")
    if parts is not None:
        return [read for part in parts if (read := _part(part, notes)) is not None]
    if text is None or (text == "" and message.get("tool_calls") is not None):
        return []
    return [{"text": text}]


def _part(part: Json, notes: Notes) -> Json | None:
    if is_text(part):
        return {"text": part.get("text", "")}
    data, url, media_type = part.get("data"), part.get("url"), part.get("media_type")
    if data is not None:
        return {"inlineData": {"mimeType": media_type, "data": data}}
    if isinstance(url, str) and url.startswith("gs://"):
        file = {"fileUri": url}
        return {"fileData": file if media_type is None else {**file, "mimeType": media_type}}
    told = "An image given by its address was left out: Google takes image data, or a file of its own."
    notes.add("IMAGE_LEFT_OUT", told)
    return None
