import { expect, test } from 'vitest';
import { type ListSearch, parseListSearch, sameSearch } from '~/features/prompts/filters';
import { fromViewQuery, toViewQuery } from './query';

test('what is kept in a view comes back as it was', () => {
  const all: ListSearch = {
    q: 'mail',
    tag: ['a', 'b'],
    category: 'Support',
    folder: 'f',
    flat: true,
    kind: 'chat',
    state: 'unpublished',
    draft: true,
    label: 'staging',
    author: 'me',
    editor: 'me',
    favourite: true,
    recent: true,
    archived: true,
    unused: true,
    sort: 'title',
  };
  // Every name there is, so that none is forgotten here when one is added.
  expect(['changed', ...Object.keys(all)].sort()).toEqual(Object.keys(parseListSearch({})).sort());
  // It would mean other days tomorrow.
  expect(toViewQuery({ changed: 'week' })).toEqual({});
  expect(fromViewQuery(JSON.parse(JSON.stringify(toViewQuery(all))))).toEqual(all);
  expect(sameSearch(fromViewQuery(toViewQuery({})), {})).toBe(true);
  expect(sameSearch(fromViewQuery(toViewQuery({ tag: 'a', state: 'live' })), { tag: 'a', state: 'live' })).toBe(true);
});
