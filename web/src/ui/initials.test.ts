import { expect, test } from 'vitest';
import { initials } from './initials';

test.each([
  ['Ana López', 'AL'],
  ['ana.lopez@example.com', 'AL'],
  ['Cher', 'C'],
  ['Maria de la Cruz', 'MC'],
  ['', '?'],
])('%s', (name, letters) => {
  expect(initials(name)).toBe(letters);
});
