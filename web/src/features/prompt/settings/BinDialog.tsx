import { Button, Modal } from '@mantine/core';
import { useQueryClient } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { useState } from 'react';
import { ApiError } from '~/api/client';
import type { InUseReason } from '~/api/types';
import { explain, RelativeTime } from '~/ui';
import { usePromptActions } from '../actions';
import dialogs from '../dialogs.module.css';
import { usePrompt } from '../PromptContext';

/** Moves the prompt to the bin; when it is still used, says by whom and asks again. */
export function BinDialog({ opened, onClose }: { opened: boolean; onClose: () => void }) {
  return (
    <Modal opened={opened} onClose={onClose} title="Move to the bin?">
      {opened && <Question onClose={onClose} />}
    </Modal>
  );
}

function Question({ onClose }: { onClose: () => void }) {
  const { details } = usePrompt();
  const { moveToBin } = usePromptActions();
  const queryClient = useQueryClient();
  const [busy, setBusy] = useState(false);
  const [inUse, setInUse] = useState<InUseReason[] | null>(null);
  const [problem, setProblem] = useState<string | null>(null);

  async function go(force: boolean) {
    setBusy(true);
    setProblem(null);
    try {
      await moveToBin(force);
      onClose();
    } catch (error) {
      if (error instanceof ApiError && error.code === 'IN_USE')
        setInUse((error.details.reasons as InUseReason[]) ?? []);
      else setProblem(explain(error).text);
      void queryClient.invalidateQueries({ queryKey: ['prompt', details.slug] });
    } finally {
      setBusy(false);
    }
  }

  return (
    <>
      <p className={dialogs.text}>
        “{details.title}” will no longer be delivered: whoever asks for <code>{details.slug}</code> gets “not found”.
        You can bring it back from the bin with all its versions.
      </p>
      {inUse && (
        <div role="alert">
          <p style={{ margin: '0 0 0.25rem', fontWeight: 600 }}>It is still in use:</p>
          <ul style={{ margin: 0, paddingInlineStart: '1.25rem' }}>
            {inUse.map((reason, index) => (
              <li key={index}>
                <Reason reason={reason} />
              </li>
            ))}
          </ul>
        </div>
      )}
      {problem && (
        <p role="alert" style={{ color: 'var(--xr-danger)' }}>
          {problem}
        </p>
      )}
      <div className={dialogs.buttons}>
        <Button variant="default" onClick={onClose} data-autofocus>
          Cancel
        </Button>
        <Button color="red" loading={busy} onClick={() => void go(inUse !== null)}>
          {inUse ? 'Move to the bin anyway' : 'Move to the bin'}
        </Button>
      </div>
    </>
  );
}

function Reason({ reason }: { reason: InUseReason }) {
  switch (reason.kind) {
    case 'fetched':
      return (
        <>
          a client fetched it <RelativeTime time={reason.last_fetched_at} />; it would get an error next time
        </>
      );
    case 'included_by':
      return (
        <>
          <Link to="/prompts/$slug" params={{ slug: reason.slug }} className={dialogs.link}>
            {reason.slug}
          </Link>{' '}
          includes its text
        </>
      );
    case 'label':
      return <>the label {reason.slug} points at it</>;
  }
}
