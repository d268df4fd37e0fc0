import { expect, test } from 'vitest';
import { ApiError } from '~/api/client';
import type { Prompt } from '~/api/types';
import { forEach, inUseWords, outcomeWords } from './bulk';

const prompt = (title: string) => ({ id: title, title }) as Prompt;

test('says of each prompt how it went, and goes on after a refusal', async () => {
  const wrong = new ApiError(500, 'INTERNAL', '');
  const outcome = await forEach(['a', 'b', 'c'].map(prompt), async ({ title }) => {
    if (title === 'a') throw new ApiError(409, 'IN_USE', '');
    if (title === 'b') throw wrong;
  });
  expect(outcome.done.map(({ title }) => title)).toEqual(['c']);
  expect(outcome.inUse.map(({ title }) => title)).toEqual(['a']);
  expect(outcome.failed).toEqual([{ prompt: prompt('b'), error: wrong }]);
});

test('names one and counts many', () => {
  expect(outcomeWords([prompt('A')], 'in the bin')).toBe('“A” is in the bin.');
  expect(outcomeWords(['A', 'B'].map(prompt), 'archived')).toBe('2 prompts are archived.');
  expect(inUseWords(['A', 'B', 'C', 'D', 'E'].map(prompt))).toMatch('“A”, “B”, “C” and 2 more are in use');
});
