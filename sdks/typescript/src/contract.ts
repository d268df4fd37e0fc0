import type { VariableProblem } from "./errors.js";
import { nearestName } from "./names.js";
import { compilePattern } from "./pattern.js";
import type { Values, Variable, VariableType, Warning } from "./types.js";
import { isObject, normalize, toText } from "./values.js";

/** Checks values against a contract: never coerces, lists every problem in the contract's order. */
export function checkValues(contract: readonly Variable[], values: Values): VariableProblem[] {
  const problems: VariableProblem[] = [];
  for (const variable of contract) {
    if (variable.discovered) continue;
    const problem = checkGiven(variable, valueOf(values, variable.name));
    if (problem) problems.push({ name: variable.name, ...problem });
  }
  return problems;
}

/** A value by name: own properties only, and undefined is as good as not given. */
export function valueOf(values: Values, name: string): unknown {
  return Object.hasOwn(values, name) ? normalize(values[name]) : undefined;
}

const NO_WARNINGS: readonly Warning[] = [];

/** Warnings for the values nobody declared, each with the nearest known name. */
export function unknownValues(values: Values, known: ReadonlySet<string>): readonly Warning[] {
  let warnings: Warning[] | undefined;
  for (const name in values) {
    if (known.has(name) || !Object.hasOwn(values, name) || values[name] === undefined) continue;
    warnings ??= [];
    warnings.push(unknownValue(name, nearestName(name, [...known])));
  }
  return warnings ?? NO_WARNINGS;
}

function unknownValue(variable: string, nearest: string | undefined): Warning {
  const hint = nearest === undefined ? "" : ` Did you mean \`${nearest}\`?`;
  return {
    code: "UNKNOWN_VARIABLE",
    message: `The prompt has no variable \`${variable}\`; the value was ignored.${hint}`,
    variable,
    ...(nearest === undefined ? {} : { nearest }),
  };
}

type Problem = Omit<VariableProblem, "name">;

function checkGiven(variable: Variable, value: unknown): Problem | undefined {
  const required = variable.required === true;
  if (value === undefined) {
    const missing = required && variable.default === undefined;
    return missing ? { problem: "missing", expected: variable.type } : undefined;
  }
  // Null for an optional variable says: nothing, on purpose.
  if (value === null && !required) return undefined;
  if (!isOfType(variable.type, value)) return { problem: "wrong_type", expected: variable.type };
  return (
    checkItems(variable, value) ??
    checkChoice(variable, value) ??
    checkRange(variable, value) ??
    checkLength(variable, value) ??
    checkPattern(variable, value)
  );
}

function isOfType(type: VariableType, value: unknown): boolean {
  switch (type) {
    case "string":
      return typeof value === "string";
    case "number":
      return typeof value === "bigint" || (typeof value === "number" && Number.isFinite(value));
    case "integer":
      return typeof value === "bigint" || Number.isInteger(value);
    case "boolean":
      return typeof value === "boolean";
    case "array":
      return Array.isArray(value);
    case "object":
      return isObject(value);
    default:
      // `any`, and types of later versions, which the server checks.
      return true;
  }
}

function checkItems({ items }: Variable, value: unknown): Problem | undefined {
  if (items === undefined || !Array.isArray(value)) return undefined;
  const fits = value.every((item) => isOfType(items, normalize(item)));
  return fits ? undefined : { problem: "item_wrong_type", expected: `array of ${items}` };
}

function checkChoice(variable: Variable, value: unknown): Problem | undefined {
  const choices = variable.enum;
  if (!choices || choices.some((choice) => sameValue(choice, value))) return undefined;
  return { problem: "not_in_enum", expected: `one of: ${choices.map(toText).join(", ")}` };
}

function checkRange({ min, max }: Variable, value: unknown): Problem | undefined {
  if (typeof value !== "number" && typeof value !== "bigint") return undefined;
  if (min !== undefined && value < min) return { problem: "too_small", expected: `at least ${toText(min)}` };
  if (max !== undefined && value > max) return { problem: "too_large", expected: `at most ${toText(max)}` };
  return undefined;
}

function checkLength({ min_length: min, max_length: max }: Variable, value: unknown): Problem | undefined {
  if (min === undefined && max === undefined) return undefined;
  const isText = typeof value === "string";
  if (!isText && !Array.isArray(value)) return undefined;
  const length = isText ? characters(value) : value.length;
  const counted = (limit: number): string => `${limit} ${isText ? "character" : "item"}${limit === 1 ? "" : "s"}`;
  if (min !== undefined && length < min) return { problem: "too_short", expected: `at least ${counted(min)}` };
  if (max !== undefined && length > max) return { problem: "too_long", expected: `at most ${counted(max)}` };
  return undefined;
}

/** Characters as people and Unicode count them, not UTF-16 units. */
function characters(text: string): number {
  let count = 0;
  for (const _ of text) count += 1;
  return count;
}

function checkPattern({ pattern }: Variable, value: unknown): Problem | undefined {
  if (pattern === undefined || typeof value !== "string") return undefined;
  const expression = compilePattern(pattern);
  if (!expression || expression.test(value)) return undefined;
  return { problem: "pattern_mismatch", expected: `match ${pattern}` };
}

/** Whether a contract can only be checked by the server. */
export function needsServer(contract: readonly Variable[]): boolean {
  return contract.some(({ pattern }) => pattern !== undefined && !compilePattern(pattern));
}

/** Equality as JSON means it: numbers by value, objects whatever their key order. */
function sameValue(left: unknown, right: unknown): boolean {
  if (isNumeric(left) && isNumeric(right)) return left == right;
  if (Array.isArray(left) && Array.isArray(right)) {
    return left.length === right.length && left.every((item, index) => sameValue(item, right[index]));
  }
  if (isObject(left) && isObject(right)) {
    const one = entriesOf(left);
    const other = entriesOf(right);
    return (
      one.size === other.size && [...one].every(([key, item]) => other.has(key) && sameValue(item, other.get(key)))
    );
  }
  return left === right;
}

function isNumeric(value: unknown): value is number | bigint {
  return typeof value === "number" || typeof value === "bigint";
}

function entriesOf(value: Record<string, unknown> | Map<string, unknown>): Map<string, unknown> {
  return value instanceof Map ? value : new Map(Object.entries(value));
}
