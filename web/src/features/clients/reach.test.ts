import { describe, expect, test } from 'vitest';
import { pace, Watch } from '~/api/clients';
import type { Clients } from '~/api/types';
import { behindWords, reachState, reachWords, sdkWords, shortInstance } from './reach';

const counts = (total: number, current: number, silent = 0) => ({ total, current, silent });

describe('how far a publish has come', () => {
  test('is counted in words', () => {
    expect(reachWords(counts(0, 0))).toBe('No clients connected');
    expect(reachWords(counts(1, 1))).toBe('1 of 1 client has it');
    expect(reachWords(counts(41, 41))).toBe('41 of 41 clients have it');
    expect(reachWords(counts(41, 39, 2))).toBe('39 of 41 clients have it, 2 not heard from');
  });

  test('tells those that are behind from those nobody heard from', () => {
    expect(behindWords(counts(41, 41))).toBe('all up to date');
    expect(behindWords(counts(41, 38))).toBe('3 behind');
    expect(behindWords(counts(41, 38, 1))).toBe('2 behind, 1 not heard from');
    expect(behindWords(counts(41, 38, 3))).toBe('3 not heard from');
  });

  test('is watched closely for two minutes after a change', () => {
    const of = (revision: number, current: number, silent = 0): Clients => ({
      revision,
      at: '2026-01-31T12:00:00Z',
      instances: [],
      counts: counts(3, current, silent),
    });
    const watch = new Watch();
    expect(watch.pace(undefined, 0)).toBe(15_000);
    expect(watch.pace(of(7, 2), 0)).toBe(2_000);
    expect(watch.pace(of(7, 2), 119_000)).toBe(2_000);
    expect(watch.pace(of(7, 2), 120_000)).toBe(15_000);
    expect(watch.pace(of(8, 2), 130_000)).toBe(2_000);
    expect(watch.pace(of(8, 2, 1), 131_000)).toBe(15_000);
  });

  test('has an end, also when somebody is left behind', () => {
    expect(reachState(counts(0, 0), false)).toBe('none');
    expect(reachState(counts(3, 2), true)).toBe('way');
    expect(reachState(counts(3, 2, 1), false)).toBe('behind');
    expect(reachState(counts(3, 3), false)).toBe('done');
  });

  test('is asked for every second only while it moves', () => {
    const moved = '2026-01-31T12:00:00Z';
    const at = (time: string, total: number, current: number, silent = 0): Clients => ({
      revision: 1,
      at: time,
      instances: [],
      counts: counts(total, current, silent),
    });
    expect(pace(at('2026-01-31T12:00:01Z', 41, 3), moved)).toBe(1_000);
    expect(pace(at('2026-01-31T12:00:01Z', 41, 41), moved)).toBe(15_000);
    expect(pace(at('2026-01-31T12:00:50Z', 41, 40, 1), moved)).toBe(15_000);
    expect(pace(at('2026-01-31T12:03:00Z', 41, 3), moved)).toBe(15_000);
    expect(pace(undefined, moved)).toBe(15_000);
    expect(pace(at('2026-01-31T12:00:01Z', 41, 3), null)).toBe(15_000);
  });
});

test('clients are named shortly', () => {
  expect(sdkWords('python/0.1.0')).toBe('Python 0.1.0');
  expect(sdkWords('mine')).toBe('mine');
  expect(sdkWords('')).toBe('Unknown SDK');
  expect(shortInstance('0b5f3c1e-8a3f-4a52-9d55-2f1f6a7d9c11')).toBe('0b5f3c1e');
  expect(shortInstance('worker-3')).toBe('worker-3');
});
