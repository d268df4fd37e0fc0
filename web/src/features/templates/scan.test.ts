import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import type { Syntax } from '~/api/types';
import { discover, scan } from './scan';

const kinds = (text: string, syntax: Syntax) => scan(text, syntax).map((t) => `${t.kind}:${text.slice(t.from, t.to)}`);

describe('simple templates', () => {
  it('finds names and paths', () => {
    expect(discover('Hi {{ name }}, {{order.total}} {{name}}', 'simple')).toEqual(['name', 'order']);
    expect(kinds('{{ a.b }}', 'simple')).toEqual(['delimiter:{{', 'variable:a', 'path:.b', 'delimiter:}}']);
  });

  it.each([
    '{#1}',
    '{{First Name}}',
    '{"a": {"b": 1}}',
    '\\frac{{1}}{{2}}',
    '{{ a | upper }}',
    '{% if a %}',
    '{{}}',
    '{{ 1a }}',
    '{{\u00a0a }}',
  ])('leaves %s as text', (text) => expect(scan(text, 'simple')).toEqual([]));

  it('finds a name inside further braces', () => {
    expect(discover('{{{a}}}', 'simple')).toEqual(['a']);
    expect(discover('{{ {{ b }} }}', 'simple')).toEqual(['b']);
  });

  it('takes a long text without a closing brace in one pass', () => {
    expect(discover('{{ a '.repeat(20_000), 'simple')).toEqual([]);
  });
});

describe('jinja templates', () => {
  it('tells variables from loop names, filters, strings and keywords', () => {
    const text =
      '{% for item in items if item.ok and limit > 1 %}{{ item.name|default("x")|upper }} {{ loop.index }}{% endfor %}{{ item }}';
    expect(discover(text, 'jinja')).toEqual(['items', 'limit', 'item']);
    expect(kinds('{{ a|join(", ") }}', 'jinja')).toEqual([
      'delimiter:{{',
      'variable:a',
      'operator:|',
      'filter:join',
      'operator:(',
      'string:", "',
      'operator:)',
      'delimiter:}}',
    ]);
  });

  it('skips comments and raw blocks', () => {
    expect(discover('{# {{ no }} #}{% raw %}{{ nor_this }}{% endraw %}{{ yes }}', 'jinja')).toEqual(['yes']);
  });

  it('knows tests and constants', () => {
    expect(discover('{% if a is defined and b is not none and c == true %}x{% endif %}', 'jinja')).toEqual([
      'a',
      'b',
      'c',
    ]);
  });

  it('marks includes', () => {
    const [, , include] = scan('{% include "tone@7" %}', 'jinja');
    expect(include).toMatchObject({ kind: 'include', name: 'tone@7' });
  });

  it('does not end a tag inside a string', () => {
    expect(discover('{{ a|default("}}") }} {{ b }}', 'jinja')).toEqual(['a', 'b']);
  });
});

it('finds nothing in plain text', () => {
  expect(scan('{{ a }}', 'none')).toEqual([]);
});

/** The cases that the server and every SDK run. */
const conformance = (file: string) => {
  const path = fileURLToPath(new URL(`../../../../sdks/conformance/${file}`, import.meta.url));
  return JSON.parse(readFileSync(path, 'utf8')).cases;
};

interface SimpleCase {
  name: string;
  syntax: Syntax;
  content?: string;
  expect?: { missing: string[]; warnings?: { variable: string }[] };
}

describe('conformance: simple.json', () => {
  const cases = (conformance('simple.json') as SimpleCase[]).filter((c) => c.content !== undefined && c.expect);
  it.each(cases.map((c) => [c.name, c] as const))('%s', (_, { content, syntax, expect: wanted }) => {
    const found = discover(content!, syntax);
    for (const path of wanted!.missing) expect(found).toContain(path.split('.')[0]);
    for (const { variable } of wanted!.warnings ?? []) expect(found).not.toContain(variable);
  });
});

interface DiscoverCase {
  name: string;
  content?: string;
  expect: { syntax: Syntax; variables: string[] };
}

describe('conformance: discover.json', () => {
  const cases = (conformance('discover.json') as DiscoverCase[]).filter((c) => c.content !== undefined);
  it.each(cases.map((c) => [c.name, c] as const))('%s', (_, { content, expect: wanted }) => {
    expect(discover(content!, wanted.syntax)).toEqual(wanted.variables);
  });
});
