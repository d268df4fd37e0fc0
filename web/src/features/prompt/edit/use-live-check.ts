import { useEffect, useRef, useState } from 'react';
import { api } from '~/api/client';
import type { Preview, PreviewVariable, PromptBody } from '~/api/types';
import { fromSnippets } from '../model/included';
import { sampleValues } from '../model/values';

export interface LiveCheck {
  /** The newest answer; it may be about the text of a moment ago. */
  preview: Preview | null;
  /** The variables of the last text without a mistake, those of its snippets included. */
  compiled: PreviewVariable[];
  /** The values it is filled in with: the samples, those of snippets included. */
  values: Record<string, unknown>;
  /** True while the answer does not yet speak of the present text. */
  pending: boolean;
  /** Why there is no answer, if the last try failed. */
  error: unknown;
}

const DELAY = 150;

/** Asks the server to check and render the working copy, a moment after each change. */
export function useLiveCheck(slug: string, body: PromptBody): LiveCheck {
  const [check, setCheck] = useState<Answer>({ preview: null, compiled: [], pending: true, error: null });
  const values = sampleValues([...fromSnippets(body, check.compiled), ...body.variables]);
  const question = JSON.stringify({
    ...body,
    slug,
    config: undefined,
    values,
    render: true,
  });
  const first = useRef(true);

  useEffect(() => {
    const stop = new AbortController();
    setCheck((old) => (old.pending ? old : { ...old, pending: true }));
    const ask = () =>
      api
        .post<Preview>('/templates/preview', JSON.parse(question), { signal: stop.signal })
        .then(
          (preview) => (old: Answer) => taken(old, preview),
          (error: unknown) => (old: Answer) => ({ ...old, pending: false, error }),
        )
        .then((change) => {
          // An aborted question has a newer one behind it.
          if (!stop.signal.aborted) setCheck(change);
        });
    const timer = setTimeout(() => void ask(), first.current ? 0 : DELAY);
    first.current = false;
    return () => {
      clearTimeout(timer);
      stop.abort();
    };
  }, [question]);

  return { ...check, values };
}

type Answer = Omit<LiveCheck, 'values'>;

function taken(old: Answer, preview: Preview): Answer {
  const broken = preview.problems.some((problem) => problem.code === 'TEMPLATE_ERROR');
  return { preview, compiled: broken ? old.compiled : preview.variables, pending: false, error: null };
}
