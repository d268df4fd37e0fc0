import type { MessagePart, PromptData, ProviderRequest } from "../types.js";
import { Settings } from "./settings.js";
import { finish, modelOf, speeches, Warnings, type Json, type Speech } from "./shared.js";
import { readChoice, readTool, toolFields } from "./tools.js";

/** Models that think first count their thoughts, and refuse `max_tokens`. */
const COUNTS_REASONING = /^(?:o1|o3|o4|gpt-5)/;

/** OpenAI's chat completions, and what is compatible with them. */
export function toOpenAI(data: PromptData, wanted?: string): ProviderRequest {
  const warnings = new Warnings("OpenAI");
  const model = modelOf(data, wanted);
  warnings.checkModel(model);
  const settings = new Settings(data.config);
  const body: Json = { ...(model === undefined ? {} : { model }), messages: speeches(data).map(message) };
  carryLimit(settings, body, model);
  settings.carry(body, ["stop", "stop_sequences", "stopSequences"], "stop");
  settings.carry(body, ["top_p", "topP"], "top_p");
  const tools = settings.take("tools");
  if (tools !== undefined) body["tools"] = (Array.isArray(tools) ? tools : []).map(tool);
  const choice = settings.take("tool_choice");
  if (choice !== undefined) body["tool_choice"] = toolChoice(choice);
  settings.leaveOut(["top_k", "topK", "thinking"], warnings);
  return finish({ ...body, ...settings.rest() }, warnings, model);
}

function carryLimit(settings: Settings, body: Json, model: string | undefined): void {
  const limit = model !== undefined && COUNTS_REASONING.test(model) ? "max_completion_tokens" : "max_tokens";
  const exact = settings.take("max_completion_tokens");
  if (exact === undefined) {
    settings.carry(body, ["max_tokens", "max_output_tokens", "maxOutputTokens"], limit);
  } else {
    settings.take("max_tokens");
    body["max_completion_tokens"] = exact;
  }
}

function message({ role, content, name, calls, callId, extra }: Speech): Json {
  return {
    role,
    content: Array.isArray(content) ? content.map(part) : content,
    ...(name === undefined ? {} : { name }),
    ...(calls === undefined ? {} : { tool_calls: calls }),
    ...(callId === undefined ? {} : { tool_call_id: callId }),
    ...extra,
  };
}

function part(part: MessagePart): Json {
  if (part.type === "text") return { type: "text", text: part.text };
  const url = part.url ?? `data:${part.media_type ?? "image/png"};base64,${part.data ?? ""}`;
  return { type: "image_url", image_url: { url } };
}

function tool(given: unknown): unknown {
  const read = readTool(given);
  return read ? { type: "function", function: toolFields(read, "parameters") } : given;
}

function toolChoice(given: unknown): unknown {
  const choice = readChoice(given);
  if (!choice) return given;
  if (choice.kind === "tool") return { type: "function", function: { name: choice.name } };
  return choice.kind === "any" ? "required" : choice.kind;
}
