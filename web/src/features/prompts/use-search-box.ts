import { useCallback, useEffect, useRef, useState } from 'react';

/**
 * The texts that were sent to the address and have not come back from it. On a busy machine they come back
 * while somebody types on; what was typed since must then not be overwritten by its own beginning.
 */
export class Outstanding {
  private texts: string[] = [];

  send(text: string): void {
    this.texts.push(text);
  }

  /** True when this is one of ours; what was sent before it will not arrive any more. */
  arrived(text: string): boolean {
    const at = this.texts.indexOf(text);
    if (at === -1) {
      this.texts = [];
      return false;
    }
    this.texts = this.texts.slice(at + 1);
    return true;
  }
}

/**
 * A search box whose text reaches the address a moment after the last key, and which follows the
 * address when that changes from elsewhere, as by the back button.
 */
export function useSearchBox(applied: string, apply: (text: string) => void) {
  const [value, setValue] = useState(applied);
  const latest = useRef(apply);
  const pending = useRef<{ timer: number; text: string } | null>(null);
  const outstanding = useRef(new Outstanding());
  useEffect(() => {
    latest.current = apply;
  });

  useEffect(() => {
    if (!outstanding.current.arrived(applied)) setValue(applied);
  }, [applied]);

  const flush = useCallback(() => {
    if (!pending.current) return;
    window.clearTimeout(pending.current.timer);
    const text = pending.current.text.trim();
    pending.current = null;
    outstanding.current.send(text);
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
    outstanding.current.send('');
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
