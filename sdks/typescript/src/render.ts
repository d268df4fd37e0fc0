import { checkValues, unknownValues, valueOf } from "./contract.js";
import { variablesError, type VariableProblem } from "./errors.js";
import { follow, parseSimple, type Piece } from "./template.js";
import type { ChatMessage, Message, PlaceholderMessage, PromptData, Values, Warning } from "./types.js";
import { isObject, normalize, toText } from "./values.js";

/** What rendering made. */
export interface Rendered {
  readonly content?: string;
  readonly messages?: readonly ChatMessage[];
  /** Optional variables without value and default; they stand in the text as they were. */
  readonly missing: readonly string[];
  readonly warnings: readonly Warning[];
}

/** The parts of a template that rendering needs. */
export type Template = Pick<PromptData, "slug" | "syntax" | "content" | "messages" | "variables">;

/**
 * Renders the syntaxes `simple` and `none`. Values are put in as they are: they are never
 * read as templates, neither in text nor in the messages of a placeholder.
 */
export function renderLocally(template: Template, values: Values): Rendered {
  const contract = template.variables ?? [];
  const placeholders = (template.messages ?? []).filter(isPlaceholder);
  const filling = new Filling(template, values);
  const problems = checkValues(contract, values);
  for (const placeholder of placeholders) {
    if (problems.some(({ name }) => name === placeholder.name)) continue;
    const problem = checkPlaceholder(placeholder, filling.valueOf(placeholder.name));
    if (problem) problems.push({ name: placeholder.name, problem, expected: "array of messages" });
  }
  if (problems.length > 0) throw variablesError(template.slug, problems);

  const rendered =
    template.messages === undefined
      ? { content: filling.text(template.content ?? "") }
      : { messages: filling.placeholders(template.messages.map((message) => filling.message(message))) };
  const known = [...contract.map(({ name }) => name), ...filling.names, ...placeholders.map(({ name }) => name)];
  return { ...rendered, missing: [...filling.missing], warnings: unknownValues(values, known) };
}

/** Fills one template's texts and remembers what it met. */
class Filling {
  readonly missing = new Set<string>();
  readonly names = new Set<string>();
  readonly #defaults = new Map<string, unknown>();
  readonly #given: Values;
  readonly #template: Template;

  constructor(template: Template, values: Values) {
    this.#given = values;
    this.#template = template;
    for (const { name, default: fallback } of template.variables ?? []) {
      if (fallback !== undefined) this.#defaults.set(name, fallback);
    }
  }

  text(text: string): string {
    if (this.#template.syntax === "none") return text;
    return piecesOf(this.#template, text)
      .map((piece) => this.#piece(piece))
      .join("");
  }

  /** Fills a message's texts; a placeholder stays for later. */
  message(message: Message): Message {
    if (isPlaceholder(message)) return message;
    const { content } = message;
    if (content === null || content === undefined) return message;
    if (typeof content === "string") return { ...message, content: this.text(content) };
    const parts = content.map((part) => (part.type === "text" ? { ...part, text: this.text(part.text) } : part));
    return { ...message, content: parts };
  }

  /** Puts the messages of the values where the placeholders stand, as they are. */
  placeholders(messages: readonly Message[]): ChatMessage[] {
    return messages.flatMap((message) => {
      if (!isPlaceholder(message)) return [message];
      const given = this.valueOf(message.name);
      if (given === undefined) this.missing.add(message.name);
      return Array.isArray(given) ? (given as ChatMessage[]) : [];
    });
  }

  /** The value given, else the default. Null was given, on purpose. */
  valueOf(name: string): unknown {
    const given = valueOf(this.#given, name);
    return given === undefined ? this.#defaults.get(name) : given;
  }

  #piece(piece: Piece): string {
    if (typeof piece === "string") return piece;
    const [name, ...fields] = piece.path;
    this.names.add(name);
    const root = this.valueOf(name);
    const value = follow(root, fields);
    if (value !== undefined) return toText(value);
    this.missing.add(root === undefined ? name : piece.path.join("."));
    return piece.source;
  }
}

function checkPlaceholder({ required }: PlaceholderMessage, value: unknown): VariableProblem["problem"] | undefined {
  if ((value === undefined || value === null) && !required) return undefined;
  if (value === undefined) return "missing";
  if (!Array.isArray(value)) return "wrong_type";
  return value.every(isMessage) ? undefined : "item_wrong_type";
}

const ROLES = new Set(["system", "developer", "user", "assistant", "tool"]);

function isMessage(given: unknown): boolean {
  const message = normalize(given);
  if (!isObject(message) || message instanceof Map) return false;
  const { role, content, tool_calls: calls } = message;
  if (typeof role !== "string" || !ROLES.has(role)) return false;
  if (content === null || content === undefined) return Array.isArray(calls);
  return typeof content === "string" || (Array.isArray(content) && content.every(isPart));
}

function isPart(part: unknown): boolean {
  if (!isObject(part) || part instanceof Map) return false;
  if (part["type"] === "text") return typeof part["text"] === "string";
  return part["type"] === "image";
}

export function isPlaceholder(message: Message): message is PlaceholderMessage {
  return "type" in message && message.type === "placeholder";
}

/** What was parsed lives as long as the template it came from. */
const parsed = new WeakMap<Template, Map<string, readonly Piece[]>>();

function piecesOf(template: Template, text: string): readonly Piece[] {
  let texts = parsed.get(template);
  if (!texts) parsed.set(template, (texts = new Map()));
  let pieces = texts.get(text);
  if (!pieces) texts.set(text, (pieces = parseSimple(text)));
  return pieces;
}

/** Names of what a content of the simple syntax takes: variables in order of first use, then placeholders. */
export function discover({ content, messages = [] }: Pick<Template, "content" | "messages">): string[] {
  const used = textsOf(content, messages).flatMap((text) =>
    parseSimple(text).flatMap((piece) => (typeof piece === "string" ? [] : [piece.path[0]])),
  );
  return [...new Set([...used, ...messages.filter(isPlaceholder).map(({ name }) => name)])];
}

function textsOf(content: string | undefined, messages: readonly Message[]): string[] {
  const texts = content === undefined ? [] : [content];
  for (const message of messages) {
    if (isPlaceholder(message)) continue;
    if (typeof message.content === "string") texts.push(message.content);
    else for (const part of message.content ?? []) if (part.type === "text") texts.push(part.text);
  }
  return texts;
}
