import { UsageError } from "./errors.js";

/** Deeper values are refused rather than overflowing the stack. */
const MAX_DEPTH = 100;

/**
 * A value as it stands in rendered text: strings as they are, `true`/`false`, null empty,
 * integers exact, other numbers as ECMAScript prints them, arrays and objects as compact JSON.
 */
export function toText(given: unknown): string {
  const value = normalize(given);
  if (value === null || value === undefined) return "";
  switch (typeof value) {
    case "string":
      return value;
    case "boolean":
    case "bigint":
      return String(value);
    case "number":
      return numberText(value);
    default:
      return toJson(value);
  }
}

/** Compact JSON that keeps the given key order and every digit of a `bigint`. */
export function toJson(value: unknown): string {
  return writeJson(value, 0);
}

/** The JSON data model of a value: dates and the like as their `toJSON` says. */
export function normalize(value: unknown): unknown {
  if (value !== null && typeof value === "object" && "toJSON" in value && typeof value.toJSON === "function") {
    return (value.toJSON as () => unknown)();
  }
  return value;
}

function writeJson(given: unknown, depth: number): string {
  const value = normalize(given);
  if (depth > MAX_DEPTH) throw new UsageError(`A value is nested more than ${MAX_DEPTH} levels deep, or holds itself`);
  if (value === null || value === undefined) return "null";
  switch (typeof value) {
    case "string":
      return JSON.stringify(value);
    case "boolean":
    case "bigint":
      return String(value);
    case "number":
      return numberText(value);
    case "object":
      break;
    default:
      throw new UsageError(`A ${typeof value} cannot be a variable's value`);
  }
  if (Array.isArray(value)) return `[${value.map((item) => writeJson(item, depth + 1)).join(",")}]`;
  if (value instanceof Set) throw new UsageError("A Set cannot be a variable's value: make it an array");
  const entries = value instanceof Map ? [...value.entries()] : Object.entries(value);
  const members = entries
    .filter(([, item]) => item !== undefined)
    .map(([key, item]) => `${JSON.stringify(String(key))}:${writeJson(item, depth + 1)}`);
  return `{${members.join(",")}}`;
}

function numberText(value: number): string {
  if (!Number.isFinite(value)) throw new UsageError(`${value} cannot be a variable's value: JSON has no such number`);
  return String(value);
}

/** True for objects in JSON's sense. */
export function isObject(value: unknown): value is Record<string, unknown> | Map<string, unknown> {
  return value !== null && typeof value === "object" && !Array.isArray(value);
}

/** Freezes data through and through, so that a caller cannot change what the cache holds. */
export function deepFreeze<T>(value: T): T {
  if (value !== null && typeof value === "object" && !Object.isFrozen(value)) {
    Object.freeze(value);
    for (const item of Object.values(value)) deepFreeze(item);
  }
  return value;
}
