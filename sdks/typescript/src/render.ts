import { checkValues, unknownValues, valueOf } from "./contract.js";
import { variablesError, type VariableProblem } from "./errors.js";
import { follow, parseSimple, type Piece } from "./template.js";
import type { ChatMessage, Message, PlaceholderMessage, PromptData, Values, Variable, Warning } from "./types.js";
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
export type Template = Pick<PromptData, "slug" | "syntax" | "content" | "messages" | "variables" | "rendered">;

/**
 * Renders the syntaxes `simple` and `none`, and what was rendered already. Values are put in
 * as they are: they are never read as templates, neither in text nor in the messages of a
 * placeholder.
 */
export function renderLocally(template: Template, values: Values): Rendered {
  const compiled = compile(template);
  const filling = new Filling(compiled, values);
  const problems = checkValues(compiled.contract, values);
  for (const placeholder of compiled.placeholders) {
    if (problems.some(({ name }) => name === placeholder.name)) continue;
    const problem = checkPlaceholder(placeholder, filling.valueOf(placeholder.name));
    if (problem) problems.push({ name: placeholder.name, problem, expected: "array of messages" });
  }
  if (problems.length > 0) throw variablesError(template.slug, problems);

  const warnings = unknownValues(values, compiled.known);
  if (compiled.content !== undefined) {
    return { content: filling.text(compiled.content), missing: filling.missing, warnings };
  }
  const messages = filling.placeholders(compiled.messages.map((message) => filling.message(message)));
  return { messages, missing: filling.missing, warnings };
}

/** A template, read once. */
class Compiled {
  readonly contract: readonly Variable[];
  readonly defaults = new Map<string, unknown>();
  readonly messages: readonly Message[];
  readonly placeholders: readonly PlaceholderMessage[];
  /** Of a text prompt. */
  readonly content: readonly Piece[] | undefined;
  /** Declared names, then those the texts use, then placeholders. */
  readonly known: ReadonlySet<string>;
  readonly #isText: boolean;
  readonly #texts = new Map<string, readonly Piece[]>();

  constructor({ syntax, rendered, content, messages, variables = [] }: Template) {
    this.#isText = syntax === "none" || rendered === true;
    this.contract = variables;
    for (const { name, default: fallback } of variables) if (fallback !== undefined) this.defaults.set(name, fallback);
    this.messages = messages ?? [];
    this.placeholders = this.messages.filter(isPlaceholder);
    this.content = messages === undefined ? this.piecesOf(content ?? "") : undefined;
    const used = textsOf(content, this.messages).flatMap((text) => namesOf(this.piecesOf(text)));
    this.known = new Set([...variables.map(({ name }) => name), ...used, ...this.placeholders.map(({ name }) => name)]);
  }

  piecesOf(text: string): readonly Piece[] {
    let pieces = this.#texts.get(text);
    if (!pieces) this.#texts.set(text, (pieces = this.#isText ? [text] : parseSimple(text)));
    return pieces;
  }
}

/** What was compiled lives as long as the template it came from. */
const compiled = new WeakMap<Template, Compiled>();

function compile(template: Template): Compiled {
  let done = compiled.get(template);
  if (!done) compiled.set(template, (done = new Compiled(template)));
  return done;
}

const NOTHING: readonly string[] = [];

/** Fills one template's texts and remembers what it met. */
class Filling {
  readonly #compiled: Compiled;
  readonly #given: Values;
  #missing: Set<string> | undefined;

  constructor(template: Compiled, values: Values) {
    this.#compiled = template;
    this.#given = values;
  }

  get missing(): readonly string[] {
    return this.#missing ? [...this.#missing] : NOTHING;
  }

  text(pieces: readonly Piece[]): string {
    let text = "";
    for (const piece of pieces) text += typeof piece === "string" ? piece : this.#fill(piece);
    return text;
  }

  /** Fills a message's texts; a placeholder stays for later. */
  message(message: Message): Message {
    if (isPlaceholder(message)) return message;
    const { content } = message;
    if (content === null || content === undefined) return message;
    const fill = (text: string): string => this.text(this.#compiled.piecesOf(text));
    if (typeof content === "string") return { ...message, content: fill(content) };
    const parts = content.map((part) => (part.type === "text" ? { ...part, text: fill(part.text) } : part));
    return { ...message, content: parts };
  }

  /** Puts the messages of the values where the placeholders stand, as they are. */
  placeholders(messages: readonly Message[]): ChatMessage[] {
    return messages.flatMap((message) => {
      if (!isPlaceholder(message)) return [message];
      const given = this.valueOf(message.name);
      if (given === undefined) this.#miss(message.name);
      return Array.isArray(given) ? (given as ChatMessage[]) : [];
    });
  }

  /** The value given, else the default. Null was given, on purpose. */
  valueOf(name: string): unknown {
    const given = valueOf(this.#given, name);
    return given === undefined ? this.#compiled.defaults.get(name) : given;
  }

  #fill(piece: Exclude<Piece, string>): string {
    const { path } = piece;
    const root = this.valueOf(path[0]);
    const value = path.length === 1 ? root : follow(root, path.slice(1));
    if (value !== undefined) return toText(value);
    this.#miss(root === undefined ? path[0] : path.join("."));
    return piece.source;
  }

  #miss(name: string): void {
    this.#missing ??= new Set();
    this.#missing.add(name);
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

/** Names of what a content of the simple syntax takes: variables in order of first use, then placeholders. */
export function discover({ content, messages = [] }: Pick<Template, "content" | "messages">): string[] {
  const used = textsOf(content, messages).flatMap((text) => namesOf(parseSimple(text)));
  return [...new Set([...used, ...messages.filter(isPlaceholder).map(({ name }) => name)])];
}

function namesOf(pieces: readonly Piece[]): string[] {
  return pieces.flatMap((piece) => (typeof piece === "string" ? [] : [piece.path[0]]));
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
