import { expect, test } from 'vitest';
import { pauseAfter, Position, retryAfterOf } from './stream';

test('only revisions that are complete are behind us', () => {
  const position = new Position();
  const after = (event: string | null, id: string | null) => {
    position.read({ event, id, data: '' });
    return position.done;
  };
  expect(after('hello', '4')).toBe('4');
  expect(after('changed', '5')).toBe('4');
  expect(after('put', '5')).toBe('4');
  expect(after('changed', '6')).toBe('5');
  expect(after(null, null)).toBe('6');
  expect(after('changed', '8')).toBe('6');
  expect(after('mark', '8')).toBe('8');
  expect(after('resync', '20')).toBe('20');
});

test('a connection is tried again after a pause that grows, that the server asks for, or that is long', () => {
  expect(pauseAfter({ greeted: true }, 0, 0)).toBe(500);
  expect(pauseAfter({ greeted: false }, 3, 1)).toBe(8_000);
  expect(pauseAfter({ greeted: false }, 30, 1)).toBe(30_000);
  expect(pauseAfter({ greeted: false, status: 503, retryAfter: 20_000 }, 1, 0)).toBe(21_000);
  expect(pauseAfter({ greeted: false, status: 503, retryAfter: 86_400_000 }, 1, 0)).toBe(301_000);
  expect(pauseAfter({ greeted: false, status: 401 }, 1, 0)).toBe(300_000);
});

test('Retry-After holds seconds or a date', () => {
  expect(retryAfterOf(null)).toBe(0);
  expect(retryAfterOf('7')).toBe(7_000);
  expect(retryAfterOf('Sat, 31 Jan 2026 12:00:09 GMT', Date.parse('2026-01-31T12:00:00Z'))).toBe(9_000);
  expect(retryAfterOf('soon')).toBe(0);
});
