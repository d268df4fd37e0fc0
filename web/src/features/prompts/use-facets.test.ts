import { expect, test } from 'vitest';
import { byUse } from './use-facets';

test('offers the values in use, the most frequent first', () => {
  const facets = [
    { name: 'b', prompts: 1 },
    { name: 'c', prompts: 4 },
    { name: 'a', prompts: 1 },
  ];
  expect(byUse(facets)).toEqual(['c', 'a', 'b']);
  expect(byUse(undefined)).toEqual([]);
});
