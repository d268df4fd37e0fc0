import { useCallback, useMemo, useRef, useState } from 'react';
import type { ListedPrompt } from '~/api/types';

/** As many prompts can be ticked at once. */
export const mostTicked = 1000;

/**
 * Which prompts are ticked. They stay so while one scrolls on, as they were last seen; another question to the
 * list begins with none.
 */
export function useSelection(question: string, loaded: ListedPrompt[]) {
  const [ticked, setTicked] = useState<{ question: string; prompts: ReadonlyMap<string, ListedPrompt> }>({ question, prompts: new Map() });
  const last = useRef<string | null>(null);
  const prompts = ticked.question === question ? ticked.prompts : none;

  const selected = useMemo(() => {
    const current = new Map(loaded.map((prompt) => [prompt.id, prompt]));
    return [...prompts.values()].map((prompt) => current.get(prompt.id) ?? prompt);
  }, [prompts, loaded]);

  const edit = useCallback(
    (change: (prompts: Map<string, ListedPrompt>) => void) =>
      setTicked((before) => {
        const after = new Map(before.question === question ? before.prompts : none);
        change(after);
        return { question, prompts: after };
      }),
    [question],
  );

  /** With `through`, all between this one and the one ticked before are ticked as well. */
  const toggle = useCallback(
    (prompt: ListedPrompt, through?: (from: string, to: string) => ListedPrompt[]) => {
      const begun = last.current;
      last.current = prompt.id;
      edit((after) => {
        if (through && begun !== null && after.has(begun)) {
          for (const one of through(begun, prompt.id)) if (after.size < mostTicked) after.set(one.id, one);
        } else if (!after.delete(prompt.id) && after.size < mostTicked) after.set(prompt.id, prompt);
      });
    },
    [edit],
  );
  const add = useCallback(
    (more: ListedPrompt[]) => edit((after) => more.forEach((prompt) => after.size < mostTicked && after.set(prompt.id, prompt))),
    [edit],
  );
  const keep = useCallback(
    (ids: string[]) =>
      edit((after) => {
        const kept = new Set(ids);
        for (const id of [...after.keys()]) if (!kept.has(id)) after.delete(id);
      }),
    [edit],
  );
  const clear = useCallback(() => edit((after) => after.clear()), [edit]);

  return { selected, has: (id: string) => prompts.has(id), toggle, add, keep, clear };
}

const none: ReadonlyMap<string, ListedPrompt> = new Map();

export type Selection = ReturnType<typeof useSelection>;
