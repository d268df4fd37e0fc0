import { expect, test } from 'vitest';
import type { ApiKey, Prompt } from '~/api/types';
import { isComplete, stepsOf } from './steps';

const prompt = (more: Partial<Prompt>) => ({ live: null, last_fetched_at: null, ...more }) as Prompt;
const live = { version: 1, since: '', by: { type: 'user', id: null, name: 'Ana' } } as const;
const key = { status: 'active' } as ApiKey;
const states = (...seen: Parameters<typeof stepsOf>) => stepsOf(...seen).map(({ state }) => state);

test('one step is next, those before it are done', () => {
  expect(states({ prompts: [], keys: [] })).toEqual(['now', 'later', 'later', 'later']);
  expect(states({ prompts: [prompt({})], keys: [] })).toEqual(['done', 'now', 'later', 'later']);
  expect(states({ prompts: [prompt({ live })], keys: [] })).toEqual(['done', 'done', 'now', 'later']);
  expect(states({ prompts: [prompt({ live })], keys: [key] })).toEqual(['done', 'done', 'done', 'now']);
});

test('a key that was made first does not have to be made again', () => {
  expect(states({ prompts: [], keys: [key] })).toEqual(['now', 'later', 'done', 'later']);
});

test('a revoked key is none', () => {
  expect(states({ prompts: [prompt({ live })], keys: [{ ...key, status: 'revoked' }] })[2]).toBe('now');
});

test('a call proves all that comes before it', () => {
  const steps = stepsOf({ prompts: [prompt({ last_fetched_at: '2026-11-01T00:00:00Z' })], keys: null });
  expect(isComplete(steps)).toBe(true);
});
