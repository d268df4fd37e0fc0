import type { Syntax } from '~/api/types';

/**
 * A small scanner of templates for the editor: what to colour, and which variables a text uses.
 * It gives instant feedback only; the server's live check has the last word.
 */
export type TokenKind =
  | 'delimiter'
  | 'variable'
  | 'path'
  | 'local'
  | 'keyword'
  | 'filter'
  | 'string'
  | 'number'
  | 'operator'
  | 'comment'
  | 'include';

export interface Token {
  kind: TokenKind;
  from: number;
  to: number;
  /** For `variable`: the variable's name without its path. For `include`: the address as written. */
  name?: string;
}

/** A plain name with an optional path, as both dialects print it. */
const PLAIN = /\{\{[ \t\r\n]*([A-Za-z_][A-Za-z0-9_]*)((?:\.[A-Za-z_][A-Za-z0-9_]*)*)[ \t\r\n]*\}\}/y;

/** Words of jinja that are values, never variables. The simple syntax has no such words. */
const CONSTANTS = new Set(['true', 'false', 'none', 'True', 'False', 'None']);

const KEYWORDS = new Set([
  'if',
  'elif',
  'else',
  'endif',
  'for',
  'in',
  'endfor',
  'raw',
  'endraw',
  'include',
  'not',
  'and',
  'or',
  'is',
]);

export function scan(text: string, syntax: Syntax): Token[] {
  if (syntax === 'simple') return scanSimple(text);
  if (syntax === 'jinja') return scanJinja(text);
  return [];
}

/** The names a template takes from outside, in order of first use. */
export function discover(text: string, syntax: Syntax): string[] {
  const names = new Set<string>();
  for (const token of scan(text, syntax)) {
    if (token.kind === 'variable' && token.name) names.add(token.name);
  }
  return [...names];
}

function scanSimple(text: string): Token[] {
  const tokens: Token[] = [];
  let at = text.indexOf('{{');
  while (at !== -1) {
    PLAIN.lastIndex = at;
    const match = PLAIN.exec(text);
    if (match) {
      pushPlain(tokens, text, at, match);
      at = text.indexOf('{{', at + match[0].length);
    } else {
      at = text.indexOf('{{', at + 1);
    }
  }
  return tokens;
}

function pushPlain(tokens: Token[], text: string, at: number, match: RegExpExecArray): void {
  const name = match[1]!;
  const path = match[2] ?? '';
  const end = at + match[0].length;
  const start = text.indexOf(name, at + 2);
  tokens.push({ kind: 'delimiter', from: at, to: at + 2 });
  tokens.push({ kind: 'variable', from: start, to: start + name.length, name });
  if (path) tokens.push({ kind: 'path', from: start + name.length, to: start + name.length + path.length });
  tokens.push({ kind: 'delimiter', from: end - 2, to: end });
}

/** The open `if` and `for` blocks, with the names that a `for` binds. */
type Scopes = { block: 'if' | 'for'; names: string[] }[];

function scanJinja(text: string): Token[] {
  const tokens: Token[] = [];
  const scopes: Scopes = [];
  const opener = /\{\{|\{%|\{#/g;
  let match: RegExpExecArray | null;
  while ((match = opener.exec(text))) {
    const from = match.index;
    if (match[0] === '{#') {
      opener.lastIndex = scanComment(tokens, text, from);
    } else if (match[0] === '{{') {
      opener.lastIndex = scanOutput(tokens, text, from, scopes);
    } else {
      opener.lastIndex = scanBlock(tokens, text, from, scopes);
    }
  }
  return tokens;
}

function scanComment(tokens: Token[], text: string, from: number): number {
  const close = text.indexOf('#}', from + 2);
  const to = close === -1 ? text.length : close + 2;
  tokens.push({ kind: 'comment', from, to });
  return to;
}

function scanOutput(tokens: Token[], text: string, from: number, scopes: Scopes): number {
  const close = closing(text, from + 2, '}}');
  if (close === -1) return from + 2;
  tokens.push({ kind: 'delimiter', from, to: from + 2 });
  scanExpression(tokens, text, from + 2, close, scopes);
  tokens.push({ kind: 'delimiter', from: close, to: close + 2 });
  return close + 2;
}

function scanBlock(tokens: Token[], text: string, from: number, scopes: Scopes): number {
  const close = closing(text, from + 2, '%}');
  if (close === -1) return from + 2;
  tokens.push({ kind: 'delimiter', from, to: from + 2 });
  const head = /^[-+]?\s*([A-Za-z_]+)/.exec(text.slice(from + 2, close));
  const word = head?.[1];
  if (word === 'if') scopes.push({ block: 'if', names: [] });
  if (word === 'else') leaveLoop(scopes);
  if (word === 'for') scanFor(tokens, text, from + 2, close, scopes);
  else if (word === 'include') scanInclude(tokens, text, from + 2, close);
  else scanExpression(tokens, text, from + 2, close, scopes);
  if (word === 'endfor' || word === 'endif') scopes.pop();
  tokens.push({ kind: 'delimiter', from: close, to: close + 2 });
  if (word === 'raw') return skipRaw(tokens, text, close + 2);
  return close + 2;
}

/** The `else` of a loop is read where there was nothing to go through: its names mean nothing there. */
function leaveLoop(scopes: Scopes): void {
  const innermost = scopes.at(-1);
  if (innermost?.block === 'for') innermost.names = [];
}

/** Everything up to `endraw` is text. */
function skipRaw(tokens: Token[], text: string, from: number): number {
  const end = /\{%[-+]?\s*endraw\s*[-+]?%\}/g;
  end.lastIndex = from;
  const match = end.exec(text);
  if (!match) return text.length;
  const at = match.index;
  const word = text.indexOf('endraw', at);
  tokens.push({ kind: 'delimiter', from: at, to: at + 2 });
  tokens.push({ kind: 'keyword', from: word, to: word + 6 });
  tokens.push({ kind: 'delimiter', from: at + match[0].length - 2, to: at + match[0].length });
  return at + match[0].length;
}

function scanInclude(tokens: Token[], text: string, from: number, to: number): void {
  const word = text.indexOf('include', from);
  tokens.push({ kind: 'keyword', from: word, to: word + 7 });
  const literal = /(["'])(.*?)\1/.exec(text.slice(word + 7, to));
  if (!literal) return;
  const start = word + 7 + literal.index;
  tokens.push({ kind: 'include', from: start, to: start + literal[0].length, name: literal[2] });
}

function scanFor(tokens: Token[], text: string, from: number, to: number, scopes: Scopes): void {
  const split = /\sin\s/.exec(text.slice(from, to));
  if (!split) {
    scopes.push({ block: 'for', names: ['loop'] });
    scanExpression(tokens, text, from, to, scopes);
    return;
  }
  const middle = from + split.index;
  const targets = [...text.slice(from, middle).matchAll(/[A-Za-z_][A-Za-z0-9_]*/g)].map((m) => m[0]);
  const names = targets.slice(1);
  scanExpression(tokens, text, from, middle, [...scopes, { block: 'for', names }]);
  // What is looped over is seen from outside the loop, a trailing `if` from inside.
  const filter = /\sif\s/.exec(text.slice(middle, to));
  const outer = filter ? middle + filter.index : to;
  scanExpression(tokens, text, middle, outer, scopes);
  scopes.push({ block: 'for', names: [...names, 'loop'] });
  if (filter) scanExpression(tokens, text, outer, to, scopes);
}

const WORD =
  /[A-Za-z_][A-Za-z0-9_]*|"(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*'|\d+(?:\.\d+)?|[|.<>=!+\-*/%,:()[\]{}~]|\s+|./gsy;

function scanExpression(tokens: Token[], text: string, from: number, to: number, scopes: Scopes): void {
  let before = '';
  WORD.lastIndex = from;
  while (WORD.lastIndex < to) {
    const match = WORD.exec(text);
    if (!match || match.index >= to) break;
    const word = match[0];
    if (/^\s/.test(word)) continue;
    const end = match.index + word.length;
    const token = classify(word, before, text, end, scopes);
    tokens.push({ ...token, from: match.index, to: end });
    before = word;
  }
}

function classify(
  word: string,
  before: string,
  text: string,
  end: number,
  scopes: Scopes,
): Pick<Token, 'kind' | 'name'> {
  const first = word[0]!;
  if (first === '"' || first === "'") return { kind: 'string' };
  if (/\d/.test(first)) return { kind: 'number' };
  if (!/[A-Za-z_]/.test(first)) return { kind: 'operator' };
  if (before === '.') return { kind: 'path' };
  if (before === '|') return { kind: 'filter' };
  if (KEYWORDS.has(word)) return { kind: 'keyword' };
  if (CONSTANTS.has(word)) return { kind: 'number' };
  if (before === 'is' || (before === 'not' && isTest(text, end, word))) return { kind: 'filter' };
  // `range(` and keyword arguments are neither variables nor values.
  if (/^\s*\(/.test(text.slice(end, end + 8))) return { kind: 'filter' };
  if (/^\s*=(?!=)/.test(text.slice(end, end + 8))) return { kind: 'path' };
  if (scopes.some(({ names }) => names.includes(word))) return { kind: 'local' };
  return { kind: 'variable', name: word };
}

/** Whether `not word` belongs to `x is not word`. */
function isTest(text: string, end: number, word: string): boolean {
  return /\bis\s+not\s+$/.test(text.slice(Math.max(0, end - word.length - 16), end - word.length));
}

/** Where `mark` closes, not counting the insides of strings. */
function closing(text: string, from: number, mark: string): number {
  let quote = '';
  for (let i = from; i < text.length - 1; i++) {
    const c = text[i]!;
    if (quote) {
      if (c === '\\') i++;
      else if (c === quote) quote = '';
    } else if (c === '"' || c === "'") {
      quote = c;
    } else if (text.startsWith(mark, i)) {
      return i;
    }
  }
  return -1;
}
