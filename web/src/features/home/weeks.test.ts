import { expect, test } from 'vitest';
import { changeWords, compareWeeks, share } from './weeks';

const series = Array.from({ length: 30 }, (_, day) => ({ at: `2026-11-${day + 1}`, requests: day, errors: day % 2 }));

test('the last seven days stand against the seven before', () => {
  const weeks = compareWeeks(series);
  expect(weeks.days).toHaveLength(7);
  expect(weeks.requests).toBe(23 + 24 + 25 + 26 + 27 + 28 + 29);
  expect(weeks.before.requests).toBe(16 + 17 + 18 + 19 + 20 + 21 + 22);
  expect(weeks.errors).toBe(4);
});

test('a change is said only where it says something', () => {
  expect(changeWords(0, 0)).toBeNull();
  expect(changeWords(5, 0)).toBe('none in the week before');
  expect(changeWords(100, 100)).toBe('as many as in the week before');
  expect(changeWords(112, 100)).toBe('12 % more than in the week before');
  expect(changeWords(0, 100)).toBe('100 % fewer than in the week before');
});

test('shares are short', () => {
  expect(share(0, 0)).toBe('0 %');
  expect(share(1, 100_000)).toBe('under 0.1 %');
  expect(share(1, 250)).toBe('0.4 %');
});
