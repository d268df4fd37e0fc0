import type { ApiKey, Prompt } from '~/api/types';

export type StepName = 'write' | 'publish' | 'key' | 'call';
export type StepState = 'done' | 'now' | 'later';

export interface Step {
  name: StepName;
  state: StepState;
}

const order: StepName[] = ['write', 'publish', 'key', 'call'];

interface Seen {
  prompts: Prompt[];
  /** Null for who may not see keys: then a call is the proof of one. */
  keys: ApiKey[] | null;
}

/** How far somebody has come on the way from nothing to a program that gets its prompt. */
export function stepsOf({ prompts, keys }: Seen): Step[] {
  const called = prompts.some((prompt) => prompt.last_fetched_at !== null);
  const done: Record<StepName, boolean> = {
    write: prompts.length > 0,
    publish: called || prompts.some((prompt) => prompt.live !== null),
    key: called || (keys?.some((key) => key.status === 'active' || key.status === 'expiring') ?? false),
    call: called,
  };
  const now = order.find((name) => !done[name]);
  return order.map((name) => ({ name, state: done[name] ? 'done' : name === now ? 'now' : 'later' }));
}

export const isComplete = (steps: Step[]): boolean => steps.every(({ state }) => state === 'done');
