import { isObject } from "./values.js";

/**
 * `{{ name }}` and `{{ a.b }}`, with spaces, tabs and line ends around the path. Everything
 * else is text, so `{{{a}}}` is a brace, the variable `a`, and a brace.
 */
const SLOT = /\{\{[ \t\r\n]*([A-Za-z_][A-Za-z0-9_]*(?:\.[A-Za-z_][A-Za-z0-9_]*)*)[ \t\r\n]*\}\}/g;

/** A piece of a simple template: text, or a place for a value. */
export type Piece = string | { readonly path: readonly [string, ...string[]]; readonly source: string };

/** Splits a text of the simple syntax where values go. Never fails: what is no variable is text. */
export function parseSimple(text: string): readonly Piece[] {
  const pieces: Piece[] = [];
  let plainFrom = 0;
  for (const match of text.matchAll(SLOT)) {
    if (match.index > plainFrom) pieces.push(text.slice(plainFrom, match.index));
    pieces.push({ path: match[1]!.split(".") as [string, ...string[]], source: match[0] });
    plainFrom = match.index + match[0].length;
  }
  if (plainFrom < text.length) pieces.push(text.slice(plainFrom));
  return pieces;
}

/** The value at a path; undefined when there is none. Only the fields of objects are followed. */
export function follow(root: unknown, names: readonly string[]): unknown {
  let value = root;
  for (const name of names) {
    if (!isObject(value)) return undefined;
    value = value instanceof Map ? value.get(name) : Object.hasOwn(value, name) ? value[name] : undefined;
  }
  return value;
}
