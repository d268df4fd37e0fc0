import { expect, test } from 'vitest';
import type { List } from '~/api/client';
import type { ListedPrompt } from '~/api/types';
import { pagesFor, rowCount } from './use-prompt-window';

test('asks for what is in sight and for its neighbours', () => {
  expect(pagesFor(0, 20, 1)).toEqual([1]);
  expect(pagesFor(0, 20, 1000)).toEqual([1, 2]);
  expect(pagesFor(450, 470, Infinity)).toEqual([4, 5, 6]);
  expect(pagesFor(99_950, 99_999, 1000)).toEqual([999, 1000]);
});

const list = (items: number, total: number, meta = {}) =>
  ({ items: Array.from({ length: items }), total, meta }) as List<ListedPrompt>;

test('makes room for more where the server did not count', () => {
  expect(rowCount(list(100, 250), [])).toBe(250);
  const first = list(100, 100, { total_is_at_least: true, next_cursor: 'a' });
  expect(rowCount(first, [[1, first]])).toBe(200);
  const second = list(40, 100, { total_is_at_least: true });
  expect(rowCount(first, [[1, first], [2, second]])).toBe(200);
});
