import { Button, Skeleton } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import type { PromptBody, VersionConflict } from '~/api/types';
import { ErrorState, notifyUndo, RelativeTime } from '~/ui';
import { usePromptActions } from '../actions';
import { MergeDialog } from '../conflict/MergeDialog';
import { usePrompt } from '../PromptContext';
import { versionQuery } from '../queries';
import classes from './PublishSheet.module.css';

interface Props {
  conflict: VersionConflict;
  /** The draft now begins from the newest version: publishing can go on. */
  onSettled: () => void;
  onClose: () => void;
}

/** Somebody published since this draft was begun: shows who and what, and lets one decide. */
export function StaleBase({ conflict, onSettled, onClose }: Props) {
  const { session, slug } = usePrompt();
  const actions = usePromptActions();
  const [merging, setMerging] = useState(false);
  const {
    data: theirs,
    error,
    refetch,
  } = useQuery(versionQuery(slug, conflict.current_version, conflict.current_version));
  const who = conflict.changed_by.name;
  const name = `v${conflict.current_version}`;

  async function keep(body: PromptBody) {
    setMerging(false);
    session.rebase(conflict.current_version, body);
    await session.autosave.flush();
    onSettled();
  }

  async function takeTheirs() {
    const mine = session.current();
    setMerging(false);
    await actions.discardDraftQuietly();
    notifyUndo({
      message: `You have ${name} as it is. Your draft was put aside.`,
      undo: () => session.replace(mine),
      label: 'Bring mine back',
    });
    onClose();
  }

  return (
    <div className={classes.form}>
      <div className={classes.problem} role="alert">
        <strong>
          {who} saved {name} <RelativeTime time={conflict.changed_at} />
        </strong>
        <div>
          Your draft was begun from v{conflict.base_version}. Publishing it as it is would take {who}’s changes out
          again.
        </div>
        {conflict.change_summary && <div className={classes.note}>“{conflict.change_summary}”</div>}
      </div>
      {error ? (
        <ErrorState error={error} onRetry={() => void refetch()} />
      ) : theirs ? (
        <MergeDialog
          opened={merging}
          onClose={() => setMerging(false)}
          theirName={`${name} by ${who}`}
          theirs={theirs}
          mine={session.current()}
          onKeep={(body) => void keep(body)}
          onTakeTheirs={() => void takeTheirs()}
        >
          {name} went in while you were writing. Keep one, or bring parts of it into yours. Nothing is published yet.
        </MergeDialog>
      ) : (
        <Skeleton height={40} />
      )}
      <div className={classes.foot}>
        <Button variant="default" onClick={onClose}>
          Not yet
        </Button>
        <Button onClick={() => setMerging(true)} disabled={!theirs} data-autofocus>
          Compare and choose
        </Button>
      </div>
    </div>
  );
}
