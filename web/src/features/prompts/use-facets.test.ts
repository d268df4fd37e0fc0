import { expect, test } from 'vitest';
import type { Prompt } from '~/api/types';
import { facetsOf } from './use-facets';

test('offers the values in use, the most frequent first', () => {
  const prompts = [
    { category: 'Support', tags: ['b', 'a'] },
    { category: null, tags: ['a'] },
    { category: 'Sales', tags: [] },
    { category: 'Support', tags: ['c'] },
  ] as unknown as Prompt[];
  expect(facetsOf(prompts)).toEqual({ categories: ['Support', 'Sales'], tags: ['a', 'b', 'c'] });
});
