import { useCallback, useMemo, useState } from 'react';
import type { Prompt } from '~/api/types';

/** Which prompts of the list are ticked. What is no longer in the list is no longer ticked either. */
export function useSelection(prompts: Prompt[]) {
  const [ids, setIds] = useState<ReadonlySet<string>>(new Set());
  const selected = useMemo(() => prompts.filter((prompt) => ids.has(prompt.id)), [prompts, ids]);

  const toggle = useCallback((id: string) => {
    setIds((before) => {
      const after = new Set(before);
      if (!after.delete(id)) after.add(id);
      return after;
    });
  }, []);
  const clear = useCallback(() => setIds(new Set()), []);

  return { selected, has: (id: string) => ids.has(id), toggle, clear };
}

export type Selection = ReturnType<typeof useSelection>;
