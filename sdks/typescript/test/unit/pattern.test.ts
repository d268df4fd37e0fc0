import assert from "node:assert/strict";
import { test } from "node:test";
import { compilePattern } from "../../src/pattern.js";

/** Pattern, what it finds, what it does not: as the server's engine has it. */
const CASES: [pattern: string, yes: string[], no: string[]][] = [
  ["^[A-Z]{2}\\d+$", ["AB1", "AB١"], ["ab1", "AB", "AB1\n"]],
  ["^.$", ["\r", "🎈", "\u2028"], ["\n", "ab"]],
  ["^\\w+$", ["größe_1", "日本"], ["a b", "a-b"]],
  ["^\\s$", ["\u0085", "\u2003"], ["\uFEFF", "x"]],
  ["^\\S\\D\\W$", ["xx-"], ["xx1", " x-"]],
  ["\\bübel\\b", ["ein übel."], ["trübel"]],
  ["^[\\w.+-]+@[\\w-]+\\.[a-z]{2,}$", ["ana.b+c@xr2.dev"], ["ana@", "a@b.c"]],
  ["^\\-\\_\\}]$", ["-_}]"], ["x"]],
  ["^(?:a|b)(?<rest>c*)$", ["acc", "b"], ["c"]],
  ["^\\p{Lu}\\P{L}$", ["Ä1"], ["ä1"]],
  ["^[^\\d\\]/-]+$", ["ab"], ["1", "]", "/", "-"]],
  ["^[.$(]+$", [".$("], ["x"]],
];

for (const [pattern, yes, no] of CASES) {
  test(`pattern ${pattern}`, () => {
    const expression = compilePattern(pattern);
    assert.ok(expression, "is understood");
    for (const text of yes) assert.ok(expression.test(text), JSON.stringify(text));
    for (const text of no) assert.ok(!expression.test(text), JSON.stringify(text));
  });
}

for (const pattern of [
  "(?i)x",
  "(?P<n>a)",
  "[[:alpha:]]",
  "[a&&b]",
  "\\A",
  "x\\z",
  "\\x41",
  "\\p{Greek}",
  "[]a]",
  "\\b{start}",
  "[\\W]",
  "(",
]) {
  test(`pattern ${pattern} is left to the server`, () => assert.equal(compilePattern(pattern), undefined));
}
