import { useEffect } from 'react';

/** Names the page in the browser's tab, in the history, and for the screen reader after a navigation. */
export function usePageTitle(title: string | undefined): void {
  useEffect(() => {
    if (title) document.title = `${title} · xr2`;
  }, [title]);
}
