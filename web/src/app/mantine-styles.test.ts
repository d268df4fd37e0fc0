import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';

const source = join(__dirname, '..');
const styles = join(source, '../node_modules/@mantine/core/styles');

/** Every component that some file imports from the component library. */
function importedComponents(): Set<string> {
  const names = new Set<string>();
  for (const file of readdirSync(source, { recursive: true, encoding: 'utf8' })) {
    if (!/\.tsx?$/.test(file)) continue;
    const text = readFileSync(join(source, file), 'utf8');
    for (const match of text.matchAll(/import \{([^}]+)\} from '@mantine\/core'/g)) {
      for (const name of match[1]!.split(',')) names.add(name.trim().replace(/^type /, '').split(' as ')[0]!);
    }
  }
  return names;
}

test('every Mantine component in use has its styles', () => {
  const listed = readFileSync(join(__dirname, 'mantine.ts'), 'utf8');
  const missing = [...importedComponents()].filter(
    (name) => existsSync(join(styles, `${name}.layer.css`)) && !listed.includes(`/styles/${name}.layer.css`),
  );
  expect(missing).toEqual([]);
});
