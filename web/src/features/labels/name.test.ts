import { expect, test } from 'vitest';
import { labelNameProblem } from './name';
import { swatchOf } from '~/ui/label-color';

test.each(['staging', 'partner-acme', 'v2_beta', '1.2'])('allows %s', (name) => {
  expect(labelNameProblem(name, [])).toBeNull();
});

test.each(['', 'latest', 'production', 'Über', '-x', 'a b', '42', 'x'.repeat(51)])('refuses %s', (name) => {
  expect(labelNameProblem(name, ['production'])).toMatch(/\w/);
});

test('paints only colours it knows', () => {
  expect(swatchOf('green')).toBe('#2b8a3e');
  expect(swatchOf('url(http://x)')).toBe('#868e96');
  expect(swatchOf(null)).toBe('#868e96');
});
