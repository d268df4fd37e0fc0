import { expect, test } from 'vitest';
import type { BulkItem, BulkOutcome } from '~/api/types';
import { doneWords, itemWords, reportTitle, stateAfter } from './words';

const outcome = (failed: number, all: number) => ({ failed, results: Array.from({ length: all }) }) as BulkOutcome;

test('names one and counts many', () => {
  expect(doneWords(1, 'A', 'in the bin')).toBe('“A” is in the bin.');
  expect(doneWords(2, 'A', 'archived')).toBe('2 prompts are archived.');
  expect(stateAfter({ action: 'tag', tags: ['a', 'b'] })).toBe('tagged #a, #b');
  expect(stateAfter({ action: 'move_to_folder', folder: 'id' }, 'Support')).toBe('in “Support”');
});

test('says how many stayed behind, and of each one why', () => {
  expect(reportTitle(outcome(1, 10))).toBe('1 of 10 prompts stayed as it was');
  expect(reportTitle(outcome(2, 10))).toBe('2 of 10 prompts stayed as they were');
  expect(reportTitle(outcome(1, 1))).toBe('The prompt stayed as it was');
  expect(reportTitle(outcome(3, 3))).toBe('All 3 prompts stayed as they were');
  const item = (status: BulkItem['status'], error?: BulkItem['error']): BulkItem => ({ prompt: 'a', status, error });
  expect(itemWords(item('done'), 'archived')).toBe('Is archived');
  expect(itemWords(item('unchanged'), 'archived')).toBe('Was already archived');
  expect(itemWords(item('failed', { code: 'IN_USE', message: 'A client fetched it.' }), 'archived')).toBe('A client fetched it.');
});
