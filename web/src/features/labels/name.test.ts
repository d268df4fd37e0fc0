import { expect, test } from 'vitest';
import { labelNameProblem } from './name';
import { swatchOf } from './palette';

test.each(['staging', 'partner-acme', 'v2_beta', '0'])('allows %s', (name) => {
  expect(labelNameProblem(name, [])).toBeNull();
});

test.each(['', 'latest', 'production', 'Über', '-x', 'a b', 'x'.repeat(65)])('refuses %s', (name) => {
  expect(labelNameProblem(name, ['production'])).toMatch(/\w/);
});

test('paints only plain colours', () => {
  expect(swatchOf('#2b8a3e')).toBe('#2b8a3e');
  expect(swatchOf('url(http://x)')).toBe('#868e96');
  expect(swatchOf(null)).toBe('#868e96');
});
