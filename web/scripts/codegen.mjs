// Writes src/api/schema.d.ts from the server's own OpenAPI document. XR2_OPENAPI names a file or an
// address to take it from; without it the server's program is asked to print it.
import { execFileSync } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import openapiTS, { astToString } from 'openapi-typescript';

const target = new URL('../src/api/schema.d.ts', import.meta.url);
const head = '// Written by `npm run codegen` from the OpenAPI document. Do not edit.\n\n';

async function document() {
  const from = process.env.XR2_OPENAPI;
  if (!from) {
    const root = new URL('../..', import.meta.url);
    const options = { cwd: root, encoding: 'utf8', maxBuffer: 64 * 1024 * 1024 };
    return execFileSync('cargo', ['run', '--quiet', '-p', 'xr2', '--', 'openapi'], options);
  }
  if (!/^https?:/.test(from)) return readFile(from, 'utf8');
  const response = await fetch(from);
  if (!response.ok) throw new Error(`${from} answered ${response.status}`);
  return response.text();
}

const text = head + astToString(await openapiTS(JSON.parse(await document())));

if (process.argv.includes('--check')) {
  if ((await readFile(target, 'utf8').catch(() => '')) !== text) {
    console.error('src/api/schema.d.ts is not what the server says: run `npm run codegen`.');
    process.exit(1);
  }
} else {
  await writeFile(target, text);
}
