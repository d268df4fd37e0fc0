/**
 * Patterns of contracts are written for the server's regular expressions, where `\d`, `\w`,
 * `\s` and `\b` know all of Unicode and `.` is anything but a line feed. They are put into
 * JavaScript's words here; what cannot be said exactly is left to the server.
 */

const WORD = "\\p{Alphabetic}\\p{M}\\p{Nd}\\p{Pc}\\p{Join_Control}";
const BOUNDARY = `(?:(?<=[${WORD}])(?![${WORD}])|(?<![${WORD}])(?=[${WORD}]))`;
const NO_BOUNDARY = `(?:(?<=[${WORD}])(?=[${WORD}])|(?<![${WORD}])(?![${WORD}]))`;

/** Classes by their letter, as they are written inside brackets. */
const CLASSES: Readonly<Record<string, string>> = {
  d: "\\p{Nd}",
  D: "\\P{Nd}",
  s: "\\p{White_Space}",
  S: "\\P{White_Space}",
  w: WORD,
};

/** Escapes that mean the same to both engines. */
const SAME = new Set([..."nrtfv"]);
/** What JavaScript lets one escape. */
const SYNTAX = new Set([..."^$\\.*+?()[]{}|/"]);

const MAX_COMPILED = 1_000;
const compiled = new Map<string, RegExp | undefined>();

/** The pattern as a regular expression; undefined when only the server can tell. */
export function compilePattern(pattern: string): RegExp | undefined {
  if (!compiled.has(pattern)) {
    if (compiled.size >= MAX_COMPILED) compiled.clear();
    compiled.set(pattern, compile(pattern));
  }
  return compiled.get(pattern);
}

function compile(pattern: string): RegExp | undefined {
  try {
    const source = new Translator(pattern).run();
    return source === undefined ? undefined : new RegExp(source, "u");
  } catch {
    return undefined;
  }
}

class Translator {
  #at = 0;
  #inClass = false;

  constructor(readonly pattern: string) {}

  /** The pattern in JavaScript's words; undefined when there are none. */
  run(): string | undefined {
    let source = "";
    while (this.#at < this.pattern.length) {
      const next = this.#next();
      if (next === undefined) return undefined;
      source += next;
    }
    return source;
  }

  #next(): string | undefined {
    const rest = this.pattern.slice(this.#at);
    const char = String.fromCodePoint(rest.codePointAt(0)!);
    this.#at += char.length;
    if (char === "\\") return this.#escape();
    return this.#inClass ? this.#inside(char, rest) : this.#outside(char, rest);
  }

  #outside(char: string, rest: string): string | undefined {
    if (char === ".") return "[^\\n]";
    if (char === "[") {
      this.#inClass = true;
      const negated = rest[1] === "^" ? "^" : "";
      this.#at += negated.length;
      // A bracket that closes at once means itself there, and nothing here.
      return this.pattern[this.#at] === "]" ? undefined : `[${negated}`;
    }
    if (char === "]" || char === "}") return `\\${char}`;
    if (char === "{") {
      const repeat = /^\{\d+(?:,\d*)?\}/.exec(rest)?.[0];
      if (repeat === undefined) return undefined;
      this.#at += repeat.length - 1;
      return repeat;
    }
    // Flags, named groups in their old spelling and the like begin with (?; only these are the same.
    if (char === "(" && rest[1] === "?" && !/^\(\?(?::|<[A-Za-z_])/.test(rest)) return undefined;
    return char;
  }

  #inside(char: string, rest: string): string | undefined {
    if (char === "]") this.#inClass = false;
    // Brackets in brackets and set operations are not known here.
    if (char === "[" || /^(?:&&|--|~~)/.test(rest)) return undefined;
    return SYNTAX.has(char) && char !== "]" && char !== "^" ? `\\${char}` : char;
  }

  #escape(): string | undefined {
    const char = this.pattern[this.#at];
    if (char === undefined) return undefined;
    this.#at += 1;
    const known = CLASSES[char];
    if (known !== undefined) return this.#inClass ? known : `[${known}]`;
    if (char === "W") return this.#inClass ? undefined : `[^${WORD}]`;
    if (char === "b" || char === "B") {
      if (this.#inClass || this.pattern[this.#at] === "{") return undefined;
      return char === "b" ? BOUNDARY : NO_BOUNDARY;
    }
    if (char === "p" || char === "P") return this.#property(char);
    if (SAME.has(char)) return `\\${char}`;
    if (/[A-Za-z0-9<>]/.test(char) || char.charCodeAt(0) > 127) return undefined;
    return SYNTAX.has(char) || (this.#inClass && char === "-") ? `\\${char}` : char;
  }

  /** General categories have the same names; scripts and short forms do not. */
  #property(letter: string): string | undefined {
    const name = /^\{[A-Z][a-z]?\}/.exec(this.pattern.slice(this.#at))?.[0];
    if (name === undefined) return undefined;
    this.#at += name.length;
    return `\\${letter}${name}`;
  }
}
