import type { PromptBody } from '~/api/types';

/** A copy of unsaved text on this device, for the time the server cannot be reached. */
export interface Backup {
  body: PromptBody;
  base_version: number | null;
  at: number;
}

type Store = Pick<Storage, 'getItem' | 'setItem' | 'removeItem'>;

const key = (workspace: string, prompt: string) => `xr2.unsaved.${workspace}.${prompt}`;

/** Storage may be full or forbidden: a backup is a second net, never a reason to fail. */
export function keepBackup(
  workspace: string,
  prompt: string,
  backup: Backup | null,
  store: Store = localStorage,
): void {
  try {
    if (backup) store.setItem(key(workspace, prompt), JSON.stringify(backup));
    else store.removeItem(key(workspace, prompt));
  } catch {
    return;
  }
}

export function readBackup(workspace: string, prompt: string, store: Store = localStorage): Backup | null {
  try {
    const text = store.getItem(key(workspace, prompt));
    if (!text) return null;
    const value = JSON.parse(text) as Backup;
    return typeof value.at === 'number' && typeof value.body?.type === 'string' && Array.isArray(value.body.variables)
      ? value
      : null;
  } catch {
    return null;
  }
}
