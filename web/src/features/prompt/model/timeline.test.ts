import { expect, it } from 'vitest';
import type { LabelMove, Version } from '~/api/types';
import { describeMove, timeline } from './timeline';

const version = (number: number, created_at: string) => ({ number, created_at }) as Version;
const move = (to: number | null, moved_at: string, more: Partial<LabelMove> = {}): LabelMove => ({
  action: 'published',
  label: 'production',
  from_version: null,
  to_version: to,
  moved_by: { type: 'user', id: null, name: 'Ana' },
  moved_at,
  comment: null,
  ...more,
});

it('tells versions and moves as one story', () => {
  const items = timeline([version(2, '2026-02'), version(1, '2026-01')], [move(1, '2026-03'), move(2, '2026-02')], {
    versions: false,
    moves: false,
  });
  expect(items.map((i) => (i.kind === 'version' ? `v${i.version.number}` : `move ${i.move.to_version}`))).toEqual([
    'move 1',
    'move 2',
    'v2',
    'v1',
  ]);
});

it('holds back what has neighbours still to come', () => {
  const items = timeline([version(9, '2026-09')], [move(9, '2026-10'), move(1, '2026-01')], {
    versions: true,
    moves: false,
  });
  expect(items).toHaveLength(2);
});

it('says moves in words', () => {
  expect(describeMove(move(3, ''))).toBe('Ana published v3');
  expect(describeMove(move(3, '', { label: 'staging' }))).toBe('Ana published v3 to staging');
  expect(describeMove(move(2, '', { action: 'rolled_back' }))).toBe('Ana rolled back to v2');
  expect(describeMove(move(null, '', { action: 'removed', label: 'staging' }))).toBe('Ana removed staging');
});
