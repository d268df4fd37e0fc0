import type { MessagePart, PromptData, ProviderRequest } from "../types.js";
import { Settings } from "./settings.js";
import { finish, modelOf, partSystem, speeches, textsOf, Warnings, type Json, type Speech } from "./shared.js";
import { readCall, readChoice, readTool, toolFields } from "./tools.js";

/** The API demands a limit; this one is told when it is put in. */
const DEFAULT_MAX_TOKENS = 1024;

/** What other providers know and Anthropic does not. */
const UNKNOWN = [
  "response_format",
  "frequency_penalty",
  "presence_penalty",
  "seed",
  "n",
  "logprobs",
  "top_logprobs",
  "logit_bias",
  "reasoning_effort",
  "modalities",
  "store",
  "stream_options",
];

/** Anthropic's messages. */
export function toAnthropic(data: PromptData, wanted?: string): ProviderRequest {
  const warnings = new Warnings("Anthropic");
  const model = modelOf(data, wanted);
  warnings.checkModel(model);
  const { system, talk } = partSystem(speeches(data), warnings);
  const settings = new Settings(data.config);
  const body: Json = { ...(model === undefined ? {} : { model }), max_tokens: maxTokens(settings, warnings) };
  const instructions = systemText(system, warnings);
  if (instructions !== "") body["system"] = instructions;
  body["messages"] = conversation(talk, warnings);
  carrySettings(settings, body, warnings);
  return finish({ ...body, ...settings.rest() }, warnings, model);
}

function maxTokens(settings: Settings, warnings: Warnings): unknown {
  const given = settings.take("max_tokens", "max_completion_tokens", "max_output_tokens", "maxOutputTokens");
  if (given !== undefined) return given;
  const message = `\`max_tokens\` is not set; Anthropic demands one, so it is ${DEFAULT_MAX_TOKENS}.`;
  warnings.add("MAX_TOKENS_DEFAULTED", message);
  return DEFAULT_MAX_TOKENS;
}

function carrySettings(settings: Settings, body: Json, warnings: Warnings): void {
  const temperature = settings.take("temperature");
  if (typeof temperature === "number" && temperature > 1) {
    warnings.add("TEMPERATURE_LOWERED", "The temperature was lowered to 1, the highest Anthropic takes.");
    body["temperature"] = 1;
  } else if (temperature !== undefined) {
    body["temperature"] = temperature;
  }
  settings.carry(body, ["top_p", "topP"], "top_p");
  settings.carry(body, ["top_k", "topK"], "top_k");
  const stop = settings.takeStop();
  if (stop) body["stop_sequences"] = stop;
  const user = settings.take("user");
  if (user !== undefined) body["metadata"] = { user_id: user };
  const tools = settings.take("tools");
  if (tools !== undefined) body["tools"] = (Array.isArray(tools) ? tools : []).map((one) => tool(one, warnings));
  const parallel = settings.take("parallel_tool_calls");
  const choice = toolChoice(settings.take("tool_choice"), parallel === false);
  if (choice !== undefined) body["tool_choice"] = choice;
  settings.leaveOut(UNKNOWN, warnings);
}

function tool(given: unknown, warnings: Warnings): unknown {
  const read = readTool(given);
  if (read) return { input_schema: { type: "object", properties: {} }, ...toolFields(read, "input_schema") };
  // Anthropic's own tools carry a dated type; those of others cannot be told from them.
  warnings.add("TOOL_AS_IS", "A tool that is no function was passed on as it is.");
  return given;
}

function toolChoice(given: unknown, oneAtATime: boolean): unknown {
  if (given === undefined && !oneAtATime) return undefined;
  const choice = readChoice(given ?? "auto");
  if (!choice) return oneAtATime && isObject(given) ? { ...given, disable_parallel_tool_use: true } : given;
  const converted = choice.kind === "tool" ? { type: "tool", name: choice.name } : { type: choice.kind };
  return oneAtATime ? { ...converted, disable_parallel_tool_use: true } : converted;
}

function isObject(value: unknown): value is Json {
  return value !== null && typeof value === "object" && !Array.isArray(value);
}

function systemText(system: readonly Speech[], warnings: Warnings): string {
  const onImage = (): void =>
    warnings.add("IMAGE_LEFT_OUT", "An image of a system message was left out: it may hold text only.");
  const texts = system.map(({ content }) =>
    typeof content === "string" ? content : textsOf(content ?? [], onImage).join("\n\n"),
  );
  return texts.filter((text) => text !== "").join("\n\n");
}

function conversation(talk: readonly Speech[], warnings: Warnings): Json[] {
  const turns: Json[] = [];
  let results: Json[] | undefined;
  for (const message of talk) {
    if (message.role !== "tool") {
      results = undefined;
      const role = message.role === "assistant" ? "assistant" : "user";
      turns.push({ role, content: blocks(message, warnings) });
      continue;
    }
    // Results of one turn belong into one message.
    if (!results) turns.push({ role: "user", content: (results = []) });
    results.push(toolResult(message));
  }
  return turns;
}

function toolResult({ callId, content }: Speech): Json {
  const result: Json = { type: "tool_result", tool_use_id: callId ?? "" };
  if (content !== null) result["content"] = typeof content === "string" ? content : content.map(part);
  return result;
}

function blocks({ content, calls = [] }: Speech, warnings: Warnings): unknown {
  if (typeof content === "string" && calls.length === 0) return content;
  const made: Json[] =
    typeof content !== "string" ? (content ?? []).map(part) : content === "" ? [] : [{ type: "text", text: content }];
  for (const call of calls) {
    const read = readCall(call);
    if (read) made.push({ type: "tool_use", id: read.id ?? "", name: read.name, input: read.arguments });
    else warnings.add("TOOL_CALL_LEFT_OUT", "A tool call without a function's name was left out.");
  }
  return made;
}

function part(part: MessagePart): Json {
  if (part.type === "text") return { type: "text", text: part.text };
  if (part.url !== undefined && part.url !== null) return { type: "image", source: { type: "url", url: part.url } };
  return { type: "image", source: { type: "base64", media_type: part.media_type ?? null, data: part.data ?? null } };
}
