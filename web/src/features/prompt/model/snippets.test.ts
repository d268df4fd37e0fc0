import { execFileSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import type { Variable } from '~/api/types';
import { pythonLiteral, snippet, type SnippetInput } from './snippets';

const variable = (name: string, more: Partial<Variable> = {}): Variable => ({
  name,
  type: 'string',
  required: false,
  ...more,
});
const input = (variables: Variable[], more: Partial<SnippetInput> = {}): SnippetInput => ({
  origin: 'http://localhost:8000',
  slug: 'welcome',
  type: 'text',
  variables,
  label: 'production',
  ...more,
});

describe('curl', () => {
  it('sends flat values in the address, quoted for the shell', () => {
    const text = snippet(
      'curl',
      input([variable('name', { sample: "O'Hara & Co" }), variable('label', { sample: 'x' })], { label: 'staging' }),
    );
    expect(text).toContain('-H "Authorization: Bearer $XR2_API_KEY"');
    const args = execFileSync('sh', ['-c', text.replace(/^curl/, "printf '%s\\n'")], {
      env: { XR2_API_KEY: 'k' },
      encoding: 'utf8',
    })
      .trim()
      .split('\n');
    expect(args).toEqual([
      '-G',
      'http://localhost:8000/api/v1/prompts/welcome',
      '-H',
      'Authorization: Bearer k',
      '--data-urlencode',
      'label=staging',
      '--data-urlencode',
      "name=O'Hara & Co",
      '--data-urlencode',
      'var.label=x',
    ]);
  });

  it('posts lists and objects', () => {
    const text = snippet('curl', input([variable('items', { type: 'array', sample: ["it's"] })]));
    expect(text).toContain('/welcome/render');
    const args = execFileSync('sh', ['-c', text.replace(/^curl/, "printf '%s\\0'")], { encoding: 'utf8' }).split('\0');
    expect(JSON.parse(args.at(-2)!)).toEqual({ variables: { items: ["it's"] } });
  });
});

describe('python', () => {
  it('names the values as arguments', () => {
    const text = snippet(
      'python',
      input([variable('name', { sample: 'Ana' }), variable('vip', { type: 'boolean', sample: true })], {
        label: 'staging',
      }),
    );
    expect(text).toContain('client.get("welcome", label="staging")');
    expect(text).toContain('    vip=True,');
  });

  it('gives reserved words as a mapping', () => {
    expect(snippet('python', input([variable('class')]))).toContain('render({\n    "class": "class",\n})');
  });

  it('writes literals as Python does', () => {
    expect(pythonLiteral({ a: [true, null, 1.5, 'x"'] })).toBe('{"a": [True, None, 1.5, "x\\""]}');
  });
});

it('prints messages of a chat prompt', () => {
  expect(snippet('typescript', input([], { type: 'chat' }))).toContain('result.messages');
});

it('encodes the query of plain HTTP', () => {
  expect(snippet('http', input([variable('q', { sample: 'a b&c' })])).split('\n')[0]).toBe(
    'GET /api/v1/prompts/welcome?q=a+b%26c HTTP/1.1',
  );
});
