import { expect, test } from 'vitest';
import { chipsOf } from './chips';

test('every filter that is on is a chip that takes just itself off', () => {
  const chips = chipsOf({ q: 'mail', tag: ['a', 'b'], folder: 'f', flat: true, state: 'live', changed: 'week', archived: true }, 'Support / Mails');
  expect(chips.map(({ words }) => words)).toEqual([
    'Folder: Support / Mails',
    'Tag: a',
    'Tag: b',
    'Live',
    'Changed in 7 days',
    'Archived',
    'Without folders inside',
  ]);
  expect(chips[1]!.off).toEqual({ tag: 'b' });
  // Without a folder there is nothing inside to leave out.
  expect(chips[0]!.off).toEqual({ folder: undefined, flat: undefined });
  expect(chipsOf({ folder: 'none' }, undefined)[0]!.words).toBe('In no folder');
  expect(chipsOf({ q: 'mail', sort: 'title' }, undefined)).toEqual([]);
});
