import { field, type Json } from "./shared.js";

/** A tool, whichever way it was written. */
export interface Tool {
  readonly name: string;
  readonly description: unknown;
  readonly schema: unknown;
  readonly strict: unknown;
}

/** Reads OpenAI's shape, or Anthropic's; others (a provider's own tools) are nobody else's. */
export function readTool(tool: unknown): Tool | undefined {
  const kind = field(tool, "type");
  if (typeof kind === "string" && kind !== "function" && kind !== "custom") return undefined;
  const description = kind === "function" ? (field(tool, "function") ?? tool) : tool;
  const name = field(description, "name");
  if (typeof name !== "string") return undefined;
  return {
    name,
    description: field(description, "description"),
    schema: field(description, "parameters") ?? field(description, "input_schema"),
    strict: field(description, "strict"),
  };
}

/** A tool's fields, its schema under the provider's name for it. */
export function toolFields(tool: Tool, schemaName: string): Json {
  const fields: Json = { name: tool.name };
  const rest = [
    ["description", tool.description],
    [schemaName, tool.schema],
    ["strict", tool.strict],
  ] as const;
  for (const [name, value] of rest) if (value !== undefined) fields[name] = value;
  return fields;
}

/** Which tool the model must or may call. */
export type Choice = { readonly kind: "auto" | "none" | "any" } | { readonly kind: "tool"; readonly name: string };

export function readChoice(value: unknown): Choice | undefined {
  const word = typeof value === "string" ? value : field(value, "type");
  if (word === "auto" || word === "none") return { kind: word };
  if (word === "required" || word === "any") return { kind: "any" };
  if (word !== "function" && word !== "tool") return undefined;
  const name = field(value, "function", "name") ?? field(value, "name");
  return typeof name === "string" ? { kind: "tool", name } : undefined;
}

/** A call of the assistant. */
export interface Call {
  readonly id: string | undefined;
  readonly name: string;
  /** The arguments as an object; OpenAI writes them as JSON in a string. */
  readonly arguments: Json;
}

export function readCall(call: unknown): Call | undefined {
  const described = field(call, "function") ?? call;
  const name = field(described, "name");
  if (typeof name !== "string") return undefined;
  const id = field(call, "id");
  const given = field(described, "arguments") ?? field(described, "input");
  const read = typeof given === "string" ? parseObject(given) : given;
  return { id: typeof id === "string" ? id : undefined, name, arguments: isObject(read) ? read : {} };
}

/** JSON text as an object; undefined when it is none. */
export function parseObject(text: string): Json | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return isObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

function isObject(value: unknown): value is Json {
  return value !== null && typeof value === "object" && !Array.isArray(value);
}
