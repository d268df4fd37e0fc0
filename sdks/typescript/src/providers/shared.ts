import { isPlaceholder } from "../render.js";
import type { ChatMessage, Message, MessagePart, PromptData, ProviderRequest, Warning } from "../types.js";

/** A JSON object being built or read. */
export type Json = Record<string, unknown>;

export type Provider = "OpenAI" | "Anthropic" | "Google";

/** A message as every provider's translation reads it. */
export interface Speech extends Omit<ChatMessage, "name" | "tool_calls" | "tool_call_id"> {
  readonly name: string | undefined;
  readonly calls: readonly unknown[] | undefined;
  readonly callId: string | undefined;
  /** Fields of a message that came with the values and that we do not know. */
  readonly extra: Json;
}

/** The messages of a rendered prompt: a text is what the user says. */
export function speeches(data: PromptData): Speech[] {
  const messages: readonly Message[] = data.messages ?? [{ role: "user", content: data.content ?? "" }];
  return messages.filter((message): message is ChatMessage => !isPlaceholder(message)).map(readMessage);
}

function readMessage(message: ChatMessage): Speech {
  const { role, content, name, tool_calls: calls, tool_call_id: callId, ...extra } = message;
  return {
    role,
    content: content ?? null,
    name: name ?? undefined,
    calls: calls ?? undefined,
    callId: callId ?? undefined,
    extra,
  };
}

/** The model's names that give its provider away. */
const MODELS: readonly (readonly [RegExp, Provider])[] = [
  [/^(?:gpt-|o1|o3|o4|chatgpt-)/, "OpenAI"],
  [/^claude-/, "Anthropic"],
  [/^gemini-/, "Google"],
];

/** The model wanted, else the config's; undefined when none is set. */
export function modelOf(data: PromptData, wanted: string | undefined): string | undefined {
  const model = wanted ?? data.config?.["model"];
  return typeof model === "string" && model !== "" ? model : undefined;
}

/** What could not be carried over, each told once. */
export class Warnings {
  readonly list: Warning[] = [];

  constructor(readonly provider: Provider) {}

  add(code: string, message: string): void {
    if (!this.list.some((known) => known.code === code && known.message === message)) this.list.push({ code, message });
  }

  leftOut(name: string): void {
    this.add("SETTING_LEFT_OUT", `\`${name}\` was left out: ${this.provider} has nothing like it.`);
  }

  checkModel(model: string | undefined): void {
    if (model === undefined) {
      // Google takes the model from the address.
      if (this.provider !== "Google")
        this.add("MODEL_MISSING", "No model is set; the request needs one before it is sent.");
      return;
    }
    const owner = MODELS.find(([names]) => names.test(model))?.[1];
    if (owner !== undefined && owner !== this.provider) {
      this.add("MODEL_OF_OTHER_PROVIDER", `\`${model}\` is not a model of ${this.provider}.`);
    }
  }
}

/** The request as one sends it, with what is not sent beside it where `JSON.stringify` and spreads do not look. */
export function finish(body: Json, warnings: Warnings, model: string | undefined): ProviderRequest {
  Object.defineProperty(body, "warnings", { value: warnings.list });
  if (!Object.hasOwn(body, "model")) Object.defineProperty(body, "model", { value: model });
  return body as ProviderRequest;
}

/** Messages parted into what the system says and what is talked, for providers that keep them apart. */
export function partSystem(messages: readonly Speech[], warnings: Warnings): { system: Speech[]; talk: Speech[] } {
  const { provider } = warnings;
  for (const message of messages) {
    if (message.name !== undefined) {
      warnings.add("NAME_LEFT_OUT", `The name of a message was left out: ${provider} has no names.`);
    }
    if (message.role === "developer") {
      warnings.add("ROLE_CHANGED", `A developer message became a system message: ${provider} knows no developer.`);
    }
  }
  const firstTalk = messages.findIndex((message) => !isSystem(message));
  if (firstTalk >= 0 && messages.slice(firstTalk).some(isSystem)) {
    warnings.add(
      "SYSTEM_MOVED",
      `A system message in the middle was moved to the top: ${provider} takes them nowhere else.`,
    );
  }
  const system = messages.filter(isSystem);
  const talk = messages.filter((message) => !isSystem(message));
  if (talk.length === 0) warnings.add("NO_MESSAGES", `${provider} needs at least one message beside the system's.`);
  return { system, talk };
}

function isSystem({ role }: Speech): boolean {
  return role === "system" || role === "developer";
}

/** The texts among a message's parts; `onImage` is told of every image. */
export function textsOf(parts: readonly MessagePart[], onImage: () => void): string[] {
  return parts.flatMap((part) => {
    if (part.type === "text") return [part.text];
    onImage();
    return [];
  });
}

/** A field of a JSON object; undefined of anything else. */
export function field(value: unknown, ...path: string[]): unknown {
  let found = value;
  for (const name of path) {
    const isObject = found !== null && typeof found === "object" && !Array.isArray(found);
    found = isObject && Object.hasOwn(found as Json, name) ? (found as Json)[name] : undefined;
  }
  return found;
}
