import { useCallback, useState } from 'react';

const key = 'xr2-open-folders';

function remembered(): Set<string> {
  try {
    const found: unknown = JSON.parse(localStorage.getItem(key) ?? '[]');
    return new Set(Array.isArray(found) ? found.filter((id) => typeof id === 'string') : []);
  } catch {
    return new Set();
  }
}

/** Which folders of the tree are open, remembered in this browser. */
export function useOpenFolders() {
  const [open, setOpen] = useState<ReadonlySet<string>>(remembered);

  const set = useCallback((ids: string[], isOpen: boolean) => {
    setOpen((before) => {
      const after = new Set(before);
      for (const id of ids) {
        if (isOpen) after.add(id);
        else after.delete(id);
      }
      if (after.size === before.size) return before;
      try {
        localStorage.setItem(key, JSON.stringify([...after].slice(-500)));
      } catch {
        // Not remembering is harmless.
      }
      return after;
    });
  }, []);

  return { open, set };
}

export type OpenFolders = ReturnType<typeof useOpenFolders>;
