import { Drawer, Skeleton } from '@mantine/core';
import { useEffect, useState } from 'react';
import { usePrompt, useSaveState } from '../PromptContext';
import { PublishForm } from './PublishForm';
import classes from './PublishSheet.module.css';

interface Props {
  opened: boolean;
  onClose: () => void;
}

/** What will go live, what callers will notice, and the button that does it. */
export function PublishSheet({ opened, onClose }: Props) {
  return (
    <Drawer opened={opened} onClose={onClose} position="right" size="min(46rem, 100vw)" title="Publish" padding="lg">
      {opened && <Prepared onClose={onClose} />}
    </Drawer>
  );
}

/** Saves first: what is published is what is on the screen. */
function Prepared({ onClose }: { onClose: () => void }) {
  const { session, details } = usePrompt();
  const state = useSaveState(session);
  const [ready, setReady] = useState(!session.autosave.unsaved);

  useEffect(() => {
    if (ready) return;
    let gone = false;
    void session.autosave.flush().then((saved) => {
      if (!gone && saved) setReady(true);
    });
    return () => {
      gone = true;
    };
  }, [ready, session]);

  if (!ready && (state.phase === 'failed' || state.phase === 'conflict')) {
    return (
      <p className={classes.problem} role="alert">
        {state.phase === 'conflict'
          ? 'Somebody else changed the draft. Close this, compare the two texts, and publish what you choose.'
          : `Your last changes could not be saved, so they cannot go live yet. They are kept here. (${state.message})`}
      </p>
    );
  }
  if (!ready) return <Waiting />;
  const from = session.hasDraft ? 'draft' : (details.version?.number ?? 'draft');
  return <PublishForm from={from} onClose={onClose} />;
}

function Waiting() {
  return (
    <div className={classes.form} aria-busy="true">
      <Skeleton height={16} width="60%" />
      <Skeleton height={160} />
      <Skeleton height={60} />
    </div>
  );
}
