import { useCallback, useEffect, useRef, useState } from 'react';

/**
 * A search box whose text reaches the address a moment after the last key, and which follows the
 * address when that changes from elsewhere, as by the back button.
 */
export function useSearchBox(applied: string, apply: (text: string) => void) {
  const [value, setValue] = useState(applied);
  const latest = useRef(apply);
  const pending = useRef<{ timer: number; text: string } | null>(null);
  const sent = useRef(applied);
  useEffect(() => {
    latest.current = apply;
  });

  useEffect(() => {
    if (applied !== sent.current) {
      sent.current = applied;
      setValue(applied);
    }
  }, [applied]);

  const flush = useCallback(() => {
    if (!pending.current) return;
    window.clearTimeout(pending.current.timer);
    const text = pending.current.text.trim();
    pending.current = null;
    sent.current = text;
    latest.current(text);
  }, []);

  const set = useCallback(
    (text: string) => {
      setValue(text);
      if (pending.current) window.clearTimeout(pending.current.timer);
      pending.current = { timer: window.setTimeout(flush, 180), text };
    },
    [flush],
  );

  const reset = useCallback(() => {
    if (pending.current) window.clearTimeout(pending.current.timer);
    pending.current = null;
    sent.current = '';
    setValue('');
  }, []);

  useEffect(
    () => () => {
      if (pending.current) window.clearTimeout(pending.current.timer);
    },
    [],
  );

  return { value, set, flush, reset };
}
