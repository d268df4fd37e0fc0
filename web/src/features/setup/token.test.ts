import { expect, test } from 'vitest';
import { setupToken } from './token';

test('reads the token behind the #', () => {
  expect(setupToken('#token=abc123')).toBe('abc123');
  expect(setupToken('#other=1&token=x')).toBe('x');
  expect(setupToken('#token=')).toBeNull();
  expect(setupToken('')).toBeNull();
});
