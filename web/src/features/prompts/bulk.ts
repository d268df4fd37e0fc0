import { ApiError, api, path } from '~/api/client';
import type { Prompt } from '~/api/types';

export interface Outcome {
  done: Prompt[];
  /** Still fetched by clients or included elsewhere: left alone. */
  inUse: Prompt[];
  failed: { prompt: Prompt; error: unknown }[];
}

/** Does one thing to many prompts, one after the other, and says how each one went. */
export async function forEach(prompts: Prompt[], act: (prompt: Prompt) => Promise<unknown>): Promise<Outcome> {
  const outcome: Outcome = { done: [], inUse: [], failed: [] };
  for (const prompt of prompts) {
    try {
      await act(prompt);
      outcome.done.push(prompt);
    } catch (error) {
      if (error instanceof ApiError && error.code === 'IN_USE') outcome.inUse.push(prompt);
      else outcome.failed.push({ prompt, error });
    }
  }
  return outcome;
}

export const binOne = (prompt: Prompt) => api.del(path`/prompts/${prompt.slug}`);
export const restoreOne = (prompt: Prompt) => api.post(path`/prompts/${prompt.id}/undelete`);
export const archiveOne = (prompt: Prompt) => api.post(path`/prompts/${prompt.slug}/archive`);
export const unarchiveOne = (prompt: Prompt) => api.post(path`/prompts/${prompt.slug}/unarchive`);

/** "“Welcome” is in the bin." or "3 prompts are in the bin." */
export function outcomeWords(done: Prompt[], what: string): string {
  return done.length === 1 ? `“${done[0]!.title}” is ${what}.` : `${done.length} prompts are ${what}.`;
}

/** Names those that were left alone because something still uses them. */
export function inUseWords(prompts: Prompt[]): string {
  const named = prompts.slice(0, 3).map((prompt) => `“${prompt.title}”`);
  const rest = prompts.length - named.length;
  const list = rest > 0 ? `${named.join(', ')} and ${rest} more` : named.join(', ');
  return prompts.length === 1
    ? `${list} is in use and stays. Archive it, or move it to the bin from its own menu.`
    : `${list} are in use and stay. Archive them, or move each to the bin from its own menu.`;
}
