import type { Variable } from '~/api/types';
import { exampleOf } from './values';

/** What the code examples are filled in with. */
export interface SnippetInput {
  origin: string;
  slug: string;
  type: 'text' | 'chat';
  variables: Variable[];
  /** `production` is what callers get when they name none. */
  label: string;
}

export type SnippetKind = 'curl' | 'python' | 'typescript' | 'http';

export const SNIPPET_NAMES: Record<SnippetKind, string> = {
  curl: 'curl',
  python: 'Python',
  typescript: 'TypeScript',
  http: 'HTTP',
};

export const INSTALL: Partial<Record<SnippetKind, string>> = {
  python: 'pip install xr2',
  typescript: 'npm install xr2',
};

/** Query names with a meaning of their own; a variable of that name is sent as `var.<name>`. */
const TAKEN = new Set([
  'label',
  'version',
  'user_id',
  'render',
  'format',
  'optimized_for',
  'workspace',
  'organizationId',
]);

export function snippet(kind: SnippetKind, input: SnippetInput): string {
  switch (kind) {
    case 'curl':
      return isFlat(input) ? curlGet(input) : curlPost(input);
    case 'python':
      return python(input);
    case 'typescript':
      return typescript(input);
    case 'http':
      return isFlat(input) ? httpGet(input) : httpPost(input);
  }
}

/** Whether every value can travel in an address. */
function isFlat({ variables }: SnippetInput): boolean {
  return variables.every((v) => v.type !== 'array' && v.type !== 'object' && typeof exampleOf(v) !== 'object');
}

function examples({ variables }: SnippetInput): [string, unknown][] {
  return variables.map((v) => [v.name, exampleOf(v)]);
}

function queryOf(input: SnippetInput): [string, string][] {
  const pairs = examples(input).map(([name, value]): [string, string] => [
    TAKEN.has(name) || name.startsWith('xr2_') ? `var.${name}` : name,
    String(value),
  ]);
  if (input.label !== 'production') pairs.unshift(['label', input.label]);
  return pairs;
}

function renderBody(input: SnippetInput, indent?: number): string {
  const body: Record<string, unknown> = { variables: Object.fromEntries(examples(input)) };
  if (input.label !== 'production') body.label = input.label;
  return JSON.stringify(body, null, indent);
}

const shell = (text: string) => `'${text.replaceAll("'", `'\\''`)}'`;

function curlGet(input: SnippetInput): string {
  const lines = [
    `curl -G ${shell(`${input.origin}/api/v1/prompts/${input.slug}`)}`,
    '  -H "Authorization: Bearer $XR2_API_KEY"',
  ];
  for (const [name, value] of queryOf(input)) lines.push(`  --data-urlencode ${shell(`${name}=${value}`)}`);
  return lines.join(' \\\n');
}

function curlPost(input: SnippetInput): string {
  return [
    `curl ${shell(`${input.origin}/api/v1/prompts/${input.slug}/render`)}`,
    '  -H "Authorization: Bearer $XR2_API_KEY"',
    "  -H 'Content-Type: application/json'",
    `  -d ${shell(renderBody(input, 2))}`,
  ].join(' \\\n');
}

function host(origin: string): string {
  return origin.replace(/^https?:\/\//, '');
}

function httpGet(input: SnippetInput): string {
  const query = new URLSearchParams(queryOf(input)).toString();
  return [
    `GET /api/v1/prompts/${input.slug}${query ? `?${query}` : ''} HTTP/1.1`,
    `Host: ${host(input.origin)}`,
    'Authorization: Bearer YOUR_API_KEY',
  ].join('\n');
}

function httpPost(input: SnippetInput): string {
  return [
    `POST /api/v1/prompts/${input.slug}/render HTTP/1.1`,
    `Host: ${host(input.origin)}`,
    'Authorization: Bearer YOUR_API_KEY',
    'Content-Type: application/json',
    '',
    renderBody(input, 2),
  ].join('\n');
}

/** Python's words that cannot be argument names. */
const PYTHON_WORDS = new Set(
  'False None True and as assert async await break class continue def del elif else except finally for from global if import in is lambda nonlocal not or pass raise return try while with yield self'.split(
    ' ',
  ),
);

export function pythonLiteral(value: unknown): string {
  if (value === null || value === undefined) return 'None';
  if (typeof value === 'boolean') return value ? 'True' : 'False';
  if (Array.isArray(value)) return `[${value.map(pythonLiteral).join(', ')}]`;
  if (typeof value === 'object') {
    return `{${Object.entries(value)
      .map(([k, v]) => `${JSON.stringify(k)}: ${pythonLiteral(v)}`)
      .join(', ')}}`;
  }
  return JSON.stringify(value);
}

function python(input: SnippetInput): string {
  const values = examples(input);
  const label = input.label === 'production' ? '' : `, label=${JSON.stringify(input.label)}`;
  return [
    'from xr2 import Xr2',
    '',
    `client = Xr2(url=${JSON.stringify(input.origin)})  # the key comes from XR2_API_KEY`,
    '',
    `prompt = client.get(${JSON.stringify(input.slug)}${label})`,
    ...pythonRender(values),
    input.type === 'chat' ? 'print(result.messages)' : 'print(result.text)',
  ].join('\n');
}

function pythonRender(values: [string, unknown][]): string[] {
  if (values.length === 0) return ['result = prompt.render()'];
  if (values.some(([name]) => PYTHON_WORDS.has(name))) {
    return [
      'result = prompt.render({',
      ...values.map(([n, v]) => `    ${JSON.stringify(n)}: ${pythonLiteral(v)},`),
      '})',
    ];
  }
  return ['result = prompt.render(', ...values.map(([n, v]) => `    ${n}=${pythonLiteral(v)},`), ')'];
}

function typescript(input: SnippetInput): string {
  const values = examples(input);
  const label = input.label === 'production' ? '' : `, { label: ${JSON.stringify(input.label)} }`;
  const fields = values.map(([name, value]) => `  ${name}: ${JSON.stringify(value)},`);
  const render =
    values.length === 0
      ? ['const result = await prompt.render();']
      : ['const result = await prompt.render({', ...fields, '});'];
  return [
    "import { Xr2 } from 'xr2';",
    '',
    `const client = new Xr2({ url: ${JSON.stringify(input.origin)} }); // the key comes from XR2_API_KEY`,
    '',
    `const prompt = await client.get(${JSON.stringify(input.slug)}${label});`,
    ...render,
    input.type === 'chat' ? 'console.log(result.messages);' : 'console.log(result.content);',
  ].join('\n');
}
