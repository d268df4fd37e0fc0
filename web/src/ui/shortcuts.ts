import { useEffect, useRef } from 'react';
import { isApple } from './platform';

export interface Shortcut {
  /** Such as `mod+s`, `mod+enter`, `/`, `?`, `j`. `mod` is ⌘ on Apple keyboards, Ctrl elsewhere. */
  keys: string;
  /** What it does, as the shortcut map says it. */
  description: string;
  /** The heading it stands under in the map. */
  group?: string;
}

interface Registered extends Shortcut {
  run: (event: KeyboardEvent) => void;
}

const registered: Registered[] = [];

/** The shortcuts that work on the page that is open, for the map. */
export function activeShortcuts(): Shortcut[] {
  return registered.map(({ keys, description, group }) => ({ keys, description, group }));
}

function isTyping(target: EventTarget | null): boolean {
  if (!(target instanceof HTMLElement)) return false;
  return target.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName);
}

/** The combination that an event stands for, in the same words as `Shortcut.keys`. */
export function combinationOf(event: Pick<KeyboardEvent, 'key' | 'metaKey' | 'ctrlKey' | 'altKey' | 'shiftKey'>): string {
  const key = event.key === ' ' ? 'space' : event.key.toLowerCase();
  const parts: string[] = [];
  if (isApple ? event.metaKey : event.ctrlKey) parts.push('mod');
  if (event.altKey) parts.push('alt');
  // A printed sign such as "?" already says that shift is down.
  if (event.shiftKey && (key.length > 1 || /[a-z]/.test(key))) parts.push('shift');
  parts.push(key);
  return parts.join('+');
}

function onKeyDown(event: KeyboardEvent) {
  if (event.defaultPrevented || event.isComposing) return;
  const combination = combinationOf(event);
  const plain = !combination.includes('mod+') && combination !== 'escape';
  if (plain && isTyping(event.target)) return;
  // A dialog is a page of its own: single keys must not reach what lies behind it.
  if (plain && document.querySelector('[role="dialog"][aria-modal="true"]')) return;
  // The newest registration wins, so that a page may refine what the shell does.
  const shortcut = registered.findLast((candidate) => candidate.keys === combination);
  if (!shortcut) return;
  event.preventDefault();
  shortcut.run(event);
}

/** Makes a key combination work while the component is shown, and lists it in the map behind `?`. */
export function useShortcut(shortcut: Shortcut, run: (event: KeyboardEvent) => void, enabled = true): void {
  const latest = useRef(run);
  useEffect(() => {
    latest.current = run;
  });
  const { keys, description, group } = shortcut;
  useEffect(() => {
    if (!enabled) return;
    const entry: Registered = { keys, description, group, run: (event) => latest.current(event) };
    if (registered.length === 0) document.addEventListener('keydown', onKeyDown);
    registered.push(entry);
    return () => {
      registered.splice(registered.indexOf(entry), 1);
      if (registered.length === 0) document.removeEventListener('keydown', onKeyDown);
    };
  }, [keys, description, group, enabled]);
}
