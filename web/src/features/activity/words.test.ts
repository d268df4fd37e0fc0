import { expect, test } from 'vitest';
import { changesOf, slugOf, verbOf } from './words';

test('what is newer than the dashboard is said as the server names it', () => {
  expect(verbOf('prompt.published')).toBe('published');
  expect(verbOf('experiment.started_again')).toBe('experiment started again');
});

test('only what says something to people is told of a change', () => {
  const before = { title: 'Old', tags: ['a'], metadata: { x: 1 }, slug: 'same' };
  const after = { title: 'New', tags: ['a', 'b'], metadata: { x: 2 }, slug: 'same', comment: 'Better' };
  expect(changesOf({ before, after })).toEqual([
    { name: 'Title', before: 'Old', after: 'New' },
    { name: 'Tags', before: 'a', after: 'a, b' },
    { name: 'Why', before: null, after: 'Better' },
  ]);
  expect(changesOf({ before: null, after: null })).toEqual([]);
});

test('what is gone has no page', () => {
  const resource = { type: 'prompt', name: 'welcome' };
  expect(slugOf({ type: 'prompt.published', resource })).toBe('welcome');
  expect(slugOf({ type: 'prompt.purged', resource })).toBeNull();
  expect(slugOf({ type: 'label.created', resource: { type: 'label', name: 'staging' } })).toBeNull();
});
