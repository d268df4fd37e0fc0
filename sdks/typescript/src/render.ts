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
  const problems = [...checkValues(contract, values), ...checkPlaceholders(placeholders, contract, values)];
  if (problems.length > 0) throw variablesError(template.slug, problems);

  const filling = new Filling(template, values);
  const rendered =
    template.messages === undefined
      ? { content: filling.text(template.content ?? "") }
      : { messages: template.messages.flatMap((message) => filling.message(message)) };
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
    return piecesOf(this.#template, text).map((piece) => this.#piece(piece)).join("");
  }

  message(message: Message): ChatMessage[] {
    if (isPlaceholder(message)) {
      const given = valueOf(this.#given, message.name);
      if (given === undefined) this.missing.add(message.name);
      return Array.isArray(given) ? (given as ChatMessage[]) : [];
    }
    const { content } = message;
    if (content === null || content === undefined) return [message];
    if (typeof content === "string") return [{ ...message, content: this.text(content) }];
    const parts = content.map((part) => (part.type === "text" ? { ...part, text: this.text(part.text) } : part));
    return [{ ...message, content: parts }];
  }

  #piece(piece: Piece): string {
    if (typeof piece === "string") return piece;
    const [name, ...fields] = piece.path;
    this.names.add(name);
    const given = valueOf(this.#given, name);
    // Null was given, on purpose; only what was not given at all takes its default.
    const root = given === undefined ? this.#defaults.get(name) : given;
    const value = follow(root, fields);
    if (value !== undefined) return toText(value);
    this.missing.add(root === undefined ? name : piece.path.join("."));
    return piece.source;
  }
}

const MESSAGES = "array of messages";

function checkPlaceholders(
  placeholders: readonly PlaceholderMessage[],
  contract: Template["variables"] & object,
  values: Values,
): VariableProblem[] {
  const problems: VariableProblem[] = [];
  for (const { name, required } of placeholders) {
    const value = valueOf(values, name);
    if (problems.some((problem) => problem.name === name)) continue;
    if (value === undefined || (value === null && !required)) {
      const told = contract.some((variable) => variable.name === name && !variable.discovered && variable.required);
      if (required && !told) problems.push({ name, problem: "missing", expected: MESSAGES });
    } else if (!Array.isArray(value)) {
      problems.push({ name, problem: "wrong_type", expected: MESSAGES });
    } else if (!value.every(isMessage)) {
      problems.push({ name, problem: "item_wrong_type", expected: MESSAGES });
    }
  }
  return problems;
}

const ROLES = new Set(["system", "developer", "user", "assistant", "tool"]);

function isMessage(given: unknown): boolean {
  const message = normalize(given);
  if (!isObject(message) || message instanceof Map) return false;
  const { role, content, tool_calls: calls } = message;
  if (typeof role !== "string" || !ROLES.has(role)) return false;
  if (typeof content === "string" || Array.isArray(content)) return true;
  return (content === null || content === undefined) && Array.isArray(calls);
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

/** Names of the variables in a text of the simple syntax, in order of first use. */
export function discover(text: string): string[] {
  const names = parseSimple(text).flatMap((piece) => (typeof piece === "string" ? [] : [piece.path[0]]));
  return [...new Set(names)];
}
