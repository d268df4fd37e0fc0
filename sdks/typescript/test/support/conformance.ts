import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

/**
 * The cases that the server and every SDK run, from the repository's `sdks/conformance`.
 * Read with `readJson`, so that numbers and key order come as they are written.
 */
export function casesOf<T>(file: string): T[] {
  const path = fileURLToPath(new URL(`../../../conformance/${file}`, import.meta.url));
  const { cases } = plain(readJson(readFileSync(path, "utf8")), 1) as { cases: Map<string, unknown>[] };
  return cases.map((one) => plain(one, 1)) as T[];
}

/** Makes plain objects of maps, `depth` levels deep. */
export function plain(value: unknown, depth = Infinity): unknown {
  if (depth <= 0) return value;
  if (Array.isArray(value)) return depth === Infinity ? value.map((item) => plain(item)) : value;
  if (!(value instanceof Map)) return value;
  return Object.fromEntries([...value].map(([key, item]) => [key, plain(item, depth - 1)]));
}

/**
 * JSON as the server reads it: objects as maps, since JavaScript puts keys that look like
 * numbers first, and integers beyond 2^53 exactly, as far as 64 bits go.
 */
export function readJson(text: string): unknown {
  const reader = new Reader(text);
  return reader.value();
}

class Reader {
  #at = 0;

  constructor(readonly text: string) {}

  value(): unknown {
    this.#space();
    const char = this.text[this.#at];
    const value = char === "{" ? this.#object() : char === "[" ? this.#array() : this.#scalar();
    this.#space();
    return value;
  }

  #space(): void {
    while (/\s/.test(this.text[this.#at] ?? "")) this.#at += 1;
  }

  #object(): Map<string, unknown> {
    const fields = new Map<string, unknown>();
    this.#list("}", () => {
      this.#space();
      const key = this.#scalar() as string;
      this.#space();
      this.#at += 1;
      fields.set(key, this.value());
    });
    return fields;
  }

  #array(): unknown[] {
    const items: unknown[] = [];
    this.#list("]", () => items.push(this.value()));
    return items;
  }

  #list(end: string, item: () => void): void {
    this.#at += 1;
    this.#space();
    while (this.text[this.#at] !== end) {
      item();
      if (this.text[this.#at] === ",") this.#at += 1;
      this.#space();
    }
    this.#at += 1;
  }

  #scalar(): unknown {
    const token = /^(?:"(?:[^"\\]|\\.)*"|[^\s,\]}:]+)/.exec(this.text.slice(this.#at, this.#at + 100_000))?.[0];
    if (token === undefined) throw new SyntaxError(`No JSON at ${this.#at}`);
    this.#at += token.length;
    const value: unknown = JSON.parse(token);
    if (!/^-?\d+$/.test(token) || Number.isSafeInteger(value)) return value;
    const exact = BigInt(token);
    return exact >= -(2n ** 63n) && exact < 2n ** 64n ? exact : value;
  }
}
