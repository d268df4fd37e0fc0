import { Button, Modal } from '@mantine/core';
import { useBlocker } from '@tanstack/react-router';
import { notifyError } from '~/ui';
import classes from './dialogs.module.css';
import { usePrompt } from './PromptContext';

/** Saves before the page is left, and asks only when that did not work. */
export function LeaveGuard() {
  const { session, slug, details } = usePrompt();
  const blocker = useBlocker({
    shouldBlockFn: async ({ next }) => {
      const inside = [slug, details.slug].some(
        (own) => next.pathname === `/prompts/${own}` || next.pathname.startsWith(`/prompts/${own}/`),
      );
      if (inside || !session.autosave.unsaved) return false;
      return !(await session.autosave.flush());
    },
    enableBeforeUnload: () => session.autosave.unsaved,
    withResolver: true,
  });

  async function saveAndLeave() {
    if (await session.autosave.flush()) blocker.proceed?.();
    else notifyError(new Error('not saved'), 'Still could not save');
  }

  return (
    <Modal
      opened={blocker.status === 'blocked'}
      onClose={() => blocker.reset?.()}
      title="Your last changes are not saved"
    >
      <p className={classes.text}>
        The server could not take them. They are kept in this browser and offered again when you come back to this
        prompt.
      </p>
      <div className={classes.buttons}>
        <Button variant="default" onClick={() => blocker.proceed?.()}>
          Leave anyway
        </Button>
        <Button variant="default" onClick={() => void saveAndLeave()}>
          Try to save again
        </Button>
        <Button onClick={() => blocker.reset?.()} data-autofocus>
          Keep editing
        </Button>
      </div>
    </Modal>
  );
}
