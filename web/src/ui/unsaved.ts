import { useBlocker } from '@tanstack/react-router';

/**
 * Warns before work that is not saved is left: by closing the tab, reloading, or following a link.
 * The answer's `blocked` is true while somebody tries to leave; then show the choice.
 */
export function useUnsavedWarning(unsaved: boolean) {
  const blocker = useBlocker({
    shouldBlockFn: ({ current, next }) => unsaved && current.pathname !== next.pathname,
    enableBeforeUnload: () => unsaved,
    withResolver: true,
  });
  return {
    blocked: blocker.status === 'blocked',
    leave: () => blocker.proceed?.(),
    stay: () => blocker.reset?.(),
  };
}
