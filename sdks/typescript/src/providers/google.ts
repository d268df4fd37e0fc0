import type { MessagePart, PromptData, ProviderRequest } from "../types.js";
import { Settings } from "./settings.js";
import { field, finish, modelOf, partSystem, speeches, textsOf, Warnings, type Json, type Speech } from "./shared.js";
import { parseObject, readCall, readChoice, readTool, toolFields, type Call } from "./tools.js";

type Names = readonly (readonly [names: readonly string[], to: string])[];

/** Settings of `generationConfig`, by the names an author may use. */
const GENERATION: Names = [
  [["temperature"], "temperature"],
  [["top_p", "topP"], "topP"],
  [["top_k", "topK"], "topK"],
  [["max_tokens", "max_completion_tokens", "max_output_tokens", "maxOutputTokens"], "maxOutputTokens"],
  [["n", "candidate_count", "candidateCount"], "candidateCount"],
  [["seed"], "seed"],
  [["presence_penalty", "presencePenalty"], "presencePenalty"],
  [["frequency_penalty", "frequencyPenalty"], "frequencyPenalty"],
  [["thinking_config", "thinkingConfig"], "thinkingConfig"],
];

/** Fields of the body that only Google has. */
const OWN: Names = [
  [["safety_settings", "safetySettings"], "safetySettings"],
  [["cached_content", "cachedContent"], "cachedContent"],
  [["labels"], "labels"],
];

/** Google's `generateContent`. The model, which belongs into the address, is the result's `model`. */
export function toGoogle(data: PromptData, wanted?: string): ProviderRequest {
  const warnings = new Warnings("Google");
  const model = modelOf(data, wanted);
  warnings.checkModel(model);
  const { system, talk } = partSystem(speeches(data), warnings);
  const body: Json = {};
  const instructions = system.flatMap((message) => partsOf(message, warnings));
  if (instructions.length > 0) body["systemInstruction"] = { parts: instructions };
  body["contents"] = contents(talk, warnings);
  const settings = new Settings(data.config);
  const generation = generationConfig(settings, warnings);
  if (Object.keys(generation).length > 0) body["generationConfig"] = generation;
  carryTools(settings, body, warnings);
  for (const [names, to] of OWN) settings.carry(body, names, to);
  // Streaming is a matter of the address.
  settings.take("stream", "stream_options");
  for (const name of Object.keys(settings.rest())) warnings.leftOut(name);
  return finish(body, warnings, model);
}

function generationConfig(settings: Settings, warnings: Warnings): Json {
  const generation: Json = {};
  for (const [names, to] of GENERATION) settings.carry(generation, names, to);
  const stop = settings.takeStop();
  if (stop) generation["stopSequences"] = stop;
  const format = settings.take("response_format");
  if (format !== undefined) carryFormat(format, generation, warnings);
  return generation;
}

function carryFormat(format: unknown, generation: Json, warnings: Warnings): void {
  const type = field(format, "type");
  if (type === "text") return;
  if (type !== "json_object" && type !== "json_schema") {
    warnings.leftOut("response_format");
    return;
  }
  generation["responseMimeType"] = "application/json";
  const schema =
    type === "json_schema" ? (field(format, "json_schema", "schema") ?? field(format, "schema")) : undefined;
  if (schema !== undefined) generation["responseJsonSchema"] = schema;
}

function carryTools(settings: Settings, body: Json, warnings: Warnings): void {
  const declarations: Json[] = [];
  const tools: unknown[] = [];
  const given = settings.take("tools");
  for (const tool of Array.isArray(given) ? given : []) {
    const read = readTool(tool);
    if (read) {
      declarations.push(toolFields({ ...read, strict: undefined }, "parameters"));
      continue;
    }
    if (field(tool, "type") !== undefined) {
      warnings.add("TOOL_AS_IS", "A tool that is no function was passed on as it is.");
    }
    tools.push(tool);
  }
  if (declarations.length > 0) tools.unshift({ functionDeclarations: declarations });
  if (tools.length > 0) body["tools"] = tools;
  carryChoice(settings, body, warnings);
}

function carryChoice(settings: Settings, body: Json, warnings: Warnings): void {
  const given = settings.take("tool_choice");
  if (given !== undefined) {
    const choice = readChoice(given);
    if (!choice) {
      warnings.leftOut("tool_choice");
      return;
    }
    const calling =
      choice.kind === "tool"
        ? { mode: "ANY", allowedFunctionNames: [choice.name] }
        : { mode: choice.kind.toUpperCase() };
    body["toolConfig"] = { functionCallingConfig: calling };
  }
  settings.carry(body, ["toolConfig", "tool_config"], "toolConfig");
}

function contents(talk: readonly Speech[], warnings: Warnings): Json[] {
  const made: Json[] = [];
  const called = new Map<string, string>();
  let responses: Json[] | undefined;
  for (const message of talk) {
    const calls = (message.calls ?? []).map(readCall).filter((call): call is Call => call !== undefined);
    for (const { id, name } of calls) if (id !== undefined) called.set(id, name);
    if (message.role === "tool") {
      // Results of one turn belong into one content.
      if (!responses) made.push({ role: "user", parts: (responses = []) });
      responses.push(functionResponse(message, called, warnings));
      continue;
    }
    responses = undefined;
    const functionCalls = calls.map((call) => ({ functionCall: { name: call.name, args: call.arguments } }));
    made.push({
      role: message.role === "assistant" ? "model" : "user",
      parts: [...partsOf(message, warnings), ...functionCalls],
    });
  }
  return made;
}

function functionResponse(
  { callId = "", name: ownName, content }: Speech,
  called: ReadonlyMap<string, string>,
  warnings: Warnings,
): Json {
  const name = called.get(callId) ?? ownName;
  if (name === undefined) {
    warnings.add(
      "TOOL_NAME_UNKNOWN",
      "A tool message answers no call of the prompt, so the function's name is not known.",
    );
  }
  const onImage = (): void =>
    warnings.add("IMAGE_LEFT_OUT", "An image of a tool message was left out: Google takes texts there.");
  const text = typeof content === "string" ? content : textsOf(content ?? [], onImage).join("\n");
  // A result that is an object is one for Google too.
  return { functionResponse: { name: name ?? callId, response: parseObject(text) ?? { result: text } } };
}

function partsOf({ content, calls }: Speech, warnings: Warnings): Json[] {
  if (typeof content === "string") return content === "" && calls ? [] : [{ text: content }];
  return (content ?? []).flatMap((part) => partOf(part, warnings));
}

function partOf(part: MessagePart, warnings: Warnings): Json[] {
  if (part.type === "text") return [{ text: part.text }];
  if (part.data) return [{ inlineData: { mimeType: part.media_type ?? null, data: part.data } }];
  if (part.url?.startsWith("gs://")) {
    return [{ fileData: { fileUri: part.url, ...(part.media_type ? { mimeType: part.media_type } : {}) } }];
  }
  warnings.add(
    "IMAGE_LEFT_OUT",
    "An image given by its address was left out: Google takes image data, or a file of its own.",
  );
  return [];
}
