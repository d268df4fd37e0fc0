import { expect, test } from 'vitest';
import { rank } from './rank';

const prompts = ['Refund decision', 'Meeting minutes', 'Unsupported', 'Reply of support', 'Support reply'].map(
  (title) => ({ title, slug: title.toLowerCase().replaceAll(' ', '-') }),
);
const titles = (query: string, namesOnly?: boolean) => rank(prompts, query, namesOnly).map((prompt) => prompt.title);

test('a name that begins so comes first, then one with such a word, then the rest as it came', () => {
  expect(titles('supp')).toEqual([
    'Support reply',
    'Reply of support',
    'Unsupported',
    'Refund decision',
    'Meeting minutes',
  ]);
});

test('all words count, in any order', () => {
  expect(titles('reply SUP', true)).toEqual(['Reply of support', 'Support reply']);
});

test('nothing typed keeps everything as it came', () => {
  expect(titles('', true)).toEqual(prompts.map((prompt) => prompt.title));
});

test('names alone, while the server has not answered yet', () => {
  expect(titles('refund', true)).toEqual(['Refund decision']);
  expect(titles('kettle', true)).toEqual([]);
});
