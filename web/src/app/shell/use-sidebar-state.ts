import { useCallback, useState } from 'react';

const key = 'xr2-sidebar';

function remembered(): boolean {
  try {
    return localStorage.getItem(key) === 'collapsed';
  } catch {
    return false;
  }
}

/** Whether the sidebar is folded to its icons, remembered in this browser. */
export function useSidebarState() {
  const [collapsed, setCollapsed] = useState(remembered);
  const toggle = useCallback(() => {
    setCollapsed((before) => {
      try {
        localStorage.setItem(key, before ? 'open' : 'collapsed');
      } catch {
        // Not remembering is harmless.
      }
      return !before;
    });
  }, []);
  return { collapsed, toggle };
}
