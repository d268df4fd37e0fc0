import { describe, expect, it } from 'vitest';
import type { DiffLine } from '~/api/types';
import { collapse, describeDiff, sideBySide } from './diff';

const equal = (n: number): DiffLine => ({ kind: 'equal', old: n, new: n, text: `line ${n}` });
const many = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, i) => equal(from + i));
const gone: DiffLine = { kind: 'delete', old: 50, new: null, text: 'old' };
const come: DiffLine = { kind: 'insert', old: null, new: 50, text: 'new' };

describe('collapse', () => {
  it('keeps the context around a change and hides the rest', () => {
    const rows = collapse([...many(1, 20), gone, come, ...many(21, 40)], new Set());
    expect(rows.map((r) => (r.kind === 'fold' ? `fold ${r.count}` : r.text))).toEqual([
      'fold 17',
      'line 18',
      'line 19',
      'line 20',
      'old',
      'new',
      'line 21',
      'line 22',
      'line 23',
      'fold 17',
    ]);
  });

  it('opens a fold that was asked for', () => {
    const lines = [gone, ...many(1, 30), come];
    const fold = collapse(lines, new Set()).find((r) => r.kind === 'fold')!;
    expect(collapse(lines, new Set([(fold as { key: string }).key]))).toHaveLength(32);
  });

  it('does not hide one or two lines', () => {
    expect(collapse([gone, ...many(1, 8), come], new Set())).toHaveLength(10);
  });

  it('hides everything when nothing changed', () => {
    expect(collapse(many(1, 9), new Set())).toEqual([{ kind: 'fold', key: '0-9', count: 9 }]);
  });
});

describe('sideBySide', () => {
  it('pairs what was removed with what took its place', () => {
    const rows = sideBySide([equal(1), gone, gone, come, equal(2)]);
    expect(rows).toEqual([
      { kind: 'pair', left: equal(1), right: equal(1) },
      { kind: 'pair', left: gone, right: come },
      { kind: 'pair', left: gone, right: null },
      { kind: 'pair', left: equal(2), right: equal(2) },
    ]);
  });
});

it('says the change in one sentence', () => {
  expect(describeDiff({ added: 2, removed: 0, changed: 1 })).toBe('1 line changed, 2 added');
  expect(describeDiff({ added: 0, removed: 0, changed: 0 })).toBe('The text is the same');
});
