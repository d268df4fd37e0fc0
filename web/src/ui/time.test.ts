import { describe, expect, test } from 'vitest';
import { exactTime, nextChange, relativeTime } from './time';

const now = Date.parse('2026-11-21T12:00:00Z');
const ago = (seconds: number) => new Date(now - seconds * 1000);

describe('relativeTime', () => {
  test.each([
    [0, 'just now'],
    [44, 'just now'],
    [50, '1 minute ago'],
    [90, '2 minutes ago'],
    [59 * 60, '1 hour ago'],
    [26 * 3600, 'yesterday'],
    [3 * 86_400, '3 days ago'],
    [8 * 86_400, 'last week'],
    [40 * 86_400, 'last month'],
    [400 * 86_400, 'last year'],
    [-7200, 'in 2 hours'],
    [-20 * 3600, 'in 20 hours'],
  ])('%i seconds ago is %s', (seconds, words) => {
    expect(relativeTime(ago(seconds), now)).toBe(words);
  });

  test('reads times with six decimals', () => {
    expect(relativeTime('2026-11-21T11:00:00.123456Z', now)).toBe('1 hour ago');
  });

  test('says nothing about no time', () => {
    expect(relativeTime('never', now)).toBe('');
    expect(exactTime('never')).toBe('');
  });
});

test('looks again the sooner, the nearer the time', () => {
  expect(nextChange(ago(30), now)).toBeLessThan(nextChange(ago(7200), now));
  expect(nextChange(ago(7200), now)).toBeLessThan(nextChange(ago(5 * 86_400), now));
});
