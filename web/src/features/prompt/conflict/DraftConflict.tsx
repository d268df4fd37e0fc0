import { Button } from '@mantine/core';
import { IconAlertTriangle } from '@tabler/icons-react';
import { useState } from 'react';
import type { Draft, PromptBody } from '~/api/types';
import { notifyUndo, RelativeTime } from '~/ui';
import dialogs from '../dialogs.module.css';
import { usePrompt, useSaveState } from '../PromptContext';
import { MergeDialog } from './MergeDialog';

/** When somebody else saved the same draft: says so without taking the keyboard, and lets one choose. */
export function DraftConflict() {
  const { session } = usePrompt();
  const state = useSaveState(session);
  const [opened, setOpened] = useState(false);
  if (state.phase !== 'conflict') return null;
  const theirs = state.theirs as Draft;
  const who = theirs.updated_by?.name ?? 'Somebody';

  function keep(body: PromptBody) {
    session.settle(theirs, body);
    setOpened(false);
  }

  function takeTheirs() {
    const mine = session.current();
    session.settle(theirs, null);
    setOpened(false);
    notifyUndo({ message: `The draft is ${who}’s now`, undo: () => session.replace(mine), label: 'Bring mine back' });
  }

  return (
    <>
      <div className={dialogs.notice} data-tone="draft" role="alert">
        <IconAlertTriangle size={18} aria-hidden />
        <span className={dialogs.noticeText}>
          {who} changed this draft <RelativeTime time={theirs.updated_at} /> while you were writing. Your text is safe
          here and not saved yet.
        </span>
        <Button size="compact-sm" variant="default" onClick={() => setOpened(true)}>
          Compare and choose
        </Button>
      </div>
      <MergeDialog
        opened={opened}
        onClose={() => setOpened(false)}
        theirName={`${who}’s draft`}
        theirs={theirs}
        mine={session.current()}
        onKeep={keep}
        onTakeTheirs={takeTheirs}
      >
        {who} saved this draft while you were writing. Keep one, or bring parts of theirs into yours.
      </MergeDialog>
    </>
  );
}
