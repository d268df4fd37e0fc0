import { useSyncExternalStore } from 'react';
import type { ListedPrompt } from '~/api/types';

/** What the pointer carries: prompts of the list, or a folder of the tree. */
export type Dragged = { kind: 'prompts'; prompts: ListedPrompt[] } | { kind: 'folder'; id: string };

let current: Dragged | null = null;
const listeners = new Set<() => void>();

/** Browsers hide what is dragged until it is dropped; the page itself has to remember it. */
export function setDragged(dragged: Dragged | null): void {
  current = dragged;
  for (const listener of listeners) listener();
}

export const dragged = (): Dragged | null => current;

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

export function useDragged(): Dragged | null {
  return useSyncExternalStore(subscribe, dragged);
}

/** A small card that follows the pointer and says how many there are. */
export function showCount(event: React.DragEvent, words: string): void {
  const card = document.createElement('div');
  card.textContent = words;
  card.className = 'xr-dragged';
  document.body.append(card);
  event.dataTransfer.setDragImage(card, -8, -8);
  // The browser has taken its picture by then.
  setTimeout(() => card.remove());
}

export function dragPrompts(event: React.DragEvent, prompts: ListedPrompt[]): void {
  event.dataTransfer.effectAllowed = 'copyMove';
  event.dataTransfer.setData('text/plain', prompts.map((prompt) => prompt.slug).join('\n'));
  showCount(event, prompts.length === 1 ? prompts[0]!.title : `${prompts.length} prompts`);
  setDragged({ kind: 'prompts', prompts });
}
