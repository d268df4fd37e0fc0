import { Button } from '@mantine/core';
import { IconAlertTriangle, IconCheck, IconCloudUpload, IconPencil } from '@tabler/icons-react';
import { usePrompt, useSaveState } from '../PromptContext';
import classes from './Toolbar.module.css';

const clock = new Intl.DateTimeFormat(undefined, { hour: '2-digit', minute: '2-digit' });

/** Where the last keystrokes are: only here, on their way, or safe. */
export function SaveStatus() {
  const { session, details, readOnly } = usePrompt();
  const state = useSaveState(session);
  if (readOnly) return null;

  switch (state.phase) {
    case 'dirty':
      return (
        <Status tone="wait" Icon={IconPencil}>
          Not saved yet
        </Status>
      );
    case 'saving':
      return <Status Icon={IconCloudUpload}>Saving…</Status>;
    case 'saved':
      return <Status Icon={IconCheck}>Draft saved {clock.format(state.at)}</Status>;
    case 'conflict':
      return (
        <Status tone="bad" Icon={IconAlertTriangle}>
          Somebody else changed the draft
        </Status>
      );
    case 'failed':
      return (
        <Status tone="bad" Icon={IconAlertTriangle}>
          Could not save – your text is kept here
          <span className={classes.optionText}>({state.message})</span>
          <Button size="compact-xs" variant="default" onClick={() => void session.autosave.flush()}>
            Try again
          </Button>
        </Status>
      );
    case 'clean':
      return details.draft && session.hasDraft ? (
        <Status Icon={IconCheck}>Draft saved {clock.format(new Date(details.draft.updated_at))}</Status>
      ) : (
        <Status />
      );
  }
}

interface StatusProps {
  tone?: 'bad' | 'wait';
  Icon?: typeof IconCheck;
  children?: React.ReactNode;
}

function Status({ tone, Icon, children }: StatusProps) {
  return (
    <span className={classes.status} data-tone={tone} role="status">
      {Icon && <Icon size={15} aria-hidden />}
      {children}
    </span>
  );
}
