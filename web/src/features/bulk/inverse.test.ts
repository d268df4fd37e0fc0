import { expect, test } from 'vitest';
import type { BulkAction, ListedPrompt } from '~/api/types';
import { inverseOf } from './inverse';

const prompt = (id: string, has: Partial<ListedPrompt> = {}) =>
  ({ id, tags: [], category: null, labels: {}, folder_ids: [], ...has }) as unknown as ListedPrompt;

const back = (action: BulkAction, before: ListedPrompt[]) =>
  inverseOf(action, before)?.map((step) => [step.action, step.prompts.map(({ id }) => id)]);

test('takes off only the tags that were not there before', () => {
  const before = [prompt('1', { tags: ['a'] }), prompt('2')];
  expect(back({ action: 'tag', tags: ['a', 'b'] }, before)).toEqual([
    [{ action: 'untag', tags: ['a'] }, ['2']],
    [{ action: 'untag', tags: ['b'] }, ['1', '2']],
  ]);
  expect(back({ action: 'untag', tags: ['a'] }, before)).toEqual([[{ action: 'tag', tags: ['a'] }, ['1']]]);
});

test('puts each category and each label back where it was', () => {
  const before = [prompt('1', { category: 'A', labels: { live: 3 } }), prompt('2'), prompt('3', { category: 'A' })];
  expect(back({ action: 'set_category', category: 'B' }, before)).toEqual([
    [{ action: 'set_category', category: 'A' }, ['1', '3']],
    [{ action: 'set_category', category: null }, ['2']],
  ]);
  expect(back({ action: 'label', label: 'live', version: 'latest' }, before)).toEqual([
    [{ action: 'label', label: 'live', version: 3 }, ['1']],
    [{ action: 'unlabel', label: 'live' }, ['2', '3']],
  ]);
});

test('puts moved prompts back into all their folders', () => {
  const before = [prompt('1', { folder_ids: ['x', 'y'] }), prompt('2'), prompt('3', { folder_ids: ['y', 'x'] }), prompt('4', { folder_ids: ['z'] })];
  expect(back({ action: 'move_to_folder', folder: 'z' }, before)).toEqual([
    [{ action: 'add_to_folder', folder: 'x' }, ['1', '3']],
    [{ action: 'add_to_folder', folder: 'y' }, ['1', '3']],
    [{ action: 'remove_from_folder', folder: 'z' }, ['1', '3']],
    [{ action: 'remove_from_folder', folder: 'z' }, ['2']],
  ]);
  expect(back({ action: 'add_to_folder', folder: 'z' }, before)).toEqual([[{ action: 'remove_from_folder', folder: 'z' }, ['1', '2', '3']]]);
});

test('knows what cannot be taken back', () => {
  expect(inverseOf({ action: 'purge' }, [prompt('1')])).toBeNull();
  expect(back({ action: 'delete' }, [prompt('1')])).toEqual([[{ action: 'restore' }, ['1']]]);
});
