import { useEffect, useRef, useState } from 'react';
import { api } from '~/api/client';
import type { Preview, PromptBody } from '~/api/types';
import { sampleValues } from '../model/values';

export interface LiveCheck {
  /** The newest answer; it may be about the text of a moment ago. */
  preview: Preview | null;
  /** True while the answer does not yet speak of the present text. */
  pending: boolean;
  /** Why there is no answer, if the last try failed. */
  error: unknown;
}

const DELAY = 150;

/** Asks the server to check and render the working copy, a moment after each change. */
export function useLiveCheck(slug: string, body: PromptBody): LiveCheck {
  const [check, setCheck] = useState<LiveCheck>({ preview: null, pending: true, error: null });
  const question = JSON.stringify({
    ...body,
    slug,
    config: undefined,
    values: sampleValues(body.variables),
    render: true,
  });
  const first = useRef(true);

  useEffect(() => {
    const stop = new AbortController();
    setCheck((old) => (old.pending ? old : { ...old, pending: true }));
    const ask = () =>
      api
        .post<Preview>('/templates/preview', JSON.parse(question), { signal: stop.signal })
        .then((preview) => ({ preview, pending: false, error: null }))
        .catch((error: unknown) => ({ preview: null, pending: false, error }))
        .then((answer) => {
          // An aborted question has a newer one behind it.
          if (stop.signal.aborted) return;
          setCheck((old) => (answer.error ? { ...old, pending: false, error: answer.error } : answer));
        });
    const timer = setTimeout(() => void ask(), first.current ? 0 : DELAY);
    first.current = false;
    return () => {
      clearTimeout(timer);
      stop.abort();
    };
  }, [question]);

  return check;
}
