import { useBlocker } from '@tanstack/react-router';

/**
 * Warns before work that is not saved is left: by closing the tab, reloading, or following a link.
 * A function is asked at that moment, for pages that navigate in the same breath as they save. The answer's `blocked` is true while somebody tries to leave; then show the choice.
 */
export function useUnsavedWarning(unsaved: boolean | (() => boolean)) {
  const isUnsaved = () => (typeof unsaved === 'function' ? unsaved() : unsaved);
  const blocker = useBlocker({
    shouldBlockFn: ({ current, next }) => isUnsaved() && current.pathname !== next.pathname,
    enableBeforeUnload: isUnsaved,
    withResolver: true,
  });
  return {
    blocked: blocker.status === 'blocked',
    leave: () => blocker.proceed?.(),
    stay: () => blocker.reset?.(),
  };
}
