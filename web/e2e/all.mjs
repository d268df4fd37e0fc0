// All browser tests in one process: one Chromium and one sign-in serve the whole run.
import { readdir } from 'node:fs/promises';

const folder = new URL('.', import.meta.url);
for (const name of (await readdir(folder)).sort()) {
  if (name.endsWith('.test.mjs')) await import(new URL(name, folder));
}
