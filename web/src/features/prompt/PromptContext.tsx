import { createContext, use, useSyncExternalStore } from 'react';
import type { PromptDetails } from '~/api/types';
import type { SavePhase } from './model/autosave';
import type { EditBody } from './model/body';
import type { EditSession } from './model/session';

export type OwnDoing = <T>(action: Promise<T>, versionOf: (result: T) => number | null | undefined) => Promise<T>;

export interface PromptContextValue {
  /** The slug in the address: a present or a former one. */
  slug: string;
  details: PromptDetails;
  session: EditSession;
  /** Why the prompt cannot be edited here, in words; null when it can. */
  readOnly: string | null;
  /** Why publishing and rolling back is not possible, in words; null when it is. */
  noPublish: string | null;
  /** Opens the publish sheet. */
  publish: () => void;
  /**
   * Runs something that changes what is live, so that it is not reported as somebody else's doing.
   * `versionOf` says which version is live after it; null for none.
   */
  own: OwnDoing;
}

const PromptContext = createContext<PromptContextValue | null>(null);

export const PromptProvider = PromptContext.Provider;

/** The prompt whose page this is. */
export function usePrompt(): PromptContextValue {
  const value = use(PromptContext);
  if (!value) throw new Error('usePrompt outside of a prompt page');
  return value;
}

/** The working copy, current at every keystroke. */
export function useBody(): EditBody {
  const { session } = usePrompt();
  return useSyncExternalStore(session.subscribe, session.snapshot);
}

/** How far the working copy is saved. */
export function useSaveState(session: EditSession): SavePhase {
  return useSyncExternalStore(session.autosave.subscribe, () => session.autosave.state);
}
