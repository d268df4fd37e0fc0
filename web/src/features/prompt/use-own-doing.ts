import { useCallback, useRef, useState } from 'react';
import type { OwnDoing } from './PromptContext';

/** Versions (or null for none) that were made live from this page. */
export type OwnVersions = Set<number | null>;

/**
 * Tells this page's own publishes from those of others. The news of a change may come before the
 * answer to it, so while something is under way nothing can be said about whose doing it is.
 */
export function useOwnDoing() {
  const versions = useRef<OwnVersions>(new Set());
  const [underWay, setUnderWay] = useState(0);
  const own = useCallback<OwnDoing>(async (action, versionOf) => {
    setUnderWay((n) => n + 1);
    try {
      const result = await action;
      const version = versionOf(result);
      if (version !== undefined) versions.current.add(version);
      return result;
    } finally {
      setUnderWay((n) => n - 1);
    }
  }, []);
  return { own, versions: versions.current, busy: underWay > 0 };
}
