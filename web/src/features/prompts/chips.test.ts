import { expect, test } from 'vitest';
import { chipsOf } from './chips';

test('every filter that is on is a chip that takes just itself off', () => {
  const chips = chipsOf({ q: 'mail', tag: ['a', 'b'], state: 'live', changed: 'week', archived: true });
  expect(chips.map(({ words }) => words)).toEqual([
    'Tag: a',
    'Tag: b',
    'Live',
    'Changed in 7 days',
    'Archived',
  ]);
  expect(chips[0]!.off).toEqual({ tag: 'b' });
  expect(chipsOf({ q: 'mail', sort: 'title' })).toEqual([]);
});
