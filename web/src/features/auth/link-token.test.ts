import { expect, test } from 'vitest';
import { linkToken } from './link-token';

test('a token is found behind the # or in the query', () => {
  expect(linkToken({ hash: '#token=abc', search: '' })).toBe('abc');
  expect(linkToken({ hash: '', search: '?token=a%2Bb' })).toBe('a+b');
  expect(linkToken({ hash: '#token=', search: '?other=1' })).toBeNull();
});
